//! Addresses as a server takes them (RFC 5321 §4.1.2, RFC 6531): strict, since each one is a promise to deliver.

use super::check::{ComposeError, check_text};

/// Longest local part, in octets (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// Longest domain, in octets (RFC 5321 §4.5.3.1.2).
const MAX_DOMAIN_BYTES: usize = 255;
/// Longest address: with its angle brackets it is a path of 256 octets (RFC 5321 §4.5.3.1.3).
const MAX_ADDRESS_BYTES: usize = 254;
/// Longest label of a domain, in octets (RFC 1035 §2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// Checks the address of a recipient or an author and returns the form for the wire.
///
/// There the domain is in its ASCII form (IDNA, UTS 46) and in lower case; what stands before the `@` stays as it is,
/// because only its own server knows whether case counts.
///
/// # Errors
///
/// When it is no address, with the reason in words for the person who wrote it.
pub fn check_address(address: &str) -> Result<String, ComposeError> {
    let refuse = |reason| Err(ComposeError::new("address", reason));
    let address = address.trim_matches(' ');
    check_text("address", address)?;
    if address.is_empty() {
        return refuse("must not be empty");
    }
    let Some((local, domain)) = address.rsplit_once('@') else {
        return refuse("has no @");
    };
    if let Err(reason) = check_local(local) {
        return refuse(reason);
    }
    let domain = match ascii_domain(domain) {
        Ok(domain) => domain,
        Err(reason) => return refuse(reason),
    };
    if local.len() + 1 + domain.len() > MAX_ADDRESS_BYTES {
        return refuse("is longer than 254 octets");
    }
    Ok(format!("{local}@{domain}"))
}

fn check_local(local: &str) -> Result<(), &'static str> {
    if local.is_empty() {
        return Err("has nothing before the @");
    }
    if local.len() > MAX_LOCAL_BYTES {
        return Err("has more than 64 octets before the @");
    }
    if let Some(inner) = local.strip_prefix('"') {
        return check_quoted(inner);
    }
    if local.split('.').any(str::is_empty) {
        return Err("has a dot too many before the @");
    }
    if local.chars().any(char::is_whitespace) {
        return Err("must not contain spaces");
    }
    if !local.chars().all(|c| c == '.' || is_atext(c)) {
        return Err("has a character before the @ that an address cannot have");
    }
    Ok(())
}

/// What an atom is made of (RFC 5322 §3.2.3, RFC 6531 §3.3). Characters that only reorder or hide others are left out:
/// they serve nobody but those who imitate an address.
fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    }
    !is_invisible(c)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
        || c.is_whitespace()
}

/// The rest of a quoted local part behind its opening quotation mark.
fn check_quoted(inner: &str) -> Result<(), &'static str> {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.as_str().is_empty() => return Ok(()),
            '"' => break,
            '\\' if chars.next().is_some_and(|next| next == ' ' || next.is_ascii_graphic()) => {}
            '\\' => break,
            _ if c == ' ' || c.is_ascii_graphic() => {}
            _ if !c.is_ascii() && !is_invisible(c) => {}
            _ => break,
        }
    }
    Err("has quotation marks before the @ that do not fit")
}

/// The ASCII form of a domain name.
fn ascii_domain(domain: &str) -> Result<String, &'static str> {
    const NO_NAME: &str = "has no valid domain name behind the @";
    if domain.is_empty() {
        return Err("has nothing behind the @");
    }
    if domain.starts_with('[') {
        return Err("has a network address behind the @ instead of a domain name");
    }
    // What the normaliser for web addresses would forgive or decode is no part of a domain here.
    let is_domain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if domain.len() > 4 * MAX_DOMAIN_BYTES || !domain.chars().all(is_domain) {
        return Err(NO_NAME);
    }
    let name = match url::Host::parse(domain) {
        Ok(url::Host::Domain(name)) => name,
        Ok(_) => return Err("has a network address behind the @ instead of a domain name"),
        Err(_) => return Err(NO_NAME),
    };
    if name.len() > MAX_DOMAIN_BYTES {
        return Err("has more than 255 octets behind the @");
    }
    if name.split('.').all(is_label) { Ok(name) } else { Err(NO_NAME) }
}

fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && (1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}
