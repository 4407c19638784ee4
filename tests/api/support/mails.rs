//! Mails for tests: seeded, so that a failing one can be made again, and as varied as real ones.

use chrono::{DateTime, Duration, TimeZone, Utc};
use data_encoding::BASE64;
use std::fmt::Write;

/// A mail and what is known about it.
#[derive(Clone, Debug)]
pub struct TestMail {
    /// The mail as it travels, lines ending in CRLF.
    pub raw: Vec<u8>,
    /// Without `<>`.
    pub message_id: String,
    /// The decoded subject.
    pub subject: String,
    /// The sender's address.
    pub from: String,
    /// The message id of the mail that it answers, without `<>`.
    pub in_reply_to: Option<String>,
    /// The names of its attachments.
    pub attachments: Vec<String>,
    /// When the server got it; also its Date.
    pub received_at: DateTime<Utc>,
    /// Whether it is to lie in the mailbox as read.
    pub seen: bool,
    /// Whether it is to lie in the mailbox as starred.
    pub flagged: bool,
}

/// Makes one mail after another, each half an hour younger.
pub struct MailGenerator {
    dice: Dice,
    made: u64,
    threads: Vec<Thread>,
    longest_text: usize,
}

struct Thread {
    subject: String,
    references: Vec<String>,
}

const SENDERS: [(&str, &str); 6] = [
    ("Anna Weiß", "anna.weiss@kontor.example"),
    ("Bob Stone", "bob@stone-and-sons.example"),
    ("Čeněk Dvořák", "cenek@pivovar.example"),
    ("Dana O'Neil", "dana.oneil@harbour.example"),
    ("江口 恵", "eguchi@tsukiji.example"),
    ("Farid Khan", "farid.khan@carpets.example"),
];

const WORDS: [&str; 40] = [
    "invoice",
    "meeting",
    "offer",
    "quote",
    "contract",
    "delivery",
    "price",
    "project",
    "order",
    "team",
    "call",
    "tomorrow",
    "customer",
    "please",
    "regards",
    "thanks",
    "the",
    "and",
    "for",
    "with",
    "about",
    "next",
    "week",
    "draft",
    "review",
    "ship",
    "garden",
    "paper",
    "winter",
    "harbour",
    "copper",
    "lantern",
    "Grüße",
    "café",
    "naïve",
    "東京",
    "договор",
    "señor",
    "façade",
    "Łódź",
];

/// The first mail's time, in seconds since 1970.
const FIRST: i64 = 1_700_000_000;

impl MailGenerator {
    /// A generator of small mails, which depend on the seed alone.
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), made: 0, threads: Vec::new(), longest_text: 40 }
    }

    /// A generator of mails as large as those of an office: about 14 KB each.
    pub fn office(seed: u64) -> Self {
        Self { longest_text: 170, ..Self::new(seed) }
    }

    /// The next mails.
    pub fn take(&mut self, count: usize) -> Vec<TestMail> {
        (0..count).map(|_| self.mail()).collect()
    }

    /// The next mail.
    pub fn mail(&mut self) -> TestMail {
        let number = self.made;
        self.made += 1;
        let received_at =
            Utc.timestamp_opt(FIRST, 0).unwrap() + Duration::minutes(30 * i64::try_from(number).unwrap_or(0));
        let (name, from) = SENDERS[self.dice.below(SENDERS.len())];
        let message_id = format!("{number}.{:016x}@{}", self.dice.roll(), from.split('@').next_back().unwrap_or(from));
        let (subject, references) = self.thread(&message_id);

        let mut head = format!(
            "Received: from mx.sender.example (mx.sender.example [198.51.100.{}])\r\n\tby in.mail.example with ESMTPS id {:x};\r\n\t{}\r\n\
             Date: {}\r\nFrom: {} <{from}>\r\nTo: Owner <owner@mail.example>\r\nSubject: {}\r\nMessage-ID: <{message_id}>\r\n",
            self.dice.below(250) + 1,
            self.dice.roll(),
            received_at.to_rfc2822(),
            received_at.to_rfc2822(),
            encoded_word(name),
            encoded_word(&subject),
        );
        if self.dice.below(4) == 0 {
            head.push_str("Cc: \"Second, Reader\" <second@mail.example>, third@mail.example\r\n");
        }
        let in_reply_to = references.last().cloned();
        if let Some(parent) = &in_reply_to {
            let all: Vec<String> = references.iter().map(|id| format!("<{id}>")).collect();
            let _ = write!(head, "In-Reply-To: <{parent}>\r\nReferences: {}\r\n", all.join("\r\n "));
        }
        head.push_str("MIME-Version: 1.0\r\n");
        let (body, attachments) = self.body(number);
        let mut raw = head.into_bytes();
        raw.extend(body);
        let (seen, flagged) = (self.dice.below(5) > 0, self.dice.below(10) == 0);
        TestMail {
            raw,
            message_id,
            subject,
            from: from.to_owned(),
            in_reply_to,
            attachments,
            received_at,
            seen,
            flagged,
        }
    }

    /// A subject and the ids before this one: two of five mails answer an earlier one.
    fn thread(&mut self, message_id: &str) -> (String, Vec<String>) {
        if !self.threads.is_empty() && self.dice.below(5) < 2 {
            let at = self.dice.below(self.threads.len());
            let thread = &mut self.threads[at];
            let before = thread.references.clone();
            thread.references.push(message_id.to_owned());
            return (format!("Re: {}", thread.subject), before);
        }
        let words = 3 + self.dice.below(4);
        let subject = self.words(words);
        self.threads.push(Thread { subject: subject.clone(), references: vec![message_id.to_owned()] });
        (subject, Vec::new())
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.dice.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }

    fn text(&mut self) -> String {
        let lines = 4 + self.dice.below(self.longest_text);
        (0..lines).map(|_| self.words(9) + "\r\n").collect()
    }

    /// Content headers and body, in one of the shapes that real mail has.
    fn body(&mut self, number: u64) -> (Vec<u8>, Vec<String>) {
        let text = self.text();
        match self.dice.below(8) {
            0 | 1 => (part("text/plain; charset=utf-8", "8bit", text.as_bytes()), Vec::new()),
            2 => (part("text/plain; charset=utf-8", "base64", text.as_bytes()), Vec::new()),
            3 => (part("text/plain; charset=\"iso-8859-1\"", "8bit", &latin1(&text)), Vec::new()),
            4 => (part("text/html; charset=utf-8", "quoted-printable", html(&text).as_bytes()), Vec::new()),
            5 | 6 => (alternative(number, &text), Vec::new()),
            _ => self.with_attachment(number, &text),
        }
    }

    fn with_attachment(&mut self, number: u64, text: &str) -> (Vec<u8>, Vec<String>) {
        let size = 500 + self.dice.below(20_000);
        let content: Vec<u8> = (0..size).map(|_| self.dice.roll().to_le_bytes()[0]).collect();
        let (name, parameter) = if self.dice.below(2) == 0 {
            ("offer.pdf", "filename=\"offer.pdf\"")
        } else {
            ("Rechnung März.pdf", "filename*=utf-8''Rechnung%20M%C3%A4rz.pdf")
        };
        let mark = format!("mixed-{number}");
        let mut out = format!("Content-Type: multipart/mixed; boundary=\"{mark}\"\r\n\r\n--{mark}\r\n").into_bytes();
        out.extend(alternative(number, text));
        let head = format!(
            "\r\n--{mark}\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; {parameter}\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        );
        out.extend(head.into_bytes());
        out.extend(base64_lines(&content).into_bytes());
        out.extend(format!("--{mark}--\r\n").into_bytes());
        (out, vec![name.to_owned()])
    }
}

fn part(content_type: &str, encoding: &str, content: &[u8]) -> Vec<u8> {
    let mut out = format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").into_bytes();
    match encoding {
        "base64" => out.extend(base64_lines(content).into_bytes()),
        "quoted-printable" => out.extend(quoted_printable(content).into_bytes()),
        _ => out.extend(content),
    }
    out
}

fn alternative(number: u64, text: &str) -> Vec<u8> {
    let mark = format!("alternative-{number}");
    let mut out = format!("Content-Type: multipart/alternative; boundary=\"{mark}\"\r\n\r\n--{mark}\r\n").into_bytes();
    out.extend(part("text/plain; charset=utf-8", "quoted-printable", text.as_bytes()));
    out.extend(format!("\r\n--{mark}\r\n").into_bytes());
    out.extend(part("text/html; charset=utf-8", "base64", html(text).as_bytes()));
    out.extend(format!("\r\n--{mark}--\r\n").into_bytes());
    out
}

fn html(text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("<p style=\"color:#333\">{line}</p>\r\n")).collect();
    format!("<html><body>\r\n{lines}<img src=\"https://img.example/1.png\"></body></html>\r\n")
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn base64_lines(content: &[u8]) -> String {
    let packed = BASE64.encode(content);
    packed.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n").collect()
}

fn quoted_printable(content: &[u8]) -> String {
    let mut out = String::new();
    let mut width = 0;
    for byte in content {
        if *byte == b'\r' {
            continue;
        }
        if *byte == b'\n' {
            out.push_str("\r\n");
            width = 0;
            continue;
        }
        if width > 70 {
            out.push_str("=\r\n");
            width = 0;
        }
        if (b' '..=b'~').contains(byte) && *byte != b'=' {
            out.push(char::from(*byte));
            width += 1;
        } else {
            let _ = write!(out, "={byte:02X}");
            width += 3;
        }
    }
    out
}

/// RFC 2047 where needed, in words of at most 30 bytes so that no line grows too long.
fn encoded_word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 30) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let packed: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect();
    packed.join("\r\n ")
}

/// Numbers that only look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(limit).unwrap()).unwrap()
    }
}
