//! What becomes of a mail that Gmail sent: its identity, its conversation, answers to it.

use chrono::Duration;
use duplex_emulators::gmail::control::Seed;
use serde_json::json;

use super::world::{Post, folders, mail};
use crate::support::gmail::ANN;
use crate::support::{Backend, wait_for, wait_until};

on_both! {
    async fn a_sent_mail_has_the_identity_that_gmail_gave_it_with_its_message_id_replaced_or_kept(backend: Backend) {
        let post = Post::start(backend).await;
        for keeps in [false, true] {
            post.world.gmail.change_settings(|settings| settings.keeps_message_id = keeps);
            let subject = format!("Kept: {keeps}");
            let mut offer = mail(&subject);
            offer["bcc"] = json!([{"email": "eve@hidden.example"}]);
            let submitted = post.post(offer).await.json(202);
            let id = submitted["id"].as_str().unwrap();
            let shown = post.learnt(id).await;
            let left = post.left(&subject);
            assert_eq!(left.len(), 1);
            assert_eq!(left[0].recipients, ["bob@other.example", "eve@hidden.example"]);
            assert!(!String::from_utf8_lossy(&left[0].raw).contains("eve@"), "the blind copy shows");
            assert_eq!((shown["external_id"].as_str(), shown["message_id"].as_str()), (Some(&*left[0].id), Some(&*left[0].message_id)));
            assert_eq!(shown["message_id"] == submitted["message_id"], keeps);
            let mut lies = folders(&shown);
            lies.sort_unstable();
            assert_eq!(lies, ["All Mail", "Sent"]);
            // The one that was told at first still finds it.
            let first = submitted["message_id"].as_str().unwrap();
            let found = post.owner.get(&format!("/api/email/messages/lookup?message_id={first}")).await.json(200);
            assert_eq!(found["email_id"], id, "{found}");
            post.sync().await;
            assert_eq!(post.messages().await.iter().filter(|mail| mail["subject"] == *subject).count(), 1);
            assert_eq!(post.told("email.sent", id).await, 1);
            assert_eq!(post.owner.get(&format!("/api/email/messages/{id}/raw")).await.status, 200);
        }
        assert!(post.drafts().is_empty());
        post.world.converged(&post.owner, &post.account).await;
    }
}

on_both! {
    async fn an_answer_is_in_the_conversation_of_the_mail_answered(backend: Backend) {
        let post = Post::start(backend).await;
        let asked = post.world.mail(1, None);
        post.sync().await;
        let found = post.owner.get("/api/email/messages/lookup?message_id=1@customer.example").await.json(200);
        let source = found["email_id"].as_str().unwrap().to_owned();
        let id = post.submit(json!({"reply_to_message_id": source, "body_text": "Yes."})).await;
        let shown = post.learnt(&id).await;
        let dump = post.world.gmail.dump(ANN).unwrap();
        let there = dump["mails"].as_array().unwrap().iter().find(|mail| mail["id"] == shown["external_id"]).unwrap().clone();
        assert_eq!((there["thread_id"].as_str(), there["subject"].as_str()), (Some(&*asked.thread_id), Some("Re: Mail 1")));
        let raw = String::from_utf8(post.world.gmail.raw(ANN, shown["external_id"].as_str().unwrap()).unwrap().to_vec()).unwrap();
        assert!(raw.contains("In-Reply-To: <1@customer.example>") && raw.contains("References: <1@customer.example>"), "{raw}");
        assert_eq!(post.shown(&source).await["thread_id"], shown["thread_id"]);
        // With another subject Gmail would not join them, and is not asked to.
        let other = post.submit(json!({"reply_to_message_id": source, "subject": "Something else", "body_text": "No."})).await;
        let shown = post.learnt(&other).await;
        let dump = post.world.gmail.dump(ANN).unwrap();
        let there = dump["mails"].as_array().unwrap().iter().find(|mail| mail["id"] == shown["external_id"]).unwrap().clone();
        assert_ne!(there["thread_id"], asked.thread_id.as_str());
    }
}

on_both! {
    async fn answers_and_reports_refer_to_the_message_id_that_readers_saw(backend: Backend) {
        let post = Post::start(backend).await;
        let id = post.submit(mail("Offer")).await;
        let shown = post.learnt(&id).await;
        let seen = shown["message_id"].as_str().unwrap().to_owned();
        let answer = format!(
            "From: Bob <bob@other.example>\r\nTo: {ANN}\r\nSubject: Re: Offer\r\nMessage-ID: <a1@other.example>\r\n\
             In-Reply-To: <{seen}>\r\nReferences: <{seen}>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nFine.\r\n"
        );
        post.world.gmail.add_mail(ANN, Seed { raw: answer, ..Seed::default() }).unwrap();
        post.sync().await;
        wait_until("the answer is tied", async || post.shown(&id).await["replied_at"].is_string()).await;
        assert_eq!(post.told("email.replied", &id).await, 1);

        let second = post.submit(mail("Second")).await;
        let seen = post.learnt(&second).await["message_id"].as_str().unwrap().to_owned();
        let report = format!(
            "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\r\nTo: {ANN}\r\nAuto-Submitted: auto-replied\r\n\
             Subject: Delivery Status Notification (Failure)\r\nReferences: <{seen}>\r\nIn-Reply-To: <{seen}>\r\n\
             Message-ID: <b1@mx.google.com>\r\nX-Failed-Recipients: bob@other.example\r\n\
             Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nAddress not found.\r\n"
        );
        post.world.gmail.add_mail(ANN, Seed { raw: report, ..Seed::default() }).unwrap();
        post.sync().await;
        wait_until("the report is tied", async || post.shown(&second).await["bounced_at"].is_string()).await;
        assert_eq!(post.told("email.bounced", &second).await, 1);
    }
}

on_both! {
    async fn a_mail_waits_for_the_undo_window_and_its_schedule(backend: Backend) {
        let post = Post::with_clock(backend).await;
        post.undo(10).await;
        let cancelled = post.submit(mail("Cancelled")).await;
        let kept = post.submit(mail("Kept")).await;
        post.owner.post(&format!("/api/email/messages/{cancelled}/cancel"), json!({})).await.json(200);
        let at = (post.app.clock.now() + Duration::hours(2)).utc().to_rfc3339();
        let mut later = mail("Later");
        later["scheduled_at"] = at.into();
        let later = post.submit(later).await;
        assert!(post.world.gmail.sent().is_empty() && post.drafts().is_empty());
        post.app.clock.advance(Duration::seconds(11));
        post.until(&kept, "sent").await;
        assert_eq!(post.shown(&later).await["status"], "scheduled");
        post.app.clock.advance(Duration::hours(2));
        post.until(&later, "sent").await;
        assert_eq!(post.shown(&cancelled).await["status"], "cancelled");
        let left: Vec<String> = post.world.gmail.sent().into_iter().map(|mail| mail.subject).collect();
        assert_eq!(left, ["Kept", "Later"]);
    }
}

on_both! {
    async fn fifty_posts_with_one_key_are_one_mail(backend: Backend) {
        let post = Post::start(backend).await;
        let body = post.of_this_mailbox(mail("Once")).to_string().into_bytes();
        let posts = (0..50).map(|_| {
            let body = Some(("application/json", body.clone()));
            post.owner.request("POST", "/api/email/messages", &[("Idempotency-Key", "once")], body)
        });
        let answers = futures_util::future::join_all(posts.collect::<Vec<_>>()).await;
        let mut ids: Vec<String> = answers
            .iter()
            .filter(|answer| answer.status == 202)
            .map(|answer| answer.json(202)["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(!ids.is_empty());
        ids.dedup();
        assert_eq!(ids.len(), 1);
        post.learnt(&ids[0]).await;
        assert_eq!(post.left("Once").len(), 1);
    }
}

on_both! {
    async fn sync_that_is_faster_than_the_sender_makes_no_second_mail(backend: Backend) {
        let post = Post::start(backend).await;
        // The sender cannot read what it has sent.
        let always = duplex_emulators::shared::faults::When::Next(3);
        let fault = duplex_emulators::shared::faults::Fault::ServerError { status: 503 };
        post.world.gmail.add_fault("messages.get", always, fault).unwrap();
        let id = post.submit(mail("Faster")).await;
        post.until(&id, "sent").await;
        post.world.gmail.clear_faults();
        post.sync().await;
        let shown = wait_for("it is learnt", async || {
            let shown = post.shown(&id).await;
            (shown["message_id"].as_str() == Some(&*post.left("Faster")[0].message_id)).then_some(shown)
        })
        .await;
        assert_eq!(shown["external_id"], post.left("Faster")[0].id.as_str());
        assert_eq!(post.messages().await.len(), 1);
        assert_eq!(post.told("email.sent", &id).await, 1);
    }
}
