//! The server dies in the middle of carrying changes out.

use std::time::Duration;

use serde_json::json;

use super::MAIL_FACTS;
use crate::support::gmail::{ANN, GmailWorld, live, sync};
use crate::support::{Backend, TestProcess, wait_until};
use crate::two_way::outbound::Verbs;
use crate::two_way::{facts, settled};

on_both! {
    async fn a_batch_that_was_cut_off_is_finished_and_told_of_once(backend: Backend) {
        let world = GmailWorld::start();
        for number in 1..=300 {
            // As many kinds of change as there are labels: several calls.
            let name = format!("Label {}", number % 6);
            let label = match number {
                1..=6 => world.gmail.create_label(ANN, &name).unwrap(),
                _ => super::label_id(&world, &name),
            };
            world.mail(number, Some(&["INBOX", "UNREAD", &label]));
        }
        let mut duplex = TestProcess::start_with(backend, |settings| world.set(settings)).await;
        let owner = duplex.owner().await;
        let account = world.connect(&duplex.base(), &owner).await;
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        let told = facts(&owner, &MAIL_FACTS).await.len();
        let verbs = Verbs { owner: &owner, account: &account };
        let ids = verbs.mails("Inbox").await;
        world.gmail.clear_calls();
        world.gmail.set_latency(Duration::from_millis(300));
        let remove: Vec<String> = (0..6).map(|number| format!("Label {number}")).collect();
        let operation = verbs.batch(&ids, json!({"is_archived": true, "remove_labels": remove})).await;
        wait_until("some of the calls are made", async || {
            world.gmail.counts().by_name.get("messages.batchModify").is_some_and(|count| *count >= 2)
        })
        .await;
        duplex.kill();
        world.gmail.set_latency(Duration::ZERO);
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
        sync(&owner, &account).await;
        world.converged(&owner, &account).await;
        assert!(world.states().values().all(|(folders, read, _)| folders.is_empty() && !read));
        assert_eq!(facts(&owner, &MAIL_FACTS).await.len(), told + 300, "each mail is told of once");
    }
}
