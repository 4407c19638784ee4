//! What may stand in a field: nothing that a mail program could take for the end of it.

/// Why something cannot go out in a mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct ComposeError {
    /// The field, such as `subject` or `to[2]`.
    pub field: String,
    /// What is wrong with it, in words for the person who filled it.
    pub reason: &'static str,
}

impl ComposeError {
    pub(super) fn new(field: impl Into<String>, reason: &'static str) -> Self {
        Self { field: field.into(), reason }
    }

    /// The same reason under another name of the field.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Self {
        Self { field: field.into(), ..self }
    }
}

/// Longest identifier that is written, in octets; longer ones join no thread (see [`crate::mail::threading`]).
const MAX_ID_BYTES: usize = 500;
/// Longest name of a field: with its value's first word it must fit into a line of 998 octets.
const MAX_FIELD_NAME_BYTES: usize = 76;

/// Fields that are written from the mail itself, or that only servers on the way may write.
const RESERVED: [&str; 15] = [
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "reply-to",
    "sender",
    "mime-version",
    "received",
    "return-path",
    // Old servers take recipients from it.
    "apparently-to",
];
const RESERVED_PREFIXES: [&str; 5] = ["content-", "dkim-", "arc-", "resent-", "x-duplex-"];

/// Whether a character ends or disturbs a line: control characters of both sets, and Unicode's own line breaks.
pub(super) fn is_breaking(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Checks a text that goes out on one line: a subject, a name, a file name, the value of a header field.
///
/// # Errors
///
/// When it holds a line break or any other control character.
pub fn check_text(field: &str, text: &str) -> Result<(), ComposeError> {
    let Some(found) = text.chars().find(|c| is_breaking(*c)) else {
        return Ok(());
    };
    let reason = match found {
        '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => "must not contain a line break",
        '\0' => "must not contain a NUL character",
        _ => "must not contain control characters",
    };
    Err(ComposeError::new(field, reason))
}

/// Checks a header field that someone wants to add to a mail.
///
/// # Errors
///
/// When the name is none (RFC 5322 §2.2) or one that is written from the mail itself, or when the value holds a control
/// character.
pub fn check_header(name: &str, value: &str) -> Result<(), ComposeError> {
    check_field(name, value)?;
    let lower = name.to_ascii_lowercase();
    let reserved =
        RESERVED.contains(&lower.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    if reserved {
        return Err(ComposeError::new(header(name), "is written by the server and cannot be set"));
    }
    Ok(())
}

/// Checks the form of a field alone.
pub(super) fn check_field(name: &str, value: &str) -> Result<(), ComposeError> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if !is_name {
        return Err(ComposeError::new("headers", "a name has visible ASCII characters only, and no colon"));
    }
    if name.len() > MAX_FIELD_NAME_BYTES {
        return Err(ComposeError::new("headers", "a name has at most 76 characters"));
    }
    check_text(&header(name), value)
}

fn header(name: &str) -> String {
    format!("headers.{name}")
}

/// Whether an identifier can be written between angle brackets (RFC 5322 §3.6.4, more tolerant about what is inside).
pub(super) fn is_id(id: &str) -> bool {
    let visible = id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    visible && !id.is_empty() && id.len() <= MAX_ID_BYTES
}

/// Checks the identifier of the mail itself, which has two sides.
pub(super) fn check_message_id(id: &str) -> Result<(), ComposeError> {
    let sides = id.rsplit_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    if is_id(id) && sides { Ok(()) } else { Err(ComposeError::new("message_id", "is not a Message-ID")) }
}
