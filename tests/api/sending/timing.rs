//! When a mail leaves, and until when it can be called back.

use chrono::{Duration, FixedOffset};
use serde_json::{Value, json};

use super::desk::Desk;
use crate::mailbox::{backfilled, connect};
use crate::support::{Backend, Dovecot, SmtpSecurity, SmtpSink, TestProcess, wait_until};

fn mail(subject: &str) -> Value {
    json!({ "to": [{ "email": "bob@b.example" }], "subject": subject, "body_html": format!("<p>{subject}</p>") })
}

/// Sends a mail that is due at once: when it has left, whatever else was due has had its turn.
async fn everything_due_has_left(desk: &Desk) {
    desk.settle_on(json!({ "settings": { "undo_send_seconds": 0 } })).await;
    desk.send(mail("Marker")).await;
}

fn subjects(sink: &SmtpSink) -> Vec<String> {
    sink.accepted().iter().map(|mail| mail.header("Subject").unwrap()).collect()
}

on_both! {
    async fn a_mail_can_be_called_back_until_the_undo_window_ends(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        desk.settle_on(json!({ "settings": { "undo_send_seconds": 10, "signature_html": "<p>Olga</p>" } })).await;
        let (first, second) = (desk.submit(mail("Called back")).await, desk.submit(mail("Sent")).await);
        let waiting = desk.message(&first).await;
        let until = (desk.app.clock.now() + Duration::seconds(10)).to_string();
        assert_eq!((&waiting["status"], &waiting["outgoing"]["undo_until"]), (&"queued".into(), &until.into()));
        assert_eq!(waiting["outgoing"]["is_whole"], true);
        assert!(waiting["body_html"].as_str().unwrap().contains("Olga"));

        desk.pass(Duration::milliseconds(9_999));
        everything_due_has_left(&desk).await;
        assert_eq!(subjects(&desk.sink), ["Marker"]);
        let back = desk.owner.post(&format!("/api/email/messages/{first}/cancel"), json!({})).await.json(200);
        assert_eq!(back["status"], "cancelled");
        // What comes back is what the writer wrote, without what was added to it.
        let back = desk.message(&first).await;
        assert_eq!((&back["outgoing"]["is_whole"], &back["outgoing"]["undo_until"]), (&false.into(), &Value::Null));
        assert_eq!(back["body_html"].as_str().unwrap().trim(), "<p>Called back</p>");

        desk.pass(Duration::milliseconds(1));
        desk.until(&second, "sent").await;
        assert_eq!(subjects(&desk.sink), ["Marker", "Sent"]);
        for too_late in [&first, &second] {
            let answer = desk.owner.post(&format!("/api/email/messages/{too_late}/cancel"), json!({})).await;
            answer.problem(409, "conflict");
        }
        desk.pass(Duration::hours(1));
        everything_due_has_left(&desk).await;
        assert_eq!(desk.message(&first).await["status"], "cancelled");
        assert_eq!(subjects(&desk.sink).len(), 3, "it never leaves");

        // It can be changed and sent after all.
        let draft = desk.of_this_mailbox(mail("Second thoughts"));
        desk.owner.put(&format!("/api/email/drafts/{first}"), draft).await.json(200);
        desk.owner.post(&format!("/api/email/drafts/{first}/send"), json!({})).await.json(202);
        let sent = desk.until(&first, "sent").await;
        let taken = desk.taken(&sent);
        assert_eq!((taken.len(), taken[0].header("Subject").as_deref()), (1, Some("Second thoughts")));
        let text = String::from_utf8_lossy(&taken[0].raw).into_owned();
        assert_eq!(text.matches("gmail_signature\"").count() + text.matches("gmail_signature=22").count(), 1, "one signature: {text}");
        desk.assert_correct();
    }
}

on_both! {
    async fn a_mail_leaves_at_the_second_it_was_scheduled_for_in_any_zone(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        let at = desk.app.clock.now() + Duration::days(3) + Duration::seconds(7);
        let zone = FixedOffset::east_opt(5 * 3_600 + 1_800).unwrap();
        let mut order = mail("Scheduled");
        order["scheduled_at"] = at.utc().with_timezone(&zone).to_rfc3339().into();
        let id = desk.submit(order).await;
        let shown = desk.message(&id).await;
        assert_eq!((&shown["status"], &shown["scheduled_at"]), (&"scheduled".into(), &at.to_string().into()));
        assert_eq!(shown["outgoing"]["undo_until"], Value::Null);

        desk.pass(Duration::days(3) + Duration::seconds(6));
        everything_due_has_left(&desk).await;
        assert_eq!((desk.message(&id).await["status"].as_str(), desk.sink.accepted().len()), (Some("scheduled"), 1));
        desk.pass(Duration::seconds(1));
        let sent = desk.until(&id, "sent").await;
        assert_eq!(sent["sent_at"], at.to_string());
        let date = crate::support::read_mail(&desk.taken(&sent)[0].raw)["date"].clone();
        assert_eq!(duplex::clock::Timestamp::parse(date.as_str().unwrap()).unwrap().utc().timestamp(), at.utc().timestamp());
        desk.assert_correct();
    }
}

on_both! {
    async fn a_scheduled_mail_can_be_called_back_and_a_draft_can_be_scheduled(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        let at = (desk.app.clock.now() + Duration::hours(2)).to_string();
        let mut order = mail("Later");
        order["scheduled_at"] = at.clone().into();
        let id = desk.submit(order).await;
        let back = desk.owner.post(&format!("/api/email/messages/{id}/cancel"), json!({})).await.json(200);
        assert_eq!((&back["status"], &back["scheduled_at"]), (&"cancelled".into(), &Value::Null));

        let draft = desk.owner.post("/api/email/drafts", desk.of_this_mailbox(mail("Draft"))).await.json(201);
        let draft = draft["id"].as_str().unwrap();
        let path = format!("/api/email/drafts/{draft}/send");
        let sent = desk.owner.post(&path, json!({ "scheduled_at": at })).await.json(202);
        assert_eq!((&sent["status"], &sent["scheduled_at"]), (&"scheduled".into(), &at.into()));
        desk.pass(Duration::hours(2));
        desk.until(draft, "sent").await;
        assert_eq!(subjects(&desk.sink), ["Draft"]);
    }
}

on_both! {
    async fn a_time_that_is_over_or_too_far_away_is_refused(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        let draft = desk.owner.post("/api/email/drafts", desk.of_this_mailbox(mail("Draft"))).await.json(201);
        let path = format!("/api/email/drafts/{}/send", draft["id"].as_str().unwrap());
        for by in [Duration::minutes(-5), Duration::days(-3_000), Duration::days(400)] {
            let at = (desk.app.clock.now() + by).to_string();
            let mut order = mail("Never");
            order["scheduled_at"] = at.clone().into();
            let refused = desk.post(order).await.problem(422, "validation_failed");
            assert_eq!(refused["errors"][0]["field"], "scheduled_at");
            desk.owner.post(&path, json!({ "scheduled_at": at })).await.problem(422, "validation_failed");
        }
        let mut order = mail("Never");
        order["scheduled_at"] = "tomorrow".into();
        desk.post(order).await.problem(422, "validation_failed");
        assert_eq!(desk.messages().await.len(), 1, "the draft alone");
        assert!(desk.sink.accepted().is_empty());
    }
}

on_both! {
    async fn a_scheduled_mail_survives_a_restart(backend: Backend) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let mut duplex = TestProcess::start(backend).await;
        let owner = duplex.owner().await;
        let account = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &account).await;
        let at = chrono::Utc::now() + Duration::seconds(4);
        let mut order = mail("After the restart");
        order["account_id"] = account.into();
        order["scheduled_at"] = at.to_rfc3339().into();
        let id = owner.post("/api/email/messages", order).await.json(202)["id"].as_str().unwrap().to_owned();
        duplex.kill();
        assert!(smtp.accepted().is_empty());
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        wait_until("it is sent", async || {
            owner.get(&format!("/api/email/messages/{id}")).await.json(200)["status"] == "sent"
        })
        .await;
        let taken = smtp.accepted();
        assert_eq!(taken.len(), 1);
        assert!(chrono::DateTime::<chrono::Utc>::from(taken[0].at) >= at, "not before its time");
    }
}

on_both! {
    async fn mail_of_a_mailbox_that_was_disconnected_waits_visibly_until_it_is_connected_again(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        let at = desk.app.clock.now() + Duration::hours(1);
        let mut order = mail("Waiting");
        order["scheduled_at"] = at.to_string().into();
        let id = desk.submit(order).await;
        // As after a password that was refused for days.
        let mut conn = desk.app.database().await.write().await.unwrap();
        let sql = "UPDATE email_accounts SET status = 'disconnected', error_code = 'imap_login_failed'";
        crate::sending::run_sql(&mut conn, sql).await;
        drop(conn);
        desk.pass(Duration::hours(2));
        // Another mailbox's sender has had its turn meanwhile.
        let other = Dovecot::shared().mailbox();
        let second = connect(&desk.owner, &other, &desk.sink).await;
        desk.owner.patch(&format!("/api/email/accounts/{second}"), json!({ "settings": { "undo_send_seconds": 0 } })).await.json(200);
        let mut marker = mail("Marker");
        marker["account_id"] = second.into();
        let marker = desk.submit(marker).await;
        desk.until(&marker, "sent").await;
        assert_eq!(subjects(&desk.sink), ["Marker"]);
        let waiting = desk.message(&id).await;
        assert!(["scheduled", "queued"].contains(&waiting["status"].as_str().unwrap()), "{waiting}");
        assert_eq!((desk.shown().await["status"].as_str(), waiting["scheduled_at"].as_str()), (Some("disconnected"), Some(at.to_string().as_str())));
        desk.post(mail("Refused")).await.problem(409, "account_not_active");

        let again = json!({ "imap": desk.mailbox.imap_tls(), "smtp": desk.sink.settings(&desk.mailbox.user) });
        desk.owner.post(&format!("/api/email/accounts/{}/reconnect", desk.account), again).await.json(200);
        desk.until(&id, "sent").await;
        desk.pass(Duration::seconds(5));
        wait_until("it is filed", async || desk.count("Sent") == 1).await;
        assert_eq!(subjects(&desk.sink), ["Marker", "Waiting"]);
    }
}
