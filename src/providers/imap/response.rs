//! What the responses of a server mean (RFC 3501 §7 and extensions).

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::lexer::{Lexer, Value};
use super::{Capabilities, ImapError, MailboxStatus, MessageFlags, UidSet};

/// The longest id of RFC 8474 §7.
const MAX_OBJECT_ID: usize = 255;

/// One response of the server.
#[derive(Debug)]
pub(super) enum Response {
    /// The server waits for more of the command.
    Continue,
    /// The verdict on a command, or a notice when it has no tag.
    Status(Status),
    Capability(Capabilities),
    List(ListItem),
    MailboxStatus {
        name: Bytes,
        status: MailboxStatus,
    },
    Search(UidSet),
    Fetch(Box<Fetched>),
    Exists(u32),
    /// A mail is gone; its position is of no use, for we know mails by UID.
    Expunge,
    Vanished {
        earlier: bool,
        uids: UidSet,
    },
    Enabled(Vec<String>),
    /// Something we have no use for.
    Other,
}

impl Response {
    /// Whether it tells, unless it was asked for, that the open folder is no longer as it was.
    pub(super) fn is_news(&self) -> bool {
        match self {
            // RECENT never comes alone for a mail that arrived, and it follows our own moves.
            Self::Exists(_) | Self::Expunge => true,
            Self::Vanished { earlier, .. } => !earlier,
            Self::Fetch(data) => data.flags.is_some() || data.mod_seq.is_some(),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// A status response: verdict, machine-readable code, text for people.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) tag: Option<String>,
    pub(super) verdict: Verdict,
    /// The code in brackets without them, such as `UIDNEXT 17`.
    pub(super) code: Option<String>,
    pub(super) text: String,
}

impl Status {
    /// The code's first word in upper case.
    pub(super) fn code_name(&self) -> String {
        let code = self.code.as_deref().unwrap_or_default();
        code.split(' ').next().unwrap_or_default().to_ascii_uppercase()
    }

    /// What follows the code's first word.
    pub(super) fn code_argument(&self) -> &str {
        let code = self.code.as_deref().unwrap_or_default();
        code.split_once(' ').map_or("", |(_, argument)| argument)
    }
}

/// A folder of the list, as sent.
#[derive(Debug)]
pub(super) struct ListItem {
    pub(super) attributes: Vec<String>,
    pub(super) delimiter: Option<char>,
    pub(super) name: Bytes,
}

/// The data of one FETCH response; what was not sent is absent.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) uid: Option<u32>,
    pub(super) flags: Option<MessageFlags>,
    pub(super) internal_date: Option<DateTime<Utc>>,
    pub(super) size: Option<u64>,
    pub(super) mod_seq: Option<u64>,
    pub(super) email_id: Option<String>,
    pub(super) body: Option<Body>,
}

/// A mail or a part of it.
#[derive(Debug)]
pub(super) struct Body {
    /// Where the piece starts, when one was asked for and the server obliged.
    pub(super) origin: Option<u64>,
    /// None when the server answered NIL.
    pub(super) data: Option<Bytes>,
}

/// Reads one response. What is unknown is [`Response::Other`]; what cannot be a response at all,
/// or spoils data we need, is an error.
pub(super) fn parse(frame: &Bytes) -> Result<Response, ImapError> {
    if frame.starts_with(b"+") {
        return Ok(Response::Continue);
    }
    let mut lexer = Lexer::new(frame);
    if frame.starts_with(b"* ") {
        lexer.word();
        lexer.skip_spaces();
        return untagged(lexer);
    }
    tagged(&mut lexer)
        .ok_or_else(|| ImapError::protocol("the server sent something that is not IMAP (is the port right?)"))
}

fn tagged(lexer: &mut Lexer<'_>) -> Option<Response> {
    let tag = String::from_utf8(lexer.word()?.to_vec()).ok()?;
    lexer.skip_spaces();
    let word = lexer.word()?;
    let verdict = verdict(&word).filter(|v| matches!(v, Verdict::Ok | Verdict::No | Verdict::Bad))?;
    Some(Response::Status(status(Some(tag), verdict, lexer)))
}

fn untagged(mut lexer: Lexer<'_>) -> Result<Response, ImapError> {
    let Some(word) = lexer.word() else {
        return Ok(Response::Other);
    };
    if let Some(verdict) = verdict(&word) {
        return Ok(Response::Status(status(None, verdict, &mut lexer)));
    }
    lexer.skip_spaces();
    let keyword = word.to_ascii_uppercase();
    let understood = match keyword.as_slice() {
        b"CAPABILITY" => Some(Response::Capability(Capabilities::parse(&lossy(lexer.rest())))),
        b"SEARCH" => search(lexer.rest()).map(Response::Search),
        b"ESEARCH" => esearch(&mut lexer).map(Response::Search),
        b"LIST" => list(&mut lexer).map(Response::List),
        b"STATUS" => mailbox_status(&mut lexer),
        b"VANISHED" => vanished(&mut lexer),
        b"ENABLED" => Some(Response::Enabled(words(&lossy(lexer.rest())))),
        digits if digits.first().is_some_and(u8::is_ascii_digit) => numbered(digits, &mut lexer),
        _ => Some(Response::Other),
    };
    understood.ok_or_else(|| {
        ImapError::protocol(format!(
            "the server sent a {} response that cannot be understood",
            lossy(keyword.get(..16).unwrap_or(&keyword))
        ))
    })
}

fn verdict(word: &[u8]) -> Option<Verdict> {
    [
        (&b"OK"[..], Verdict::Ok),
        (b"NO", Verdict::No),
        (b"BAD", Verdict::Bad),
        (b"BYE", Verdict::Bye),
        (b"PREAUTH", Verdict::PreAuth),
    ]
    .into_iter()
    .find(|(name, _)| word.eq_ignore_ascii_case(name))
    .map(|(_, verdict)| verdict)
}

fn status(tag: Option<String>, verdict: Verdict, lexer: &mut Lexer<'_>) -> Status {
    lexer.skip_spaces();
    let rest = lossy(lexer.rest());
    let (code, text) = split_code(&rest);
    Status { tag, verdict, code, text: text.trim().to_owned() }
}

/// Splits `[CODE argument] text`. A flag in PERMANENTFLAGS may hold a bracket of its own.
fn split_code(rest: &str) -> (Option<String>, &str) {
    let Some(inner) = rest.strip_prefix('[') else {
        return (None, rest);
    };
    let first = inner.find(']');
    let listed = inner
        .find('(')
        .filter(|open| first.is_some_and(|end| *open < end))
        .and_then(|_| inner.find(")]"))
        .map(|at| at + 1);
    match listed.or(first).and_then(|end| inner.split_at_checked(end)) {
        Some((code, text)) => (Some(code.to_owned()), text.get(1..).unwrap_or_default()),
        None => (None, rest),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_ascii_uppercase).collect()
}

fn search(rest: &[u8]) -> Option<UidSet> {
    let text = std::str::from_utf8(rest).ok()?;
    // RFC 7162 appends "(MODSEQ n)".
    let numbers = text.split_once('(').map_or(text, |(numbers, _)| numbers);
    numbers.split_ascii_whitespace().map(|number| number.parse::<u32>().ok()).collect()
}

fn esearch(lexer: &mut Lexer<'_>) -> Option<UidSet> {
    let values = lexer.values()?;
    let all = values.windows(2).find_map(|pair| match pair {
        [key, set] if is_word(key, "ALL") => Some(set),
        _ => None,
    });
    match all {
        Some(set) => UidSet::parse(set.text()?),
        None => Some(UidSet::new()),
    }
}

fn list(lexer: &mut Lexer<'_>) -> Option<ListItem> {
    let attributes = lexer.value()?;
    lexer.skip_spaces();
    let delimiter = lexer.value()?;
    lexer.skip_spaces();
    let name = lexer.value()?;
    Some(ListItem {
        attributes: attributes.list()?.iter().filter_map(|value| value.text().map(str::to_ascii_lowercase)).collect(),
        delimiter: delimiter.text().and_then(|text| text.chars().next()),
        // A folder may well be called NIL.
        name: name.bytes().cloned().unwrap_or(Bytes::from_static(b"NIL")),
    })
}

fn mailbox_status(lexer: &mut Lexer<'_>) -> Option<Response> {
    let name = lexer.value()?.bytes()?.clone();
    lexer.skip_spaces();
    let items = lexer.value()?;
    let mut status = MailboxStatus::default();
    for (key, value) in pairs(items.list()?) {
        match key.as_str() {
            "MESSAGES" => status.messages = value.number(),
            "UIDVALIDITY" => status.uid_validity = value.number(),
            "UIDNEXT" => status.uid_next = value.number(),
            "HIGHESTMODSEQ" => status.highest_modseq = value.number().filter(|n| *n > 0),
            "MAILBOXID" => {
                status.mailbox_id = value.list().and_then(<[_]>::first).and_then(Value::text).and_then(object_id);
            }
            _ => {}
        }
    }
    Some(Response::MailboxStatus { name, status })
}

fn vanished(lexer: &mut Lexer<'_>) -> Option<Response> {
    let values = lexer.values()?;
    let earlier = values.first().and_then(Value::list).is_some();
    let uids = UidSet::parse(values.last()?.text()?)?;
    Some(Response::Vanished { earlier, uids })
}

fn numbered(digits: &[u8], lexer: &mut Lexer<'_>) -> Option<Response> {
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let keyword = lexer.word()?.to_ascii_uppercase();
    lexer.skip_spaces();
    match keyword.as_slice() {
        b"FETCH" => {
            let data = fetched(&lexer.value()?)?;
            lexer.skip_spaces();
            lexer.at_end().then(|| Response::Fetch(Box::new(data)))
        }
        b"EXISTS" => Some(Response::Exists(number)),
        b"EXPUNGE" => Some(Response::Expunge),
        _ => Some(Response::Other),
    }
}

fn fetched(items: &Value) -> Option<Fetched> {
    let mut data = Fetched::default();
    for (key, value) in pairs(items.list()?) {
        match key.as_str() {
            "UID" => data.uid = Some(value.number()?),
            "FLAGS" => data.flags = Some(flags(value.list()?)),
            "INTERNALDATE" => data.internal_date = value.text().and_then(internal_date),
            "RFC822.SIZE" => data.size = value.number(),
            "MODSEQ" => data.mod_seq = value.list()?.first().and_then(Value::number),
            "EMAILID" => {
                data.email_id = value.list()?.first().and_then(Value::text).and_then(object_id);
            }
            section if section.starts_with("BODY[") => {
                data.body = Some(Body { origin: origin(section), data: value.bytes().cloned() });
            }
            _ => {}
        }
    }
    Some(data)
}

/// An id of RFC 8474, if it is one.
pub(super) fn object_id(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= MAX_OBJECT_ID).then(|| text.to_owned())
}

/// Names and their values, as in `UID 7 FLAGS (\Seen)`.
fn pairs(values: &[Value]) -> impl Iterator<Item = (String, &Value)> {
    values.chunks_exact(2).filter_map(|pair| match pair {
        [key, value] => Some((key.text()?.to_ascii_uppercase(), value)),
        _ => None,
    })
}

fn is_word(value: &Value, word: &str) -> bool {
    value.text().is_some_and(|text| text.eq_ignore_ascii_case(word))
}

/// The `<n>` behind a section.
fn origin(section: &str) -> Option<u64> {
    let (_, partial) = section.rsplit_once('<')?;
    partial.strip_suffix('>')?.parse().ok()
}

fn flags(values: &[Value]) -> MessageFlags {
    let mut flags = MessageFlags::default();
    for name in values.iter().filter_map(Value::text) {
        match name.to_ascii_lowercase().as_str() {
            "\\seen" => flags.seen = true,
            "\\flagged" => flags.flagged = true,
            "\\answered" => flags.answered = true,
            "\\deleted" => flags.deleted = true,
            "\\draft" => flags.draft = true,
            "$forwarded" => flags.forwarded = true,
            _ => {}
        }
    }
    flags
}

/// Reads `17-Jul-1996 02:44:25 -0700`, the day padded with a space or a zero.
fn internal_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text.trim_start(), "%d-%b-%Y %H:%M:%S %z").ok().map(|date| date.with_timezone(&Utc))
}
