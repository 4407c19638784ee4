//! Usual names, tried out where the network allows.

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::DiscoverOptions;
use super::model::{Discovered, Endpoint, MailAddress, Source};
use crate::net::Net;
use crate::providers::Security;

/// The servers that usually have these names; unconfirmed when none of them answers.
pub(super) async fn servers(
    net: &Net,
    address: &MailAddress,
    exchangers: &[String],
    options: &DiscoverOptions,
) -> Discovered {
    let imap = candidates("imap", [(993, Security::Tls), (143, Security::StartTls)], address, exchangers);
    let smtp = candidates("smtp", [(465, Security::Tls), (587, Security::StartTls)], address, exchangers);
    let (imap_found, smtp_found) = if options.probe {
        tokio::join!(first_alive(net, &imap, "* ", options), first_alive(net, &smtp, "220", options))
    } else {
        (None, None)
    };
    let confirmed = imap_found.is_some() && smtp_found.is_some();
    let fallback = |prefix: &str, port| Endpoint {
        host: format!("{prefix}.{}", address.domain),
        port,
        security: Security::Tls,
        username: address.full.clone(),
    };
    let imap = imap_found.unwrap_or_else(|| fallback("imap", 993));
    let smtp = smtp_found.unwrap_or_else(|| fallback("smtp", 465));
    Discovered { confirmed, ..Discovered::new(imap, smtp, Source::Guess) }
}

fn candidates(
    prefix: &str,
    ports: [(u16, Security); 2],
    address: &MailAddress,
    exchangers: &[String],
) -> Vec<Endpoint> {
    let domain = &address.domain;
    let mut hosts = vec![format!("{prefix}.{domain}"), format!("mail.{domain}"), domain.clone()];
    hosts.extend(exchangers.iter().take(1).cloned());
    hosts.dedup();
    ports
        .into_iter()
        .flat_map(|(port, security)| {
            hosts.iter().map(move |host| Endpoint {
                host: host.clone(),
                port,
                security,
                username: address.full.clone(),
            })
        })
        .collect()
}

async fn first_alive(
    net: &Net,
    candidates: &[Endpoint],
    greeting: &str,
    options: &DiscoverOptions,
) -> Option<Endpoint> {
    let probes = candidates.iter().map(|endpoint| {
        let probe = greets(net, endpoint, greeting);
        tokio::time::timeout(options.timeout, probe)
    });
    let answers = join_all(probes).await;
    candidates
        .iter()
        .zip(answers)
        .find(|(_, answer)| matches!(answer, Ok(Some(()))))
        .map(|(endpoint, _)| endpoint.clone())
}

/// Whether the right kind of server greets us; nothing is told to it.
async fn greets(net: &Net, endpoint: &Endpoint, greeting: &str) -> Option<()> {
    let tcp = net.connect(&endpoint.host, endpoint.port).await.ok()?;
    let start = match endpoint.security {
        Security::Tls => first_bytes(net.tls(tcp, &endpoint.host).await.ok()?, greeting).await,
        Security::StartTls | Security::None => first_bytes(tcp, greeting).await,
    };
    (start? == greeting.as_bytes()).then_some(())
}

async fn first_bytes(mut stream: impl AsyncRead + Unpin, like: &str) -> Option<Vec<u8>> {
    let mut start = vec![0; like.len()];
    stream.read_exact(&mut start).await.ok()?;
    Some(start)
}
