//! Autoconfig files: a domain's own, or the public database's about it.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use reqwest::{Method, Url};

use super::DiscoverOptions;
use super::model::{Discovered, Endpoint, MailAddress, Source};
use crate::net::{Net, NetError, read_body};
use crate::providers::Security;

/// Real files have a few kilobytes.
const MAX_FILE: usize = 128 * 1024;

/// Asks the domain itself.
pub(super) async fn of_domain(net: &Net, address: &MailAddress, options: &DiscoverOptions) -> Option<Discovered> {
    let lookups = options.autoconfig_urls.iter().map(|template| {
        let url = fill(template, &address.domain, &address.full);
        ask(net, url, address, Source::Autoconfig, options)
    });
    let answers = futures_util::future::join_all(lookups).await;
    answers.into_iter().flatten().next()
}

/// Asks the public database about a domain. It learns the domain, never the address.
pub(super) async fn of_database(
    net: &Net,
    address: &MailAddress,
    domain: &str,
    options: &DiscoverOptions,
) -> Option<Discovered> {
    let url = fill(&options.ispdb_url, domain, "");
    ask(net, url, address, Source::Ispdb, options).await
}

fn fill(template: &str, domain: &str, address: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    template.replace("{domain}", domain).replace("{address}", &encoded)
}

async fn ask(
    net: &Net,
    url: String,
    address: &MailAddress,
    source: Source,
    options: &DiscoverOptions,
) -> Option<Discovered> {
    let file = match tokio::time::timeout(options.timeout, fetch(net, &url)).await {
        Ok(Ok(file)) => file,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no autoconfig file");
            return None;
        }
        Err(_elapsed) => {
            tracing::debug!("an autoconfig look-up took too long");
            return None;
        }
    };
    parse(&file, address, source)
}

async fn fetch(net: &Net, url: &str) -> Result<Vec<u8>, NetError> {
    let bad = |detail: String| NetError::Http { host: String::new(), detail };
    let url = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    let request = net.request(Method::GET, url)?;
    let response = request
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        // The address may be part of the URL.
        .map_err(|error| bad(error.without_url().to_string()))?;
    read_body(response, MAX_FILE).await
}

/// A server as the file describes it.
#[derive(Debug, Default, Clone)]
struct Described {
    host: String,
    port: Option<u16>,
    socket: String,
    username: String,
    authentication: Vec<String>,
}

/// Reads a file and takes its best IMAP and SMTP servers.
fn parse(file: &[u8], address: &MailAddress, source: Source) -> Option<Discovered> {
    let (incoming, outgoing) = servers(file)?;
    let best = |servers: Vec<Described>| {
        let mut usable: Vec<Endpoint> = servers.into_iter().filter_map(|server| server.endpoint(address)).collect();
        // TLS from the first byte is preferred (RFC 8314); the file's order decides among equals.
        usable.sort_by_key(|endpoint| endpoint.security != Security::Tls);
        usable.into_iter().next()
    };
    Some(Discovered::new(best(incoming)?, best(outgoing)?, source))
}

fn servers(file: &[u8]) -> Option<(Vec<Described>, Vec<Described>)> {
    let text = String::from_utf8_lossy(file);
    let mut reader = Reader::from_str(&text);
    let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
    let mut current: Option<Described> = None;
    let mut field = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = lower(tag.name().as_ref());
                let wanted = match name.as_str() {
                    "incomingserver" => is_type(&tag, "imap"),
                    "outgoingserver" => is_type(&tag, "smtp"),
                    _ => false,
                };
                if wanted {
                    current = Some(Described::default());
                }
                field = name;
            }
            Event::Text(text) => {
                if let (Some(server), Ok(value)) = (&mut current, text.decode()) {
                    server.set(&field, value.trim());
                }
            }
            Event::End(tag) => {
                match lower(tag.name().as_ref()).as_str() {
                    "incomingserver" => incoming.extend(current.take()),
                    "outgoingserver" => outgoing.extend(current.take()),
                    _ => {}
                }
                field.clear();
            }
            Event::Eof => return Some((incoming, outgoing)),
            _ => {}
        }
    }
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

fn is_type(tag: &BytesStart<'_>, wanted: &str) -> bool {
    tag.attributes().flatten().any(|attribute| {
        attribute.key.as_ref().eq_ignore_ascii_case(b"type") && attribute.value.eq_ignore_ascii_case(wanted.as_bytes())
    })
}

impl Described {
    fn set(&mut self, field: &str, value: &str) {
        match field {
            "hostname" => value.clone_into(&mut self.host),
            "port" => self.port = value.parse().ok(),
            "sockettype" => self.socket = value.to_ascii_uppercase(),
            "username" => value.clone_into(&mut self.username),
            "authentication" => self.authentication.push(value.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// The server as settings; none when a password would travel unencrypted or is not taken.
    fn endpoint(self, address: &MailAddress) -> Option<Endpoint> {
        let security = match self.socket.as_str() {
            "SSL" | "TLS" => Security::Tls,
            "STARTTLS" => Security::StartTls,
            _ => return None,
        };
        let takes_password = self.authentication.is_empty()
            || self.authentication.iter().any(|method| {
                matches!(method.as_str(), "password-cleartext" | "plain" | "password-encrypted" | "secure" | "oauth2")
            });
        let host = placeholders(&self.host, address).to_ascii_lowercase();
        let url::Host::Domain(host) = url::Host::parse(&host).ok()? else {
            return None;
        };
        let username = match self.username.as_str() {
            "" => address.full.clone(),
            template => placeholders(template, address),
        };
        takes_password.then_some(Endpoint { host, port: self.port?, security, username })
    }
}

fn placeholders(template: &str, address: &MailAddress) -> String {
    template
        .replace("%EMAILADDRESS%", &address.full)
        .replace("%EMAILLOCALPART%", &address.local)
        .replace("%EMAILDOMAIN%", &address.domain)
}
