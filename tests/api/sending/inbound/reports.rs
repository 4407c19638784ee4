//! Delivery reports on what was sent.

use duplex::messages;
use serde_json::Value;

use super::{Scene, Written, mail, report};
use crate::support::TestApp;

impl Scene<'_> {
    /// Which of these addresses nothing is sent to any more.
    async fn suppressed(&self, addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
        let (org, ..) = self.identity().await;
        messages::suppressed(&mut self.db.read().await.unwrap(), org, &addresses).await.unwrap()
    }
}

fn delivery(word: &str) -> Option<String> {
    Some(word.to_owned())
}

on_both! {
    async fn an_address_that_does_not_exist_is_sent_nothing_more_and_a_full_mailbox_is(app: TestApp) {
        let scene = Scene::new(app).await;
        let sent = Written::new("sent");
        scene.write(&sent).await;
        let own = scene.address().to_owned();
        scene.arrives("INBOX", report(&own, "wait", &sent.message_id, ("eve@e.example", "delayed", "4.4.1"))).await;
        assert_eq!(scene.message(sent.id).await["bounced"], false, "a delay is no failure");
        assert_eq!(scene.deliveries(sent.id).await[1].1, delivery("delayed"));
        scene.arrives("INBOX", report(&own, "full", &sent.message_id, ("Eve@E.example", "failed", "5.2.2"))).await;
        let shown = scene.message(sent.id).await;
        assert_eq!((&shown["bounced"], &shown["status"], &shown["replied_at"]), (&true.into(), &"sent".into(), &Value::Null));
        assert!(scene.suppressed(&["bob@b.example", "eve@e.example"]).await.is_empty());
        scene.arrives("INBOX", report(&own, "none", &sent.message_id, ("bob@b.example", "failed", "5.1.1"))).await;
        scene.arrives("INBOX", report(&own, "wait2", &sent.message_id, ("bob@b.example", "delayed", "4.4.1"))).await;
        let bounced = |address: &str| (address.to_owned(), delivery("bounced"));
        assert_eq!(scene.deliveries(sent.id).await, [bounced("bob@b.example"), bounced("eve@e.example")]);
        assert_eq!(scene.suppressed(&["BOB@b.example", "eve@e.example"]).await, ["BOB@b.example"]);
        let told = scene.told("email.bounced", 2).await;
        let kinds: Vec<&str> = told.iter().map(|fact| fact["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["soft", "hard"]);
        assert!(told.iter().all(|fact| fact["email_id"] == sent.id.to_string() && fact["report_email_id"].is_string()));
        assert!(scene.told("email.replied", 0).await.is_empty());
    }
}

on_both! {
    async fn a_report_suppresses_nobody_that_the_mail_was_not_for(app: TestApp) {
        let scene = Scene::new(app).await;
        let sent = Written { recipients: vec![("to", "bob@b.example", Some("accepted"))], ..Written::new("sent") };
        scene.write(&sent).await;
        let own = scene.address().to_owned();
        scene.arrives("INBOX", report(&own, "onward", &sent.message_id, ("bob@onward.example", "failed", "5.1.1"))).await;
        scene.arrives("INBOX", report(&own, "unknown", "never@mail.example", ("carol@c.example", "failed", "5.1.1"))).await;
        assert_eq!(scene.deliveries(sent.id).await, [("bob@b.example".to_owned(), delivery("bounced"))]);
        assert!(scene.suppressed(&["bob@b.example", "bob@onward.example", "carol@c.example"]).await.is_empty());
        assert_eq!(scene.told("email.bounced", 1).await.len(), 1);
    }
}

on_both! {
    async fn an_import_ties_reports_in_either_order(app: TestApp) {
        let scene = Scene::with(app, |mailbox| {
            let (peer, own) = (mailbox.peer(), mailbox.user.as_str());
            let sent = |name: &str, to: &str| mail(own, to, "Offer", &format!("Message-ID: <{name}@mail.example>\r\n"), "An offer.");
            let back = |name: &str, to: &str| report(own, &format!("to-{name}"), &format!("{name}@mail.example"), (to, "failed", "5.1.1"));
            // One folder is taken in before the other.
            peer.append("INBOX", &[sent("older", "old@b.example"), back("newer", "new@b.example")], &[]);
            peer.append("Archive", &[sent("newer", "new@b.example"), back("older", "old@b.example")], &[]);
        })
        .await;
        let all = scene.messages().await;
        let offers: Vec<&Value> = all.iter().filter(|mail| mail["direction"] == "outbound").collect();
        assert_eq!(offers.len(), 2);
        assert!(offers.iter().all(|mail| mail["bounced"] == true), "{offers:?}");
        assert_eq!(scene.suppressed(&["old@b.example", "new@b.example", "other@b.example"]).await.len(), 2);
        assert!(scene.told("email.bounced", 0).await.is_empty(), "what a mailbox held is no news");
    }
}

on_both! {
    async fn a_report_that_came_first_is_told_when_the_mail_is_stored(app: TestApp) {
        let scene = Scene::new(app).await;
        let own = scene.address().to_owned();
        scene.arrives("INBOX", report(&own, "early", "late@mail.example", ("bob@b.example", "failed", "5.1.1"))).await;
        assert!(scene.told("email.bounced", 0).await.is_empty());
        scene.arrives("Sent", mail(&own, "bob@b.example", "Offer", "Message-ID: <late@mail.example>\r\n", "An offer.")).await;
        assert_eq!(scene.told("email.bounced", 1).await.len(), 1);
        assert_eq!(scene.suppressed(&["bob@b.example"]).await.len(), 1);
    }
}
