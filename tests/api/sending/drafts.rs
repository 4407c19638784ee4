//! Drafts, here and at the server: written on both sides, sent and thrown away on either.

use serde_json::{Value, json};

use super::desk::{Desk, addresses, etag, folders, sha256};
use crate::support::{Answer, TestApp, read_mail, wait_until};

fn draft(subject: &str, text: &str) -> Value {
    json!({ "to": [{ "email": "bob@b.example" }], "subject": subject, "body_text": text })
}

impl Desk {
    async fn draft(&self, draft: Value) -> Answer {
        let made = self.owner.post("/api/email/drafts", self.of_this_mailbox(draft)).await;
        made.json(201);
        made
    }

    async fn save(&self, id: &str, version: &str, draft: Value) -> Answer {
        let body = Some(("application/json", self.of_this_mailbox(draft).to_string().into_bytes()));
        self.owner.request("PUT", &format!("/api/email/drafts/{id}"), &[("if-match", version)], body).await
    }

    /// Waits until the server's drafts are just these, by their subjects.
    async fn drafts_are(&self, subjects: &[&str]) {
        let mut last = Vec::new();
        wait_until(&format!("the drafts at the server are {subjects:?}"), async || {
            let found: Vec<Value> = self.held("Drafts").iter().map(|mail| mail["subject"].clone()).collect();
            if found != last {
                eprintln!("the drafts at the server are {found:?}");
                last = found;
            }
            last == subjects
        })
        .await;
    }

    /// Waits until a draft lies in Drafts here and the server's copy of it is known.
    async fn mirrored(&self, id: &str, subject: &str) {
        self.drafts_are(&[subject]).await;
        self.sync().await;
        self.filed(id, "Drafts").await;
    }
}

fn id(answer: &Answer) -> String {
    serde_json::from_slice::<Value>(&answer.bytes).unwrap()["id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_draft_is_saved_only_over_the_version_that_was_read(app: TestApp) {
        let desk = Desk::new(app).await;
        // Half of an address is enough for a draft.
        let made = desk.draft(json!({ "to": [{ "email": "bo" }] })).await;
        let (id, first) = (id(&made), etag(&made));
        let read = desk.owner.get(&format!("/api/email/messages/{id}")).await;
        assert_eq!((etag(&read), &read.json(200)["status"]), (first.clone(), &"draft".into()));
        assert_eq!(addresses(&read.json(200)["to"]), ["bo"]);

        let saved = desk.save(&id, &first, draft("One", "1")).await;
        assert_eq!(saved.json(200)["subject"], "One");
        let second = etag(&saved);
        assert_ne!(first, second);
        desk.save(&id, &first, draft("Lost", "2")).await.problem(412, "precondition_failed");
        assert_eq!(desk.message(&id).await["subject"], "One");
        // Two at once: one of them is told.
        let (a, b) = tokio::join!(desk.save(&id, &second, draft("A", "a")), desk.save(&id, &second, draft("B", "b")));
        let mut both = [a.status, b.status];
        both.sort_unstable();
        assert_eq!(both, [200, 412], "{a:?} {b:?}");
        // Without If-Match the last one wins.
        let body = desk.of_this_mailbox(draft("Last", "3"));
        desk.owner.put(&format!("/api/email/drafts/{id}"), body).await.json(200);

        assert_eq!(desk.owner.delete(&format!("/api/email/drafts/{id}")).await.status, 204);
        desk.owner.get(&format!("/api/email/messages/{id}")).await.problem(404, "not_found");
        desk.owner.delete(&format!("/api/email/drafts/{id}")).await.problem(404, "not_found");
        desk.save(&id, &second, draft("x", "x")).await.problem(404, "not_found");
        desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await.problem(404, "not_found");
        assert!(desk.messages().await.is_empty());
    }
}

on_both! {
    async fn a_draft_that_is_saved_often_has_one_copy_at_the_server(app: TestApp) {
        let desk = Desk::new(app).await;
        let made = desk.draft(draft("Version 0", "0")).await;
        let (id, mut version) = (id(&made), etag(&made));
        desk.drafts_are(&["Version 0"]).await;
        for number in 1..=8 {
            let saved = desk.save(&id, &version, draft(&format!("Version {number}"), &number.to_string())).await;
            saved.json(200);
            version = etag(&saved);
            if number == 4 {
                desk.drafts_are(&["Version 4"]).await;
            }
        }
        desk.mirrored(&id, "Version 8").await;
        let mail = desk.peer.mails("Drafts").remove(0);
        assert!(mail.flags.iter().any(|flag| flag == "\\Draft"), "{mail:?}");
        let held = desk.held("Drafts").remove(0);
        assert_eq!((held["text"].as_str().unwrap().trim(), addresses(&held["to"])), ("8", vec!["bob@b.example"]));
        let all = desk.messages().await;
        assert_eq!((all.len(), all[0]["id"].as_str()), (1, Some(id.as_str())));
        assert_eq!(etag(&desk.owner.get(&format!("/api/email/messages/{id}")).await), version, "our own copy is no edit");
    }
}

on_both! {
    async fn a_draft_edited_elsewhere_shows_here_and_is_written_on_here(app: TestApp) {
        let desk = Desk::new(app).await;
        let made = desk.draft(draft("Ours", "ours")).await;
        let (id, first) = (id(&made), etag(&made));
        desk.mirrored(&id, "Ours").await;
        // Another program puts its version beside the old one and removes that.
        let old = desk.peer.mails("Drafts").remove(0).uid;
        let message_id = desk.message(&id).await["message_id"].as_str().unwrap().to_owned();
        let edited = format!(
            "From: <{}>\r\nTo: carol@c.example\r\nSubject: Theirs\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n\
             Message-ID: <{message_id}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\ntheirs\r\n",
            desk.address()
        );
        desk.peer.append("Drafts", &[edited.into_bytes()], &["\\Draft"]);
        desk.peer.delete("Drafts", &[old]);
        desk.sync().await;
        let shown = desk.until_it(&id, "the edit shows", |mail| mail["subject"] == "Theirs").await;
        assert_eq!((shown["body_text"].as_str().unwrap().trim(), addresses(&shown["to"])), ("theirs", vec!["carol@c.example"]));
        assert_eq!(desk.messages().await.len(), 1);
        desk.save(&id, &first, draft("Lost", "x")).await.problem(412, "precondition_failed");

        let second = etag(&desk.owner.get(&format!("/api/email/messages/{id}")).await);
        desk.save(&id, &second, draft("Ours again", "x")).await.json(200);
        desk.mirrored(&id, "Ours again").await;
        assert_eq!(desk.messages().await.len(), 1);
    }
}

on_both! {
    async fn a_draft_deleted_elsewhere_disappears_here_and_one_discarded_here_disappears_there(app: TestApp) {
        let desk = Desk::new(app).await;
        let theirs = id(&desk.draft(draft("Deleted there", "x")).await);
        desk.mirrored(&theirs, "Deleted there").await;
        let uid = desk.peer.mails("Drafts").remove(0).uid;
        desk.peer.delete("Drafts", &[uid]);
        desk.sync().await;
        let path = format!("/api/email/messages/{theirs}");
        wait_until("it has gone here", async || desk.owner.get(&path).await.status == 404).await;

        let ours = id(&desk.draft(draft("Discarded here", "x")).await);
        desk.mirrored(&ours, "Discarded here").await;
        assert_eq!(desk.owner.delete(&format!("/api/email/drafts/{ours}")).await.status, 204);
        desk.owner.get(&format!("/api/email/messages/{ours}")).await.problem(404, "not_found");
        desk.drafts_are(&[]).await;
        desk.sync().await;
        assert!(desk.messages().await.is_empty());
        assert_eq!(desk.count("Trash"), 0);
    }
}

on_both! {
    async fn a_draft_that_is_sent_leaves_the_drafts_and_lands_in_sent_once(app: TestApp) {
        let desk = Desk::new(app).await;
        let file = desk.upload("terms.txt", "text/plain", b"The terms.").await;
        let mut first = draft("Offer", "v1");
        first["attachment_ids"] = json!([file]);
        let made = desk.draft(first).await;
        let id = id(&made);
        desk.mirrored(&id, "Offer").await;
        assert_eq!(desk.held("Drafts")[0]["files"][0]["sha256"], sha256(b"The terms."));
        // The file is kept over a save by the id that the draft shows.
        let kept = desk.message(&id).await["attachments"][0]["id"].clone();
        let mut second = draft("Offer 2", "v2");
        second["attachment_ids"] = json!([kept]);
        let saved = desk.save(&id, &etag(&made), second).await;
        assert_eq!(saved.json(200)["attachments"][0]["file_name"], "terms.txt");

        desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await.json(202);
        let sent = desk.until(&id, "sent").await;
        let taken = desk.taken(&sent);
        assert_eq!(taken.len(), 1);
        let mail = read_mail(&taken[0].raw);
        assert_eq!((&mail["subject"], mail["text"].as_str().unwrap().trim()), (&"Offer 2".into(), "v2"));
        assert_eq!((&mail["files"][0]["name"], &mail["files"][0]["sha256"]), (&"terms.txt".into(), &sha256(b"The terms.").into()));
        assert!(!String::from_utf8_lossy(&taken[0].raw).contains("X-Duplex-Draft"));
        desk.drafts_are(&[]).await;
        desk.filed(&id, "Sent").await;
        desk.sync().await;
        assert_eq!((desk.count("Sent"), desk.count("Drafts")), (1, 0));
        let all = desk.messages().await;
        assert_eq!((all.len(), folders(&all[0])), (1, vec!["Sent"]), "{all:?}");
        desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await.problem(409, "conflict");
        desk.owner.delete(&format!("/api/email/drafts/{id}")).await.problem(409, "conflict");
        desk.assert_correct();
    }
}

on_both! {
    async fn an_unfinished_draft_is_not_sent_and_stays(app: TestApp) {
        let desk = Desk::new(app).await;
        for (unfinished, field) in [(json!({}), "to"), (json!({ "to": [{ "email": "bo" }] }), "to[0].email")] {
            let id = id(&desk.draft(unfinished).await);
            let refused = desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await;
            assert_eq!(refused.problem(422, "validation_failed")["errors"][0]["field"], field);
            assert_eq!(desk.message(&id).await["status"], "draft");
        }
        assert!(desk.sink.accepted().is_empty());
    }
}

on_both! {
    async fn a_draft_made_elsewhere_is_finished_and_sent_here(app: TestApp) {
        let desk = Desk::new(app).await;
        let raw = format!(
            "From: <{}>\r\nTo: carol@c.example\r\nBcc: eve@e.example\r\nSubject: Begun elsewhere\r\n\
             Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nMessage-ID: <begun@phone.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nHalf a sent\r\n\
             --m\r\nContent-Type: text/plain; name=list.txt\r\nContent-Disposition: attachment; filename=list.txt\r\n\r\n\
             one, two\r\n--m--\r\n",
            desk.address()
        );
        desk.peer.append("Drafts", &[raw.into_bytes()], &["\\Draft"]);
        desk.sync().await;
        let found = desk.messages().await;
        assert_eq!((found.len(), &found[0]["status"]), (1, &"draft".into()), "{found:?}");
        let id = found[0]["id"].as_str().unwrap().to_owned();
        let file = desk.message(&id).await["attachments"][0]["id"].clone();
        let finished = json!({
            "to": [{ "email": "carol@c.example" }], "bcc": [{ "email": "eve@e.example" }], "subject": "Finished here",
            "body_text": "A whole sentence.", "attachment_ids": [file],
        });
        let body = desk.of_this_mailbox(finished);
        desk.owner.put(&format!("/api/email/drafts/{id}"), body).await.json(200);
        desk.drafts_are(&["Finished here"]).await;
        desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await.json(202);
        let sent = desk.until(&id, "sent").await;
        let taken = desk.taken(&sent);
        assert_eq!((taken.len(), &taken[0].to), (1, &vec!["carol@c.example".to_owned(), "eve@e.example".to_owned()]));
        let mail = read_mail(&taken[0].raw);
        assert_eq!((&mail["subject"], mail["text"].as_str().unwrap().trim()), (&"Finished here".into(), "A whole sentence."));
        assert_eq!(mail["files"][0]["sha256"], sha256(b"one, two"));
        desk.drafts_are(&[]).await;
        desk.filed(&id, "Sent").await;
        assert_eq!((desk.messages().await.len(), desk.count("Sent")), (1, 1));
    }
}

on_both! {
    async fn a_draft_sent_by_another_program_is_the_sent_mail_here(app: TestApp) {
        let desk = Desk::new(app).await;
        let id = id(&desk.draft(draft("Sent by phone", "x")).await);
        desk.mirrored(&id, "Sent by phone").await;
        let uid = desk.peer.mails("Drafts").remove(0).uid;
        let raw = String::from_utf8(desk.peer.raw("Drafts", uid)).unwrap();
        let lines: Vec<&str> = raw.split("\r\n").filter(|line| !line.starts_with("X-Duplex-Draft")).collect();
        desk.peer.append("Sent", &[lines.join("\r\n").into_bytes()], &["\\Seen"]);
        desk.peer.delete("Drafts", &[uid]);
        desk.sync().await;
        wait_until("one mail is left, the sent one", async || {
            let all = desk.messages().await;
            all.len() == 1 && all[0]["status"] == "sent" && folders(&all[0]) == ["Sent"]
        })
        .await;
        assert!(desk.sink.accepted().is_empty(), "we did not send it");
        assert_eq!(desk.count("Drafts"), 0);
    }
}
