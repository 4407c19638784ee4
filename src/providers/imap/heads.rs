//! Reads mails' headers with their index lines, enough to tell which mail is which.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::connection::Use;
use super::fetch::{MAX_HEADER, index_entry, merge};
use super::mailbox::within;
use super::response::Fetched;
use super::{ImapConnection, ImapError, IndexEntry, UidSet};

/// The most octets of headers that are held for one set.
const MAX_HELD: usize = 16 * 1024 * 1024;

impl ImapConnection {
    /// The index lines and whole headers of the mails in a set, by ascending UID. A header ends
    /// with its blank line, as it does in the mail itself, so that the mail's identity can be
    /// computed from it and the size.
    ///
    /// Left out are mails that are gone, those whose header is longer than 256 KiB, and those
    /// beyond 16 MiB of headers in all: read those whole. Ask for at most some hundred mails at
    /// a time.
    ///
    /// # Errors
    /// As [`Self::fetch_index`].
    pub async fn fetch_heads(&mut self, uids: &UidSet) -> Result<Vec<(IndexEntry, Bytes)>, ImapError> {
        // One octet more than is wanted shows that there is more.
        let most = MAX_HEADER + 1;
        let items = format!("(UID FLAGS INTERNALDATE RFC822.SIZE{} BODY.PEEK[HEADER]<0.{most}>)", self.id_items());
        let limit = self.wire.limits().entries;
        let mut found: BTreeMap<u32, Fetched> = BTreeMap::new();
        let mut held = 0usize;
        let take = |uid, mut data: Fetched| {
            let known = found.contains_key(&uid);
            let length = data.body.as_ref().and_then(|body| body.data.as_ref()).map_or(0, Bytes::len);
            let mail = found.entry(uid).or_default();
            if mail.body.is_some() || length > MAX_HEADER || held + length > MAX_HELD {
                data.body = None;
            } else {
                held += length;
            }
            merge(mail, data);
            within(found.len(), limit)?;
            Ok(if known { Use::Extra } else { Use::Asked })
        };
        self.fetch(uids, &items, take, |_| Ok(())).await?;
        Ok(found.into_iter().filter_map(head).collect())
    }
}

fn head((uid, mut data): (u32, Fetched)) -> Option<(IndexEntry, Bytes)> {
    let header = data.body.take()?.data?;
    Some((index_entry((uid, data))?, header))
}
