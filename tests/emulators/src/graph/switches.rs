//! Switches of the emulator, where the real service behaves one way or the other.

use crate::shared::faults::RetryAfter;
pub use crate::shared::often::Often;
use serde::{Deserialize, Serialize};

/// How a delta query says that its token is worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaLoss {
    /// 410 with `Location` and the code `resyncRequired`.
    Gone,
    /// 410 with `Location` and the code `syncStateNotFound`.
    GoneNotFound,
    /// 400 with the code `SyncStateNotFound` and no `Location`.
    BadRequest,
    /// 404 with the code `SYNCSTATENOTFOUND`.
    NotFound,
}

impl DeltaLoss {
    /// All of them, in the order in which they take turns.
    pub const ALL: [Self; 4] = [Self::Gone, Self::BadRequest, Self::GoneNotFound, Self::NotFound];
}

/// Everything that can be switched. `POST /_control/settings` takes any of the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How often a body that came as plain text is shown as HTML when nobody asked for either.
    pub text_becomes_html: Often,
    /// How often mails without references join a conversation because of an equal subject.
    pub subject_joins: Often,
    /// How long delta queries lag behind a change.
    pub delta_lag_millis: i64,
    /// How often a round of a delta query has an empty page that is not the last.
    pub delta_empty_pages: Often,
    /// How often a round of a delta query mentions something twice.
    pub delta_repeats: Often,
    /// How often a round of a delta query comes in another order.
    pub delta_shuffles: Often,
    /// How often the first round mentions what left before.
    pub delta_removed_at_first: Often,
    /// How often a change of other properties than `isRead` is told by these properties alone.
    pub delta_partial: Often,
    /// How a token that is worth nothing is refused; they take turns if not set.
    pub delta_loss: Option<DeltaLoss>,
    /// How long a link to the next page of a delta query works.
    pub next_link_seconds: i64,
    /// The most bytes of a page, above which the gateway gives up with 504.
    pub most_page_bytes: Option<usize>,
    /// How long a mail that is already announced cannot be found yet.
    pub find_lag_millis: i64,
    /// How often DELETE puts a mail out of sight instead of into Deleted Items.
    pub delete_hides: Often,
    /// How long the transport takes before a draft leaves Drafts.
    pub send_delay_millis: i64,
    /// How long a mail on its way is in no folder at all.
    pub send_gap_millis: i64,
    /// How often a mail gets another Message-ID when it leaves.
    pub changes_message_id: Often,
    /// The share of the real allowance that each application has with a mailbox; no limit without one.
    pub quota_scale: Option<f64>,
    /// Requests of an application to one mailbox that are carried out at once.
    pub most_concurrent: usize,
    /// What a refusal for too many requests says about coming back.
    pub throttle_retry_after: RetryAfter,
    /// How often the details of a refusal are written `innererror`.
    pub inner_error_lower_case: Often,
    /// How often a token's scopes are named in full and in lower case.
    pub scopes_in_full: Often,
    /// The shortest and the longest life of an access token, in seconds.
    pub access_token_seconds: (i64, i64),
    /// How long a refresh token lives that is not used.
    pub refresh_token_seconds: i64,
    /// Whether a POST without a length is refused.
    pub needs_content_length: bool,
    /// Whether a person decides on a page, rather than the script or the emulator at once.
    pub asks_for_consent: bool,
    /// Whether notifications may go to plain `http`.
    pub allows_http_notifications: bool,
    /// How often a subscription gets less time than it asked for.
    pub shortens_subscriptions: Often,
    /// Subscriptions that one mailbox may have.
    pub most_subscriptions: usize,
    /// How long an endpoint may take to prove itself.
    pub validation_millis: u64,
    /// How long an endpoint may take to accept a notification.
    pub notification_deadline_millis: u64,
    /// How long notifications lag behind a change.
    pub notification_lag_millis: i64,
    /// How long after a failed notification the next attempt comes; it doubles each time.
    pub notification_retry_millis: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            text_becomes_html: Often::EveryOther,
            subject_joins: Often::EveryOther,
            delta_lag_millis: 0,
            delta_empty_pages: Often::EveryOther,
            delta_repeats: Often::EveryOther,
            delta_shuffles: Often::EveryOther,
            delta_removed_at_first: Often::EveryOther,
            delta_partial: Often::EveryOther,
            delta_loss: None,
            next_link_seconds: 3600,
            most_page_bytes: Some(24 * 1024 * 1024),
            find_lag_millis: 0,
            delete_hides: Often::EveryOther,
            send_delay_millis: 30,
            send_gap_millis: 10,
            changes_message_id: Often::Never,
            quota_scale: Some(1.0),
            most_concurrent: 4,
            throttle_retry_after: RetryAfter::Seconds(1),
            inner_error_lower_case: Often::EveryOther,
            scopes_in_full: Often::EveryOther,
            access_token_seconds: (3600, 5400),
            refresh_token_seconds: 90 * 24 * 3600,
            needs_content_length: true,
            asks_for_consent: false,
            allows_http_notifications: false,
            shortens_subscriptions: Often::EveryOther,
            most_subscriptions: 1000,
            validation_millis: 10_000,
            notification_deadline_millis: 3000,
            notification_lag_millis: 0,
            notification_retry_millis: 100,
        }
    }
}
