//! Where a submission server is and what it can do.

use super::super::Security;
use crate::secret::Secret;

/// Where a submission server is and how to log in.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port, usually 465 (TLS) or 587 (STARTTLS).
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// The login name; without one no login is tried.
    pub username: Option<String>,
    /// The password or application password.
    pub password: Option<Secret>,
    /// Whether a server that offers no login at all is used without one: so it is where nobody said that it wants one.
    pub only_if_offered: bool,
}

/// What a server announced in its answer to EHLO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SmtpCapabilities {
    /// The largest mail in octets (RFC 1870); none when it names no limit.
    pub size: Option<u64>,
    /// SIZE (RFC 1870), with a limit or without
    pub size_offered: bool,
    /// SMTPUTF8: addresses beyond ASCII (RFC 6531)
    pub smtputf8: bool,
    /// 8BITMIME (RFC 6152)
    pub eight_bit_mime: bool,
    /// PIPELINING (RFC 2920)
    pub pipelining: bool,
    /// DSN: delivery reports on demand (RFC 3461)
    pub dsn: bool,
    /// CHUNKING (RFC 3030)
    pub chunking: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034)
    pub enhanced_status_codes: bool,
    /// STARTTLS (RFC 3207)
    pub starttls: bool,
    /// AUTH PLAIN (RFC 4954)
    pub auth_plain: bool,
    /// AUTH LOGIN
    pub auth_login: bool,
    /// AUTH XOAUTH2
    pub auth_xoauth2: bool,
}

impl SmtpCapabilities {
    /// Whether a login of any kind is offered.
    pub fn offers_login(&self) -> bool {
        self.auth_plain || self.auth_login || self.auth_xoauth2
    }

    /// Reads the lines of an answer to EHLO; the first is the server's name.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for line in lines.into_iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // Some old servers write AUTH=PLAIN.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default() {
                "SIZE" => {
                    found.size_offered = true;
                    let size = words.next().and_then(|size| size.parse().ok());
                    found.size = size.filter(|size| *size > 0);
                }
                "SMTPUTF8" => found.smtputf8 = true,
                "8BITMIME" => found.eight_bit_mime = true,
                "PIPELINING" => found.pipelining = true,
                "DSN" => found.dsn = true,
                "CHUNKING" => found.chunking = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_status_codes = true,
                "STARTTLS" => found.starttls = true,
                "AUTH" => words.for_each(|mechanism| found.note_mechanism(mechanism)),
                _ => {}
            }
        }
        found
    }

    fn note_mechanism(&mut self, mechanism: &str) {
        match mechanism {
            "PLAIN" => self.auth_plain = true,
            "LOGIN" => self.auth_login = true,
            "XOAUTH2" => self.auth_xoauth2 = true,
            _ => {}
        }
    }
}
