//! Answers to what was sent.

use serde_json::Value;

use super::{Scene, Written, answer, mail};
use crate::support::TestApp;

on_both! {
    async fn the_first_answer_of_a_person_is_noted_once(app: TestApp) {
        let scene = Scene::new(app).await;
        let sent = Written::new("sent");
        scene.write(&sent).await;
        let own = scene.address().to_owned();
        let away = answer("bob@b.example", &own, "away", &sent.message_id, "Auto-Submitted: auto-replied\r\n");
        scene.arrives("INBOX", away).await;
        scene.arrives("INBOX", answer(&own, "bob@b.example", "follow-up", &sent.message_id, "")).await;
        assert_eq!(scene.message(sent.id).await["replied_at"], Value::Null, "no machine and no afterthought is an answer");
        scene.arrives("INBOX", answer("bob@b.example", &own, "first", &sent.message_id, "")).await;
        let noted = scene.message(sent.id).await["replied_at"].clone();
        assert_ne!(noted, Value::Null);
        scene.arrives("INBOX", answer("carol@c.example", &own, "second", &sent.message_id, "")).await;
        assert_eq!(scene.message(sent.id).await["replied_at"], noted);
        let told = scene.told("email.replied", 1).await;
        assert_eq!(told.len(), 1);
        let reply: uuid::Uuid = told[0]["reply_email_id"].as_str().unwrap().parse().unwrap();
        let reply = scene.owner.get(&format!("/api/email/messages/{reply}")).await.json(200);
        assert_eq!((&told[0]["email_id"], &reply["message_id"]), (&sent.id.to_string().into(), &"first@b.example".into()));
        assert_eq!(told[0]["account_id"], scene.account);
    }
}

on_both! {
    async fn an_answer_that_only_refers_is_an_answer(app: TestApp) {
        let scene = Scene::new(app).await;
        let sent = Written::new("sent");
        scene.write(&sent).await;
        let refers = format!("Message-ID: <r@b.example>\r\nReferences: <root@x.example> <{}>\r\n", sent.message_id);
        scene.arrives("INBOX", mail("bob@b.example", scene.address(), "Re: Offer", &refers, "Yes.")).await;
        assert_ne!(scene.message(sent.id).await["replied_at"], Value::Null);
    }
}

on_both! {
    async fn an_import_notes_answers_in_either_order_and_tells_nobody(app: TestApp) {
        let scene = Scene::with(app, |mailbox| {
            let (peer, own) = (mailbox.peer(), mailbox.user.as_str());
            let sent = |name: &str| mail(own, "bob@b.example", "Offer", &format!("Message-ID: <{name}@mail.example>\r\n"), "An offer.");
            // One folder is taken in before the other.
            peer.append("INBOX", &[sent("older"), answer("bob@b.example", own, "to-newer", "newer@mail.example", "")], &[]);
            peer.append("Archive", &[sent("newer"), answer("bob@b.example", own, "to-older", "older@mail.example", "")], &[]);
        })
        .await;
        let all = scene.messages().await;
        let offers: Vec<&Value> = all.iter().filter(|mail| mail["direction"] == "outbound").collect();
        assert_eq!(offers.len(), 2);
        assert!(offers.iter().all(|mail| mail["replied_at"] != Value::Null), "{offers:?}");
        assert!(scene.told("email.replied", 0).await.is_empty());
    }
}

on_both! {
    async fn a_mail_that_is_stored_after_its_answer_is_answered(app: TestApp) {
        let scene = Scene::new(app).await;
        let own = scene.address().to_owned();
        for name in ["first", "second"] {
            scene.arrives("INBOX", answer("bob@b.example", &own, name, "late@mail.example", "")).await;
        }
        scene.arrives("Sent", mail(&own, "bob@b.example", "Offer", "Message-ID: <late@mail.example>\r\n", "An offer.")).await;
        let told = scene.told("email.replied", 1).await;
        assert_eq!(told.len(), 1);
        let all = scene.messages().await;
        let of = |name: &str| all.iter().find(|mail| mail["message_id"] == name).unwrap().clone();
        let (offer, reply) = (of("late@mail.example"), of("first@b.example"));
        assert_eq!((&told[0]["email_id"], &told[0]["reply_email_id"]), (&offer["id"], &reply["id"]));
        assert_eq!(offer["replied_at"], reply["received_at"]);
    }
}
