//! Mails built here are read back by the parser, which shares no code with the builder.

use chrono::{TimeZone, Utc};
use futures_util::{StreamExt, stream};

use super::*;
use crate::mail::{Mailbox, ParsedMail, parse};

pub(super) fn person(name: &str, address: &str) -> Mailbox {
    Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() }
}

pub(super) fn simple() -> Outgoing {
    Outgoing {
        message_id: "one@duplex.example".into(),
        date: Utc.with_ymd_and_hms(2026, 2, 3, 9, 20, 30).unwrap(),
        from: person("Ada Berg", "ada@example.org"),
        to: vec![person("Ben", "ben@example.com")],
        cc: vec![],
        bcc: vec![],
        reply_to: vec![],
        subject: "The offer".into(),
        in_reply_to: None,
        references: vec![],
        text: Some("Hello Ben,\n\nhere it is.\n".into()),
        html: None,
        files: vec![],
        headers: vec![],
        marks: vec![],
        keep_bcc: false,
    }
}

pub(super) fn file(name: &str, mime_type: &str, content: &[u8]) -> OutgoingFile {
    let size = content.len() as u64;
    OutgoingFile { file_name: name.into(), mime_type: mime_type.into(), content_id: None, is_inline: false, size }
}

fn image(id: &str, content: &[u8]) -> OutgoingFile {
    OutgoingFile { content_id: Some(id.into()), is_inline: true, ..file("logo.png", "image/png", content) }
}

/// All octets of a mail; its size is checked on the way.
pub(super) fn octets(mail: &Outgoing, contents: &[&[u8]]) -> Vec<u8> {
    let composed = compose(mail).unwrap();
    let contents: Vec<bytes::Bytes> = contents.iter().map(|content| bytes::Bytes::copy_from_slice(content)).collect();
    let pieces = composed.stream(|index| stream::iter([Ok::<_, WrongSize>(contents[index].clone())]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pieces: Vec<_> = runtime.block_on(pieces.collect());
    let raw: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect();
    assert_eq!(raw.len() as u64, composed.size());
    assert_form(&raw);
    raw
}

/// What every mail keeps to, whatever is in it.
fn assert_form(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    assert!(raw.ends_with(b"\r\n"), "{text}");
    assert!(!text.contains('\0') && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    let longest = text.split("\r\n").map(str::len).max();
    assert!(longest <= Some(998), "{longest:?}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(body.is_ascii(), "{body}");
    assert!(head.split("\r\n").all(|line| !line.trim().is_empty()), "{head}");
}

pub(super) fn read(mail: &Outgoing) -> ParsedMail {
    let parsed = parse(&octets(mail, &[]));
    assert!(parsed.defects.is_empty(), "{:?}", parsed.defects);
    parsed
}

fn head(mail: &Outgoing) -> String {
    let raw = String::from_utf8(octets(mail, &[])).unwrap();
    raw.split_once("\r\n\r\n").unwrap().0.to_owned()
}

#[test]
fn a_mail_with_everything_is_read_back_as_it_was() {
    let long: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
    let mail = Outgoing {
        from: person("Ada Müller-Lüdenscheidt", "ada@example.org"),
        to: vec![person("Berg, \"Ben\" (Sales)", "ben@example.com"), person("", "cem@bücher.example")],
        cc: vec![person("山田太郎", "yamada@example.jp")],
        reply_to: vec![person("Team", "team@example.org")],
        subject: "Angebot für Müller & Söhne 🎉".into(),
        in_reply_to: Some("zero@example.com".into()),
        references: vec!["root@example.com".into(), "zero@example.com".into()],
        text: Some("Grüße\n.\nFrom here on\n".into()),
        html: Some("<p>Grüße <img src=\"cid:Logo@x\"></p>".into()),
        files: vec![
            file(
                "Übersicht für das zweite Quartal mit allen Anlagen und Änderungen 2026.pdf",
                "application/pdf",
                &long,
            ),
            image("logo@x", b"png"),
            file("plain.txt", "text/plain; charset=x", b"a text file\n"),
        ],
        ..simple()
    };
    let raw = octets(&mail, &[&long, b"png", b"a text file\n"]);
    assert!(raw.is_ascii());
    let parsed = parse(&raw);
    assert!(parsed.defects.is_empty(), "{:?}", parsed.defects);
    assert_eq!(parsed.message_id.as_deref(), Some("one@duplex.example"));
    assert_eq!(parsed.date, Some(mail.date));
    assert_eq!(parsed.from, Some(mail.from.clone()));
    assert_eq!(parsed.to[0], mail.to[0]);
    assert_eq!(parsed.to[1].address, "cem@xn--bcher-kva.example");
    assert_eq!((parsed.cc, parsed.reply_to), (mail.cc.clone(), mail.reply_to.clone()));
    assert_eq!(parsed.subject, mail.subject);
    assert_eq!(parsed.in_reply_to, ["zero@example.com"]);
    assert_eq!(parsed.references, mail.references);
    assert_eq!(parsed.body_text.unwrap(), "Grüße\n.\nFrom here on\n");
    assert_eq!(parsed.body_html.unwrap().trim_end(), mail.html.unwrap());
    let names: Vec<_> = parsed.attachments.iter().map(|a| (a.file_name.as_deref().unwrap(), a.is_inline)).collect();
    assert_eq!(names, [("logo.png", true), (mail.files[0].file_name.as_str(), false), ("plain.txt", false)]);
    let parts: Vec<_> = parsed.attachments.iter().map(|a| (a.part_id.as_str(), a.mime_type.as_str())).collect();
    assert_eq!(parts, [("1.2.2", "image/png"), ("2", "application/pdf"), ("3", "text/plain")]);
    assert_eq!(parsed.attachments[1].content, long);
}

#[test]
fn a_text_alone_is_a_plain_mail() {
    let mail = simple();
    let head = head(&mail);
    assert!(head.contains("Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 7bit"), "{head}");
    assert!(
        head.starts_with("Date: Tue, 3 Feb 2026 09:20:30 +0000\r\nFrom: \"Ada Berg\" <ada@example.org>\r\n"),
        "{head}"
    );
    assert!(head.contains("Message-ID: <one@duplex.example>\r\nSubject: The offer\r\nMIME-Version: 1.0\r\n"), "{head}");
    assert_eq!(read(&mail).body_text.as_deref(), Some("Hello Ben,\n\nhere it is.\n"));
}

#[test]
fn html_alone_gets_a_text_made_from_it() {
    let html = "<p>Hello <b>Ben</b></p><ul><li>one</li></ul><div>--<br>Ada</div>";
    for text in [None, Some(" \n".to_owned())] {
        let parsed = read(&Outgoing { text, html: Some(html.into()), ..simple() });
        assert_eq!(parsed.body_text.as_deref(), Some("Hello Ben\n\n- one\n\n-- \nAda\n"));
        assert_eq!(parsed.body_html.as_deref().map(str::trim_end), Some(html));
        assert!(parsed.attachments.is_empty());
    }
}

#[test]
fn a_mail_without_anything_is_still_a_mail() {
    let mail = Outgoing { to: vec![], subject: String::new(), text: None, ..simple() };
    let head = head(&mail);
    assert!(!head.contains("Subject") && !head.contains("To:"), "{head}");
    assert_eq!(read(&mail).body_text, None);
}

#[test]
fn every_line_ending_becomes_the_one_of_mail() {
    for text in ["a\rb\nc\r\nd", "a\r\nb\r\nc\r\nd\r\n", "a\nb\nc\nd\n"] {
        assert_eq!(read(&Outgoing { text: Some(text.into()), ..simple() }).body_text.unwrap(), "a\nb\nc\nd\n");
    }
    let odd = format!("trailing \n\ttab\t\n{}\n\u{2028}é\n", "x".repeat(5_000));
    assert_eq!(read(&Outgoing { text: Some(odd.clone()), ..simple() }).body_text.unwrap(), odd);
    let asian = "日本語のメール\n".repeat(300);
    assert_eq!(read(&Outgoing { text: Some(asian.clone()), ..simple() }).body_text.unwrap(), asian);
}

#[test]
fn the_same_mail_has_the_same_octets_and_another_one_other_boundaries() {
    let mail = Outgoing { html: Some("<p>x</p>".into()), files: vec![file("a", "b/c", b"d")], ..simple() };
    let raw = octets(&mail, &[b"d"]);
    assert_eq!(raw, octets(&mail.clone(), &[b"d"]));
    let boundary = |raw: &[u8]| String::from_utf8_lossy(raw).split_once("boundary=\"").unwrap().1[..30].to_owned();
    let other = octets(&Outgoing { message_id: "two@duplex.example".into(), ..mail }, &[b"d"]);
    assert_ne!(boundary(&raw), boundary(&other));
}

#[test]
fn a_boundary_that_stands_in_the_text_is_not_used() {
    let mail = Outgoing { html: Some("<p>x</p>".into()), ..simple() };
    let raw = String::from_utf8(octets(&mail, &[])).unwrap();
    let boundary = raw.split_once("boundary=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let text = format!("a\n--{boundary}\nContent-Type: text/plain\n\nb\n--{boundary}--\n");
    let parsed = read(&Outgoing { text: Some(text.clone()), ..mail });
    assert_eq!(parsed.body_text.unwrap(), text);
}

#[test]
fn blind_copies_stay_blind_but_in_ones_own_copy() {
    let mail = Outgoing { bcc: vec![person("Eve", "eve@example.net")], ..simple() };
    assert!(!head(&mail).to_lowercase().contains("eve"));
    let own = Outgoing { keep_bcc: true, ..mail.clone() };
    assert_eq!(read(&own).bcc, own.bcc);
    let only = Outgoing { to: vec![], ..mail };
    assert!(head(&only).contains("\r\nTo: undisclosed-recipients:;\r\n"));
    assert!(read(&only).to.is_empty());
}

#[test]
fn a_non_ascii_local_part_needs_smtputf8_and_a_domain_does_not() {
    let domain = Outgoing { to: vec![person("", "ben@BÜCHER.example")], ..simple() };
    assert!(!compose(&domain).unwrap().needs_smtputf8());
    assert!(head(&domain).contains("To: <ben@xn--bcher-kva.example>"));
    let local = Outgoing { to: vec![person("Jürgen", "jürgen@bücher.example")], ..simple() };
    assert!(compose(&local).unwrap().needs_smtputf8());
    let parsed = read(&local);
    assert_eq!(parsed.to, [person("Jürgen", "jürgen@xn--bcher-kva.example")]);
    let blind = Outgoing { bcc: vec![person("", "ü@example.org")], ..simple() };
    assert!(compose(&blind).unwrap().needs_smtputf8());
}

#[test]
fn five_hundred_recipients_and_long_words_keep_to_the_length_of_lines() {
    let to: Vec<_> = (0..500).map(|n| person("", &format!("person.{n}@example.org"))).collect();
    let mail = Outgoing {
        to,
        subject: "x".repeat(2_000),
        headers: vec![("X-Long".into(), format!("{} {}", "y".repeat(3_000), " ".repeat(1_500)) + "z")],
        references: vec!["r".repeat(400) + "@example.org"; 12],
        ..simple()
    };
    let parsed = read(&mail);
    assert_eq!(parsed.to.len(), 500);
    assert_eq!(parsed.subject, mail.subject);
}

#[test]
fn a_long_thread_keeps_its_root_and_its_nearest_ancestors() {
    let references: Vec<String> = (0..200).map(|n| format!("{n}@example.org")).collect();
    let parsed = read(&Outgoing { references, ..simple() });
    assert_eq!(parsed.references.len(), 20);
    assert_eq!((parsed.references[0].as_str(), parsed.references[1].as_str()), ("0@example.org", "181@example.org"));
    assert_eq!(parsed.references[19], "199@example.org");
    let odd = Outgoing { references: vec!["ü@x".into(), "a b@c".into(), "<a@b>".into(), "good@x".into()], ..simple() };
    assert_eq!(read(&odd).references, ["good@x"]);
}

#[test]
fn further_fields_come_in_their_order_and_as_often_as_wanted() {
    let url = format!("<https://example.org/{}>", "u".repeat(500));
    let mail = Outgoing {
        headers: vec![
            ("List-Unsubscribe".into(), url.clone()),
            ("X-Two".into(), "first".into()),
            ("X-Two".into(), "zweitens ü".into()),
        ],
        marks: vec![("X-Duplex-Draft", "id/3".into())],
        ..simple()
    };
    let head = head(&mail);
    let at = |text: &str| head.find(text).unwrap_or_else(|| panic!("{text} in {head}"));
    assert!(at("X-Duplex-Draft: id/3\r\n") < at(&url));
    assert!(at(&url) < at("X-Two: first\r\n") && at("X-Two: first") < at("X-Two: =?utf-8?"));
}

#[test]
fn a_media_type_that_base64_is_not_for_goes_as_octets() {
    for (given, written) in [
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed; boundary=x", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("a/b c", "application/octet-stream"),
        ("Image/PNG; name=x", "image/png"),
    ] {
        let mail = Outgoing { files: vec![file("a.bin", given, b"x")], ..simple() };
        let parsed = parse(&octets(&mail, &[b"x"]));
        assert_eq!(parsed.attachments[0].mime_type, written, "{given}");
    }
}

#[test]
fn a_picture_that_the_text_does_not_show_is_a_file() {
    let files = vec![image("a@x", b"1"), image("b@x", b"2"), image("a@x", b"3"), image("ü", b"4")];
    let html = "<img src=\"cid:a@x\"><img src='cid:%C3%BC'>";
    let mail = Outgoing { html: Some(html.into()), files, ..simple() };
    let parsed = parse(&octets(&mail, &[b"1", b"2", b"3", b"4"]));
    let inline: Vec<_> = parsed.attachments.iter().map(|a| (a.content.clone(), a.is_inline)).collect();
    assert_eq!(inline, [(b"1".into(), true), (b"2".into(), false), (b"3".into(), false), (b"4".into(), false)]);
    let plain = Outgoing { html: None, files: vec![image("a@x", b"1")], ..simple() };
    assert!(!parse(&octets(&plain, &[b"1"])).attachments[0].is_inline);
}
