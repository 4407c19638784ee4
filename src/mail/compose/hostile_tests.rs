//! What strangers write into fields stays in them, and arrives as it was written.

use super::compose_tests::{file, octets, person, read, simple};
use super::*;
use crate::mail::hostile_tests::Random;
use crate::mail::parse;

#[test]
fn names_of_fields_are_checked() {
    for name in [
        "From",
        "bcc",
        "SUBJECT",
        "Content-Type",
        "content-x",
        "DKIM-Signature",
        "ARC-Seal",
        "Resent-To",
        "X-Duplex-Draft",
        "Received",
        "Return-Path",
        "Message-Id",
        "MIME-version",
        "Sender",
        "Reply-To",
    ] {
        assert!(check_header(name, "x").is_err(), "{name}");
    }
    for name in ["", "X Y", "X:", "X\r\nBcc", "Ü", "X\0", "X\t", &"x".repeat(77)] {
        assert!(check_header(name, "x").is_err(), "{name:?}");
    }
    for (name, value) in [("X-Campaign", "März"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"), ("X", "")] {
        assert_eq!(check_header(name, value), Ok(()), "{name}");
    }
    assert_eq!(check_header("X-A", "a\r\nBcc: x@y").unwrap_err().field, "headers.X-A");
}

/// Every character that could end a field, in every field.
#[test]
fn no_control_character_leaves_its_field() {
    type Set = fn(&mut Outgoing, String);
    let fields: [(&str, Set); 17] = [
        ("message_id", |mail, text| mail.message_id = format!("{text}@x")),
        ("from name", |mail, text| mail.from.name = Some(text)),
        ("from", |mail, text| mail.from.address = format!("{text}@example.org")),
        ("to name", |mail, text| mail.to[0].name = Some(text)),
        ("to", |mail, text| mail.to[0].address = format!("ben@example.org{text}")),
        ("cc", |mail, text| mail.cc = vec![person(&text, "c@example.org")]),
        ("bcc", |mail, text| mail.bcc = vec![person(&text, "c@example.org")]),
        ("reply to", |mail, text| mail.reply_to = vec![person(&text, "c@example.org")]),
        ("subject", |mail, text| mail.subject = text),
        ("in reply to", |mail, text| mail.in_reply_to = Some(text)),
        ("references", |mail, text| mail.references = vec![text]),
        ("file name", |mail, text| mail.files[0].file_name = text),
        ("media type", |mail, text| mail.files[0].mime_type = text),
        ("content id", |mail, text| mail.files[0].content_id = Some(text)),
        ("header name", |mail, text| mail.headers = vec![(text, "x".into())]),
        ("header value", |mail, text| mail.headers = vec![("X-A".into(), text)]),
        ("mark", |mail, text| mail.marks = vec![("X-Duplex-A", text)]),
    ];
    let controls = (0..0x20).chain(0x7f..0xa0).chain([0x2028, 0x2029]).map(|code| char::from_u32(code).unwrap());
    for control in controls {
        for (field, set) in &fields {
            for text in [format!("a{control}b"), format!("{control}"), format!("a{control}Bcc: evil@example.net")] {
                let mut mail = Outgoing { files: vec![file("a", "b/c", b"")], ..simple() };
                set(&mut mail, text);
                assert!(compose(&mail).is_err(), "{field}: {control:?}");
            }
        }
    }
    for body in ["a\0b", "\0"] {
        assert!(compose(&Outgoing { text: Some(body.into()), ..simple() }).is_err());
        assert!(compose(&Outgoing { html: Some(body.into()), ..simple() }).is_err());
    }
}

#[test]
fn what_looks_encoded_is_not_decoded() {
    let hidden = "=?utf-8?Q?a=0D=0ABcc:_evil@example.net?=";
    let mail = Outgoing { subject: hidden.into(), from: person(hidden, "ada@example.org"), ..simple() };
    let parsed = read(&mail);
    assert_eq!(parsed.subject, hidden);
    assert_eq!(parsed.from.unwrap().name.as_deref(), Some(hidden));
    let named = Outgoing { files: vec![file("=?utf-8?Q?a=2Fb?=.pdf", "a/b", b"")], ..simple() };
    let name = parse(&octets(&named, &[b""])).attachments[0].file_name.clone();
    assert_eq!(name.as_deref(), Some("=_utf-8?Q?a=2Fb?=.pdf"));
}

/// Text of all kinds of characters that a field may hold, as a reader shows it: without spaces at its ends or doubled.
fn random_text(random: &mut Random, longest: usize, banned: &str) -> String {
    const KINDS: [(u32, u32); 8] = [
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0xa1, 0x17f),
        (0x370, 0x4ff),
        (0x5d0, 0x5ea),
        (0x4e00, 0x4fff),
        (0x1f300, 0x1f5ff),
        (0x20, 0x22),
    ];
    let mut text = String::new();
    for _ in 0..=random.below(longest) {
        let (first, last) = KINDS[random.below(KINDS.len())];
        let code = first + random.below((last - first) as usize + 1) as u32;
        text.extend(char::from_u32(code).filter(|c| !banned.contains(*c) && *c != '\u{ad}'));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn random_subjects_names_and_file_names_survive_the_way() {
    let mut random = Random::new(24);
    for round in 0..400 {
        let longest = [5, 40, 120][round % 3];
        let mail = Outgoing {
            subject: random_text(&mut random, longest, ""),
            // A name in quotation marks is shown without them.
            from: person(&random_text(&mut random, longest, "\""), "ada@example.org"),
            files: vec![file(&random_text(&mut random, longest.min(60), "/\\"), "image/png", b"x")],
            ..simple()
        };
        let parsed = parse(&octets(&mail, &[b"x"]));
        assert_eq!(parsed.subject, mail.subject, "round {round}");
        assert_eq!(parsed.from, Some(mail.from), "round {round}");
        let name = parsed.attachments[0].file_name.as_deref().unwrap_or_default();
        let sent = mail.files[0].file_name.replace("=?", "=_");
        assert!(name == sent || matches!(sent.as_str(), "." | ".."), "round {round}: {name} / {sent}");
    }
}
