//! Answers and forwards, read by an independent program, and what they leave at the mail that is answered.

use serde_json::json;

use super::desk::{Desk, addresses, folders, sha256};
use crate::support::{TestApp, read_mail, wait_until};

/// A mail from Ada to the mailbox, Dan and others, with a picture in the text and a file.
fn original(to: &str) -> Vec<u8> {
    format!(
        "From: =?utf-8?q?Ada_M=C3=BCller?= <ada@a.example>\r\nTo: <{to}>, Dan <dan@d.example>\r\n\
         Cc: carol@c.example, sales@mail.example\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\
         Date: Fri, 20 Nov 2026 09:30:00 +0100\r\nMessage-ID: <second@a.example>\r\n\
         In-Reply-To: <first@a.example>\r\nReferences: <zeroth@a.example> <first@a.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
         --m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
         --r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Shall we meet at the café?\r\n\r\n> Earlier words\r\n\
         --a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         <p>Shall we meet at the <b>café</b>?</p><img src=\"cid:pic@a\"><script>alert(1)</script>\r\n\
         --a--\r\n\
         --r\r\nContent-Type: image/png\r\nContent-ID: <pic@a>\r\nContent-Disposition: inline; filename=pic.png\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
         --r--\r\n\
         --m\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename*=utf-8''Men%C3%BC.pdf\r\n\r\nJVBERi0xLjQK\r\n\
         --m--\r\n"
    )
    .into_bytes()
}

/// The flags of the only mail in the inbox, as the server has them.
fn flags(desk: &Desk) -> Vec<String> {
    desk.peer.mails("INBOX").remove(0).flags
}

on_both! {
    async fn a_reply_joins_the_conversation_and_quotes_the_original(app: TestApp) {
        let desk = Desk::new(app).await;
        let source = desk.receive(original(desk.address())).await;
        let (sent, taken) = desk.send(json!({
            "to": [], "reply_to_message_id": source, "body_html": "<p>Gladly.</p>",
        })).await;
        assert_eq!(taken.to, ["ada@a.example"]);
        let mail = read_mail(&taken.raw);
        assert_eq!(mail["subject"], "Re: Café");
        assert_eq!(mail["to"], json!([{ "name": "Ada Müller", "email": "ada@a.example" }]));
        assert_eq!(mail["in_reply_to"], "second@a.example");
        assert_eq!(mail["references"], json!(["zeroth@a.example", "first@a.example", "second@a.example"]));
        let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        assert!(text.trim_start().starts_with("Gladly."), "{text}");
        assert!(text.contains("Ada Müller <ada@a.example> wrote:"), "{text}");
        assert!(text.contains("\n> Shall we meet at the café?") && text.contains("\n>> Earlier words"), "{text}");
        assert!(html.starts_with("<p>Gladly.</p>") && html.contains("<blockquote") && html.contains("<b>café</b>"), "{html}");
        assert!(!html.contains("<script") && html.contains("cid:pic@a"), "{html}");
        let files = mail["files"].as_array().unwrap();
        assert_eq!(files.len(), 1, "a reply carries the picture that the quotation shows, not the files: {files:?}");
        assert_eq!((&files[0]["content_id"], &files[0]["sha256"]), (&"pic@a".into(), &sha256(b"\x89PNG\r\n\x1a\n").into()));

        assert_eq!(sent["thread_id"], desk.message(&source).await["thread_id"]);
        assert_eq!((&sent["outgoing"]["action"], &sent["outgoing"]["source_email_id"]), (&"reply".into(), &source.clone().into()));
        wait_until("the original is marked as answered at the server", async || {
            flags(&desk).iter().any(|flag| flag == "\\Answered")
        })
        .await;
        desk.filed(sent["id"].as_str().unwrap(), "Sent").await;
        desk.assert_correct();
    }
}

on_both! {
    async fn a_reply_to_all_reaches_everybody_but_oneself(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.settle_on(json!({ "aliases": ["sales@mail.example"] })).await;
        let source = desk.receive(original(desk.address())).await;
        let (_, taken) = desk.send(json!({
            "reply_to_message_id": source, "reply_all": true, "body_text": "Gladly.",
        })).await;
        assert_eq!(taken.to, ["ada@a.example", "dan@d.example", "carol@c.example"]);
        let mail = read_mail(&taken.raw);
        assert_eq!(addresses(&mail["to"]), ["ada@a.example", "dan@d.example"]);
        assert_eq!(addresses(&mail["cc"]), ["carol@c.example"]);
        assert_eq!((mail["html"].as_str(), mail["structure"].as_str()), (None, Some("text/plain")));
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("> Shall we meet at the café?"), "{text}");

        // What the writer says counts more than what could be derived.
        let (_, taken) = desk.send(json!({
            "reply_to_message_id": source, "to": [{ "email": "dan@d.example" }], "subject": "Something else", "body_text": "x",
        })).await;
        assert_eq!(taken.to, ["dan@d.example"]);
        let mail = read_mail(&taken.raw);
        assert_eq!((&mail["subject"], &mail["in_reply_to"]), (&"Something else".into(), &"second@a.example".into()));
        desk.assert_correct();
    }
}

on_both! {
    async fn a_forward_carries_the_text_and_the_files(app: TestApp) {
        let desk = Desk::new(app).await;
        let source = desk.receive(original(desk.address())).await;
        let extra = desk.upload("notes.txt", "text/plain", b"More.").await;
        let (sent, taken) = desk.send(json!({
            "forward_message_id": source, "to": [{ "email": "bob@b.example" }], "body_html": "<p>For you.</p>",
            "attachment_ids": [extra],
        })).await;
        let mail = read_mail(&taken.raw);
        assert_eq!(mail["subject"], "Fwd: Café");
        assert_eq!(mail["in_reply_to"], json!(null));
        let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        for words in ["For you.", "Forwarded message", "From: Ada Müller <ada@a.example>", "Subject: Café", "Dan <dan@d.example>"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(text.contains("\nShall we meet at the café?"), "{text}");
        assert!(html.starts_with("<p>For you.</p>") && html.contains("<b>café</b>") && !html.contains("<script"), "{html}");
        let mut files: Vec<(&str, &str)> = mail["files"].as_array().unwrap().iter()
            .map(|file| (file["name"].as_str().unwrap(), file["sha256"].as_str().unwrap())).collect();
        files.sort_unstable();
        let (menu, pixel, more) = (sha256(b"%PDF-1.4\n"), sha256(b"\x89PNG\r\n\x1a\n"), sha256(b"More."));
        assert_eq!(files, [("Menü.pdf", menu.as_str()), ("notes.txt", more.as_str()), ("pic.png", pixel.as_str())]);
        desk.filed(sent["id"].as_str().unwrap(), "Sent").await;
        assert!(!flags(&desk).iter().any(|flag| flag == "\\Answered"), "it was not answered");
        desk.assert_correct();
    }
}

on_both! {
    async fn an_answer_that_comes_in_is_noted_at_the_mail_that_it_answers(app: TestApp) {
        let desk = Desk::new(app).await;
        let (sent, _) = desk.send(json!({ "to": [{ "email": "bob@b.example" }], "subject": "Offer", "body_text": "x" })).await;
        let id = sent["id"].as_str().unwrap();
        assert_eq!(sent["replied_at"], json!(null));
        desk.filed(id, "Sent").await;
        let answer = format!(
            "From: bob@b.example\r\nTo: <{}>\r\nSubject: Re: Offer\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
             Message-ID: <yes@b.example>\r\nIn-Reply-To: <{}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nYes.\r\n",
            desk.address(),
            sent["message_id"].as_str().unwrap(),
        );
        let answer = desk.receive(answer.into_bytes()).await;
        let answered = desk.until_it(id, "it is answered", |mail| mail["replied_at"].is_string()).await;
        let answer = desk.message(&answer).await;
        assert_eq!((&answer["thread_id"], folders(&answer)), (&answered["thread_id"], vec!["INBOX"]));
        // An answer to one's own mail goes to whom that went to.
        let (_, again) = desk.send(json!({ "reply_to_message_id": id, "body_text": "One more thing" })).await;
        assert_eq!(again.to, ["bob@b.example"]);
    }
}
