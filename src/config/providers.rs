//! The settings of Google and Microsoft: who this server is to them, and where they are.

use std::path::PathBuf;

use anyhow::{Context, bail};
use url::Url;

use super::{Source, existing_file, parsed};
use crate::secret::Secret;

/// What a call of the Gmail API may cost at most: an allowance below it would never be enough.
const DEAREST_CALL: u32 = 100;

/// The application that an operator registered at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthApp {
    /// Its public id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// Google: sign-in, the Gmail API and Pub/Sub.
#[derive(Debug, Clone)]
pub struct GoogleConfig {
    /// The registered application; without it nobody can connect a Gmail mailbox in the browser.
    pub app: Option<OAuthApp>,
    /// Where Google sends people back to; none is `<APP_URL>/email/callback`.
    pub redirect_uri: Option<String>,
    /// The base of the Gmail API.
    pub api_url: Url,
    /// The page that asks for consent.
    pub auth_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// The keys that Google signs identity tokens with.
    pub certs_url: Url,
    /// Pub/Sub; none: news is found by polling.
    pub pubsub: Option<PubSubConfig>,
    /// The base of the Pub/Sub API.
    pub pubsub_url: Url,
    /// The key file of a service account.
    pub service_account_file: Option<PathBuf>,
    /// Units of quota that each user has in a minute.
    pub quota_per_minute: u32,
}

/// How Gmail tells of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PubSubConfig {
    /// The topic that mailboxes are watched with, `projects/…/topics/…`.
    pub topic: String,
    /// The subscription to pull from, `projects/…/subscriptions/…`; none: Google pushes to this server.
    pub subscription: Option<String>,
    /// What the tokens of pushes must be meant for; none is the address of the webhook.
    pub audience: Option<String>,
    /// Who must have signed pushes, by e-mail address.
    pub service_account: Option<String>,
}

/// Microsoft: sign-in and Graph.
#[derive(Debug, Clone)]
pub struct MicrosoftConfig {
    /// The registered application; without it nobody can connect an Outlook mailbox.
    pub app: Option<OAuthApp>,
    /// Whose accounts may sign in: `common`, `organizations`, `consumers`, or one tenant.
    pub tenant: String,
    /// The base of Graph, without a version.
    pub graph_url: Url,
    /// The base of the sign-in service.
    pub login_url: Url,
}

impl GoogleConfig {
    pub(super) fn load(source: &Source) -> anyhow::Result<Self> {
        let quota_per_minute = parsed(source, "GMAIL_QUOTA_PER_MINUTE", "6000", "a number of units")?;
        if quota_per_minute < DEAREST_CALL {
            bail!("GMAIL_QUOTA_PER_MINUTE must be at least {DEAREST_CALL}, what sending a mail costs");
        }
        Ok(Self {
            app: app(source, "GOOGLE")?,
            redirect_uri: redirect_uri(source)?,
            api_url: url(source, "GOOGLE_API_URL", "https://gmail.googleapis.com")?,
            auth_url: url(source, "GOOGLE_AUTH_URL", "https://accounts.google.com/o/oauth2/v2/auth")?,
            token_url: url(source, "GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")?,
            certs_url: url(source, "GOOGLE_CERTS_URL", "https://www.googleapis.com/oauth2/v3/certs")?,
            pubsub: pubsub(source)?,
            pubsub_url: url(source, "GOOGLE_PUBSUB_URL", "https://pubsub.googleapis.com")?,
            service_account_file: match existing_file(source, "GOOGLE_SERVICE_ACCOUNT_FILE")? {
                Some(path) => Some(path),
                None => existing_file(source, "GOOGLE_APPLICATION_CREDENTIALS")?,
            },
            quota_per_minute,
        })
    }

    /// Where tokens are revoked: beside where they are made.
    pub fn revoke_url(&self) -> Url {
        let mut url = self.token_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().pop().push("revoke");
        }
        url
    }
}

impl MicrosoftConfig {
    pub(super) fn load(source: &Source) -> anyhow::Result<Self> {
        let tenant = source.get("MICROSOFT_TENANT_ID").unwrap_or_else(|| "common".to_owned());
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !tenant.chars().all(is_name) {
            bail!("MICROSOFT_TENANT_ID must be common, organizations, consumers, or the id or domain of a tenant");
        }
        Ok(Self {
            app: app(source, "MICROSOFT")?,
            tenant,
            graph_url: url(source, "MICROSOFT_GRAPH_URL", "https://graph.microsoft.com")?,
            login_url: url(source, "MICROSOFT_LOGIN_URL", "https://login.microsoftonline.com")?,
        })
    }

    /// An endpoint of the sign-in service, `authorize` or `token`.
    pub fn endpoint(&self, name: &str) -> Url {
        let mut url = self.login_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([self.tenant.as_str(), "oauth2", "v2.0", name]);
        }
        url
    }

    /// The scope that stands for all that an administrator granted the application itself. It names the cloud's own
    /// Graph, also where Graph is reached through another address.
    pub fn default_scope(&self) -> String {
        const CLOUDS: [&str; 3] = ["microsoft.com", "microsoft.us", "chinacloudapi.cn"];
        let host = self.graph_url.host_str().unwrap_or_default();
        let is_cloud = CLOUDS.iter().any(|cloud| host.ends_with(cloud));
        format!("https://{}/.default", if is_cloud { host } else { "graph.microsoft.com" })
    }

    /// Whether work accounts alone can sign in.
    pub fn is_for_work(&self) -> bool {
        !matches!(self.tenant.as_str(), "common" | "consumers")
    }

    /// Whether the tenant is a single one, whose administrator can let this server into mailboxes without their owners.
    pub fn has_own_tenant(&self) -> bool {
        !matches!(self.tenant.as_str(), "common" | "organizations" | "consumers")
    }
}

/// Kept to the letter: Google compares letters.
fn redirect_uri(source: &Source) -> anyhow::Result<Option<String>> {
    let Some(text) = source.get("GOOGLE_REDIRECT_URI") else { return Ok(None) };
    web_url("GOOGLE_REDIRECT_URI", &text)?;
    Ok(Some(text))
}

/// Both parts of an application, or none: half of one is a slip.
fn app(source: &Source, vendor: &str) -> anyhow::Result<Option<OAuthApp>> {
    let (id, secret) = (format!("{vendor}_CLIENT_ID"), format!("{vendor}_CLIENT_SECRET"));
    match (source.get(&id), source.get(&secret)) {
        (Some(client_id), Some(secret)) => Ok(Some(OAuthApp { client_id, client_secret: Secret::new(secret) })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("{id} is set but {secret} is not; set both, or neither"),
        (None, Some(_)) => bail!("{secret} is set but {id} is not; set both, or neither"),
    }
}

fn pubsub(source: &Source) -> anyhow::Result<Option<PubSubConfig>> {
    let subscription = resource(source, "GOOGLE_PUBSUB_SUBSCRIPTION", "subscriptions")?;
    let Some(topic) = resource(source, "GOOGLE_PUBSUB_TOPIC", "topics")? else {
        if subscription.is_some() {
            bail!("GOOGLE_PUBSUB_SUBSCRIPTION needs GOOGLE_PUBSUB_TOPIC, the topic that it is subscribed to");
        }
        return Ok(None);
    };
    let (audience, service_account) =
        (source.get("GOOGLE_PUBSUB_AUDIENCE"), source.get("GOOGLE_PUBSUB_SERVICE_ACCOUNT"));
    Ok(Some(PubSubConfig { topic, subscription, audience, service_account }))
}

/// The whole name of a thing of Pub/Sub.
fn resource(source: &Source, name: &str, kind: &str) -> anyhow::Result<Option<String>> {
    let Some(text) = source.get(name) else { return Ok(None) };
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["projects", project, found, id] if *found == kind && !project.is_empty() && !id.is_empty() => Ok(Some(text)),
        _ => bail!("{name} must be the whole name, such as projects/my-project/{kind}/gmail"),
    }
}

fn url(source: &Source, name: &str, default: &str) -> anyhow::Result<Url> {
    web_url(name, &source.get(name).unwrap_or_else(|| default.to_owned()))
}

fn web_url(name: &str, text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("{name} must be an address such as https://example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.fragment().is_some() {
        bail!("{name} must be an http or https address, such as https://example.com");
    }
    Ok(url)
}
