//! The process may die at any moment: nothing is lost, nothing doubles.

use crate::mailbox::{account, backfilled, connect, fill, server_mails, stored_mails};
use crate::support::{Backend, Dovecot, SmtpSecurity, SmtpSink, TestProcess};
use std::time::Duration;

const MAILS: usize = 2000;
const KILLS: u64 = 20;

on_both! {
    async fn a_backfill_killed_at_20_points_ends_with_exactly_the_servers_mails(backend: Backend) {
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 21, MAILS);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let mut duplex = TestProcess::start(backend).await;
        let mut owner = duplex.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;

        let mut in_the_backfill = 0;
        let mut last = 0;
        for kill in 1..=KILLS {
            // Spread over the whole backfill, each a random moment after its share was stored.
            let share = u64::try_from(MAILS).unwrap() * kill / (KILLS + 2);
            let reached = loop {
                let account = account(&owner, &id).await;
                let synced = account["progress"]["synced"].as_u64().unwrap();
                if synced >= share || account["phase"] == "live" {
                    break (synced, account["phase"] == "backfill");
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            };
            assert!(reached.0 >= last, "{} mails are stored, {last} were before the kill", reached.0);
            last = reached.0;
            in_the_backfill += u64::from(reached.1);
            tokio::time::sleep(Duration::from_micros(rand() % 30_000)).await;
            duplex.kill();
            duplex.start_again().await;
            owner = duplex.owner_again().await;
        }
        assert!(in_the_backfill >= KILLS / 2, "only {in_the_backfill} of {KILLS} kills met the backfill");

        backfilled(&owner, &id).await;
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    }
}

/// A moment that nobody chose.
fn rand() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
