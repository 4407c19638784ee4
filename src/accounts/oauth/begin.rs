//! Sends a person to the provider.

use ring::digest::{SHA256, digest};
use url::Url;

use super::{refusal, vendor_of};
use crate::access::Access;
use crate::accounts::Accounts;
use crate::accounts::dto::ConnectOutcome;
use crate::accounts::model::{Account, Credentials, Provider};
use crate::accounts::store::states::{self, NewConnect};
use crate::clock::Timestamp;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::ids::{AccountId, ConnectId};
use crate::providers::oauth::{Consent, OAuthClient, Pkce, Scopes, Vendor, random_token};

/// How long a person may take at the provider.
const OPEN: chrono::Duration = chrono::Duration::minutes(10);

/// How long it is remembered how a sign-in ended.
const KEPT: chrono::Duration = chrono::Duration::days(1);

/// The longest address of a page, and the longest hint, in characters.
const LONGEST: usize = 2_000;

/// What is to be connected.
#[derive(Debug, Default)]
pub(in crate::accounts) struct ConnectOrder {
    pub login_hint: Option<String>,
    pub return_to: Option<String>,
    /// Whether mailboxes that others share are asked for too.
    pub shared: bool,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub(in crate::accounts) struct Begun {
    pub id: ConnectId,
    pub url: Url,
}

impl Accounts {
    /// Begins to connect a new mailbox.
    pub(in crate::accounts) async fn begin_connect(
        &self,
        access: &Access,
        provider: Provider,
        order: ConnectOrder,
    ) -> ApiResult<Begun> {
        let Some(vendor) = vendor_of(provider) else {
            return Err(ApiError::new(
                ErrorCode::ProviderNotAvailable,
                "IMAP mailboxes are connected with their servers and a password: POST /api/email/accounts.",
            ));
        };
        self.begin(access, vendor, provider, None, order).await
    }

    /// Begins to connect a mailbox again.
    pub(in crate::accounts) async fn begin_reconnect(
        &self,
        access: &Access,
        account: &Account,
        order: ConnectOrder,
    ) -> ApiResult<Begun> {
        let vendor = vendor_of(account.provider).filter(|_| account.credentials == Credentials::Own);
        let Some(vendor) = vendor else {
            return Err(ApiError::new(
                ErrorCode::ProviderNotAvailable,
                "Nobody signs in to this mailbox: it is opened by an administrator's grant or through another mailbox. \
                 Mend that one; this mailbox goes on by itself.",
            ));
        };
        let order = ConnectOrder { login_hint: Some(account.email_address.clone()), ..order };
        self.begin(access, vendor, account.provider, Some(account.id), order).await
    }

    async fn begin(
        &self,
        access: &Access,
        vendor: Vendor,
        provider: Provider,
        account: Option<AccountId>,
        order: ConnectOrder,
    ) -> ApiResult<Begun> {
        let client = self.providers.client(vendor).map_err(refusal)?.clone();
        let login_hint = order.login_hint.map(|hint| hint.trim().to_owned()).filter(|hint| !hint.is_empty());
        if login_hint.as_ref().is_some_and(|hint| hint.len() > LONGEST || hint.contains(char::is_control)) {
            return Err(ApiError::invalid("login_hint", "give an e-mail address"));
        }
        let return_to = order.return_to.map(|text| self.checked_return(&text)).transpose()?;
        let scopes = self.scopes(vendor, order.shared);
        let (Some(state), Some(pkce)) = (random_token(), Pkce::new()) else {
            return Err(ApiError::internal("the system gives no random numbers"));
        };
        let now = self.clock.now();
        let id = ConnectId::new();
        let row = NewConnect {
            id,
            organization_id: access.org,
            user_id: access.user,
            account_id: account,
            session_id: access.session,
            provider: provider.as_str(),
            state_hash: state_hash(state.expose()),
            pkce_verifier: self.vault.seal_connect(id, &pkce.verifier).map_err(ApiError::internal)?,
            scopes: scopes.joined(),
            login_hint: login_hint.clone(),
            return_to: return_to.map(String::from),
            expires_at: now + OPEN,
            created_at: now,
        };
        self.write_begin(&row, now).await?;
        let challenge = pkce.challenge();
        let consent =
            Consent { state: &state, challenge: &challenge, scopes: &scopes, login_hint: login_hint.as_deref() };
        Ok(Begun { id, url: OAuthClient::consent_url(&client, &consent) })
    }

    /// How a sign-in of the caller stands.
    pub(in crate::accounts) async fn connect_outcome(
        &self,
        access: &Access,
        id: ConnectId,
    ) -> ApiResult<ConnectOutcome> {
        let found = states::find(&mut self.db.read().await?, access.user, id).await?.ok_or_else(ApiError::not_found)?;
        let state = match (&found.error_code, found.used_at, found.expires_at <= self.clock.now()) {
            (Some(_), ..) => "failed",
            (None, Some(_), _) if found.is_done => "done",
            (None, None, true) => "expired",
            _ => "pending",
        };
        Ok(ConnectOutcome {
            id,
            provider: found.provider,
            state,
            account_id: found.account_id,
            error_code: found.error_code,
            error_message: found.error_message,
        })
    }

    async fn write_begin(&self, row: &NewConnect, now: Timestamp) -> ApiResult<()> {
        let mut conn = self.db.write().await?;
        Ok(conn.transaction(async |tx| states::begin(tx, row, now - KEPT).await).await?)
    }

    /// Shared mailboxes are asked for where only work accounts sign in: personal ones have none and know no such scope.
    fn scopes(&self, vendor: Vendor, shared: bool) -> Scopes {
        let own = Scopes::own(vendor);
        let for_work = self.providers.inner().is_some_and(|inner| inner.for_work);
        if vendor == Vendor::Microsoft && (shared || for_work) { own.with_shared() } else { own }
    }

    /// A page of this server, as a path or as a whole address; nobody is ever sent elsewhere.
    fn checked_return(&self, text: &str) -> ApiResult<Url> {
        let app_url = self.providers.inner().map(|inner| inner.app_url.as_str()).unwrap_or_default();
        return_page(app_url, text).ok_or_else(|| {
            ApiError::invalid("return_to", format!("give a path such as /inbox, or an address under {app_url}"))
        })
    }
}

/// What is kept instead of a state: nobody can try 2^256 of them.
pub(super) fn state_hash(state: &str) -> Vec<u8> {
    digest(&SHA256, state.as_bytes()).as_ref().to_vec()
}

/// Reads an address as a browser would, and takes it only if it lies under our own.
fn return_page(app_url: &str, text: &str) -> Option<Url> {
    if text.len() > LONGEST || text.contains(|c: char| c.is_control() || c == '\\') || text.starts_with("//") {
        return None;
    }
    let own = Url::parse(app_url).ok()?;
    let whole = if text.starts_with('/') { format!("{app_url}{text}") } else { text.to_owned() };
    let page = Url::parse(&whole).ok()?;
    let below = own.path().trim_end_matches('/');
    let is_below = page.path().strip_prefix(below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_plain = page.username().is_empty() && page.password().is_none();
    (page.origin() == own.origin() && page.origin().is_tuple() && is_below && is_plain).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_comes_back_to_a_page_of_ours_and_nowhere_else() {
        let page = |app: &str, text: &str| return_page(app, text).map(String::from);
        let app = "https://mail.example.com";
        assert_eq!(page(app, "/inbox?a=b#c").as_deref(), Some("https://mail.example.com/inbox?a=b#c"));
        assert_eq!(page(app, "https://mail.example.com/x").as_deref(), Some("https://mail.example.com/x"));
        assert_eq!(page(app, "https://MAIL.example.com:443").as_deref(), Some("https://mail.example.com/"));
        for text in [
            "",
            "inbox",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "https://mail.example.com.evil.example/",
            "https://mail.example.com@evil.example/",
            "https://user@mail.example.com/",
            "http://mail.example.com/",
            "https://mail.example.com:8443/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\nb",
            "https:/\\evil.example",
            " https://evil.example",
        ] {
            assert_eq!(page(app, text), None, "{text:?}");
        }
        let below = "https://example.com/duplex";
        assert_eq!(page(below, "/inbox").as_deref(), Some("https://example.com/duplex/inbox"));
        for text in ["https://example.com/other", "https://example.com/duplexity", "/../other", "/%2e%2e/other"] {
            assert_eq!(page(below, text), None, "{text:?}");
        }
    }
}
