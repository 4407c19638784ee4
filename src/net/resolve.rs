//! Names to addresses, mail exchangers and services.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;

use super::{Net, NetError};

/// A service that a domain announces (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHost {
    /// The machine's name, without a final dot.
    pub host: String,
    /// The port it listens on.
    pub port: u16,
    /// The lower comes first.
    pub priority: u16,
    /// Among equals, the higher comes first.
    pub weight: u16,
}

/// The resolver, with the system's own as a second opinion.
pub(super) struct Resolve {
    /// Absent when the system's configuration cannot be read.
    dns: Option<TokioResolver>,
    timeout: Duration,
}

impl Resolve {
    pub(super) fn new(timeout: Duration) -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = timeout / 2;
            options.attempts = 1;
            builder.build()
        });
        let dns = built
            .inspect_err(|error| tracing::info!(%error, "no resolver configuration, using the system's resolver"))
            .ok();
        Self { dns, timeout }
    }

    /// All addresses of a name; an address literal is its own address.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        }
        if !is_host_name(&name) {
            return Err(NetError::Dns { host: name });
        }
        match tokio::time::timeout(self.timeout, self.look_up(&name)).await {
            Ok(Some(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(NetError::Dns { host: name }),
            Err(_elapsed) => Err(NetError::Timeout { host: name }),
        }
    }

    async fn look_up(&self, name: &str) -> Option<Vec<IpAddr>> {
        if let Some(dns) = &self.dns
            && let Ok(found) = dns.lookup_ip(format!("{name}.")).await
        {
            return Some(found.iter().collect());
        }
        // The system's resolver knows more than DNS (hosts file, multicast DNS, a VPN's rules).
        let found = tokio::net::lookup_host((name, 0)).await.ok()?;
        Some(found.map(|address| address.ip()).collect())
    }

    async fn records(&self, name: &str, kind: Record) -> Result<Vec<RData>, NetError> {
        let missing = || NetError::Dns { host: name.to_owned() };
        let Some(dns) = &self.dns else {
            return Err(missing());
        };
        let absolute = format!("{}.", name.trim_end_matches('.'));
        let question = async {
            match kind {
                Record::Mx => dns.mx_lookup(absolute).await,
                Record::Srv => dns.srv_lookup(absolute).await,
            }
        };
        match tokio::time::timeout(self.timeout, question).await {
            Ok(Ok(found)) => Ok(found.answers().iter().map(|r| r.data.clone()).collect()),
            Ok(Err(_no_records)) => Err(missing()),
            Err(_elapsed) => Err(NetError::Timeout { host: name.to_owned() }),
        }
    }
}

enum Record {
    Mx,
    Srv,
}

/// Whether a text can be a host name at all (RFC 1123 letters, digits, hyphens; underscores seen
/// in the wild).
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

impl Net {
    /// The addresses of a name that may be reached, in the order to try them.
    ///
    /// # Errors
    /// [`NetError::Dns`], [`NetError::Timeout`], or [`NetError::Private`] when none may be.
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let found = self.inner.resolver.addresses(host).await?;
        let open: Vec<IpAddr> = found.into_iter().filter(|address| self.inner.rule.permits(*address)).collect();
        if open.is_empty() {
            return Err(NetError::Private { host: host.to_owned() });
        }
        Ok(open)
    }

    /// The mail exchangers of a domain, most preferred first (RFC 5321 §5.1).
    ///
    /// # Errors
    /// [`NetError::Dns`] when there are none, [`NetError::Timeout`].
    pub async fn mail_exchangers(&self, domain: &str) -> Result<Vec<String>, NetError> {
        let records = self.inner.resolver.records(domain, Record::Mx).await?;
        let mut found: Vec<(u16, String)> = records
            .into_iter()
            .filter_map(|data| match data {
                RData::MX(mx) => Some((mx.preference, plain_name(&mx.exchange.to_utf8()))),
                _ => None,
            })
            .collect();
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }

    /// The hosts of a service such as `_imaps._tcp.example.org`, best first (RFC 2782, RFC 6186).
    ///
    /// # Errors
    /// [`NetError::Dns`] when the domain does not offer the service, [`NetError::Timeout`].
    pub async fn services(&self, name: &str) -> Result<Vec<ServiceHost>, NetError> {
        let records = self.inner.resolver.records(name, Record::Srv).await?;
        let mut found: Vec<ServiceHost> = records
            .into_iter()
            .filter_map(|data| match data {
                RData::SRV(srv) => Some(ServiceHost {
                    host: plain_name(&srv.target.to_utf8()),
                    port: srv.port,
                    priority: srv.priority,
                    weight: srv.weight,
                }),
                _ => None,
            })
            // A target of "." says that the service is decidedly not offered.
            .filter(|service| !service.host.is_empty())
            .collect();
        found.sort_by_key(|s| (s.priority, std::cmp::Reverse(s.weight)));
        Ok(found)
    }
}

fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literals_and_localhost_need_no_resolver() {
        let resolve = Resolve { dns: None, timeout: Duration::from_secs(5) };
        let of = async |host: &str| resolve.addresses(host).await.unwrap();
        assert_eq!(of("127.0.0.1").await, [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        assert_eq!(of("[::1]").await, [IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        assert_eq!(of("LocalHost.").await.len(), 2);
        assert_eq!(of("a.localhost").await.len(), 2);
    }

    #[tokio::test]
    async fn a_text_that_is_no_host_name_is_not_looked_up() {
        let resolve = Resolve { dns: None, timeout: Duration::from_secs(5) };
        for text in ["", "a b", "a..b", "host\r\nX", "ex\u{e4}mple.org", "a/b"] {
            let error = resolve.addresses(text).await.unwrap_err();
            assert!(matches!(error, NetError::Dns { .. }), "{text:?}");
        }
    }
}
