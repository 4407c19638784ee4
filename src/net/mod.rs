//! Every connection to the outside goes through here, so that one rule guards them all.
//!
//! A [`Net`] is built once and cloned freely. It holds one TLS configuration (the system's
//! authorities, the bundled ones and those the operator added), one resolver, and the rule which
//! addresses may be reached. A host name that a user typed is resolved here and the rule is
//! applied to the very address that is then connected to: there is no second look-up in which a
//! name could change its mind.

mod address;
mod certificate;
mod connect;
mod error;
mod http;
mod resolve;
mod stream;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use address::{AddressRule, is_public};
pub(crate) use connect::GOODBYE;
pub use error::{NetError, TlsCause};
pub use http::read_body;
pub use resolve::ServiceHost;
pub use stream::NetStream;

use resolve::Resolve;

/// What the operator decides about connections to the outside.
#[derive(Debug, Clone)]
pub struct NetOptions {
    /// Whether hosts in private and loopback networks may be reached.
    pub allow_private_networks: bool,
    /// A PEM file of further certificate authorities to trust.
    pub extra_ca_certs: Option<PathBuf>,
    /// The longest wait for one address to accept a connection, and for a TLS handshake.
    pub connect_timeout: Duration,
    /// The longest wait for one name to resolve.
    pub resolve_timeout: Duration,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            allow_private_networks: false,
            extra_ca_certs: None,
            connect_timeout: Duration::from_secs(10),
            resolve_timeout: Duration::from_secs(5),
        }
    }
}

/// The guarded way out: resolves, connects, speaks TLS and HTTP.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    options: NetOptions,
    rule: AddressRule,
    resolver: Arc<Resolve>,
    tls: Arc<rustls::ClientConfig>,
    http: reqwest::Client,
}

impl Net {
    /// Reads the certificate authorities and the resolver's configuration.
    ///
    /// # Errors
    /// [`NetError::Config`] when `extra_ca_certs` cannot be read or holds no certificate.
    pub fn new(options: NetOptions) -> Result<Self, NetError> {
        let rule = AddressRule::new(options.allow_private_networks);
        let resolver = Arc::new(Resolve::new(options.resolve_timeout));
        let tls = tls::client_config(options.extra_ca_certs.as_deref())?;
        let http = http::client(&tls, &resolver, rule, options.connect_timeout)?;
        Ok(Self { inner: Arc::new(Inner { options, rule, resolver, tls: Arc::new(tls), http }) })
    }

    /// The TLS configuration that every client of the process shares.
    pub fn tls_config(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(&self.inner.tls)
    }

    /// The rule that says which addresses may be reached.
    pub fn address_rule(&self) -> AddressRule {
        self.inner.rule
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod net_tests;
#[cfg(test)]
pub(crate) mod support_tests;
