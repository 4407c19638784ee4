//! A whole mailbox arrives, nothing is fetched twice, and later mail follows.

use crate::mailbox::{account, backfilled, connect, fill, server_mails, stored_counts, stored_mails, sync};
use crate::support::{Backend, Dovecot, MailGenerator, SmtpSecurity, SmtpSink, TestApp, TestProcess, wait_for};

const MAILS: usize = 3000;

on_both! {
    async fn every_folder_arrives_complete(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 11, MAILS);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        let first = wait_for("the folders are counted", async || {
            let progress = crate::mailbox::account(&owner, &id).await["progress"].clone();
            (progress["total"] != 0).then_some(progress)
        })
        .await;
        assert_eq!(first["total"], MAILS, "the total is right before the first folder is read to its end");
        let account = backfilled(&owner, &id).await;
        assert_eq!(account["status"], "active");
        let complete = owner.get(&format!("/api/email/accounts/{id}/completeness")).await.json(200);
        let folders = complete["folders"].as_array().unwrap();
        assert_eq!(folders.iter().map(|folder| folder["stored_count"].as_u64().unwrap()).sum::<u64>(), MAILS as u64);
        assert!(folders.iter().all(|folder| folder["missing"] == 0 && folder["skipped"] == serde_json::json!({})));
        assert_eq!(account["progress"]["synced"], MAILS);
        assert_eq!(account["progress"]["total"], MAILS);

        let mut counts = mailbox.peer().counts();
        let stored = stored_counts(&owner, &id).await;
        counts.retain(|name, _| name != "Junk");
        for (name, count) in &counts {
            assert_eq!(stored.get(name), Some(count), "{name}: {stored:?}");
        }
        assert_eq!(counts["Entwürfe & mehr/東京"], MAILS / 10);

        let listed = owner.all(&format!("/api/email/messages?account_id={id}")).await;
        assert_eq!(listed.len(), MAILS);
        let times: Vec<&str> = listed.iter().map(|message| message["received_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "newest first");
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox), "every mail, byte for byte");
    }
}

on_both! {
    async fn later_mail_follows_and_nothing_is_fetched_twice(backend: Backend) {
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 12, 400);
        let smtp = SmtpSink::start(SmtpSecurity::StartTls).await;
        let mut duplex = TestProcess::start(backend).await;
        let owner = duplex.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;
        sync(&owner, &id).await;
        assert!(duplex.terminate().await.success());
        assert_eq!(mailbox.bodies_sent(), 400, "each body once");

        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        let late: Vec<Vec<u8>> = MailGenerator::new(13).take(3).into_iter().map(|mail| mail.raw).collect();
        mailbox.peer().append("INBOX", &late[..2], &[]);
        mailbox.peer().append("Clients/2025", &late[2..], &["\\Seen"]);
        sync(&owner, &id).await;
        assert_eq!(stored_counts(&owner, &id).await["Clients/2025"], 400 * 7 / 100 + 1);
        assert_eq!(account(&owner, &id).await["progress"]["synced"], 403);
        assert!(duplex.terminate().await.success());
        assert_eq!(mailbox.bodies_sent(), 403, "the three new ones and no other");

        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    }
}
