//! What a domain's DNS records tell.

use super::DiscoverOptions;
use super::model::{Discovered, Endpoint, MailAddress, Source};
use crate::net::Net;
use crate::providers::Security;

/// The domain's mail exchangers, most preferred first; none when nobody can tell.
pub(super) async fn exchangers(net: &Net, address: &MailAddress, options: &DiscoverOptions) -> Vec<String> {
    let lookup = net.mail_exchangers(&address.domain);
    match tokio::time::timeout(options.timeout, lookup).await {
        Ok(Ok(hosts)) => hosts,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no mail exchangers");
            Vec::new()
        }
        Err(_elapsed) => Vec::new(),
    }
}

/// The servers that the domain announces (RFC 6186, RFC 8314 §5.1).
pub(super) async fn services(net: &Net, address: &MailAddress, options: &DiscoverOptions) -> Option<Discovered> {
    let (imaps, imap, submissions, submission) = tokio::join!(
        service(net, "_imaps._tcp", Security::Tls, address, options),
        service(net, "_imap._tcp", Security::StartTls, address, options),
        service(net, "_submissions._tcp", Security::Tls, address, options),
        service(net, "_submission._tcp", Security::StartTls, address, options),
    );
    Some(Discovered::new(imaps.or(imap)?, submissions.or(submission)?, Source::Srv))
}

async fn service(
    net: &Net,
    service: &str,
    security: Security,
    address: &MailAddress,
    options: &DiscoverOptions,
) -> Option<Endpoint> {
    let name = format!("{service}.{}", address.domain);
    let lookup = tokio::time::timeout(options.timeout, net.services(&name)).await;
    let best = lookup.ok()?.ok()?.into_iter().next()?;
    Some(Endpoint { host: best.host, port: best.port, security, username: address.full.clone() })
}

/// The domain that a host stands in: `mx1.mail.example.co.uk` → `example.co.uk`.
pub(super) fn base_domain(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let second = labels.iter().rev().nth(1)?;
    let top = labels.last()?;
    // Below country codes the second level often belongs to the registry.
    let shared = top.len() == 2 && matches!(*second, "co" | "com" | "net" | "org" | "ac" | "gov" | "edu" | "ne" | "or");
    let keep = if shared { 3 } else { 2 };
    let start = labels.len().checked_sub(keep)?;
    Some(labels.get(start..)?.join("."))
}
