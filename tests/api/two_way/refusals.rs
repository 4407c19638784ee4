//! Changes that the server refuses or cannot take: the journal says why, and what is shown is the truth again.

use serde_json::{Value, json};

use super::outbound::Verbs;
use super::{connected, converged, held, settled, shown};
use crate::mailbox::sync;
use crate::support::{Dovecot, DovecotOptions, TestApp, wait_until};

on_both! {
    async fn a_folder_that_lets_nobody_change_it_keeps_its_mails_as_they_are(app: TestApp) {
        let server = Dovecot::start(&DovecotOptions {
            rights: &["Clients/2025 owner lr", "Archive owner lrwst"],
            ..DovecotOptions::default()
        });
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 61, 100).await;
        sync(&owner, &account).await;
        let peer = mailbox.peer();
        let before = held(&peer);
        let verbs = Verbs { owner: &owner, account: &account };
        let frozen = verbs.mails("Clients/2025").await;
        let inbox = verbs.mails("INBOX").await;

        let starred = verbs.patch(&frozen[0], json!({"is_starred": true})).await;
        let failed = settled(&owner, &starred).await;
        assert_eq!((&failed["state"], &failed["error_code"]), (&json!("failed"), &json!("folder_read_only")), "{failed}");
        let moved = verbs.batch(&frozen[1..3], json!({"trash": true})).await;
        let failed = settled(&owner, &moved).await;
        assert_eq!((&failed["state"], &failed["error_code"]), (&json!("failed"), &json!("folder_read_only")), "{failed}");
        let archived = verbs.patch(&inbox[0], json!({"is_archived": true})).await;
        let failed = settled(&owner, &archived).await;
        assert_eq!(failed["state"], "failed", "a folder that takes nothing in: {failed}");
        assert!(failed["error_code"].as_str().unwrap().starts_with("imap_"), "{failed}");
        assert!(failed["error_message"].as_str().unwrap().len() > 20, "{failed}");

        assert_eq!(shown(&owner, &account).await.0, before, "what is shown is the truth again");
        sync(&owner, &account).await;
        assert_eq!(shown(&owner, &account).await.0, held(&peer));
    }
}

on_both! {
    async fn a_full_mailbox_says_so_and_nothing_is_left_over(app: TestApp) {
        let server = Dovecot::start(&DovecotOptions { quota: Some(100), ..DovecotOptions::default() });
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 66, 100).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        let labelled = verbs.post(&inbox[0], "labels", json!({"add": ["Wichtig"], "remove": []})).await;
        let failed = settled(&owner, &labelled).await;
        assert_eq!((&failed["state"], &failed["error_code"]), (&json!("failed"), &json!("imap_over_quota")), "{failed}");
        let starred = verbs.patch(&inbox[0], json!({"is_starred": true})).await;
        assert_eq!(settled(&owner, &starred).await["state"], "confirmed", "what fits is done");
        converged(&owner, &account, &mailbox.peer()).await;
    }
}

on_both! {
    async fn a_mail_that_is_gone_meanwhile_fails_alone(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 62, 100).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        let (_, ids) = shown(&owner, &account).await;
        let peer = mailbox.peer();
        let gone: Vec<u32> = peer
            .mails("INBOX")
            .iter()
            .filter(|mail| inbox[..2].contains(&ids[&mail.sha256]))
            .map(|mail| mail.uid)
            .collect();
        // Nobody listens while the server is away: the change is made on what was known last.
        server.stop();
        let operation = verbs.batch(&inbox[..3], json!({"is_archived": true})).await;
        server.start_again();
        peer.delete("INBOX", &gone);
        let ended = settled(&owner, &operation).await;
        let state = converged(&owner, &account, &peer).await;
        let left = &state[ids.iter().find(|(_, id)| **id == inbox[2]).unwrap().0];
        assert_eq!(left.folders, ["Archive"], "the mail that is there was archived");
        let archived_first = gone.len() + state.len() > 100;
        let code = if archived_first { Value::Null } else { json!("message_gone") };
        assert_eq!(ended["error_code"], code, "{ended}");
    }
}

on_both! {
    async fn a_server_that_restarts_gets_the_changes_afterwards(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 63, 200).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        let warm = verbs.patch(&inbox[0], json!({"is_starred": true})).await;
        assert_eq!(settled(&owner, &warm).await["state"], "confirmed");
        server.kill();
        let operation = verbs.batch(&inbox[..50], json!({"is_archived": true, "is_starred": true})).await;
        wait_until("the journal says why it waits", async || {
            let waiting = owner.get(&format!("/api/email/operations/{operation}")).await.json(200);
            waiting["state"] == "pending" && waiting["error_code"].is_string()
        })
        .await;
        server.start_again();
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
        converged(&owner, &account, &mailbox.peer()).await;
    }
}

on_both! {
    async fn the_later_of_two_changes_of_one_mail_wins(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 64, 100).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        server.stop();
        let first = verbs.batch(&inbox[..1], json!({"is_starred": true, "is_archived": true})).await;
        let second = verbs.batch(&inbox[..1], json!({"is_starred": false, "trash": true})).await;
        let superseded = owner.get(&format!("/api/email/operations/{first}")).await.json(200);
        assert_eq!(superseded["state"], "superseded", "{superseded}");
        server.start_again();
        assert_eq!(settled(&owner, &second).await["state"], "confirmed");
        let state = converged(&owner, &account, &mailbox.peer()).await;
        assert_eq!(state.values().filter(|mail| mail.folders == ["Trash"]).count(), 3 + 1);
        assert_eq!(owner.post(&format!("/api/email/operations/{first}/undo"), Value::Null).await.status, 409);
    }
}

on_both! {
    async fn changes_on_mails_whose_numbers_begin_anew_are_carried_out(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 65, 100).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        server.stop();
        mailbox.renumber("INBOX");
        let operation = verbs.batch(&inbox[..10], json!({"is_starred": true, "is_archived": true})).await;
        server.start_again();
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
        let state = converged(&owner, &account, &mailbox.peer()).await;
        assert_eq!(state.len(), 100);
    }
}
