//! Copies of what was sent, and what they prove.

use super::{Scene, Written, answer, folders, mail, report};
use crate::mailbox::stored_counts;
use crate::support::{TestApp, wait_until};

on_both! {
    async fn the_copy_among_the_sent_mails_is_the_mail_itself(app: TestApp) {
        let scene = Scene::new(app).await;
        let sent = Written::new("sent");
        scene.write(&sent).await;
        let raw = sent.raw(scene.address(), "Offer", "");
        // The server keeps a copy, and so does the program: once more with other headers.
        let other = sent.raw(scene.address(), "Offer", "X-Copy: 2\r\n");
        scene.peer.append("Sent", &[raw.clone(), raw.clone(), other], &["\\Seen"]);
        scene.sync().await;
        let all = scene.messages().await;
        assert_eq!(all.len(), 1, "never a second one: {all:?}");
        let shown = scene.message(sent.id).await;
        assert_eq!(shown["status"], "sent");
        assert_eq!(folders(&shown), ["Sent"]);
        assert!(!shown["external_id"].as_str().unwrap().starts_with("local-"));
        assert_eq!(shown["bcc"][0]["email"], "eve@e.example", "which no copy tells");
        let kept = scene.owner.get(&format!("/api/email/messages/{}/raw", sent.id)).await;
        assert_eq!((kept.status, kept.bytes), (200, raw));
        assert_eq!(scene.outgoing(sent.id).await, (1, None, false, false), "there is nothing left to be filed");
        let accepted = Some("accepted".to_owned());
        let deliveries = scene.deliveries(sent.id).await;
        assert!(deliveries.iter().all(|(_, delivery)| *delivery == accepted), "{deliveries:?}");
        assert_eq!(scene.told("email.received", 0).await.len() + scene.told("email.sent", 0).await.len(), 0);

        // From now on it is a mail like any other.
        scene.peer.move_to("Sent", &[1, 2, 3], "Archive");
        scene.sync().await;
        assert_eq!(folders(&scene.message(sent.id).await), ["Archive"]);
        assert_eq!(stored_counts(&scene.owner, &scene.account).await["Archive"], 3);
        assert_eq!(scene.messages().await.len(), 1);
    }
}

on_both! {
    async fn a_doubtful_mail_is_sent_when_its_copy_is_found(app: TestApp) {
        let scene = Scene::new(app).await;
        let doubtful = Written::new("uncertain");
        scene.write(&doubtful).await;
        // A draft of it that was thrown away shows nothing.
        scene.arrives("Trash", doubtful.raw(scene.address(), "Offer", &doubtful.marker(1))).await;
        assert_eq!(scene.message(doubtful.id).await["status"], "uncertain");
        scene.arrives("Sent", doubtful.raw(scene.address(), "Offer", "")).await;
        let shown = scene.message(doubtful.id).await;
        assert_eq!((&shown["status"], folders(&shown)), (&"sent".into(), vec!["Sent", "Trash"]));
        let told = scene.told("email.sent", 1).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["email_id"], doubtful.id.to_string());
        assert_eq!(scene.outgoing(doubtful.id).await, (1, None, false, false));
        assert_eq!(scene.deliveries(doubtful.id).await[0].1.as_deref(), Some("accepted"));
    }
}

on_both! {
    async fn a_doubtful_mail_is_sent_when_a_copy_of_it_an_answer_or_a_report_comes(app: TestApp) {
        let scene = Scene::new(app).await;
        let [copied, answered, reported] = std::array::from_fn(|_| Written::new("uncertain"));
        for doubtful in [&copied, &answered, &reported] {
            scene.write(doubtful).await;
        }
        let away = "Auto-Submitted: auto-replied\r\n";
        let (own, count) = (scene.address().to_owned(), scene.messages().await.len());
        scene.arrives("INBOX", copied.raw(&own, "Offer", "Received: from a by b; Sun, 22 Nov 2026 08:00:00 +0000\r\n")).await;
        scene.arrives("INBOX", answer("bob@b.example", &own, "away", &answered.message_id, away)).await;
        scene.arrives("INBOX", report(&own, "late", &reported.message_id, ("bob@b.example", "delayed", "4.4.1"))).await;
        for doubtful in [&copied, &answered, &reported] {
            let shown = scene.message(doubtful.id).await;
            assert_eq!(shown["status"], "sent");
            assert_eq!((&shown["bounced"], &shown["replied_at"]), (&false.into(), &serde_json::Value::Null));
        }
        assert_eq!(scene.messages().await.len(), count + 3, "what came are mails of their own");
        wait_until("their own copies are filed", async || scene.peer.mails("Sent").len() == 3).await;
        scene.sync().await;
        assert_eq!(scene.messages().await.len(), count + 3, "and are no further mails");
        let told = scene.told("email.sent", 3).await;
        let told: Vec<&str> = told.iter().map(|fact| fact["email_id"].as_str().unwrap()).collect();
        assert_eq!(told, [&copied, &answered, &reported].map(|mail| mail.id.to_string()));
    }
}

on_both! {
    async fn evidence_never_hides_recipients_that_were_not_served(app: TestApp) {
        let scene = Scene::new(app).await;
        let mut partly = Written::new("uncertain");
        partly.recipients = vec![("to", "bob@b.example", Some("handed")), ("to", "eve@e.example", Some("deferred"))];
        let mut again = Written::new("uncertain");
        again.recipients = vec![("to", "bob@b.example", Some("accepted")), ("to", "eve@e.example", Some("handed"))];
        for doubtful in [&partly, &again] {
            scene.write(doubtful).await;
            scene.arrives("INBOX", answer("bob@b.example", scene.address(), &doubtful.id.to_string(), &doubtful.message_id, "")).await;
        }
        assert_eq!(scene.message(partly.id).await["status"], "queued", "Eve is still to get it");
        assert_eq!(scene.message(again.id).await["status"], "uncertain", "Bob had it from an earlier try");
        assert!(scene.told("email.sent", 0).await.is_empty());
    }
}

on_both! {
    async fn a_mail_sent_with_another_program_is_a_sent_mail(app: TestApp) {
        let scene = Scene::new(app).await;
        let raw = mail(scene.address(), "bob@b.example", "Elsewhere", "Message-ID: <else@mail.example>\r\n", "Hello.");
        scene.arrives("Sent", raw).await;
        let all = scene.messages().await;
        assert_eq!(all.len(), 1);
        assert_eq!((&all[0]["status"], &all[0]["direction"]), (&"sent".into(), &"outbound".into()));
        assert!(scene.told("email.received", 0).await.is_empty());
    }
}

on_both! {
    async fn a_mail_whose_copy_is_still_to_be_filed_stays(app: TestApp) {
        let scene = Scene::new(app).await;
        let (sent, queued) = (Written::new("sent"), Written::new("queued"));
        scene.write(&sent).await;
        scene.write(&queued).await;
        // Both folders are looked at and neither mail is found.
        scene.arrives("Sent", mail(scene.address(), "bob@b.example", "Other", "", "Other.")).await;
        scene.arrives("Drafts", mail(scene.address(), "bob@b.example", "Other", "", "Other.")).await;
        assert_eq!(folders(&scene.message(sent.id).await), ["Sent"]);
        assert_eq!(folders(&scene.message(queued.id).await), ["Drafts"]);
        assert!(scene.told("email.deleted", 0).await.is_empty());
    }
}
