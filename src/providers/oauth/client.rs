//! The application that an operator registered: sends people to the provider and exchanges what they bring back.

use url::Url;

use super::refusal::Step;
use super::wire::{Endpoint, Tokens};
use crate::config::{GoogleConfig, MicrosoftConfig, OAuthApp};
use crate::net::Net;
use crate::providers::ProviderError;
use crate::secret::Secret;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// Google.
    Google,
    /// Microsoft.
    Microsoft,
}

impl Vendor {
    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Microsoft => "Microsoft",
        }
    }
}

/// Reads, sends, drafts and labels; enough for everything but deleting for good.
const GMAIL: &str = "https://www.googleapis.com/auth/gmail.modify";

/// All of Gmail; who has it needs nothing else.
const GMAIL_ALL: &str = "https://mail.google.com/";

const OUTLOOK: &[&str] = &["offline_access", "openid", "email", "User.Read", "Mail.ReadWrite", "Mail.Send"];
const OUTLOOK_SHARED: &[&str] = &["Mail.ReadWrite.Shared", "Mail.Send.Shared"];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// What reading and sending the mail of a person's own mailbox takes.
    pub fn own(vendor: Vendor) -> Self {
        match vendor {
            Vendor::Google => Self(vec![GMAIL.to_owned()]),
            Vendor::Microsoft => Self(OUTLOOK.iter().map(|scope| (*scope).to_owned()).collect()),
        }
    }

    /// The same, and the mailboxes that others share with the person.
    #[must_use]
    pub fn with_shared(mut self) -> Self {
        self.0.extend(OUTLOOK_SHARED.iter().map(|scope| (*scope).to_owned()));
        self
    }

    /// Reads scopes as they are kept.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// The scopes as they travel.
    pub fn joined(&self) -> String {
        self.0.join(" ")
    }

    /// Whether shared mailboxes are among them.
    pub fn include_shared(&self) -> bool {
        OUTLOOK_SHARED.iter().all(|scope| self.0.iter().any(|own| own == scope))
    }

    /// What was asked for and not granted, by the names that people see. A person can untick a scope.
    pub fn missing(&self, granted: Option<&[String]>) -> Vec<String> {
        // Nothing said: all of it (RFC 6749 §5.1).
        let Some(granted) = granted else { return Vec::new() };
        let has = |wanted: &str| {
            let short = short(wanted);
            granted
                .iter()
                .any(|scope| self::short(scope).eq_ignore_ascii_case(short) || (wanted == GMAIL && scope == GMAIL_ALL))
        };
        // Those of the sign-in itself are never named in an answer, or do not matter.
        let matters = |scope: &&String| !matches!(scope.as_str(), "offline_access" | "openid" | "email" | "User.Read");
        self.0.iter().filter(matters).filter(|scope| !has(scope)).map(|scope| short(scope).to_owned()).collect()
    }
}

/// A scope without the address of its resource, as both providers may or may not write it.
fn short(scope: &str) -> &str {
    scope.rsplit('/').find(|part| !part.is_empty()).unwrap_or(scope)
}

/// What a person is asked to consent to.
#[derive(Debug, Clone)]
pub struct Consent<'a> {
    /// Recognises the answer.
    pub state: &'a Secret,
    /// The challenge of PKCE.
    pub challenge: &'a str,
    /// What is asked for.
    pub scopes: &'a Scopes,
    /// Whose mailbox it is meant to be.
    pub login_hint: Option<&'a str>,
}

/// The application at one provider.
#[derive(Clone)]
pub struct OAuthClient {
    vendor: Vendor,
    app: OAuthApp,
    authorize: Url,
    token: Endpoint,
    revoke: Option<Endpoint>,
    redirect_uri: String,
    /// The scope that stands for all that an administrator granted the application itself.
    default_scope: String,
}

impl OAuthClient {
    /// The application at Google, if one is registered; `callback` is where people come back.
    pub fn google(net: &Net, config: &GoogleConfig, callback: &str) -> Option<Self> {
        let (http, vendor) = (net.http(), Vendor::Google);
        Some(Self {
            vendor,
            app: config.app.clone()?,
            authorize: config.auth_url.clone(),
            token: Endpoint { http: http.clone(), vendor, url: config.token_url.clone() },
            revoke: Some(Endpoint { http, vendor, url: config.revoke_url() }),
            redirect_uri: config.redirect_uri.clone().unwrap_or_else(|| callback.to_owned()),
            default_scope: GMAIL.to_owned(),
        })
    }

    /// The application at Microsoft, if one is registered; `callback` is where people come back.
    pub fn microsoft(net: &Net, config: &MicrosoftConfig, callback: &str) -> Option<Self> {
        let vendor = Vendor::Microsoft;
        Some(Self {
            vendor,
            app: config.app.clone()?,
            authorize: config.endpoint("authorize"),
            token: Endpoint { http: net.http(), vendor, url: config.endpoint("token") },
            revoke: None,
            redirect_uri: callback.to_owned(),
            default_scope: config.default_scope(),
        })
    }

    /// Which provider it is.
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// Where a person is sent to consent.
    pub fn consent_url(&self, consent: &Consent<'_>) -> Url {
        let mut url = self.authorize.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", &self.app.client_id)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("response_type", "code")
                .append_pair("scope", &consent.scopes.joined())
                .append_pair("state", consent.state.expose())
                .append_pair("code_challenge", consent.challenge)
                .append_pair("code_challenge_method", "S256");
            match self.vendor {
                // Without both of the first two a second consent gives no refresh token.
                Vendor::Google => query.extend_pairs([
                    ("access_type", "offline"),
                    ("prompt", "consent"),
                    ("include_granted_scopes", "true"),
                ]),
                Vendor::Microsoft => query.extend_pairs([("response_mode", "query"), ("prompt", "select_account")]),
            };
            if let Some(hint) = consent.login_hint {
                query.append_pair("login_hint", hint);
            }
        }
        url
    }

    /// Exchanges a code for tokens.
    pub async fn exchange(&self, code: &Secret, verifier: &Secret) -> Result<Tokens, ProviderError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", verifier.expose()),
        ];
        self.ask(&form, Step::Code).await
    }

    /// Makes a new access token. Microsoft gives a new refresh token with it, which takes the old one's place.
    pub async fn refresh(&self, refresh_token: &Secret, scopes: &Scopes) -> Result<Tokens, ProviderError> {
        let joined = scopes.joined();
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose()), ("scope", joined.as_str())];
        // Google gives all that was granted, and takes no wish.
        let form = if self.vendor == Vendor::Google { form.get(..2).unwrap_or_default() } else { &form };
        self.ask(form, Step::Refresh).await
    }

    /// A token of the application itself, for mailboxes that an administrator opened to it.
    pub async fn by_client_credentials(&self) -> Result<Tokens, ProviderError> {
        let form = [("grant_type", "client_credentials"), ("scope", self.default_scope.as_str())];
        self.ask(&form, Step::Service).await
    }

    /// Takes the grant of a token back, where the provider has a way for that.
    pub async fn revoke(&self, token: &Secret) -> Result<(), ProviderError> {
        match &self.revoke {
            Some(endpoint) => endpoint.revoke(token).await,
            None => Ok(()),
        }
    }

    async fn ask(&self, form: &[(&str, &str)], step: Step) -> Result<Tokens, ProviderError> {
        let mine = [("client_id", self.app.client_id.as_str()), ("client_secret", self.app.client_secret.expose())];
        let form: Vec<_> = form.iter().copied().chain(mine).collect();
        self.token.ask(&form, step).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    #[test]
    fn a_scope_that_a_person_unticked_is_named() {
        let google = Scopes::own(Vendor::Google);
        assert!(google.missing(None).is_empty());
        assert!(google.missing(Some(&texts(&["openid", GMAIL]))).is_empty());
        assert!(google.missing(Some(&texts(&[GMAIL_ALL]))).is_empty());
        let read_only = texts(&["https://www.googleapis.com/auth/gmail.readonly"]);
        assert_eq!(google.missing(Some(&read_only)), ["gmail.modify"]);
        let microsoft = Scopes::own(Vendor::Microsoft);
        let long = texts(&["https://graph.microsoft.com/mail.readwrite", "https://graph.microsoft.com/Mail.Send"]);
        assert!(microsoft.missing(Some(&long)).is_empty());
        assert_eq!(microsoft.missing(Some(&texts(&["Mail.ReadWrite", "User.Read"]))), ["Mail.Send"]);
        let shared = Scopes::parse(&microsoft.with_shared().joined());
        assert!(shared.include_shared());
        assert_eq!(shared.missing(Some(&long)), ["Mail.ReadWrite.Shared", "Mail.Send.Shared"]);
    }
}
