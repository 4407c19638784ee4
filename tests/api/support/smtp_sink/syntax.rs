//! What may stand behind MAIL and RCPT.

use super::Offers;

/// A refusal in the server's words.
pub(super) type Refusal = &'static str;

/// An address with its parameters: `FROM:<a@b> SIZE=1`.
pub(super) struct Path {
    pub(super) address: String,
    pub(super) parameters: Vec<String>,
}

impl Path {
    /// Takes what follows the verb apart.
    pub(super) fn parse(rest: &str, prefix: &str) -> Result<Self, Refusal> {
        const NONE: Refusal = "501 5.5.4 that is no address";
        let (given, behind) = rest.split_at_checked(prefix.len()).ok_or(NONE)?;
        let inner = behind.strip_prefix('<').filter(|_| given.eq_ignore_ascii_case(prefix)).ok_or(NONE)?;
        let mut quoted = false;
        let end = inner.find(|c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let (address, parameters) = inner.split_at(end.ok_or(NONE)?);
        let parameters = parameters.strip_prefix('>').unwrap_or_default();
        let parameters = match parameters.strip_prefix(' ') {
            None if parameters.is_empty() => Vec::new(),
            None => return Err(NONE),
            Some(listed) => listed.split(' ').map(str::to_owned).collect(),
        };
        Ok(Self { address: address.to_owned(), parameters })
    }

    /// Whether mail can come from or go to it.
    pub(super) fn check_address(&self, smtputf8: bool) -> Result<(), Refusal> {
        if !smtputf8 && !self.address.is_ascii() {
            return Err("553 5.6.7 an address beyond ASCII without SMTPUTF8");
        }
        let (local, domain) = self.address.rsplit_once('@').ok_or("553 5.1.3 an address without a domain")?;
        let is_word = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
        let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
        if !(quoted || is_word(local)) || !is_word(domain) || self.address.len() > 254 {
            return Err("553 5.1.3 that is no address");
        }
        Ok(())
    }
}

/// What was said with MAIL.
#[derive(Default)]
pub(super) struct MailParameters {
    pub(super) size: Option<u64>,
    pub(super) eight_bit: bool,
    pub(super) smtputf8: bool,
    pub(super) envelope_id: Option<String>,
}

const NOT_OFFERED: Refusal = "555 5.5.4 a parameter that was not offered";
const MALFORMED: Refusal = "501 5.5.4 a parameter that makes no sense";

/// Reads the parameters of MAIL.
pub(super) fn mail_parameters(given: &[String], offers: &Offers) -> Result<MailParameters, Refusal> {
    let mut read = MailParameters::default();
    for parameter in given {
        let (name, value) = named(parameter);
        match (name.as_str(), value) {
            ("SIZE", Some(digits)) if offers.size.is_some() => read.size = Some(digits.parse().map_err(|_| MALFORMED)?),
            ("BODY", Some(kind)) if offers.eight_bit_mime => match kind.to_ascii_uppercase().as_str() {
                "8BITMIME" => read.eight_bit = true,
                "7BIT" => {}
                _ => return Err(MALFORMED),
            },
            ("SMTPUTF8", None) if offers.smtputf8 => read.smtputf8 = true,
            ("RET", Some("HDRS" | "FULL")) if offers.dsn => {}
            ("ENVID", Some(id)) if offers.dsn && (1..=100).contains(&id.len()) => {
                read.envelope_id = Some(from_xtext(id).ok_or(MALFORMED)?);
            }
            ("SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID", _) if value.is_none() && name != "SMTPUTF8" => {
                return Err(MALFORMED);
            }
            _ => return Err(NOT_OFFERED),
        }
    }
    if let (Some(size), Some(limit)) = (read.size, offers.size)
        && limit > 0
        && size > limit
    {
        return Err("552 5.3.4 the mail is larger than the limit");
    }
    Ok(read)
}

/// Checks the parameters of RCPT.
pub(super) fn check_rcpt_parameters(given: &[String], offers: &Offers) -> Result<(), Refusal> {
    for parameter in given {
        let (name, value) = named(parameter);
        match (name.as_str(), value) {
            ("NOTIFY" | "ORCPT", _) if !offers.dsn => return Err(NOT_OFFERED),
            ("NOTIFY", Some("NEVER")) => {}
            ("NOTIFY", Some(list)) if list.split(',').all(|when| matches!(when, "SUCCESS" | "FAILURE" | "DELAY")) => {}
            ("ORCPT", Some(original)) => {
                let address = original.strip_prefix("rfc822;").ok_or(MALFORMED)?;
                from_xtext(address).ok_or(MALFORMED)?;
            }
            ("NOTIFY", _) => return Err(MALFORMED),
            _ => return Err(NOT_OFFERED),
        }
    }
    Ok(())
}

fn named(parameter: &str) -> (String, Option<&str>) {
    match parameter.split_once('=') {
        Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
        None => (parameter.to_ascii_uppercase(), None),
    }
}

/// Reads text of RFC 3461, section 4; none when it is not.
fn from_xtext(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.contains(char::is_lowercase))?);
            }
            b'=' | 0..=0x20 | 0x7f.. => return None,
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}
