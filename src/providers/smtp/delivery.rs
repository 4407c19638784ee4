//! What became of a mail that was given to a server.

use super::SmtpError;
use super::reply::Reply;

/// Something that a server said, with its words made harmless and short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpReply {
    /// The three digits (RFC 5321 §4.2).
    pub code: u16,
    /// The finer code (RFC 3463), such as `5.1.1`, where the server gives one.
    pub enhanced: Option<String>,
    /// The server's words without the codes.
    pub text: String,
}

/// What a server said about one recipient.
pub type RecipientReply = SmtpReply;
/// What a server said about the mail itself.
pub type DataReply = SmtpReply;

impl SmtpReply {
    /// Whether the server took it.
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the same may be accepted later.
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code) || self.is_too_many_recipients()
    }

    /// Whether the same will be refused again.
    pub fn is_permanent(&self) -> bool {
        (500..600).contains(&self.code) && !self.is_too_many_recipients()
    }

    /// Whether nothing is wrong with this recipient but that others came before it in the same mail: it can be
    /// tried again at once with a mail of its own. Old servers say so with the code for a full mailbox
    /// (RFC 5321 §4.5.3.1.10).
    pub fn is_too_many_recipients(&self) -> bool {
        match self.enhanced.as_deref() {
            Some(enhanced) => matches!(self.code, 452 | 552) && enhanced.ends_with(".5.3"),
            None => matches!(self.code, 452 | 552) && self.text.to_ascii_lowercase().contains("too many recipients"),
        }
    }

    /// Whether the server finds the mail too large.
    pub fn is_too_large(&self) -> bool {
        match self.enhanced.as_deref() {
            Some(enhanced) => self.code / 100 == 5 && matches!(enhanced, "5.3.4" | "5.2.3"),
            None => self.code == 552 && !self.is_too_many_recipients(),
        }
    }
}

impl From<&Reply> for SmtpReply {
    fn from(reply: &Reply) -> Self {
        const LONGEST: usize = 500;
        let mut enhanced = None;
        let mut words: Vec<&str> = Vec::with_capacity(reply.lines.len());
        for line in &reply.lines {
            let (code, text) = split_enhanced(line);
            enhanced = enhanced.or(code);
            words.push(text);
        }
        let text = words.join(" ");
        let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let text = clean.take(LONGEST).collect::<String>().trim().to_owned();
        Self { code: reply.code, enhanced: enhanced.map(str::to_owned), text }
    }
}

/// Splits `5.1.1 no such user` (RFC 2034 §4).
fn split_enhanced(line: &str) -> (Option<&str>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|class| matches!(class, "2" | "4" | "5"));
    let number = |part: Option<&str>| {
        part.is_some_and(|digits| (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let whole = class && number(parts.next()) && number(parts.next()) && parts.next().is_none();
    if whole { (Some(word), rest) } else { (None, line) }
}

/// What a server definitely said about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its answer for each recipient, in the order of the envelope.
    pub recipients: Vec<RecipientReply>,
    /// Its answer for the mail itself, which holds for the recipients it had accepted; none when it had accepted none,
    /// for then the mail was not sent.
    pub data: Option<DataReply>,
}

impl Delivery {
    /// Whether the server has taken over the mail for this recipient, by its place in the envelope.
    pub fn is_accepted(&self, recipient: usize) -> bool {
        self.data.as_ref().is_some_and(SmtpReply::is_accepted)
            && self.recipients.get(recipient).is_some_and(SmtpReply::is_accepted)
    }
}

/// Why there is no definite word on a mail, by whether it can have been accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum SendError<E> {
    /// The mail could not be read to its end, or the step before the final dot failed. The server was not told that
    /// the mail is complete: nothing was accepted.
    Caller(E),
    /// The server or the connection failed, or the mail cannot be sent as it is, before the final dot was written:
    /// nothing was accepted. The step before the final dot may have been done already.
    BeforeEnd(SmtpError),
    /// The final dot may have reached the server, and no answer came that means anything: whether the mail was
    /// accepted for the recipients that were is not known.
    Unknown(SmtpError),
}

impl<E: std::fmt::Display> std::fmt::Display for SendError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Caller(error) => error.fmt(f),
            Self::BeforeEnd(error) => error.fmt(f),
            Self::Unknown(error) => write!(f, "whether the mail was accepted is not known: {error}"),
        }
    }
}

impl<E: std::fmt::Debug + std::fmt::Display> std::error::Error for SendError<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, lines: &[&str]) -> SmtpReply {
        SmtpReply::from(&Reply { code, lines: lines.iter().map(|line| (*line).to_owned()).collect() })
    }

    #[test]
    fn the_finer_code_is_told_apart_from_the_words() {
        let said = reply(550, &["5.1.1 no such", "5.1.1 user\t\u{7}here"]);
        assert_eq!((said.enhanced.as_deref(), &*said.text), (Some("5.1.1"), "no such user  here"));
        for line in ["1.2.3 x", "5.1 x", "5.1.1.1 x", "5.1.1x", "5.1234.1 x", "5..1 x", "no", ""] {
            assert_eq!(reply(550, &[line]), SmtpReply { code: 550, enhanced: None, text: line.to_owned() });
        }
        assert_eq!(reply(250, &["2.0.0"]).enhanced.as_deref(), Some("2.0.0"));
        assert_eq!(reply(550, &["x".repeat(4000).as_str()]).text.len(), 500);
    }

    #[test]
    fn too_many_recipients_pass_and_a_full_mailbox_does_not() {
        for (code, line) in [(452, "4.5.3 too many"), (552, "5.5.3 too many"), (552, "Too many recipients")] {
            let said = reply(code, &[line]);
            assert!(said.is_too_many_recipients() && said.is_temporary() && !said.is_permanent(), "{line}");
            assert!(!said.is_too_large());
        }
        for (code, line) in [(552, "5.2.2 over quota"), (552, "mailbox full"), (550, "too many recipients")] {
            assert!(reply(code, &[line]).is_permanent(), "{line}");
        }
        assert!(reply(452, &["4.2.2 over quota"]).is_temporary());
        assert!(reply(552, &["5.3.4 too big"]).is_too_large() && reply(552, &["too big"]).is_too_large());
        assert!(!reply(552, &["5.2.2 over quota"]).is_too_large());
    }
}
