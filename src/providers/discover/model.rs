//! What is found, and where it was found.

use serde::Serialize;
use utoipa::ToSchema;

use crate::providers::Security;

/// The kind of mailbox, which decides how it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailProvider {
    /// Gmail and Google Workspace.
    Gmail,
    /// Outlook.com and Microsoft 365.
    Outlook,
    /// Any other, over IMAP and SMTP.
    Imap,
}

/// Where the settings come from, the most reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The built-in table of large providers.
    Table,
    /// The domain's own autoconfig file.
    Autoconfig,
    /// The public database of providers.
    Ispdb,
    /// The provider that receives the domain's mail.
    Mx,
    /// The domain's service records (RFC 6186).
    Srv,
    /// Names that are usual.
    Guess,
}

impl Source {
    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Autoconfig => "autoconfig",
            Self::Ispdb => "ispdb",
            Self::Mx => "mx",
            Self::Srv => "srv",
            Self::Guess => "guess",
        }
    }
}

/// One server and the name to log in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Endpoint {
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// The login name.
    pub username: String,
}

/// The servers of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Discovered {
    /// How to connect the mailbox.
    pub provider: MailProvider,
    /// Where mail is read.
    pub imap: Endpoint,
    /// Where mail is handed in.
    pub smtp: Endpoint,
    /// Where this was learned.
    pub source: Source,
    /// Whether somebody vouches for it: false for a guess at which no server answered.
    pub confirmed: bool,
}

/// Why no servers can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// The text is no address with a domain.
    #[error("this is not a complete e-mail address")]
    NotAnAddress,
}

/// An address taken apart.
#[derive(Debug, Clone)]
pub(super) struct MailAddress {
    pub(super) full: String,
    pub(super) local: String,
    /// In lower case and ASCII (IDNA).
    pub(super) domain: String,
}

impl MailAddress {
    pub(super) fn parse(text: &str) -> Result<Self, DiscoverError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(DiscoverError::NotAnAddress)?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if local.is_empty() || local.len() > 64 || local.contains(odd) {
            return Err(DiscoverError::NotAnAddress);
        }
        match url::Host::parse(domain.trim_end_matches('.')) {
            Ok(url::Host::Domain(domain)) if domain.contains('.') => {
                Ok(Self { full: format!("{local}@{domain}"), local: local.to_owned(), domain })
            }
            _ => Err(DiscoverError::NotAnAddress),
        }
    }
}

impl Discovered {
    /// Puts two servers together; the host tells whether it is one of the two with their own API.
    pub(super) fn new(imap: Endpoint, smtp: Endpoint, source: Source) -> Self {
        let is = |domains: &[&str]| {
            domains.iter().any(|domain| imap.host == *domain || imap.host.ends_with(&format!(".{domain}")))
        };
        let provider = if is(&["gmail.com", "googlemail.com"]) {
            MailProvider::Gmail
        } else if is(&["office365.com", "outlook.com"]) {
            MailProvider::Outlook
        } else {
            MailProvider::Imap
        };
        Self { provider, imap, smtp, source, confirmed: true }
    }
}
