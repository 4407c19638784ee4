//! What is written arrives as it was written, once, and is filed once.

use serde_json::{Value, json};

use super::desk::{Desk, addresses, folders, sha256};
use crate::support::{SmtpSecurity, TestApp, read_mail};

/// A picture of one pixel.
const PIXEL: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\0IEND\xaeB`\x82";

on_both! {
    async fn a_mail_arrives_as_it_was_written_and_its_blind_copy_stays_secret(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.settle_on(json!({ "display_name": "Olga Müller" })).await;
        let html = "<p>Grüße aus <b>Köln</b>,</p><ul><li>eins</li><li>zwei</li></ul><p><a href=\"https://a.example/?q=1&amp;r=2\">hier</a></p>";
        let (sent, taken) = desk.send(json!({
            "to": [{ "email": "bob@b.example", "name": "Bob, der Baumeister" }],
            "cc": [{ "email": "carol@c.example" }],
            "bcc": [{ "email": "eve@e.example", "name": "Eve" }],
            "subject": "Angebot – 5 % günstiger =?utf-8?q?x?=",
            "body_html": html,
            "headers": { "X-Campaign": "Frühling" },
        })).await;

        assert_eq!(taken.from, desk.address());
        assert_eq!(taken.to, ["bob@b.example", "carol@c.example", "eve@e.example"]);
        let mail = read_mail(&taken.raw);
        // What looks like an encoded word is encoded, with a space that nobody sees behind it.
        assert_eq!(mail["subject"].as_str().unwrap().trim_end(), "Angebot – 5 % günstiger =?utf-8?q?x?=");
        assert_eq!(mail["from"], json!([{ "name": "Olga Müller", "email": desk.address() }]));
        assert_eq!(mail["to"], json!([{ "name": "Bob, der Baumeister", "email": "bob@b.example" }]));
        assert_eq!(addresses(&mail["cc"]), ["carol@c.example"]);
        assert!(!String::from_utf8_lossy(&taken.raw).contains("eve@"), "nobody learns of the blind copy");
        assert_eq!(mail["structure"], json!(["multipart/alternative", "text/plain", "text/html"]));
        assert_eq!(mail["html"].as_str().unwrap().trim(), html);
        let text = mail["text"].as_str().unwrap();
        for words in ["Grüße aus", "Köln", "eins", "zwei", "hier"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(!text.contains('<'), "{text}");
        let fields = mail["headers"].as_array().unwrap();
        assert!(fields.contains(&json!(["X-Campaign", "Frühling"])), "{fields:?}");
        assert_eq!(mail["message_id"], sent["message_id"]);
        let domain = desk.address().rsplit('@').next().unwrap();
        assert!(sent["message_id"].as_str().unwrap().ends_with(&format!("@{domain}")));

        assert_eq!((&sent["direction"], &sent["is_read"]), (&"outbound".into(), &true.into()));
        assert_eq!(addresses(&sent["bcc"]), ["eve@e.example"], "the author sees it");
        let each = sent["outgoing"]["recipients"].as_array().unwrap();
        assert!(each.len() == 3 && each.iter().all(|one| one["status"] == "accepted"), "{each:?}");
        let id = sent["id"].as_str().unwrap();
        desk.filed(id, "Sent").await;
        let copies = desk.held("Sent");
        assert_eq!(copies.len(), 1);
        assert_eq!(addresses(&copies[0]["bcc"]), ["eve@e.example"], "the author's own copy has it");
        for field in ["subject", "message_id", "from", "to", "cc", "text", "html", "date"] {
            assert_eq!(copies[0][field], mail[field], "{field}");
        }
        desk.assert_correct();
    }
}

on_both! {
    async fn the_copy_among_the_sent_mails_is_made_once_and_is_the_same_mail(app: TestApp) {
        let desk = Desk::new(app).await;
        let (sent, _) = desk.send(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Once", "body_text": "One." })).await;
        let id = sent["id"].as_str().unwrap();
        desk.filed(id, "Sent").await;
        desk.sync().await;
        desk.sync().await;
        let copies = desk.peer.mails("Sent");
        assert_eq!(copies.len(), 1);
        assert!(copies[0].flags.iter().any(|flag| flag == "\\Seen"));
        let all = desk.messages().await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0]["id"].as_str(), folders(&all[0])), (Some(id), vec!["Sent"]));
        assert_eq!(desk.raw(id).await.bytes, desk.peer.raw("Sent", copies[0].uid));
        assert!(!all[0]["external_id"].as_str().unwrap().starts_with("local-"), "{}", all[0]);
        assert_eq!(desk.told("email.sent", id).await.len(), 1);
        assert!(desk.told("email.received", id).await.is_empty());
        assert_eq!(desk.sink.accepted().len(), 1);
        desk.assert_correct();
    }
}

on_both! {
    async fn a_server_that_keeps_its_own_copy_gets_no_second_one(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.sink.save_sent(desk.mailbox.peer(), "Sent");
        let (sent, _) = desk.send(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Kept", "body_text": "x" })).await;
        let id = sent["id"].as_str().unwrap();
        desk.filed(id, "Sent").await;
        desk.sync().await;
        assert_eq!((desk.count("Sent"), desk.messages().await.len()), (1, 1));
        assert_eq!(desk.told("email.sent", id).await.len(), 1);
    }
}

on_both! {
    async fn files_arrive_under_their_names_and_pictures_where_the_text_shows_them(app: TestApp) {
        let desk = Desk::new(app).await;
        let report: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let long = format!("{}.pdf", "Übersicht der Verträge ".repeat(7).trim());
        let names = ["Prüfbericht Q4 \"final\"; v2.pdf", "報告書.xlsx", long.as_str(), "plain.bin"];
        let mut ids = Vec::new();
        for name in names {
            ids.push(desk.upload(name, "application/octet-stream", &report).await);
        }
        let picture = desk.upload("logo.png", "image/png", PIXEL).await;
        ids.push(picture.clone());
        let (sent, taken) = desk.send(json!({
            "to": [{ "email": "bob@b.example" }], "subject": "Files", "attachment_ids": ids,
            "body_html": format!("<p>See <img src=\"cid:{picture}\" alt=\"logo\"></p>"),
        })).await;

        let mail = read_mail(&taken.raw);
        let files = mail["files"].as_array().unwrap();
        let attached: Vec<&Value> = files.iter().filter(|file| file["disposition"] == "attachment").collect();
        let found: Vec<&str> = attached.iter().map(|file| file["name"].as_str().unwrap()).collect();
        assert_eq!(found, names);
        assert!(attached.iter().all(|file| file["sha256"] == sha256(&report)));
        let inline = files.iter().find(|file| file["disposition"] == "inline").unwrap();
        assert_eq!((inline["type"].as_str(), inline["sha256"].as_str()), (Some("image/png"), Some(sha256(PIXEL).as_str())));
        let cid = inline["content_id"].as_str().unwrap();
        assert!(mail["html"].as_str().unwrap().contains(&format!("cid:{cid}")), "{}", mail["html"]);
        assert!(mail["structure"].to_string().contains("multipart/related"), "{}", mail["structure"]);
        assert_eq!(mail["structure"][0], "multipart/mixed");

        let shown = sent["attachments"].as_array().unwrap();
        assert_eq!(shown.len(), 5);
        let id = sent["id"].as_str().unwrap();
        desk.filed(id, "Sent").await;
        let kept = desk.message(id).await;
        let kept = kept["attachments"].as_array().unwrap();
        assert_eq!(kept.len(), 5, "{kept:?}");
        for file in kept {
            let got = desk.owner.get(&format!("/api/email/attachments/{}", file["id"].as_str().unwrap())).await;
            assert_eq!(got.status, 200);
            assert_eq!(sha256(&got.bytes), sha256(if file["is_inline"] == true { PIXEL } else { &report }));
        }
        desk.assert_correct();
    }
}

on_both! {
    async fn a_form_brings_files_in_as_well(app: TestApp) {
        let desk = Desk::new(app).await;
        let content = b"a,b\r\n\r\n--x--\r\n\x00\xff".to_vec();
        let mut form = b"--border\r\nContent-Disposition: form-data; name=\"file\"; filename=\"daten.csv\"\r\n\
            Content-Type: text/csv\r\n\r\n".to_vec();
        form.extend_from_slice(&content);
        form.extend_from_slice(b"\r\n--border--\r\n");
        let body = Some(("multipart/form-data; boundary=border", form));
        let kept = desk.owner.request("POST", "/api/email/attachments", &[], body).await.json(201);
        assert_eq!((&kept["file_name"], &kept["mime_type"]), (&"daten.csv".into(), &"text/csv".into()));
        let (_, taken) = desk.send(json!({
            "to": [{ "email": "bob@b.example" }], "subject": "CSV", "body_text": "x", "attachment_ids": [kept["id"]],
        })).await;
        let mail = read_mail(&taken.raw);
        assert_eq!(mail["files"][0]["sha256"], sha256(&content));
    }
}

on_both! {
    async fn addresses_in_all_scripts_are_reached(app: TestApp) {
        let desk = Desk::new(app).await;
        let (_, ascii) = desk.send(json!({
            "to": [{ "email": "Info@Bücher.example", "name": "Bücherei" }], "subject": "IDN", "body_text": "x",
        })).await;
        assert_eq!(ascii.to, ["Info@xn--bcher-kva.example"]);
        assert!(!ascii.smtputf8, "a domain alone needs no extension");
        assert_eq!(addresses(&read_mail(&ascii.raw)["to"]), ["Info@xn--bcher-kva.example"]);

        let (_, utf8) = desk.send(json!({
            "to": [{ "email": "用户@例え.example", "name": "用户" }], "subject": "EAI", "body_text": "x",
        })).await;
        assert!(utf8.smtputf8);
        assert_eq!(utf8.to.len(), 1);
        assert!(utf8.to[0].starts_with("用户@"), "{:?}", utf8.to);
        let mail = read_mail(&utf8.raw);
        assert!(mail["to"][0]["email"].as_str().unwrap().starts_with("用户@"), "{}", mail["to"]);
        assert_eq!(mail["to"][0]["name"], "用户");
        desk.assert_correct();

        // Without the extension it cannot be done, and is said.
        desk.sink.offer(|offers| offers.smtputf8 = false);
        desk.sink.cut_connections();
        let refused = desk.submit(json!({ "to": [{ "email": "用户@b.example" }], "subject": "EAI", "body_text": "x" })).await;
        let failed = desk.until(&refused, "failed").await;
        assert_eq!(failed["outgoing"]["error_code"], "smtp_utf8_not_supported");
        assert!(!failed["error_message"].as_str().unwrap().is_empty());
    }
}

on_both! {
    async fn a_mail_goes_out_under_an_alias_and_with_the_signature(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.settle_on(json!({
            "aliases": ["sales@mail.example"],
            "settings": { "signature_html": "<p>Olga &amp; Co.<br>+49 221 1</p>" },
        })).await;
        let (sent, taken) = desk.send(json!({
            "from_alias": "Sales@mail.example", "to": [{ "email": "bob@b.example" }], "subject": "Hello",
            "body_html": "<p>Hello Bob</p>",
        })).await;
        assert_eq!((sent["from"]["email"].as_str(), taken.from.as_str()), (Some("sales@mail.example"), "sales@mail.example"));
        let mail = read_mail(&taken.raw);
        assert_eq!(addresses(&mail["from"]), ["sales@mail.example"]);
        let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        assert!(html.starts_with("<p>Hello Bob</p>") && html.contains("Olga &amp; Co."), "{html}");
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in {text}"));
        assert!(at("Hello Bob") < at("-- \n") && at("-- \n") < at("Olga & Co."), "{text}");

        let plain = desk.send(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Plain", "body_text": "Hello" })).await.1;
        let mail = read_mail(&plain.raw);
        assert_eq!((mail["structure"].as_str(), mail["html"].as_str()), (Some("text/plain"), None));
        assert!(mail["text"].as_str().unwrap().replace("\r\n", "\n").starts_with("Hello\n\n-- \nOlga & Co."), "{}", mail["text"]);
        desk.assert_correct();
    }
}

on_both! {
    async fn lines_that_begin_with_a_dot_and_long_lines_arrive_whole(app: TestApp) {
        let desk = Desk::over(app, SmtpSecurity::StartTls).await;
        let long = "word ".repeat(600);
        let text = format!(".\n..\n.hidden\nFrom here\n{}\n{}\nüber\n \n.", "x".repeat(2_000), long.trim_end());
        let (_, taken) = desk.send(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Dots", "body_text": text })).await;
        let mail = read_mail(&taken.raw);
        assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n").trim_end_matches('\n'), text);
        desk.assert_correct();
    }
}

on_both! {
    async fn the_same_order_given_fifty_times_at_once_is_one_mail(app: TestApp) {
        let desk = Desk::new(app).await;
        let mail = desk.of_this_mailbox(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Once", "body_text": "x" }));
        let order = async |_| {
            let body = Some(("application/json", mail.to_string().into_bytes()));
            desk.owner.request("POST", "/api/email/messages", &[("idempotency-key", "order-1")], body).await
        };
        let answers = futures_util::future::join_all((0..50).map(order)).await;
        let first = answers[0].json(202);
        for answer in &answers {
            assert_eq!(answer.json(202)["id"], first["id"]);
        }
        let sent = desk.until(first["id"].as_str().unwrap(), "sent").await;
        desk.filed(first["id"].as_str().unwrap(), "Sent").await;
        assert_eq!((desk.taken(&sent).len(), desk.sink.accepted().len(), desk.messages().await.len()), (1, 1, 1));
        let other = desk.of_this_mailbox(json!({ "to": [{ "email": "eve@b.example" }], "subject": "Other", "body_text": "x" }));
        let body = Some(("application/json", other.to_string().into_bytes()));
        let answer = desk.owner.request("POST", "/api/email/messages", &[("idempotency-key", "order-1")], body).await;
        answer.problem(409, "idempotency_key_reused");
    }
}
