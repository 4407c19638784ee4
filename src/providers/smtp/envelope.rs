//! From whom and to whom a mail goes, as the server is told.

use std::fmt::Write;

use super::{SmtpCapabilities, SmtpError, SmtpErrorKind};

/// RFC 5321 §4.5.3.1.3 allows 256 octets with the angle brackets; some more do no harm.
const LONGEST_ADDRESS: usize = 320;
/// RFC 3461 §4.4
const LONGEST_ENVELOPE_ID: usize = 100;
/// RFC 3461 §4.2
const LONGEST_ORIGINAL_RECIPIENT: usize = 500;

/// What a server is told about a mail before it gets the mail itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The address that reports about failed delivery go to; empty for none (`<>`).
    pub from: String,
    /// The addresses that it goes to; domains beyond ASCII are written in their ASCII form unless `smtputf8` is set.
    pub recipients: Vec<String>,
    /// The size of the mail in octets, without the dots that the protocol adds; an estimate must not be too low.
    pub size: u64,
    /// Whether the mail's header or an address can only be written in UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// The name by which reports about this mail can tell that they mean it (RFC 3461 ENVID).
    pub envelope_id: Option<String>,
}

impl Envelope {
    /// The MAIL command, if the server can take such a mail at all.
    pub(super) fn mail(&self, server: &SmtpCapabilities) -> Result<String, SmtpError> {
        self.check(server)?;
        let mut line = format!("MAIL FROM:<{}>", self.from);
        if server.size_offered {
            parameter(&mut line, &format!("SIZE={}", self.size));
        }
        if self.smtputf8 {
            // A server with the one has the other too (RFC 6531 §3.1).
            if server.eight_bit_mime {
                parameter(&mut line, "BODY=8BITMIME");
            }
            parameter(&mut line, "SMTPUTF8");
        }
        if server.dsn {
            parameter(&mut line, "RET=HDRS");
            let id = self.envelope_id.as_deref().map(xtext).filter(|id| (1..=LONGEST_ENVELOPE_ID).contains(&id.len()));
            if let Some(id) = id {
                parameter(&mut line, &format!("ENVID={id}"));
            }
        }
        Ok(line)
    }

    /// The RCPT command for one of the recipients.
    pub(super) fn rcpt(recipient: &str, server: &SmtpCapabilities) -> String {
        let mut line = format!("RCPT TO:<{recipient}>");
        if server.dsn {
            parameter(&mut line, "NOTIFY=FAILURE,DELAY");
            let original = format!("ORCPT=rfc822;{}", xtext(recipient));
            if recipient.is_ascii() && original.len() <= LONGEST_ORIGINAL_RECIPIENT {
                parameter(&mut line, &original);
            }
        }
        line
    }

    fn check(&self, server: &SmtpCapabilities) -> Result<(), SmtpError> {
        if let Some(limit) = server.size.filter(|limit| self.size > *limit) {
            return Err(SmtpError::too_large(self.size, limit));
        }
        if self.smtputf8 && !server.smtputf8 {
            return Err(SmtpError::new(
                SmtpErrorKind::Utf8NotSupported,
                "the server for outgoing mail takes no addresses beyond ASCII: use another address of the recipient",
            ));
        }
        let sound = |address: &String| is_sound(address, self.smtputf8);
        if self.recipients.is_empty() || !self.recipients.iter().all(sound) {
            return Err(SmtpError::new(SmtpErrorKind::InvalidMail, "an address of a recipient is none"));
        }
        if !self.from.is_empty() && !sound(&self.from) {
            return Err(SmtpError::new(SmtpErrorKind::InvalidMail, "the address of the sender is none"));
        }
        Ok(())
    }
}

fn parameter(line: &mut String, text: &str) {
    line.push(' ');
    line.push_str(text);
}

/// Whether an address can stand between angle brackets without becoming a part of the command. Whether it is
/// one that mail can reach is the server's to say.
fn is_sound(address: &str, utf8: bool) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\\' | ',' | ';');
    let whole_quotes = || {
        let inner = local.get(1..local.len() - 1).unwrap_or_default();
        let mut escaped = false;
        let allowed = inner.chars().all(|c| {
            let bare_quote = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            !bare_quote && !c.is_control() && !matches!(c, '<' | '>') && (c == ' ' || !c.is_whitespace())
        });
        allowed && !escaped
    };
    let local_is_sound = if quoted { whole_quotes() } else { !local.is_empty() && local.chars().all(plain) };
    address.len() <= LONGEST_ADDRESS
        && (utf8 || address.is_ascii())
        && local_is_sound
        && !domain.is_empty()
        && domain.chars().all(plain)
}

/// Text that can stand in a parameter (RFC 3461 §4).
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'+' | b'=' | 0..=0x20 | 0x7f.. => {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "+{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            from: "anna@x.example".to_owned(),
            recipients: vec!["b@y.example".to_owned()],
            ..Envelope::default()
        }
    }

    fn offering(words: &[&str]) -> SmtpCapabilities {
        SmtpCapabilities::parse(std::iter::once("mail").chain(words.iter().copied()))
    }

    #[test]
    fn only_what_was_offered_is_asked_for() {
        let whole = Envelope { size: 70, envelope_id: Some("a=b c+d".to_owned()), ..envelope() };
        let none = offering(&[]);
        assert_eq!(whole.mail(&none).unwrap(), "MAIL FROM:<anna@x.example>");
        assert_eq!(Envelope::rcpt("b@y.example", &none), "RCPT TO:<b@y.example>");
        let all = offering(&["SIZE", "DSN", "8BITMIME", "SMTPUTF8"]);
        let line = "MAIL FROM:<anna@x.example> SIZE=70 RET=HDRS ENVID=a+3Db+20c+2Bd";
        assert_eq!(whole.mail(&all).unwrap(), line);
        let line = "RCPT TO:<b+c@y.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b+2Bc@y.example";
        assert_eq!(Envelope::rcpt("b+c@y.example", &all), line);
        let beyond = Envelope { smtputf8: true, ..envelope() };
        assert_eq!(beyond.mail(&all).unwrap(), "MAIL FROM:<anna@x.example> SIZE=0 BODY=8BITMIME SMTPUTF8 RET=HDRS");
        assert_eq!(Envelope::rcpt("bj\u{f6}rn@y.example", &all), "RCPT TO:<bj\u{f6}rn@y.example> NOTIFY=FAILURE,DELAY");
        assert_eq!(Envelope { from: String::new(), ..envelope() }.mail(&none).unwrap(), "MAIL FROM:<>");
    }

    #[test]
    fn what_the_server_cannot_take_is_not_tried() {
        let large = Envelope { size: 1001, ..envelope() };
        let error = large.mail(&offering(&["SIZE 1000"])).unwrap_err();
        assert_eq!(error.kind, SmtpErrorKind::TooLarge);
        assert!(error.detail.contains("1000"), "{error}");
        assert!(large.mail(&offering(&["SIZE 0"])).is_ok());
        assert!(large.mail(&offering(&["SIZE 1001"])).is_ok());
        let beyond = Envelope { smtputf8: true, ..envelope() };
        assert_eq!(beyond.mail(&offering(&[])).unwrap_err().kind, SmtpErrorKind::Utf8NotSupported);
    }

    #[test]
    fn an_address_cannot_break_out_of_its_place() {
        for address in ["a@b", "a.b+c@x.example", "\"a b\"@x.example", "\"a\\\"b\"@x.example", "a@[192.0.2.1]"] {
            assert!(is_sound(address, false), "{address}");
        }
        let long = format!("{}@x.example", "a".repeat(320));
        for address in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a b@x.example",
            "a@x.example>",
            "a@x.example\r\nDATA",
            "a\n@x.example",
            "a@x.example> SIZE=1",
            "a\0@x.example",
            "a\u{2028}b@x.example",
            "\"@x.example",
            "\"a\"b\"@x.example",
            "\"a\\\"@x.example",
            "\"a\r\nb\"@x.example",
            "\"a>b\"@x.example",
            "<a@x.example>",
            "a@x.example,b@x.example",
            "bj\u{f6}rn@x.example",
            &long,
        ] {
            assert!(!is_sound(address, false), "{address:?}");
            let hostile = Envelope { recipients: vec!["b@y.example".to_owned(), address.to_owned()], ..envelope() };
            let error = hostile.mail(&offering(&[])).unwrap_err();
            assert_eq!(error.kind, SmtpErrorKind::InvalidMail);
        }
        assert!(is_sound("bj\u{f6}rn@m\u{fc}nchen.example", true));
        assert!(!is_sound("a\u{2028}b@x.example", true) && !is_sound("a\u{85}b@x.example", true));
        let nobody = Envelope { recipients: Vec::new(), ..envelope() };
        assert_eq!(nobody.mail(&offering(&[])).unwrap_err().kind, SmtpErrorKind::InvalidMail);
    }
}
