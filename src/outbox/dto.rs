//! What goes out over HTTP and the WebSocket.

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::store::Row;
use crate::clock::Timestamp;
use crate::http::Limit;
use crate::ids::EventId;

/// Something that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventDto {
    /// Its id; a webhook carries the same as `webhook-id`.
    pub id: EventId,
    /// What happened, such as `email.received`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its number in the organization: from 1 on, without gaps. A reader sees only its own.
    pub seq: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it is about: `email_id`, `account_id`, `thread_id` and the like, where they apply.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<Row> for EventDto {
    fn from(row: Row) -> Self {
        let Row { id, type_, seq, occurred_at, data } = row;
        Self { id, kind: type_, seq, occurred_at, data: data.0 }
    }
}

/// Which events to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// The last `seq` that is known: what follows it is read. 0 reads from the very first; without it the list starts at
    /// the first that is still kept.
    #[param(value_type = Option<i64>)]
    pub after: Option<After>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>)]
    pub limit: Limit,
    /// The `next_cursor` of the page before; it comes instead of `after`.
    #[serde(default, deserialize_with = "cursor")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<After>,
}

/// The number of the last event that a reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = i64, minimum = 0)]
pub struct After(pub i64);

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        number(&text).ok_or_else(|| de::Error::custom("field `after` must be the number of an event, or 0"))
    }
}

fn number(text: &str) -> Option<After> {
    text.parse().ok().filter(|seq| *seq >= 0).map(After)
}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<After>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = number(&text).ok_or_else(|| de::Error::custom("field `cursor` is not one that this list gave out"))?;
    Ok(Some(known))
}
