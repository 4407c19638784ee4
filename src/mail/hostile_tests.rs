//! Mails made to break a parser: mutations of every fixture, and bombs.

use super::html::{sanitize, to_text};
use super::*;

/// A small generator (xorshift) whose sequence a seed fixes, so that every failure can be repeated.
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/fixtures/mail", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn mutated(original: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 12] =
        [b"\0", b"\r", b"\n\n", b"=?utf-8?B?", b"?=", b"--", b"\xff\xfe", b"<", b"\"", b"(", b";;=", b"&#x110000;"];
    let mut raw = original.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(raw.len() + 1);
        match random.below(6) {
            0 => raw.truncate(at),
            1 => raw.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied()).for_each(drop),
            2 if at < raw.len() => raw[at] = random.next() as u8,
            3 => {
                let end = (at + random.below(40)).min(raw.len());
                raw.drain(at..end);
            }
            4 => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                raw.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let end = (at + random.below(60)).min(raw.len());
                let copy = raw[at..end].to_vec();
                raw.splice(at..at, copy);
            }
        }
    }
    raw
}

/// What holds for every mail that was read.
fn check(raw: &[u8]) {
    let mail = parse(raw);
    let line = describe_all(&mail);
    assert!(!line.contains('\0'), "a NUL byte survived");
    assert!(mail.snippet.chars().count() <= limits::MAX_SNIPPET_CHARS && !mail.snippet.contains('\n'));
    assert!(mail.subject.len() <= limits::MAX_SUBJECT_BYTES && !mail.subject.contains('\n'));
    assert!(thread_keys(&mail).len() <= threading::MAX_KEYS);
    let again = parse_head(header_block(raw));
    assert_eq!(again.message_id, mail.message_id);
    if let Some(html) = &mail.body_html {
        let clean = sanitize(html);
        assert!(!clean.contains("<script") && !clean.contains("<svg"));
        for image in clean.split("<img").skip(1) {
            let tag = image.split('>').next().unwrap_or_default();
            assert!(!tag.contains("src=\"http"), "{tag}");
        }
    }
}

fn describe_all(mail: &ParsedMail) -> String {
    let texts = format!("{:?}{:?}{:?}", mail.body_text, mail.body_html, mail.visible_text);
    let people = format!("{:?}{:?}{:?}{:?}", mail.from, mail.to, mail.headers, mail.subject);
    let names: Vec<_> = mail.attachments.iter().map(|file| (&file.file_name, &file.mime_type)).collect();
    // `Debug` writes a NUL as an escape, so it is put back before the caller looks for one.
    format!("{texts}{people}{names:?}").replace("\\0", "\0")
}

#[test]
fn mutated_mails_are_always_read() {
    let fixtures = fixtures();
    let mut random = Random::new(20_260_203);
    for round in 0..6_000 {
        let original = &fixtures[round % fixtures.len()];
        let other = &fixtures[random.below(fixtures.len())];
        check(&mutated(original, other, &mut random));
    }
}

#[test]
fn every_beginning_of_a_mail_is_read() {
    for raw in fixtures() {
        for end in 0..raw.len() {
            parse(&raw[..end]);
        }
    }
}

#[test]
fn ten_thousand_nested_containers_are_cut() {
    let mut raw = b"Subject: deep\n".to_vec();
    for level in 0..10_000 {
        raw.extend(format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n").bytes());
    }
    let mail = parse(&raw);
    assert_eq!(mail.subject, "deep");
    assert!(mail.defects.contains(&Defect::TooDeep));
}

#[test]
fn a_hundred_thousand_parts_are_cut() {
    let mut raw = b"Subject: many\nContent-Type: multipart/mixed; boundary=b\n\n".to_vec();
    for _ in 0..100_000 {
        raw.extend(b"--b\nContent-Type: image/png\n\nx\n");
    }
    let mail = parse(&raw);
    assert!(mail.attachments.len() <= limits::MAX_PARTS);
    assert!(mail.defects.contains(&Defect::TooManyParts));
}

#[test]
fn endless_headers_are_cut() {
    let long = "x".repeat(10 * 1024 * 1024);
    for head in ["Subject: ", "To: ", "References: <", "X-Other: ", "From: \"", "Content-Type: text/plain; a=\"", ""] {
        let mail = parse(format!("{head}{long}\nSubject: after\n\nText").as_bytes());
        assert!(mail.subject.len() <= limits::MAX_SUBJECT_BYTES, "{head}");
    }
    let many = "X-A: b\n".repeat(200_000);
    let mail = parse(format!("Subject: first\n{many}\nText").as_bytes());
    assert_eq!((mail.subject.as_str(), mail.body_text.as_deref()), ("first", Some("Text")));
    assert!(mail.defects.contains(&Defect::HeaderTooLarge));
}

#[test]
fn repetition_costs_no_more_than_its_length() {
    let size = 300_000;
    for piece in [
        "<",
        "<a \"",
        "<!--",
        "<b>",
        "</",
        "&",
        "&#",
        "<style>",
        "<blockquote>",
        "cid:",
        "<p id=\"appendonsend\">",
        "\u{a0}",
        "<![CDATA[",
        "<font size=1><p>x",
        "<div></x>",
        "<table><tr><td>",
    ] {
        let html = piece.repeat(size / piece.len());
        to_text(&html);
        sanitize(&html);
        parse(format!("Content-Type: text/html\n\n{html}").as_bytes());
    }
    for piece in
        ["> ", ">", "\n", "On 1, a wrote:\n", "-- \n", "From: a\n", "https://", "wwww", "(", "<", "begin 644 a\n"]
    {
        let text = piece.repeat(size / piece.len());
        parse(format!("Subject: x\n\n{text}").as_bytes());
        html::text_to_html(&text);
    }
    for piece in
        ["(", "\"", "<", "a,", ":", ";", "=?", "=?a?q?", "=?a?b?x?=", "<a@b>,", "\\", "<a@b> ", "''", "*0*=", ";a*0="]
    {
        let value = piece.repeat(250_000 / piece.len());
        let head = ["From", "To", "Subject", "References", "Date", "Content-Type", "Content-Disposition", "Message-ID"];
        let block: String = head.iter().map(|name| format!("{name}: {value}\n")).collect();
        for name in head {
            parse(format!("{name}: {value}\n\nText").as_bytes());
        }
        parse(format!("{block}\nText").as_bytes());
    }
}
