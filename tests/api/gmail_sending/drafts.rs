//! Drafts, here and at Gmail: written on both sides, sent and thrown away on either.

use duplex_emulators::shared::faults::{Fault, When};
use serde_json::{Value, json};

use super::world::{Post, folders};
use crate::support::gmail::ANN;
use crate::support::{Answer, Backend, wait_until};

fn draft(subject: &str, text: &str) -> Value {
    json!({"to": [{"email": "bob@other.example"}], "subject": subject, "body_text": text})
}

impl Post {
    async fn draft(&self, draft: Value) -> String {
        let made = self.owner.post("/api/email/drafts", self.of_this_mailbox(draft)).await;
        made.json(201)["id"].as_str().unwrap().to_owned()
    }

    async fn save(&self, id: &str, draft: Value) -> Answer {
        self.owner.put(&format!("/api/email/drafts/{id}"), self.of_this_mailbox(draft)).await
    }

    async fn known(&self, id: &str) -> Value {
        crate::support::wait_for("the draft is known to lie at Gmail", async || {
            let shown = self.shown(id).await;
            let there = self.drafts().into_iter().map(|(_, mail)| mail).collect::<Vec<_>>();
            there.iter().any(|mail| shown["external_id"] == mail.as_str()).then_some(shown)
        })
        .await
    }
}

on_both! {
    async fn a_draft_that_is_saved_often_is_one_draft_at_gmail(backend: Backend) {
        let post = Post::start(backend).await;
        let id = post.draft(draft("Version 0", "0")).await;
        post.drafts_are(&["Version 0"]).await;
        let box_id = post.drafts().remove(0).0;
        for number in 1..=3 {
            // The answer to one of the saves is lost.
            if number == 2 {
                post.world.gmail.add_fault("drafts.update", When::Nth(1), Fault::LostAnswer).unwrap();
            }
            post.save(&id, draft(&format!("Version {number}"), &number.to_string())).await.json(200);
            post.drafts_are(&[&format!("Version {number}")]).await;
            post.sync().await;
        }
        assert_eq!(post.drafts().remove(0).0, box_id);
        let shown = post.known(&id).await;
        let mut lies = folders(&shown);
        lies.sort_unstable();
        assert_eq!((lies, &shown["subject"]), (vec!["All Mail", "Drafts"], &"Version 3".into()));
        assert_eq!(post.messages().await.len(), 1);
    }
}

on_both! {
    async fn a_draft_whose_making_got_no_answer_is_not_made_twice(backend: Backend) {
        let post = Post::start(backend).await;
        post.world.gmail.add_fault("drafts.create", When::Nth(1), Fault::LostAnswer).unwrap();
        let id = post.draft(draft("Made once", "x")).await;
        post.drafts_are(&["Made once"]).await;
        post.sync().await;
        post.known(&id).await;
        post.save(&id, draft("Made once, saved", "y")).await.json(200);
        post.drafts_are(&["Made once, saved"]).await;
        post.sync().await;
        assert_eq!(post.messages().await.len(), 1);
    }
}

on_both! {
    async fn a_draft_edited_elsewhere_shows_here_and_is_written_on_here(backend: Backend) {
        let post = Post::start(backend).await;
        let id = post.draft(draft("Ours", "ours")).await;
        post.known(&id).await;
        for (number, changes_id) in [(1, false), (2, true)] {
            let (box_id, _) = post.drafts().remove(0);
            let theirs = format!("From: {ANN}\r\nTo: carol@other.example\r\nSubject: Theirs {number}\r\n\r\ntheirs\r\n");
            post.world.gmail.edit_draft(ANN, &box_id, &theirs, changes_id).unwrap();
            post.sync().await;
            wait_until("the edit shows", async || post.shown(&id).await["subject"] == *format!("Theirs {number}")).await;
            let shown = post.shown(&id).await;
            assert_eq!((&shown["to"][0]["email"], &shown["status"]), (&"carol@other.example".into(), &"draft".into()));
            assert_eq!(post.messages().await.len(), 1);
            post.save(&id, draft(&format!("Ours {number}"), "again")).await.json(200);
            post.drafts_are(&[&format!("Ours {number}")]).await;
            post.sync().await;
            post.known(&id).await;
            assert_eq!(post.messages().await.len(), 1);
        }
    }
}

on_both! {
    async fn drafts_go_on_both_sides(backend: Backend) {
        let post = Post::start(backend).await;
        let theirs = post.draft(draft("Deleted there", "x")).await;
        post.known(&theirs).await;
        let (_, message) = post.drafts().remove(0);
        post.world.gmail.delete_mails(ANN, &[message]).unwrap();
        post.sync().await;
        let path = format!("/api/email/messages/{theirs}");
        wait_until("it has gone here", async || post.owner.get(&path).await.status == 404).await;

        let ours = post.draft(draft("Discarded here", "x")).await;
        post.known(&ours).await;
        assert_eq!(post.owner.delete(&format!("/api/email/drafts/{ours}")).await.status, 204);
        post.drafts_are(&[]).await;
        post.sync().await;
        assert!(post.messages().await.is_empty());
    }
}

on_both! {
    async fn a_draft_is_sent_from_here_or_there_once(backend: Backend) {
        let post = Post::start(backend).await;
        let here = post.draft(draft("Sent here", "x")).await;
        post.known(&here).await;
        post.owner.post(&format!("/api/email/drafts/{here}/send"), json!({})).await.json(202);
        post.learnt(&here).await;
        post.drafts_are(&[]).await;
        assert_eq!(post.left("Sent here").len(), 1);

        let there = post.draft(draft("Sent there", "x")).await;
        post.known(&there).await;
        let (box_id, _) = post.drafts().remove(0);
        post.world.gmail.send_draft_elsewhere(ANN, &box_id).unwrap();
        post.sync().await;
        wait_until("it is the sent mail here", async || post.shown(&there).await["status"] == "sent").await;
        let all = post.messages().await;
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all.iter().all(|mail| mail["status"] == "sent"));
        assert_eq!(post.left("Sent there").len(), 1);

        // While it waits here to be called back, it is no draft there that could be sent a second time.
        post.undo(60).await;
        let waiting = post.draft(draft("Waits", "x")).await;
        post.known(&waiting).await;
        post.owner.post(&format!("/api/email/drafts/{waiting}/send"), json!({})).await.json(202);
        post.drafts_are(&[]).await;
        assert!(post.left("Waits").is_empty());
    }
}
