//! OAuth 2.0 (RFC 6749) as Google and Microsoft speak it.
//!
//! [`OAuthClient`] sends a person to the provider and exchanges what comes back for tokens, with PKCE (RFC 7636).
//! [`ServiceAccount`] is Google's way without a person (RFC 7523). Both know neither mailboxes nor the database; whoever
//! calls an API takes its token from [`AccessTokens`].

mod client;
mod microsoft;
mod pkce;
mod refusal;
mod service_account;
mod service_tokens;
mod wire;

use futures_util::future::BoxFuture;

use crate::providers::ProviderError;
use crate::secret::Secret;

pub use client::{Consent, OAuthClient, Scopes, Vendor};
pub use microsoft::{Owner, Whose, read_owner};
pub use pkce::{Pkce, random_token};
pub use refusal::{Ended, is_testing, not_connected, refused_consent, scopes_missing};
pub use service_account::ServiceAccount;
pub use service_tokens::{FixedToken, Mint, ServiceTokens, usable};
pub use wire::Tokens;

/// Where the client of a mailbox gets its access token from.
pub trait AccessTokens: Send + Sync {
    /// A token that is believed to be good; refreshed first when it is about to end.
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>>;

    /// Another token after the provider refused this one (401). Many callers that meet the same refusal cause one refresh.
    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>>;
}

#[cfg(test)]
mod refusal_tests;
