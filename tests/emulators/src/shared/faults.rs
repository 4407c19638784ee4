//! Faults made to order: which call, when, and what goes wrong.

use super::clock::http_date;
use super::random::Random;
use serde::{Deserialize, Serialize};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, not done.
    TooManyRequests {
        /// How long to wait, as the answer says it.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 403 that means the same as 429, not done.
    RateForbidden {
        /// How long to wait, as the answer says it.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 403: the project's allowance for the day is used up, not done.
    DailyLimit,
    /// 503 or 504 that says when to come back, not done.
    Busy {
        /// The status.
        status: u16,
        /// How long to wait, as the answer says it.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 500 and above, not done.
    ServerError {
        /// The status.
        status: u16,
    },
    /// Any other refusal in the provider's own form, not done.
    Refusal {
        /// The status.
        status: u16,
        /// The reason that the answer names.
        reason: String,
    },
    /// An HTML page where JSON belongs, not done.
    Html {
        /// The status.
        status: u16,
    },
    /// Silence for this long, then the connection is closed.
    Timeout {
        /// How long.
        millis: u64,
        /// Whether the call was carried out all the same.
        #[serde(default)]
        done: bool,
    },
    /// Done, and the JSON of the answer ends in the middle.
    TruncatedJson,
    /// Done, and the connection breaks off in the middle of the body.
    CutBody,
    /// The connection is closed before anything is done.
    Reset,
    /// Done, and the connection is closed without an answer.
    LostAnswer,
}

impl Fault {
    /// Whether it happens to the connection, so that it cannot happen to a part of a batch.
    pub fn is_of_the_connection(&self) -> bool {
        match self {
            Self::TooManyRequests { .. }
            | Self::RateForbidden { .. }
            | Self::DailyLimit
            | Self::Busy { .. }
            | Self::ServerError { .. }
            | Self::Refusal { .. } => false,
            Self::Html { .. }
            | Self::Timeout { .. }
            | Self::TruncatedJson
            | Self::CutBody
            | Self::Reset
            | Self::LostAnswer => true,
        }
    }

    /// Whether the call is carried out although it fails.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::TruncatedJson | Self::CutBody | Self::LostAnswer | Self::Timeout { done: true, .. })
    }

    /// Its name in the log of calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::RateForbidden { .. } => "rate_forbidden",
            Self::DailyLimit => "daily_limit",
            Self::Busy { .. } => "busy",
            Self::ServerError { .. } => "server_error",
            Self::Refusal { .. } => "refusal",
            Self::Html { .. } => "html",
            Self::Timeout { .. } => "timeout",
            Self::TruncatedJson => "truncated_json",
            Self::CutBody => "cut_body",
            Self::Reset => "reset",
            Self::LostAnswer => "lost_answer",
        }
    }
}

/// How a refusal says when to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// It does not.
    #[default]
    Absent,
    /// `Retry-After: 3`.
    Seconds(u64),
    /// `Retry-After: Fri, 20 Nov 2026 10:00:03 GMT`, so many seconds ahead.
    Date(u64),
}

impl RetryAfter {
    /// The value of the header field.
    pub fn value(self, now: i64) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Date(seconds) => Some(http_date(now + i64::try_from(seconds).unwrap_or(0) * 1000)),
        }
    }

    /// The same form with another length.
    pub fn with(self, seconds: u64) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Seconds(_) => Self::Seconds(seconds),
            Self::Date(_) => Self::Date(seconds),
        }
    }
}

/// Which of the matching calls a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The n-th from now on, counted from 1, and no other.
    Nth(u64),
    /// The next so many.
    Next(u64),
    /// This share of them, from 0 to 100.
    Percent(f64),
    /// Every one.
    Always,
}

/// One rule: the first that applies to a call decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The calls by name: `messages.get`, `messages.*` or `*`.
    #[serde(default = "every_call")]
    pub calls: String,
    /// The user it is limited to.
    #[serde(default)]
    pub user: Option<String>,
    /// Which of them.
    pub when: When,
    /// What goes wrong.
    pub fault: Fault,
    /// How many calls have matched so far.
    #[serde(default, skip_deserializing)]
    pub seen: u64,
    /// How many of them failed by it.
    #[serde(default, skip_deserializing)]
    pub hit: u64,
}

fn every_call() -> String {
    "*".to_owned()
}

impl FaultRule {
    /// A rule for calls of this name.
    pub fn new(calls: &str, when: When, fault: Fault) -> Self {
        Self { calls: calls.to_owned(), user: None, when, fault, seen: 0, hit: 0 }
    }

    /// Whether it is about calls of this name.
    pub fn names(&self, call: &str) -> bool {
        match self.calls.strip_suffix('*') {
            Some(start) => call.starts_with(start),
            None => self.calls == call,
        }
    }

    /// Counts the call and says whether the fault hits it.
    pub fn applies(&mut self, call: &str, user: Option<&str>, in_batch: bool, random: &Random) -> bool {
        let other_user = self.user.is_some() && self.user.as_deref() != user;
        if !self.names(call) || other_user || (in_batch && self.fault.is_of_the_connection()) {
            return false;
        }
        self.seen += 1;
        let hit = match self.when {
            When::Nth(number) => self.seen == number,
            When::Next(count) => self.seen <= count,
            When::Percent(share) => random.percent(share),
            When::Always => true,
        };
        self.hit += u64::from(hit);
        hit
    }
}
