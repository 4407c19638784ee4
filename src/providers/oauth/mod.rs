//! OAuth 2.0 (RFC 6749) as Google and Microsoft speak it.

use futures_util::future::BoxFuture;

use crate::providers::ProviderError;
use crate::secret::Secret;

/// Where the client of a mailbox gets its access token from.
pub trait AccessTokens: Send + Sync {
    /// A token that is believed to be good; refreshed first when it is about to end.
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>>;

    /// Another token after the provider refused this one (401). Many callers that meet the same refusal cause one refresh.
    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>>;
}
