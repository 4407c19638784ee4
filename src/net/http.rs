//! HTTP under the same rule: every address, also after a redirect, is checked when it is used.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use super::resolve::Resolve;
use super::{AddressRule, Net, NetError};

const MAX_REDIRECTS: usize = 5;
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("Duplex/", env!("CARGO_PKG_VERSION"));

/// Hands reqwest only addresses that the rule permits.
struct GuardedDns {
    resolver: Arc<Resolve>,
    rule: AddressRule,
}

impl reqwest::dns::Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, rule) = (Arc::clone(&self.resolver), self.rule);
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            let open: Vec<SocketAddr> =
                found.into_iter().filter(|ip| rule.permits(*ip)).map(|ip| SocketAddr::new(ip, 0)).collect();
            if open.is_empty() {
                let host = name.as_str().to_owned();
                return Err(NetError::Private { host }.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

pub(super) fn client(
    tls: &rustls::ClientConfig,
    resolver: &Arc<Resolve>,
    rule: AddressRule,
    connect_timeout: Duration,
) -> Result<Client, NetError> {
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(GuardedDns { resolver: Arc::clone(resolver), rule })
        // A proxy would resolve names where our rule does not reach.
        .no_proxy()
        .redirect(Policy::custom(move |attempt| redirect(rule, attempt)))
        .referer(false)
        .connect_timeout(connect_timeout)
        .read_timeout(READ_TIMEOUT)
        .user_agent(USER_AGENT)
        .build()
        .map_err(|error| NetError::Config(error.to_string()))
}

fn redirect(rule: AddressRule, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let downgraded = attempt.previous().iter().any(|url| url.scheme() == "https") && attempt.url().scheme() != "https";
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    if downgraded {
        return attempt.error("redirected from https to http");
    }
    match check_literal(rule, attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(error) => attempt.error(error),
    }
}

/// Refuses an address literal in a URL, which would never pass through the resolver.
fn check_literal(rule: AddressRule, url: &Url) -> Result<(), NetError> {
    let ip: Option<IpAddr> = match url.host() {
        Some(url::Host::Ipv4(ip)) => Some(ip.into()),
        Some(url::Host::Ipv6(ip)) => Some(ip.into()),
        _ => None,
    };
    match ip {
        Some(ip) if !rule.permits(ip) => Err(NetError::Private { host: ip.to_string() }),
        _ => Ok(()),
    }
}

impl Net {
    /// The shared HTTP client: TLS as everywhere, redirects limited and guarded.
    ///
    /// It does not check an address literal in the first URL: use [`Net::request`] for URLs that
    /// do not come from the program or its settings.
    pub fn http(&self) -> Client {
        self.inner.http.clone()
    }

    /// Starts a request to a URL that a user or a foreign server named.
    ///
    /// # Errors
    /// [`NetError::Private`] when the URL names a forbidden address, [`NetError::Http`] when it is
    /// not an HTTP address.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, NetError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NetError::Http {
                host: url.host_str().unwrap_or_default().to_owned(),
                detail: "only http and https addresses can be fetched".to_owned(),
            });
        }
        check_literal(self.inner.rule, &url)?;
        Ok(self.inner.http.request(method, url))
    }
}

/// Reads a response's body up to `limit` bytes.
///
/// # Errors
/// [`NetError::Http`] when the body is longer or breaks off.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, NetError> {
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let failed = |detail: String| NetError::Http { host: host.clone(), detail };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(error.without_url().to_string()))? {
        if body.len() + chunk.len() > limit {
            return Err(failed(format!("the answer is longer than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
