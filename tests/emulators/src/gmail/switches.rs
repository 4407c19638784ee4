//! Switches of the emulator, where the real service behaves one way or the other.

use super::errors::ErrorShape;
use crate::shared::faults::RetryAfter;
pub use crate::shared::often::Often;
use serde::{Deserialize, Serialize};

/// The prices of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// Projects made since May 2026.
    #[default]
    New,
    /// Projects from before.
    Legacy,
}

/// Everything that can be switched. `POST /_control/settings` takes any of the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether a mail sent through the API keeps its own Message-ID.
    pub keeps_message_id: bool,
    /// How long `history.list` lags behind a change.
    pub history_lag_millis: i64,
    /// How long lists and searches lag behind a change.
    pub list_lag_millis: i64,
    /// How often history mentions a mail with its labels.
    pub history_names_labels: Often,
    /// How often a notification's `historyId` is a number and not text.
    pub notification_id_is_number: Often,
    /// The shortest time between two notifications; those between are dropped.
    pub notification_gap_millis: i64,
    /// The share of the real allowance that a user has; nothing is refused without one.
    pub quota_scale: Option<f64>,
    /// Which prices apply.
    pub prices: Prices,
    /// How often a used-up allowance is answered with 403 and not with 429.
    pub quota_is_forbidden: Often,
    /// What a used-up allowance says about coming back.
    pub quota_retry_after: RetryAfter,
    /// Parts of a batch that are carried out at once; the others are answered with 429.
    pub batch_parts_at_once: usize,
    /// Requests of one user that are carried out at once; more are answered with 429. No limit if not set.
    pub most_concurrent: Option<usize>,
    /// Mails a user sends a day; 500, or 2,000 in a Workspace, if not set.
    pub daily_sends: Option<usize>,
    /// How long an access token lives.
    pub access_token_seconds: i64,
    /// How many refresh tokens a user has with one client before the oldest dies.
    pub most_refresh_tokens: usize,
    /// How long an attachment's id works.
    pub attachment_id_seconds: i64,
    /// Whether a POST without a length is refused, as Google's front end does over HTTP/1.1.
    pub needs_content_length: bool,
    /// How long an empty pull waits for a message.
    pub pull_wait_millis: u64,
    /// How long after a failed push the next attempt comes; it doubles each time.
    pub push_retry_millis: u64,
    /// Which optional parts a refusal has.
    pub error_shape: ErrorShape,
    /// Whether a person decides on a page, rather than the script or the emulator at once.
    pub asks_for_consent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keeps_message_id: false,
            history_lag_millis: 0,
            list_lag_millis: 0,
            history_names_labels: Often::EveryOther,
            notification_id_is_number: Often::EveryOther,
            notification_gap_millis: 1000,
            quota_scale: Some(1.0),
            prices: Prices::New,
            quota_is_forbidden: Often::EveryOther,
            quota_retry_after: RetryAfter::Absent,
            batch_parts_at_once: 50,
            most_concurrent: None,
            daily_sends: None,
            access_token_seconds: 3599,
            most_refresh_tokens: 100,
            attachment_id_seconds: 3600,
            needs_content_length: true,
            pull_wait_millis: 1000,
            push_retry_millis: 100,
            error_shape: ErrorShape::Full,
            asks_for_consent: false,
        }
    }
}
