//! Finds the mail servers of an address, so that a user need not know them.
//!
//! The built-in table answers for the large providers without asking anybody. For other domains
//! the domain's own autoconfig file, the public database of providers, the mail exchanger and the
//! service records are asked side by side, and the best answer wins in that order. What remains is
//! a guess, probed where the network allows. Nothing here ever holds a password.

mod autoconfig;
mod guess;
mod model;
mod records;
mod table;

use std::time::Duration;

pub use model::{DiscoverError, Discovered, Endpoint, MailProvider, Source};

use crate::net::Net;
use model::MailAddress;

/// Where to ask and how long to wait; tests point it at a server of their own.
#[derive(Debug, Clone)]
pub struct DiscoverOptions {
    /// Addresses of a domain's autoconfig file, with `{domain}` and `{address}`.
    pub autoconfig_urls: Vec<String>,
    /// The address of the public provider database's entry for `{domain}`.
    pub ispdb_url: String,
    /// The longest wait for one look-up.
    pub timeout: Duration,
    /// Whether a guess is tried out by connecting.
    pub probe: bool,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self {
            autoconfig_urls: vec![
                "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}".into(),
                "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml".into(),
            ],
            ispdb_url: "https://autoconfig.thunderbird.net/v1.1/{domain}".into(),
            timeout: Duration::from_secs(4),
            probe: true,
        }
    }
}

/// Finds the servers of an address with the usual options.
///
/// # Errors
/// [`DiscoverError`] when the text is no address with a domain; a domain of which nothing can be
/// learned gives an unconfirmed guess.
pub async fn discover(net: &Net, address: &str) -> Result<Discovered, DiscoverError> {
    discover_with(net, address, &DiscoverOptions::default()).await
}

/// Finds the servers of an address.
///
/// # Errors
/// As [`discover`].
pub async fn discover_with(net: &Net, address: &str, options: &DiscoverOptions) -> Result<Discovered, DiscoverError> {
    let address = MailAddress::parse(address)?;
    if let Some(known) = table::by_domain(&address.domain) {
        return Ok(known.discovered(&address, Source::Table));
    }
    let (own, public, exchangers, services) = tokio::join!(
        autoconfig::of_domain(net, &address, options),
        autoconfig::of_database(net, &address, &address.domain, options),
        records::exchangers(net, &address, options),
        records::services(net, &address, options),
    );
    if let Some(found) = own.or(public) {
        return Ok(found);
    }
    if let Some(known) = exchangers.iter().find_map(|host| table::by_exchanger(host)) {
        return Ok(known.discovered(&address, Source::Mx));
    }
    if let Some(found) = by_exchangers_domain(net, &address, &exchangers, options).await {
        return Ok(found);
    }
    if let Some(found) = services {
        return Ok(found);
    }
    Ok(guess::servers(net, &address, &exchangers, options).await)
}

/// Asks the public database about the domain that runs the mail exchanger.
async fn by_exchangers_domain(
    net: &Net,
    address: &MailAddress,
    exchangers: &[String],
    options: &DiscoverOptions,
) -> Option<Discovered> {
    let domain = records::base_domain(exchangers.first()?)?;
    if domain == address.domain {
        return None;
    }
    if let Some(known) = table::by_domain(&domain) {
        return Some(known.discovered(address, Source::Mx));
    }
    let mut found = autoconfig::of_database(net, address, &domain, options).await?;
    found.source = Source::Mx;
    Some(found)
}

#[cfg(test)]
mod discover_tests;
