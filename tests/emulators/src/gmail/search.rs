//! The part of Gmail's search language that is emulated. There is no search for any other field of the head.

use super::errors::ApiError;
use super::model::{Mail, Mailbox};
use chrono::NaiveDate;

/// One condition.
#[derive(Debug)]
enum Test {
    MessageId(String),
    After(i64),
    Before(i64),
    Label(String),
    Read,
    Anywhere,
    From(String),
    To(String),
    Subject(String),
    Attachment,
    Larger(usize),
    Smaller(usize),
    Word(String),
}

/// A search: all conditions have to hold.
#[derive(Debug, Default)]
pub struct Search {
    tests: Vec<(bool, Test)>,
}

impl Search {
    /// Reads a search; what is not emulated is refused rather than guessed.
    pub fn parse(text: &str, mailbox: &Mailbox) -> Result<Self, ApiError> {
        let mut tests = Vec::new();
        for word in words(text)? {
            let (negated, word) = match word.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, word.as_str()),
            };
            tests.push((negated, test(word, mailbox)?));
        }
        Ok(Self { tests })
    }

    /// Whether it looks into spam and trash by itself.
    pub fn looks_everywhere(&self) -> bool {
        self.tests.iter().any(|(negated, test)| {
            !negated
                && match test {
                    Test::Anywhere => true,
                    Test::Label(label) => label == "TRASH" || label == "SPAM",
                    _ => false,
                }
        })
    }

    /// Whether a mail meets all conditions.
    pub fn finds(&self, mail: &Mail) -> bool {
        self.tests.iter().all(|(negated, test)| holds(test, mail) != *negated)
    }
}

/// The words of a search; quotes keep spaces.
fn words(text: &str) -> Result<Vec<String>, ApiError> {
    let (mut found, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            '(' | ')' | '{' | '}' if !quoted => return Err(refused(text)),
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    if quoted || found.iter().any(|word| ["OR", "AND", "AROUND"].contains(&word.as_str())) {
        return Err(refused(text));
    }
    Ok(found)
}

fn refused(what: &str) -> ApiError {
    ApiError::invalid(format!("Invalid query: '{what}' is not searched for by this service"))
}

fn test(word: &str, mailbox: &Mailbox) -> Result<Test, ApiError> {
    let Some((name, value)) = word.split_once(':') else {
        return Ok(Test::Word(word.to_lowercase()));
    };
    let value = value.trim();
    let lower = value.to_lowercase();
    Ok(match name.to_ascii_lowercase().as_str() {
        "rfc822msgid" => Test::MessageId(value.trim_matches(['<', '>']).to_owned()),
        "after" | "newer" => Test::After(moment(value)?),
        "before" | "older" => Test::Before(moment(value)?),
        "in" if lower == "anywhere" => Test::Anywhere,
        "in" | "label" | "category" => Test::Label(label(name, &lower, mailbox)),
        "is" => match lower.as_str() {
            "read" => Test::Read,
            "unread" | "starred" | "important" | "chat" => Test::Label(lower.to_uppercase()),
            _ => return Err(refused(word)),
        },
        "from" => Test::From(lower),
        "to" | "cc" | "bcc" => Test::To(lower),
        "subject" => Test::Subject(lower),
        "has" if lower == "attachment" => Test::Attachment,
        "larger" | "size" => Test::Larger(value.parse().map_err(|_| refused(word))?),
        "smaller" => Test::Smaller(value.parse().map_err(|_| refused(word))?),
        _ => return Err(refused(word)),
    })
}

fn label(name: &str, value: &str, mailbox: &Mailbox) -> String {
    match (name, value) {
        ("in", "drafts" | "draft") => "DRAFT".to_owned(),
        ("in", "chats" | "chat") => "CHAT".to_owned(),
        ("category", _) => {
            let name = if value == "primary" { "PERSONAL".to_owned() } else { value.to_uppercase() };
            format!("CATEGORY_{name}")
        }
        _ => {
            // Searches write a label's name with dashes for spaces.
            let named = mailbox.labels.values().find(|label| {
                let name = label.name.to_lowercase();
                name == value || name.replace([' ', '/'], "-") == value
            });
            named.map_or_else(|| value.to_uppercase(), |label| label.id.clone())
        }
    }
}

/// Seconds since 1970, or a day.
fn moment(value: &str) -> Result<i64, ApiError> {
    if let Ok(seconds) = value.parse::<i64>() {
        return Ok(seconds * 1000);
    }
    let day = NaiveDate::parse_from_str(&value.replace('-', "/"), "%Y/%m/%d").map_err(|_| refused(value))?;
    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

fn holds(test: &Test, mail: &Mail) -> bool {
    let facts = &mail.facts;
    let any = |list: &[String], part: &str| list.iter().any(|item| item.contains(part));
    match test {
        Test::MessageId(id) => facts.message_id.trim_matches(['<', '>']) == id,
        Test::After(moment) => mail.internal_date >= *moment,
        Test::Before(moment) => mail.internal_date < *moment,
        Test::Label(label) => mail.labels.contains(label),
        Test::Read => !mail.labels.contains("UNREAD"),
        Test::Anywhere => true,
        Test::From(part) => any(&facts.from, part),
        Test::To(part) => any(&facts.to, part),
        Test::Subject(part) => facts.subject.to_lowercase().contains(part),
        Test::Attachment => facts.has_attachment,
        Test::Larger(size) => mail.raw.len() > *size,
        Test::Smaller(size) => mail.raw.len() < *size,
        Test::Word(word) => {
            let texts = [facts.subject.to_lowercase(), facts.snippet.to_lowercase()];
            texts.iter().any(|text| text.contains(word)) || any(&facts.from, word) || any(&facts.to, word)
        }
    }
}
