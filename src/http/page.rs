//! Lists: `{"items": […], "next_cursor": …}` with keyset cursors, stable while rows arrive.

use data_encoding::BASE64URL_NOPAD;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Timestamp;

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The objects, in the list's order.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page from rows that were read with one more than the limit; the extra row tells that more follow.
    pub fn cut(mut rows: Vec<T>, limit: Limit, key: impl Fn(&T) -> Keyset) -> Self {
        let more = rows.len() > limit.rows();
        rows.truncate(limit.rows());
        let next_cursor = rows.last().filter(|_| more).map(|row| key(row).encode());
        Self { items: rows, next_cursor }
    }

    /// Turns the items into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

/// How many rows a page has: 1–200, 50 when not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = u16, minimum = 1, maximum = 200, default = 50)]
pub struct Limit(u16);

impl Limit {
    /// The number of rows.
    pub fn rows(self) -> usize {
        usize::from(self.0)
    }

    /// The number to ask the database for: one more, to see whether another page follows.
    pub fn probe(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(rows @ 1..=200) => Ok(Self(rows)),
            _ => Err(de::Error::custom("field `limit` must be a number from 1 to 200")),
        }
    }
}

/// Where a page ended: the sort time and the id of its last row. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyset {
    /// The time that the list is sorted by.
    pub at: Timestamp,
    /// The id that breaks ties.
    pub id: Uuid,
}

impl Keyset {
    /// Writes the cursor.
    pub fn encode(self) -> String {
        let mut bytes = [0; 24];
        let (at, id) = bytes.split_at_mut(8);
        at.copy_from_slice(&self.at.micros().to_be_bytes());
        id.copy_from_slice(self.id.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (at, id) = bytes.split_at_checked(8)?;
        Some(Self {
            at: Timestamp::from_micros(i64::from_be_bytes(at.try_into().ok()?))?,
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

impl<'de> Deserialize<'de> for Keyset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| de::Error::custom("field `cursor` is not one that this list gave out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_journey_and_a_forged_one_is_refused() {
        let key = Keyset { at: Timestamp::from_micros(1_700_000_000_000_001).unwrap(), id: Uuid::now_v7() };
        assert_eq!(Keyset::decode(&key.encode()), Some(key));
        assert_eq!(Keyset::decode("AAAA"), None);
        assert_eq!(Keyset::decode("not base64!"), None);
    }

    #[test]
    fn a_page_knows_whether_another_follows() {
        let key = |n: &i64| Keyset { at: Timestamp::from_micros(*n).unwrap(), id: Uuid::nil() };
        let full = Page::cut(vec![3, 2, 1], Limit(2), key);
        assert_eq!((full.items, full.next_cursor.is_some()), (vec![3, 2], true));
        assert!(Page::cut(vec![3, 2], Limit(2), key).next_cursor.is_none());
    }
}
