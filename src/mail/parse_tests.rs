//! One fixture for each oddity.

use super::*;

pub(super) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn read(name: &str) -> ParsedMail {
    parse(&fixture(name))
}

fn addresses(list: &[Mailbox]) -> Vec<&str> {
    list.iter().map(|mailbox| mailbox.address.as_str()).collect()
}

#[test]
fn a_plain_mail_is_read_in_full() {
    let mail = read("plain");
    let from = mail.from.clone().unwrap();
    assert_eq!(from.name.as_deref(), Some("Ada Berg"));
    assert_eq!(from.address, "ada@example.org");
    assert_eq!(mail.message_id.as_deref(), Some("one@example.org"));
    assert_eq!(mail.date.unwrap().to_rfc3339(), "2026-02-03T09:20:30+00:00");
    assert_eq!(mail.subject, "The offer");
    assert_eq!(mail.snippet, "Hello Ben, here is the offer we spoke of. Ada");
    assert_eq!(mail.kind, Kind::Person);
    assert!(mail.defects.is_empty() && mail.body_html.is_none());
}

#[test]
fn all_line_endings_are_understood() {
    for name in ["crlf", "bare_cr"] {
        let mail = read(name);
        assert_eq!(mail.from.unwrap().address, "ada@example.org", "{name}");
        assert_eq!(mail.body_text.unwrap().trim_end(), "First line\nSecond line", "{name}");
    }
}

#[test]
fn what_stands_before_the_headers_is_skipped() {
    assert_eq!(read("mbox_line").subject, "From a folder file");
    let mut raw = b"\r\n\r\n".to_vec();
    raw.extend(fixture("plain"));
    assert_eq!(parse(&raw).subject, "The offer");
}

#[test]
fn a_missing_blank_line_does_not_hide_the_text() {
    let mail = read("no_blank_line");
    assert_eq!(mail.subject, "No blank line");
    assert!(mail.body_text.unwrap().starts_with("This line is already"));
    assert!(mail.defects.contains(&Defect::MissingHeaderEnd));
}

#[test]
fn nothing_at_all_is_still_a_mail() {
    let mail = read("empty");
    assert!(mail.defects.contains(&Defect::Empty));
    assert_eq!(mail.snippet, "");
    let mail = read("body_only");
    assert_eq!(mail.body_text.as_deref(), Some("Just a few words without any header.\n"));
}

#[test]
fn a_mail_without_from_has_the_sender_as_author() {
    let mail = read("missing_from");
    assert!(mail.from.is_none() && mail.defects.contains(&Defect::MissingFrom));
    assert_eq!(mail.author().unwrap().address, "office@example.org");
}

#[test]
fn charsets_are_what_the_bytes_say() {
    let mail = read("utf8_declared_latin1");
    assert_eq!(mail.subject, "Grüße aus Köln");
    assert_eq!(mail.body_text.as_deref(), Some("Schöne Grüße\n"));
    let mail = read("latin1_undeclared");
    assert_eq!(mail.subject, "Café crème");
    assert!(mail.body_text.unwrap().contains("très bonne journée à vous"));
    let mail = read("shift_jis");
    assert_eq!(mail.subject, "見積もりの件");
    assert_eq!(mail.snippet, "お世話になっております。");
    assert_eq!(read("utf7").body_text.as_deref(), Some("Preis: 10 €, 2 + 2\n"));
}

#[test]
fn encoded_words_may_split_characters_or_stay_open() {
    assert_eq!(read("split_character").subject, "Grüße an alle");
    let mail = read("unclosed_word");
    assert_eq!(mail.subject, "Für dich");
    assert_eq!(mail.from.unwrap().name.as_deref(), Some("Ada Bérg"));
}

#[test]
fn nul_bytes_never_survive() {
    let mail = read("nul_bytes");
    assert_eq!(mail.subject, "Nul here");
    assert_eq!(mail.body_text.as_deref(), Some("Beforeafter\n"));
    assert!(mail.defects.contains(&Defect::NulBytes));
}

#[test]
fn address_lists_may_hold_commas_groups_and_comments() {
    let mail = read("names_with_commas");
    assert_eq!(mail.from.unwrap().name.as_deref(), Some("Berg, Ada"));
    assert_eq!(addresses(&mail.to), ["ben@example.com", "cid@example.com", "dora@EXAMPLE.com"]);
    let names: Vec<_> = mail.to.iter().map(|to| to.name.as_deref()).collect();
    assert_eq!(names, [None, Some("Holt, Cid (CEO)"), Some("Dora")]);
    assert_eq!(mail.to[2].normalized(), "dora@example.com");
    assert!(mail.cc.is_empty());
    assert_eq!(mail.date.unwrap().to_rfc3339(), "2026-02-03T10:20:00+00:00");
}

#[test]
fn international_domains_are_compared_in_their_ascii_form() {
    let from = read("idn_domain").from.unwrap();
    assert_eq!(from.address, "jörg@BÜCHER.example");
    assert_eq!(from.normalized(), "jörg@xn--bcher-kva.example");
}

#[test]
fn an_alternative_gives_both_forms() {
    let mail = read("alternative");
    assert_eq!(mail.body_text.unwrap().trim(), "The plain form.");
    assert_eq!(mail.body_html.unwrap().trim(), "<p>The <b>rich</b> form.</p>");
    assert!(mail.attachments.is_empty());
}

#[test]
fn html_alone_gives_the_visible_text() {
    let mail = read("html_only");
    assert!(mail.body_text.is_none());
    assert_eq!(mail.visible_text.as_deref(), Some("Dear Ben,\n\ncafé & cake\nat noon"));
    assert_eq!(mail.snippet, "Dear Ben, café & cake at noon");
}

#[test]
fn only_images_that_the_html_shows_are_inline() {
    let mail = read("inline_image");
    let [logo, unused] = mail.attachments.as_slice() else { panic!() };
    assert!(logo.is_inline && !unused.is_inline);
    assert_eq!((logo.part_id.as_str(), logo.file_name.as_deref()), ("2", Some("logo.png")));
    assert_eq!(logo.content_id.as_deref(), Some("logo@example.org"));
    assert!(logo.content.starts_with(b"\x89PNG"));
    assert_eq!(logo.sha256, sha256_hex(&logo.content));
}

#[test]
fn file_names_are_decoded_and_harmless() {
    let mail = read("file_names");
    let names: Vec<_> = mail.attachments.iter().map(|file| file.file_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["résumé.pdf", "Angebot für Ben.pdf", "gpj.exe"]);
    assert_eq!(mail.attachments[0].content, b"%PDF-");
}

#[test]
fn damaged_base64_is_read_as_far_as_it_goes() {
    let mail = read("bad_base64");
    assert_eq!(mail.body_text.as_deref(), Some("Hello Ben!"));
    assert!(mail.defects.contains(&Defect::BadEncoding));
}

#[test]
fn containers_survive_missing_and_similar_boundaries() {
    let mail = read("no_final_boundary");
    assert_eq!(mail.attachments[0].content, b"a;b\n1;2\n");
    assert!(mail.defects.contains(&Defect::MissingFinalBoundary));
    let mail = read("boundary_prefix");
    assert_eq!(mail.attachments[0].file_name.as_deref(), Some("list.csv"));
    assert_eq!(mail.body_html.as_deref(), Some("<p>Text</p>"));
    let mail = read("missing_boundary");
    assert_eq!(mail.body_text.unwrap().trim(), "Found nevertheless.");
    assert!(mail.defects.contains(&Defect::MissingBoundary));
}

#[test]
fn an_attached_mail_stays_apart() {
    let mail = read("attached_mail");
    assert_eq!(mail.subject, "Look at this");
    assert_eq!(mail.body_text.unwrap().trim(), "See below.");
    assert_eq!(mail.attachments[0].mime_type, "message/rfc822");
    assert!(mail.attachments[0].content.starts_with(b"From: cid@example.net"));
}

#[test]
fn a_delivery_report_names_its_recipients() {
    let mail = read("delivery_report");
    assert_eq!(mail.kind, Kind::Bounce);
    let bounce = mail.bounce.unwrap();
    assert_eq!(bounce.original_message_id.as_deref(), Some("sent-1@example.org"));
    let [ben, cid] = bounce.recipients.as_slice() else { panic!() };
    assert_eq!((ben.address.as_str(), ben.status.as_deref()), ("ben@example.com", Some("5.1.1")));
    assert_eq!(ben.diagnostic.as_deref(), Some("smtp; 550 5.1.1 No such user"));
    assert_eq!((cid.action.as_deref(), cid.status.as_deref()), (Some("failed"), Some("5.2.2")));
}

#[test]
fn a_delay_is_no_bounce() {
    let mail = read("delay_report");
    assert_eq!(mail.kind, Kind::AutoReply);
    assert_eq!(mail.bounce.unwrap().recipients[0].action.as_deref(), Some("delayed"));
}

#[test]
fn a_report_in_prose_names_its_recipient() {
    let mail = read("prose_bounce");
    assert_eq!(mail.kind, Kind::Bounce);
    let bounce = mail.bounce.unwrap();
    assert_eq!(bounce.recipients.len(), 1);
    assert_eq!(bounce.recipients[0].address, "ben@example.com");
    assert_eq!(bounce.recipients[0].status.as_deref(), Some("5.1.1"));
    assert_eq!(bounce.original_message_id.as_deref(), Some("sent-2@example.org"));
}

#[test]
fn machines_are_told_from_people() {
    assert_eq!(read("vacation").kind, Kind::AutoReply);
    assert_eq!(read("mailing_list").kind, Kind::List);
    assert_eq!(read("mailing_list").header("list-id"), Some("<club.example.org>"));
    assert_eq!(read("invitation").kind, Kind::Calendar);
    assert_eq!(read("reply_top").kind, Kind::Person);
}

#[test]
fn quotes_are_folded_and_answers_kept() {
    assert_eq!(read("reply_top").visible_text.as_deref(), Some("Yes, that suits us."));
    assert_eq!(read("reply_outlook").visible_text.as_deref(), Some("Passt so, danke!"));
    let mail = read("reply_interleaved");
    let visible = mail.visible_text.unwrap();
    assert!(visible.contains("> Is it blue?") && visible.ends_with("No."));
    assert_eq!(mail.snippet, "Yes. No.");
    let visible = read("forward").visible_text.unwrap();
    assert!(visible.starts_with("FYI") && visible.ends_with("Would this suit you?"));
}

#[test]
fn identifiers_are_found_with_and_without_brackets() {
    let mail = read("ids_without_brackets");
    assert_eq!(mail.message_id.as_deref(), Some("bare@example.org"));
    assert_eq!(mail.in_reply_to, ["p@example.org"]);
    assert_eq!(mail.references, ["a1b@example.org", "c2d@example.org", "brokenid@example.org"]);
}

#[test]
fn a_head_alone_tells_who_and_what() {
    let raw = fixture("attached_mail");
    let mail = parse_head(header_block(&raw));
    assert_eq!(mail.subject, "Look at this");
    assert_eq!(addresses(&mail.to), ["ben@example.com"]);
    assert!(mail.defects.contains(&Defect::TooLarge));
}

#[test]
fn the_identity_depends_on_head_and_size_alone() {
    let raw = fixture("plain");
    let head = header_block(&raw);
    assert!(raw.starts_with(head) && head.ends_with(b"\n\n"));
    let name = identity(head, 100);
    assert_eq!(name.len(), 2 + 64);
    assert!(name.starts_with("m-"));
    assert_eq!(name, identity(head, 100));
    assert_ne!(name, identity(head, 101));
    assert_eq!(header_block(b"A: b\r\n\r\nbody"), b"A: b\r\n\r\n");
    assert_eq!(header_block(b"A: b"), b"A: b");
}

#[test]
fn inspecting_shows_how_a_mail_is_read() {
    let line = inspect(&fixture("delivery_report"));
    assert_eq!(line["kind"], "bounce");
    assert_eq!(line["from"]["email"], "MAILER-DAEMON@mx.example.org");
    assert_eq!(line["bounce"]["recipients"][0]["status"], "5.1.1");
    assert_eq!(line["date"], serde_json::Value::Null);
    let line = inspect(&fixture("plain"));
    assert_eq!(line["date"], 1_770_110_430);
    assert_eq!(line["to"][0]["name"], "Ben Holt");
    assert_eq!(line["defects"], serde_json::json!([]));
}
