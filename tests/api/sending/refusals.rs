//! What cannot be sent is refused with a reason, at once, and nothing of it leaves.

use serde_json::{Value, json};

use super::desk::Desk;
use super::inbound::report;
use crate::mailbox::connect;
use crate::support::{Client, Dovecot, TestApp};

fn mail() -> Value {
    json!({ "to": [{ "email": "bob@b.example" }], "subject": "Hello", "body_text": "x" })
}

fn with(field: &str, value: Value) -> Value {
    let mut mail = mail();
    mail[field] = value;
    mail
}

/// The field that a refusal is about.
fn field(refused: &Value) -> &str {
    refused["errors"][0]["field"].as_str().unwrap_or_default()
}

/// A colleague, signed in.
async fn colleague(owner: &Client) -> Client {
    let (email, password) = ("mia@acme.example", "seven green bottles");
    let person = json!({ "email": email, "name": "Mia", "role": "member", "password": password });
    owner.post("/api/users", person).await.json(201);
    owner.signed_out().sign_in(email, password).await
}

/// A program with these rights.
async fn program(owner: &Client, scopes: &[&str]) -> Client {
    let made = owner.post("/api/api-keys", json!({ "name": "a program", "scopes": scopes })).await.json(201);
    owner.with_key(made["key"].as_str().unwrap())
}

/// Nothing was stored, nothing left.
async fn nothing_happened(desk: &Desk) {
    assert_eq!(desk.messages().await, Vec::<Value>::new());
    assert_eq!(desk.sink.accepted().len(), 0);
}

on_both! {
    async fn recipients_that_are_none_are_refused_by_name(app: TestApp) {
        let desk = Desk::new(app).await;
        let long = format!("{}@b.example", "x".repeat(65));
        let broken = [
            "", "bob", "bob@", "@b.example", "bob@@b.example", "bob b@b.example", "<bob@b.example>", "bob@b..example",
            ".bob@b.example", "bob.@b.example", "bob@[127.0.0.1]", "bob@b_c.example", "bob@-b.example", long.as_str(),
            "bob@b.example, eve@e.example", "bob@b.example>", "\"bob@b.example", "bob\u{200b}@b.example", "bob@b.example\u{202e}",
        ];
        for address in broken {
            for list in ["to", "cc", "bcc"] {
                let refused = desk.post(with(list, json!([{ "email": "ok@b.example" }, { "email": address }]))).await;
                let refused = refused.problem(422, "validation_failed");
                assert_eq!(field(&refused), format!("{list}[1].email"), "{address:?}: {refused}");
            }
        }
        for (mail, about) in [
            (with("to", json!([])), "to"),
            (with("to", json!("bob@b.example")), ""),
            (with("to", json!([{ "mail": "bob@b.example" }])), ""),
            (with("form_alias", json!("x")), ""),
            (with("from_alias", json!("ceo@bank.example")), "from_alias"),
            (with("account_id", json!(uuid::Uuid::now_v7())), "account_id"),
            (with("reply_to_message_id", json!(uuid::Uuid::now_v7())), "reply_to_message_id"),
            (with("forward_message_id", json!(uuid::Uuid::now_v7())), "forward_message_id"),
            (with("reply_all", json!(true)), "reply_all"),
            (with("attachment_ids", json!([uuid::Uuid::now_v7()])), "attachment_ids"),
            (with("contact_id", json!(uuid::Uuid::now_v7())), "contact_id"),
            (with("deal_id", json!(uuid::Uuid::now_v7())), "deal_id"),
        ] {
            let refused = desk.post(mail.clone()).await.problem(422, "validation_failed");
            assert!(about.is_empty() || field(&refused) == about, "{mail}: {refused}");
        }
        nothing_happened(&desk).await;
    }
}

on_both! {
    async fn five_hundred_recipients_are_served_and_one_more_is_refused(app: TestApp) {
        let desk = Desk::new(app).await;
        let people = |count: usize| -> Vec<Value> { (0..count).map(|n| json!({ "email": format!("r{n}@b.example") })).collect() };
        let refused = desk.post(with("bcc", json!(people(500)))).await.problem(422, "validation_failed");
        assert!(refused["detail"].as_str().unwrap().contains("500") && refused["detail"].as_str().unwrap().contains("501"));
        nothing_happened(&desk).await;
        let (sent, taken) = desk.send(with("bcc", json!(people(499)))).await;
        assert_eq!(taken.to.len(), 500);
        let each = sent["outgoing"]["recipients"].as_array().unwrap();
        assert!(each.len() == 500 && each.iter().all(|one| one["status"] == "accepted"));
        desk.assert_correct();
    }
}

on_both! {
    async fn no_field_can_smuggle_in_a_line(app: TestApp) {
        let desk = Desk::new(app).await;
        for bad in ["\r\n", "\r", "\n", "\0", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}"] {
            let text = format!("x{bad}Bcc: eve@e.example");
            let address = format!("bob{bad}@b.example");
            for mail in [
                with("subject", json!(text)),
                with("to", json!([{ "email": "bob@b.example", "name": text }])),
                with("cc", json!([{ "email": "bob@b.example", "name": text }])),
                with("bcc", json!([{ "email": "bob@b.example", "name": text }])),
                with("to", json!([{ "email": address }])),
                with("cc", json!([{ "email": format!("bob@b.example{bad}") }])),
                with("bcc", json!([{ "email": format!("{bad}bob@b.example") }])),
                with("headers", json!({ "X-One": text })),
                with("headers", json!({ text.clone(): "x" })),
                with("from_alias", json!(format!("{bad}{}", desk.address()))),
            ] {
                let refused = desk.post(mail.clone()).await;
                assert_eq!(refused.status, 422, "{mail}: {}", refused.text());
            }
            let name: String = url::form_urlencoded::byte_serialize(format!("a{bad}b.txt").as_bytes()).collect();
            let path = format!("/api/email/attachments?file_name={name}");
            let file = || Some(("text/plain", b"x".to_vec()));
            desk.owner.request("POST", &path, &[], file()).await.problem(422, "validation_failed");
            let account = format!("/api/email/accounts/{}", desk.account);
            let answer = desk.owner.patch(&account, json!({ "display_name": text })).await;
            assert_eq!(answer.status, 422, "{}", answer.text());
        }
        nothing_happened(&desk).await;
    }
}

on_both! {
    async fn headers_that_are_the_servers_own_are_refused(app: TestApp) {
        let desk = Desk::new(app).await;
        for name in [
            "From", "to", "CC", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Sender", "Reply-To",
            "Received", "Return-Path", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "DKIM-Signature",
            "Resent-To", "X-Duplex-Draft", "X Y", "X:Y", "", "Grüße",
        ] {
            let refused = desk.post(with("headers", json!({ name: "x" }))).await.problem(422, "validation_failed");
            assert!(field(&refused).starts_with("headers"), "{name}: {refused}");
        }
        let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("X-{n}"), json!("x"))).collect();
        desk.post(with("headers", many.into())).await.problem(422, "validation_failed");
        nothing_happened(&desk).await;
    }
}

on_both! {
    async fn files_and_mails_that_are_too_large_are_refused(app: TestApp) {
        let desk = Desk::new(app).await;
        let path = "/api/email/attachments?file_name=film.mp4";
        let file = Some(("video/mp4", vec![7_u8; 40 * 1024 * 1024]));
        desk.owner.request("POST", path, &[], file).await.problem(413, "payload_too_large");
        desk.owner.request("POST", "/api/email/attachments", &[], Some(("text/plain", b"x".to_vec()))).await
            .problem(422, "validation_failed");
        // The mail is larger than any is built.
        let half = desk.upload("half.bin", "application/octet-stream", &vec![7; 30 * 1024 * 1024]).await;
        desk.post(with("attachment_ids", json!([half]))).await.problem(422, "message_too_large");
        nothing_happened(&desk).await;

        // The server's own limit is known once it has been spoken to.
        desk.sink.offer(|offers| offers.size = Some(200_000));
        desk.send(mail()).await;
        let file = desk.upload("large.bin", "application/octet-stream", &vec![7; 200_000]).await;
        let refused = desk.post(with("attachment_ids", json!([file]))).await.problem(422, "message_too_large");
        assert!(refused["detail"].as_str().unwrap().contains("MB"), "{refused}");
        assert_eq!(desk.sink.accepted().len(), 1);

        // A limit that became smaller meanwhile is met at the server, and said.
        desk.sink.offer(|offers| offers.size = Some(50_000));
        desk.sink.cut_connections();
        let file = desk.upload("middle.bin", "application/octet-stream", &vec![7; 100_000]).await;
        let id = desk.submit(with("attachment_ids", json!([file]))).await;
        let failed = desk.until(&id, "failed").await;
        assert_eq!(failed["outgoing"]["error_code"], "message_too_large");
        assert_eq!(desk.sink.accepted().len(), 1);
        desk.assert_correct();
    }
}

on_both! {
    async fn an_address_whose_mail_came_back_for_good_gets_no_more(app: TestApp) {
        let desk = Desk::new(app).await;
        let (sent, _) = desk.send(with("to", json!([{ "email": "gone@b.example" }]))).await;
        let message_id = sent["message_id"].as_str().unwrap();
        desk.receive(report(desk.address(), "r1", message_id, ("gone@b.example", "failed", "5.1.1"))).await;
        desk.until_it(sent["id"].as_str().unwrap(), "it came back", |mail| mail["bounced"] == true).await;
        let again = json!([{ "email": "bob@b.example" }, { "email": "Gone@b.example" }]);
        let refused = desk.post(with("to", again)).await.problem(422, "recipient_suppressed");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("gone@b.example") && !detail.contains("bob@"), "{detail}");
        assert_eq!(desk.sink.accepted().len(), 1);
    }
}

on_both! {
    async fn nobody_sends_from_or_answers_what_is_not_theirs(app: TestApp) {
        let desk = Desk::new(app).await;
        let raw = b"From: ada@a.example\r\nTo: x@mail.example\r\nSubject: Private\r\nMessage-ID: <p@a.example>\r\n\
            Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nSecret.\r\n".to_vec();
        let theirs = desk.receive(raw).await;
        let file = desk.upload("private.txt", "text/plain", b"Secret.").await;
        let draft = desk.owner.post("/api/email/drafts", desk.of_this_mailbox(mail())).await.json(201);
        let draft = draft["id"].as_str().unwrap();
        let waiting = desk.of_this_mailbox(with("scheduled_at", json!("2027-06-01T08:00:00Z")));
        let waiting = desk.owner.post("/api/email/messages", waiting).await.json(202);
        let waiting = waiting["id"].as_str().unwrap();

        let mia = colleague(&desk.owner).await;
        let mailbox = Dovecot::shared().mailbox();
        let own = connect(&mia, &mailbox, &desk.sink).await;
        let send = async |mut mail: Value, account: &str| {
            mail["account_id"] = account.into();
            mia.post("/api/email/messages", mail).await
        };
        let refused = send(mail(), &desk.account).await.problem(422, "validation_failed");
        assert_eq!(field(&refused), "account_id");
        for (name, value) in [("reply_to_message_id", json!(theirs)), ("forward_message_id", json!(theirs)), ("attachment_ids", json!([file]))] {
            let refused = send(with(name, value), &own).await.problem(422, "validation_failed");
            assert_eq!(field(&refused), name);
        }
        let mut over = mail();
        over["account_id"] = own.into();
        mia.put(&format!("/api/email/drafts/{draft}"), over).await.problem(404, "not_found");
        mia.delete(&format!("/api/email/drafts/{draft}")).await.problem(404, "not_found");
        mia.post(&format!("/api/email/drafts/{draft}/send"), json!({})).await.problem(404, "not_found");
        for verb in ["cancel", "retry"] {
            mia.post(&format!("/api/email/messages/{waiting}/{verb}"), json!({})).await.problem(404, "not_found");
        }
        assert_eq!(desk.message(waiting).await["status"], "scheduled");
        assert!(desk.sink.accepted().is_empty());

        let reader = program(&desk.owner, &["read", "write"]).await;
        reader.post("/api/email/messages", desk.of_this_mailbox(mail())).await.problem(403, "forbidden");
        reader.post("/api/email/drafts", desk.of_this_mailbox(mail())).await.problem(403, "forbidden");
        reader.put(&format!("/api/email/drafts/{draft}"), desk.of_this_mailbox(mail())).await.problem(403, "forbidden");
        reader.delete(&format!("/api/email/drafts/{draft}")).await.problem(403, "forbidden");
        reader.post(&format!("/api/email/drafts/{draft}/send"), json!({})).await.problem(403, "forbidden");
        for verb in ["cancel", "retry"] {
            reader.post(&format!("/api/email/messages/{waiting}/{verb}"), json!({})).await.problem(403, "forbidden");
        }
        let upload = Some(("text/plain", b"x".to_vec()));
        reader.request("POST", "/api/email/attachments?file_name=a.txt", &[], upload).await.problem(403, "forbidden");
        let sender = program(&desk.owner, &["read", "send"]).await;
        sender.post("/api/email/messages", desk.of_this_mailbox(mail())).await.json(202);
    }
}
