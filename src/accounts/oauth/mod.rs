//! Mailboxes of Google and Microsoft: connecting them in the browser or as an administrator, and their tokens.
//!
//! [`begin`] sends a person to the provider, [`finish`] takes what comes back; [`admin`] connects without their owners.
//! [`tokens`] hands out access tokens and [`refresh`] makes new ones. [`leave`] says goodbye to the provider.

mod admin;
mod begin;
mod finish;
mod leave;
mod refresh;
mod slots;
mod tokens;

use std::sync::Arc;

use url::Url;

use super::model::Provider;
use crate::config::{GoogleConfig, MicrosoftConfig};
use crate::error::{ApiError, ErrorCode};
use crate::net::Net;
use crate::providers::gmail::{Gmail, GmailSettings};
use crate::providers::oauth::{OAuthClient, ServiceAccount, Vendor};
use crate::providers::{ProviderError, ProviderErrorKind};

pub(super) use begin::{Begun, ConnectOrder};
pub(super) use finish::Answer;
pub use leave::Farewell;
pub(super) use slots::Slots;
pub(super) use tokens::{ACCESS_TOKEN, REFRESH_TOKEN};

/// Where people come back to from a provider.
const CALLBACK: &str = "/email/callback";

/// What this server is to the providers.
#[derive(Clone, Default)]
pub struct Providers(Option<Arc<Inner>>);

struct Inner {
    google: Option<OAuthClient>,
    microsoft: Option<OAuthClient>,
    service_account: Option<Arc<ServiceAccount>>,
    gmail: Gmail,
    graph_url: Url,
    /// Whether Microsoft's tenant is a single one.
    own_tenant: bool,
    /// Whether only work accounts can sign in at Microsoft.
    for_work: bool,
    app_url: String,
}

impl Providers {
    /// Takes the settings; `app_url` is where people reach this server.
    ///
    /// # Errors
    /// When the service account's key file is no good.
    pub fn new(net: &Net, google: &GoogleConfig, microsoft: &MicrosoftConfig, app_url: &str) -> anyhow::Result<Self> {
        let app_url = app_url.trim_end_matches('/').to_owned();
        let callback = format!("{app_url}{CALLBACK}");
        let key_file = google.service_account_file.as_deref();
        let settings = GmailSettings { api_url: google.api_url.clone(), units_per_minute: google.quota_per_minute };
        Ok(Self(Some(Arc::new(Inner {
            google: OAuthClient::google(net, google, &callback),
            microsoft: OAuthClient::microsoft(net, microsoft, &callback),
            service_account: key_file.map(|path| ServiceAccount::read(net, path)).transpose()?.map(Arc::new),
            gmail: Gmail::new(net, &settings),
            graph_url: microsoft.graph_url.clone(),
            own_tenant: microsoft.has_own_tenant(),
            for_work: microsoft.is_for_work(),
            app_url,
        }))))
    }

    fn inner(&self) -> Option<&Inner> {
        self.0.as_deref()
    }

    /// The application at a provider.
    fn client(&self, vendor: Vendor) -> Result<&OAuthClient, ProviderError> {
        let client = self.inner().and_then(|inner| match vendor {
            Vendor::Google => inner.google.as_ref(),
            Vendor::Microsoft => inner.microsoft.as_ref(),
        });
        client.ok_or_else(|| not_configured(vendor))
    }

    fn service_account(&self) -> Result<Arc<ServiceAccount>, ProviderError> {
        self.inner().and_then(|inner| inner.service_account.clone()).ok_or_else(|| {
            ProviderError::new(
                ProviderErrorKind::NeedsOperator,
                "provider_not_configured",
                "No service account of Google is set up. The operator of this server must set GOOGLE_SERVICE_ACCOUNT_FILE \
                 to its key file; OPERATIONS.md tells how.",
            )
        })
    }
}

fn not_configured(vendor: Vendor) -> ProviderError {
    let (name, prefix) = match vendor {
        Vendor::Google => ("Google", "GOOGLE"),
        Vendor::Microsoft => ("Microsoft", "MICROSOFT"),
    };
    ProviderError::new(
        ProviderErrorKind::NeedsOperator,
        "provider_not_configured",
        format!(
            "Signing in with {name} is not set up. The operator of this server must set {prefix}_CLIENT_ID and \
             {prefix}_CLIENT_SECRET; OPERATIONS.md tells how."
        ),
    )
}

/// Who is asked for a mailbox of this provider.
fn vendor_of(provider: Provider) -> Option<Vendor> {
    match provider {
        Provider::Gmail => Some(Vendor::Google),
        Provider::Outlook => Some(Vendor::Microsoft),
        Provider::Imap => None,
    }
}

/// A provider's error as the API answers it.
pub(super) fn refusal(error: ProviderError) -> ApiError {
    let code = ErrorCode::from_code(error.code).unwrap_or(ErrorCode::ProviderRefused);
    let api = ApiError::new(code, error.detail);
    match error.retry_after {
        Some(wait) => api.with_retry_after(wait.as_secs()),
        None => api,
    }
}

/// The database is away while a token is needed.
fn no_database(error: &diesel::result::Error) -> ProviderError {
    tracing::warn!(error = %error, "tokens could not be read or written; trying again");
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "database_unavailable",
        "The server's database does not answer now. It is tried again by itself; nothing is lost.",
    )
}
