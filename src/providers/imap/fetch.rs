//! Reads what the server knows about mails, without their bodies.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::command::Command;
use super::connection::Use;
use super::mailbox::within;
use super::response::{Fetched, Response};
use super::{FlagEntry, FlagFlow, ImapConnection, ImapError, IndexEntry, UidSet};

/// The most of a mail's header that is read alone, in octets.
pub(super) const MAX_HEADER: usize = 256 * 1024;

/// The longest set in one command: servers limit the length of a line (RFC 2683 §3.2.1.5).
pub(super) const MAX_SET: usize = 4000;

impl ImapConnection {
    /// The index lines of the mails in a set, by ascending UID. Mails that are gone are missing.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::TooLarge`] when there are more than [`super::Limits::entries`]: ask
    /// for a window of UIDs at a time. Otherwise as the connection fails.
    pub async fn fetch_index(&mut self, uids: &UidSet) -> Result<Vec<IndexEntry>, ImapError> {
        let items = format!("(UID FLAGS INTERNALDATE RFC822.SIZE{})", self.id_items());
        let limit = self.wire.limits().entries;
        let mut found: BTreeMap<u32, Fetched> = BTreeMap::new();
        let take = |uid, data: Fetched| {
            let known = found.contains_key(&uid);
            // A body that nobody asked for must not be kept.
            merge(found.entry(uid).or_default(), Fetched { body: None, ..data });
            within(found.len(), limit)?;
            Ok(if known { Use::Extra } else { Use::Asked })
        };
        self.fetch(uids, &items, take, |_| Ok(())).await?;
        Ok(found.into_iter().filter_map(index_entry).collect())
    }

    /// The flags of the mails in a set; with `changed_since` (needs CONDSTORE) only of those
    /// whose modification sequence is higher, and with QRESYNC the UIDs of those that vanished.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::TooLarge`] when there are more than eight times
    /// [`super::Limits::entries`]. Otherwise as the connection fails.
    pub async fn fetch_flags(&mut self, uids: &UidSet, changed_since: Option<u64>) -> Result<FlagFlow, ImapError> {
        let items = if self.capabilities.condstore { "(UID FLAGS MODSEQ)" } else { "(UID FLAGS)" };
        let modifier = match changed_since {
            Some(since) if self.capabilities.qresync => format!(" (CHANGEDSINCE {since} VANISHED)"),
            Some(since) => format!(" (CHANGEDSINCE {since})"),
            None => String::new(),
        };
        let limit = self.wire.limits().entries * 8;
        let mut changed: Vec<FlagEntry> = Vec::new();
        let mut vanished = UidSet::new();
        let take = |uid, data: Fetched| {
            if let Some(flags) = data.flags {
                changed.push(FlagEntry { uid, flags, mod_seq: data.mod_seq });
            }
            within(changed.len(), limit)?;
            Ok(Use::Asked)
        };
        let on_vanished = |uids| {
            vanished.extend(uids);
            within(vanished.range_count(), limit)
        };
        self.fetch(uids, &format!("{items}{modifier}"), take, on_vanished).await?;
        // Of two words about one mail the later counts.
        changed.reverse();
        changed.sort_by_key(|entry| entry.uid);
        changed.dedup_by_key(|entry| entry.uid);
        Ok(FlagFlow { changed, vanished })
    }

    /// A mail's header, cut off after 256 KiB; none when the mail is gone.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn fetch_head(&mut self, uid: u32) -> Result<Option<Bytes>, ImapError> {
        let items = format!("(UID BODY.PEEK[HEADER]<0.{MAX_HEADER}>)");
        let mut header: Option<Bytes> = None;
        let take = |_, data: Fetched| {
            let news = data.body.and_then(|body| body.data);
            header = news.or(header.take());
            Ok(Use::Extra)
        };
        self.fetch(&UidSet::one(uid), &items, take, |_| Ok(())).await?;
        Ok(header.map(|mut header| {
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

    /// Fetches items of the mails in a set, with as many commands as it takes to write the set.
    pub(super) async fn fetch(
        &mut self,
        uids: &UidSet,
        items: &str,
        mut take: impl FnMut(u32, Fetched) -> Result<Use, ImapError>,
        mut on_vanished: impl FnMut(UidSet) -> Result<(), ImapError>,
    ) -> Result<(), ImapError> {
        for part in uids.split(MAX_SET) {
            let command = Command::new(&format!("UID FETCH {part} {items}"));
            self.run(command, |response| match response {
                // News about other mails come as FETCH too, often without a UID; and `n:*` yields
                // the last mail even when its UID is below n.
                Response::Fetch(data) => match data.uid.filter(|uid| part.contains(*uid)) {
                    Some(uid) => take(uid, *data),
                    None => Ok(Use::Unasked),
                },
                Response::Vanished { earlier: true, uids } => on_vanished(uids).map(|()| Use::Extra),
                _ => Ok(Use::Unasked),
            })
            .await?;
        }
        Ok(())
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
pub(super) fn index_entry((uid, data): (u32, Fetched)) -> Option<IndexEntry> {
    Some(IndexEntry {
        uid,
        size: data.size?,
        flags: data.flags.unwrap_or_default(),
        internal_date: data.internal_date,
        email_id: data.email_id,
        mod_seq: data.mod_seq,
    })
}
