//! Servers that say no, not yet, or not so many: what becomes of the mail is shown, with their words, and nobody gets it twice.

use chrono::Duration;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::support::{Act, Backend, Phase, TestApp, wait_until};

fn mail(subject: &str, to: &[&str]) -> Value {
    let to: Vec<Value> = to.iter().map(|email| json!({ "email": email })).collect();
    json!({ "to": to, "subject": subject, "body_text": "x" })
}

/// Whether a mail was tried so often, and waits for the next try.
fn waits(message: &Value, attempts: i32) -> bool {
    let outgoing = &message["outgoing"];
    message["status"] == "queued"
        && outgoing["attempts"] == attempts
        && outgoing["next_attempt_at"].is_string()
        && outgoing["error_code"].is_string()
}

/// What became of the mail for a recipient: the status and the server's words.
fn fate<'a>(message: &'a Value, address: &str) -> (&'a str, &'a str) {
    let each = message["outgoing"]["recipients"].as_array().unwrap();
    let one = each.iter().find(|one| one["email"] == address).unwrap_or_else(|| panic!("no {address} in {message}"));
    (one["status"].as_str().unwrap_or_default(), one["detail"].as_str().unwrap_or_default())
}

on_both! {
    async fn a_server_that_refuses_some_recipients_gets_the_mail_to_the_others(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.sink.refuse_recipient("gone@b.example", "550 5.1.1 no such user here");
        let (sent, taken) = desk.send(mail("Partly", &["bob@b.example", "gone@b.example", "carol@b.example"])).await;
        assert_eq!(taken.to, ["bob@b.example", "carol@b.example"]);
        assert_eq!(fate(&sent, "bob@b.example").0, "accepted");
        let (status, words) = fate(&sent, "gone@b.example");
        assert!(status == "refused" && words.contains("550") && words.contains("no such user here"), "{status} {words}");
        assert_eq!(sent["outgoing"]["error_code"], "recipients_refused");
        let message = sent["error_message"].as_str().unwrap();
        assert!(message.contains("gone@b.example") && message.contains("no such user here"), "{message}");
        let id = sent["id"].as_str().unwrap();
        desk.filed(id, "Sent").await;
        assert_eq!(desk.told("email.sent", id).await.len(), 1);
        let retry = desk.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await;
        retry.problem(409, "conflict");
        assert_eq!(desk.sink.accepted().len(), 1);
        desk.assert_correct();
    }
}

on_both! {
    async fn a_mail_that_is_refused_fails_with_the_servers_words_and_can_be_tried_again(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.sink.answer_recipient("bob@b.example", &["550 5.7.1 not from you"]);
        let id = desk.submit(mail("Refused", &["bob@b.example"])).await;
        let failed = desk.until(&id, "failed").await;
        assert!(failed["error_message"].as_str().unwrap().contains("not from you"), "{failed}");
        assert_eq!((&failed["outgoing"]["error_code"], fate(&failed, "bob@b.example").0), (&"smtp_rejected".into(), "refused"));
        assert_eq!(desk.told("email.failed", &id).await.len(), 1);
        assert!(desk.sink.accepted().is_empty() && desk.count("Sent") == 0);

        // The whole is refused at its end.
        desk.sink.plan(Phase::Dot, Act::Say("554 5.7.1 looks like advertising"));
        desk.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await.json(200);
        let failed = desk.until_it(&id, "it fails again", |mail| {
            mail["status"] == "failed" && mail["error_message"].as_str().is_some_and(|words| words.contains("advertising"))
        });
        assert_eq!(fate(&failed.await, "bob@b.example").0, "refused");

        desk.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await.json(200);
        let sent = desk.until_it(&id, "it is sent", |mail| mail["status"] == "sent").await;
        assert_eq!((desk.taken(&sent).len(), &sent["error_message"], &sent["outgoing"]["error_code"]), (1, &Value::Null, &Value::Null));
        assert_eq!(fate(&sent, "bob@b.example").0, "accepted");
        desk.filed(&id, "Sent").await;
        assert_eq!((desk.count("Sent"), desk.told("email.sent", &id).await.len()), (1, 1));
        desk.assert_correct();
    }
}

on_both! {
    async fn a_mail_that_failed_can_be_changed_and_sent(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.sink.refuse_recipient("bbo@b.example", "550 5.1.1 no such user");
        let id = desk.submit(mail("Typo", &["bbo@b.example"])).await;
        desk.until(&id, "failed").await;
        let corrected = desk.of_this_mailbox(mail("Typo", &["bob@b.example"]));
        desk.owner.put(&format!("/api/email/drafts/{id}"), corrected).await.json(200);
        desk.owner.post(&format!("/api/email/drafts/{id}/send"), json!({})).await.json(202);
        let sent = desk.until(&id, "sent").await;
        assert_eq!(desk.taken(&sent)[0].to, ["bob@b.example"]);
    }
}

on_both! {
    async fn a_server_that_lists_grey_gets_the_mail_at_the_next_try(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        desk.sink.answer_recipient("bob@b.example", &["451 4.7.1 greylisted, come back later"]);
        let id = desk.submit(mail("Grey", &["bob@b.example", "carol@c.example"])).await;
        let waiting = desk.until_it(&id, "it is deferred", |mail| waits(mail, 1)).await;
        assert_eq!(waiting["outgoing"]["error_code"], "smtp_deferred");
        assert!(waiting["error_message"].as_str().unwrap().contains("greylisted"), "{waiting}");
        let next = waiting["outgoing"]["next_attempt_at"].as_str().unwrap();
        let next = duplex::clock::Timestamp::parse(next).unwrap();
        assert!(next > desk.app.clock.now() && next <= desk.app.clock.now() + Duration::seconds(60), "{next}");
        assert_eq!((fate(&waiting, "bob@b.example").0, fate(&waiting, "carol@c.example").0), ("deferred", "accepted"));
        desk.owner.post(&format!("/api/email/messages/{id}/cancel"), json!({})).await.problem(409, "conflict");

        desk.pass(Duration::seconds(60));
        let sent = desk.until(&id, "sent").await;
        let taken = desk.taken(&sent);
        assert_eq!(taken.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(), [["carol@c.example"], ["bob@b.example"]]);
        assert_eq!(taken[0].raw, taken[1].raw, "each gets the very same mail");
        assert_eq!((&sent["error_message"], desk.told("email.sent", &id).await.len()), (&Value::Null, 1));
        desk.assert_correct();
    }
}

on_both! {
    async fn a_server_that_takes_few_recipients_at_once_gets_the_mail_in_parts(app: TestApp) {
        let desk = Desk::new(app).await;
        desk.sink.offer(|offers| offers.recipients = Some(10));
        let people: Vec<String> = (0..25).map(|n| format!("r{n:02}@b.example")).collect();
        let id = desk.submit(mail("Parts", &people.iter().map(String::as_str).collect::<Vec<_>>())).await;
        let sent = desk.until(&id, "sent").await;
        let taken = desk.taken(&sent);
        assert_eq!(taken.iter().map(|mail| mail.to.len()).collect::<Vec<_>>(), [10, 10, 5]);
        let reached: Vec<String> = taken.iter().flat_map(|mail| mail.to.clone()).collect();
        assert_eq!(reached, people, "each once");
        assert!(taken.iter().all(|mail| mail.raw == taken[0].raw));
        assert!(people.iter().all(|one| fate(&sent, one).0 == "accepted"));
        assert_eq!((&sent["error_message"], desk.told("email.sent", &id).await.len()), (&Value::Null, 1));
        desk.filed(&id, "Sent").await;
        assert_eq!(desk.count("Sent"), 1);
        desk.assert_correct();
    }
}

on_both! {
    async fn a_server_that_slows_senders_down_gets_everything_in_time(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        // Some close a connection after so many mails; that is no reason to wait.
        desk.sink.offer(|offers| offers.mails_a_connection = Some(2));
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(desk.submit(mail(&format!("Mail {number}"), &["bob@b.example"])).await);
        }
        for id in &ids {
            desk.until(id, "sent").await;
        }
        assert_eq!(desk.sink.accepted().len(), 5);

        // One that says so to a new connection is left alone for a while.
        desk.sink.cut_connections();
        desk.sink.plan_times(2, Phase::Mail, &Act::Say("421 4.7.0 too many mails, try later"));
        let id = desk.submit(mail("Throttled", &["bob@b.example"])).await;
        let waiting = desk.until_it(&id, "it waits", |mail| waits(mail, 1)).await;
        assert_eq!(waiting["outgoing"]["error_code"], "smtp_unavailable");
        assert!(waiting["error_message"].as_str().unwrap().contains("too many mails"), "{waiting}");
        desk.sink.clear_plans();
        desk.pass(Duration::seconds(60));
        let sent = desk.until(&id, "sent").await;
        assert_eq!((desk.taken(&sent).len(), &sent["error_message"]), (1, &Value::Null));
        desk.assert_correct();
    }
}

on_both! {
    async fn a_certificate_that_expired_overnight_holds_mail_back_visibly_until_it_is_renewed(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        desk.sink.let_certificate_expire(true);
        let id = desk.submit(mail("Held", &["bob@b.example"])).await;
        let waiting = desk.until_it(&id, "it waits", |mail| waits(mail, 1)).await;
        assert_eq!(waiting["outgoing"]["error_code"], "smtp_tls_failed");
        let words = waiting["error_message"].as_str().unwrap();
        assert!(words.to_lowercase().contains("certificate") && words.contains("next try"), "{words}");
        assert!(waiting["outgoing"]["next_attempt_at"].is_string());
        assert!(desk.sink.logins().len() <= 1, "no password for a server that cannot be trusted");
        // A mail that comes later waits with it.
        let second = desk.submit(mail("Also held", &["bob@b.example"])).await;
        desk.pass(Duration::seconds(60));
        desk.until_it(&id, "it was tried again", |mail| waits(mail, 2)).await;
        assert!(desk.sink.accepted().is_empty());

        desk.sink.let_certificate_expire(false);
        desk.pass(Duration::minutes(10));
        for id in [&id, &second] {
            let sent = desk.until(id, "sent").await;
            assert_eq!((desk.taken(&sent).len(), &sent["error_message"]), (1, &Value::Null));
        }
    }
}

on_both! {
    async fn a_password_that_is_refused_holds_mail_back_visibly_until_it_is_right(backend: Backend) {
        let desk = Desk::with_clock(backend).await;
        desk.sink.refuse_logins(true);
        let id = desk.submit(mail("Held", &["bob@b.example"])).await;
        let waiting = desk.until_it(&id, "it waits", |mail| waits(mail, 1)).await;
        assert_eq!(waiting["outgoing"]["error_code"], "smtp_login_failed");
        assert!(!waiting["error_message"].as_str().unwrap().is_empty());
        desk.sink.refuse_logins(false);
        // Nobody needs to wait for the next try.
        desk.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await.json(200);
        let sent = desk.until(&id, "sent").await;
        assert_eq!(desk.taken(&sent).len(), 1);
        wait_until("the mailbox is in order", async || desk.shown().await["status"] == "active").await;
    }
}
