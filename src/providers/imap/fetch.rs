//! Reads what the server knows about mails, without their bodies.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::command::Command;
use super::connection::Use;
use super::mailbox::within;
use super::response::{Fetched, Response};
use super::{FlagEntry, FlagFlow, ImapConnection, ImapError, IndexEntry, UidSet};

/// The most of a mail's header that is read alone, in octets.
const MAX_HEADER: usize = 256 * 1024;

impl ImapConnection {
    /// The index lines of the mails in a set, by ascending UID. Mails that are gone are missing.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::TooLarge`] when there are more than [`super::Limits::entries`]: ask
    /// for a window of UIDs at a time. Otherwise as the connection fails.
    pub async fn fetch_index(&mut self, uids: &UidSet) -> Result<Vec<IndexEntry>, ImapError> {
        let items = format!("UID FLAGS INTERNALDATE RFC822.SIZE{}", self.id_items());
        let found = self.fetch(uids, &format!("({items})")).await?;
        Ok(found.into_iter().filter_map(index_entry).collect())
    }

    /// The flags of the mails in a set; with `changed_since` (needs CONDSTORE) only of those
    /// whose modification sequence is higher, and with QRESYNC the UIDs of those that vanished.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn fetch_flags(&mut self, uids: &UidSet, changed_since: Option<u64>) -> Result<FlagFlow, ImapError> {
        let modifier = match changed_since {
            Some(since) if self.capabilities.qresync => {
                format!(" (CHANGEDSINCE {since} VANISHED)")
            }
            Some(since) => format!(" (CHANGEDSINCE {since})"),
            None => String::new(),
        };
        let items = if self.capabilities.condstore { "(UID FLAGS MODSEQ)" } else { "(UID FLAGS)" };
        let mut gone = UidSet::new();
        let limit = self.wire.limits().entries;
        let found = self
            .fetch_with(uids, &format!("{items}{modifier}"), |vanished| {
                gone.extend(vanished);
                within(gone.range_count(), limit)
            })
            .await?;
        let changed = found
            .into_iter()
            .filter_map(|(uid, data)| {
                let (flags, mod_seq) = (data.flags?, data.mod_seq);
                Some(FlagEntry { uid, flags, mod_seq })
            })
            .collect();
        Ok(FlagFlow { changed, vanished: gone })
    }

    /// A mail's header, cut off after 256 KiB; none when the mail is gone.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn fetch_head(&mut self, uid: u32) -> Result<Option<Bytes>, ImapError> {
        let items = format!("(UID BODY.PEEK[HEADER]<0.{MAX_HEADER}>)");
        let found = self.fetch(&UidSet::one(uid), &items).await?;
        let body = found.into_values().find_map(|data| data.body);
        Ok(body.and_then(|body| body.data).map(|mut header| {
            header.truncate(MAX_HEADER);
            header
        }))
    }

    /// The items that identify a mail beyond its UID, where the server has them.
    pub(super) fn id_items(&self) -> &'static str {
        match (self.capabilities.objectid, self.capabilities.condstore) {
            (true, true) => " EMAILID MODSEQ",
            (true, false) => " EMAILID",
            (false, true) => " MODSEQ",
            (false, false) => "",
        }
    }

    async fn fetch(&mut self, uids: &UidSet, items: &str) -> Result<BTreeMap<u32, Fetched>, ImapError> {
        self.fetch_with(uids, items, |_| Ok(())).await
    }

    async fn fetch_with(
        &mut self,
        uids: &UidSet,
        items: &str,
        mut on_vanished: impl FnMut(UidSet) -> Result<(), ImapError>,
    ) -> Result<BTreeMap<u32, Fetched>, ImapError> {
        let mut found: BTreeMap<u32, Fetched> = BTreeMap::new();
        if uids.is_empty() {
            return Ok(found);
        }
        let limit = self.wire.limits().entries;
        let command = Command::new(&format!("UID FETCH {uids} {items}"));
        self.run(command, |response| {
            match response {
                Response::Fetch(data) => {
                    // News about other mails come as FETCH too, often without a UID; and `n:*`
                    // yields the last mail even when its UID is below n.
                    let asked = data.uid.filter(|uid| uids.contains(*uid));
                    let Some(uid) = asked else {
                        return Ok(Use::Unasked);
                    };
                    let known = found.contains_key(&uid);
                    merge(found.entry(uid).or_default(), *data);
                    within(found.len(), limit)?;
                    return Ok(if known { Use::Unasked } else { Use::Asked });
                }
                Response::Vanished { earlier: true, uids } => on_vanished(uids)?,
                _ => {}
            }
            Ok(Use::Unasked)
        })
        .await?;
        Ok(found)
    }
}

/// A server may tell about one mail in several responses.
pub(super) fn merge(into: &mut Fetched, news: Fetched) {
    into.uid = news.uid.or(into.uid);
    into.flags = news.flags.or(into.flags);
    into.internal_date = news.internal_date.or(into.internal_date);
    into.size = news.size.or(into.size);
    into.mod_seq = news.mod_seq.or(into.mod_seq);
    into.email_id = news.email_id.or(into.email_id.take());
    into.body = news.body.or(into.body.take());
}

/// An index line, if that is what was answered and not only a change of flags.
fn index_entry((uid, data): (u32, Fetched)) -> Option<IndexEntry> {
    Some(IndexEntry {
        uid,
        size: data.size?,
        flags: data.flags.unwrap_or_default(),
        internal_date: data.internal_date,
        email_id: data.email_id,
        mod_seq: data.mod_seq,
    })
}
