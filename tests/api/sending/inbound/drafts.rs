//! Drafts that another program edits, sends or throws away.

use super::{Scene, Written, folders, mail};
use crate::support::{TestApp, wait_until};

/// A draft of which the provider has our copy.
async fn mirrored(scene: &Scene<'_>) -> Written {
    let draft = Written::new("draft");
    scene.write(&draft).await;
    scene.peer.append("Drafts", &[draft.raw(scene.address(), "Offer", &draft.marker(1))], &["\\Seen", "\\Draft"]);
    scene.sync().await;
    draft
}

on_both! {
    async fn our_own_copy_of_a_draft_is_the_draft(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = mirrored(&scene).await;
        assert_eq!(scene.messages().await.len(), 1);
        let shown = scene.message(draft.id).await;
        assert_eq!((&shown["status"], folders(&shown)), (&"draft".into(), vec!["Drafts"]));
        assert_eq!(scene.outgoing(draft.id).await, (1, Some(1), false, false), "the provider has it");
        assert!(scene.told("email.updated", 0).await.is_empty() && scene.told("email.received", 0).await.is_empty());
    }
}

on_both! {
    async fn a_draft_edited_elsewhere_shows_here_with_the_same_id(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = mirrored(&scene).await;
        let thread = scene.message(draft.id).await["thread_id"].clone();
        for (revision, subject) in [(2, "Better offer"), (3, "Best offer")] {
            let old = scene.newest("Drafts");
            let edited = mail(scene.address(), "carol@c.example", subject, &format!("Message-ID: <{}>\r\n", draft.message_id), subject);
            scene.peer.append("Drafts", &[edited], &["\\Draft"]);
            scene.peer.delete("Drafts", &[old]);
            scene.sync().await;
            assert_eq!(scene.messages().await.len(), 1);
            let shown = scene.message(draft.id).await;
            assert_eq!((&shown["subject"], &shown["status"]), (&subject.into(), &"draft".into()));
            assert_eq!(shown["body_text"].as_str().unwrap().trim(), subject);
            assert_eq!((&shown["to"][0]["email"], shown["bcc"].as_array().unwrap().len()), (&"carol@c.example".into(), 0));
            assert_eq!((&shown["thread_id"], folders(&shown)), (&thread, vec!["Drafts"]));
            assert_eq!(scene.outgoing(draft.id).await, (revision, Some(revision), false, false));
        }
        let told = scene.told("email.updated", 2).await;
        assert_eq!(told.len(), 2, "each edit once: {told:?}");
        assert!(told.iter().all(|fact| fact["email_id"] == draft.id.to_string()));
        assert!(scene.told("email.deleted", 0).await.is_empty());
    }
}

on_both! {
    async fn an_edit_elsewhere_that_keeps_our_mark_is_an_edit(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = mirrored(&scene).await;
        scene.arrives("Drafts", draft.raw(scene.address(), "Better offer", &draft.marker(1))).await;
        assert_eq!(scene.message(draft.id).await["subject"], "Better offer");
        assert_eq!(scene.outgoing(draft.id).await, (2, Some(2), false, false));
        // The same content again is only another copy.
        scene.arrives("Drafts", draft.raw(scene.address(), "Better offer", &format!("{}X-Copy: 2\r\n", draft.marker(2)))).await;
        assert_eq!(scene.outgoing(draft.id).await.0, 2);
        assert_eq!(scene.messages().await.len(), 1);
    }
}

on_both! {
    async fn two_edits_of_one_draft_are_kept_apart(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = Written { revision: 2, mirrored: Some(1), ..Written::new("draft") };
        scene.write(&draft).await;
        scene.arrives("Drafts", draft.raw(scene.address(), "Offer from elsewhere", "")).await;
        let all = scene.messages().await;
        assert_eq!(all.len(), 2);
        let ours = scene.message(draft.id).await;
        assert_eq!((&ours["subject"], &ours["body_text"]), (&"Offer".into(), &"The offer.".into()));
        assert_eq!(scene.outgoing(draft.id).await, (2, Some(1), true, false), "ours is still to be brought there");
        let theirs = all.iter().find(|mail| mail["id"] != draft.id.to_string()).unwrap();
        assert_eq!((&theirs["subject"], &theirs["status"]), (&"Offer from elsewhere".into(), &"draft".into()));
        assert_ne!(ours["message_id"], theirs["message_id"], "nothing later takes one for the other");
        // Our new version arrives under its mark, whatever its Message-ID was when it left.
        scene.arrives("Drafts", draft.raw(scene.address(), "Offer", &draft.marker(2))).await;
        assert_eq!(scene.messages().await.len(), 2);
        assert_eq!(scene.outgoing(draft.id).await.1, Some(2));
    }
}

on_both! {
    async fn a_draft_sent_elsewhere_disappears_here(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = mirrored(&scene).await;
        scene.peer.append("Sent", &[draft.raw(scene.address(), "Offer, sent", "")], &["\\Seen"]);
        scene.peer.delete("Drafts", &[scene.newest("Drafts")]);
        scene.sync().await;
        let all = scene.messages().await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((&all[0]["subject"], &all[0]["status"]), (&"Offer, sent".into(), &"sent".into()));
        let told = scene.told("email.deleted", 1).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["email_id"], draft.id.to_string());
        assert!(!scene.outgoing(draft.id).await.2, "it is not brought back");
    }
}

on_both! {
    async fn a_draft_thrown_away_elsewhere_is_not_brought_back(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = mirrored(&scene).await;
        scene.peer.move_to("Drafts", &[scene.newest("Drafts")], "Trash");
        scene.sync().await;
        let shown = scene.message(draft.id).await;
        assert_eq!((&shown["status"], folders(&shown)), (&"draft".into(), vec!["Trash"]));
        assert!(!scene.outgoing(draft.id).await.2);
    }
}

on_both! {
    async fn a_mail_that_waits_to_be_sent_is_not_changed_from_elsewhere(app: TestApp) {
        let scene = Scene::new(app).await;
        let queued = Written { mirrored: Some(1), expected: None, ..Written::new("queued") };
        scene.write(&queued).await;
        scene.arrives("Drafts", queued.raw(scene.address(), "Other offer", "")).await;
        let shown = scene.message(queued.id).await;
        assert_eq!((&shown["subject"], &shown["status"]), (&"Offer".into(), &"queued".into()));
        assert_eq!(scene.messages().await.len(), 2, "it stays though it lies nowhere, beside what was made elsewhere");
        assert!(scene.told("email.deleted", 0).await.is_empty());
    }
}

on_both! {
    async fn a_stale_copy_of_a_draft_is_taken_out(app: TestApp) {
        let scene = Scene::new(app).await;
        let draft = Written { revision: 3, mirrored: Some(2), ..Written::new("draft") };
        let sent = Written { mirrored: Some(1), ..Written::new("sent") };
        scene.write(&draft).await;
        scene.write(&sent).await;
        scene.arrives("Drafts", draft.raw(scene.address(), "Offer", &draft.marker(3))).await;
        for (mail, mark) in [(&draft, 2), (&sent, 1)] {
            scene.arrives("Drafts", mail.raw(scene.address(), "Old offer", &mail.marker(mark))).await;
            wait_until("the mirror takes it out", async || scene.peer.mails("Drafts").len() == 1).await;
        }
        scene.sync().await;
        assert_eq!(scene.messages().await.len(), 2);
        assert_eq!(folders(&scene.message(draft.id).await), ["Drafts"], "where its newest copy lies");
        let shown = scene.message(sent.id).await;
        assert_eq!((&shown["status"], folders(&shown)), (&"sent".into(), vec!["Sent"]));
    }
}

on_both! {
    async fn a_draft_that_was_made_elsewhere_keeps_its_id_when_it_is_edited(app: TestApp) {
        let scene = Scene::new(app).await;
        let version = |subject: &str| mail("ann@a.example", "bob@b.example", subject, "Message-ID: <made@else.example>\r\n", subject);
        scene.arrives("Drafts", version("First")).await;
        let id = scene.messages().await[0]["id"].clone();
        let old = scene.newest("Drafts");
        scene.peer.append("Drafts", &[version("Second")], &[]);
        scene.peer.delete("Drafts", &[old]);
        scene.sync().await;
        let all = scene.messages().await;
        assert_eq!(all.len(), 1);
        assert_eq!((&all[0]["id"], &all[0]["subject"], &all[0]["snippet"]), (&id, &"Second".into(), &"Second".into()));
        let threads = scene.owner.all(&format!("/api/email/threads?account_id={}", scene.account)).await;
        assert_eq!((threads.len(), &threads[0]["subject"]), (1, &"Second".into()));
        assert_eq!(scene.told("email.updated", 1).await.len(), 1);
        assert!(scene.told("email.deleted", 0).await.is_empty());
    }
}
