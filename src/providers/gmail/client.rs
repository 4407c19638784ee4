//! The client: what the whole process shares, and what speaks for one mailbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Client;
use url::Url;

use super::governor::{Governor, Lane};
use crate::net::Net;
use crate::providers::oauth::AccessTokens;

/// Where Gmail is, and what each user may use of it.
#[derive(Debug, Clone)]
pub struct GmailSettings {
    /// The base of the API, such as `https://gmail.googleapis.com`.
    pub api_url: Url,
    /// Units of quota a user and minute.
    pub units_per_minute: u32,
}

/// The Gmail API; clones are the same one.
#[derive(Clone)]
pub struct Gmail {
    pub(super) http: Client,
    pub(super) base: Url,
    pub(super) governor: Governor,
    /// Cleared when the service turns out not to know batches.
    has_batches: Arc<AtomicBool>,
}

impl Gmail {
    /// Builds the one client of the process, on the connections that all share.
    pub fn new(net: &Net, settings: &GmailSettings) -> Self {
        Self {
            http: net.patient_http(),
            base: settings.api_url.clone(),
            governor: Governor::new(settings.units_per_minute),
            has_batches: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Speaks for a mailbox. Calls of one `key` share an allowance.
    pub fn mailbox(&self, key: impl Into<String>, tokens: Arc<dyn AccessTokens>, lane: Lane) -> GmailMailbox {
        GmailMailbox { gmail: self.clone(), key: key.into(), tokens, lane }
    }

    pub(super) fn has_batches(&self) -> bool {
        self.has_batches.load(Ordering::Relaxed)
    }

    pub(super) fn do_without_batches(&self) {
        tracing::warn!("the Gmail API takes no batches; mails are fetched one by one");
        self.has_batches.store(false, Ordering::Relaxed);
    }
}

/// One mailbox at Gmail.
#[derive(Clone)]
pub struct GmailMailbox {
    pub(super) gmail: Gmail,
    pub(super) key: String,
    pub(super) tokens: Arc<dyn AccessTokens>,
    pub(super) lane: Lane,
}

impl GmailMailbox {
    /// The same mailbox in another lane.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }
}
