//! Gmail forgets the place in the history: nothing is lost, and nothing is told twice.

use super::news::events;
use crate::support::gmail::{ANN, GmailWorld, live, states};
use crate::support::{Backend, TestProcess};
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::json;
use std::collections::BTreeSet;

on_both! {
    async fn a_forgotten_history_with_a_kill_in_the_middle_ends_the_same_and_tells_everything_once(backend: Backend) {
        let world = GmailWorld::start();
        let label = world.gmail.create_label(ANN, "Moved").unwrap();
        let ids: Vec<String> = (1..=400).map(|number| world.mail(number, None).id).collect();
        let mut duplex = TestProcess::start_with(backend, |settings| world.set(settings)).await;
        let owner = duplex.owner().await;
        let account = world.connect(&duplex.base(), &owner).await;
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        let before = states(&owner, &account).await;
        let told = events(&owner, &["email.received", "email.updated", "email.deleted"]).await.len();
        duplex.terminate().await;

        let added: BTreeSet<String> = (1_001..=1_500).map(|number| world.mail(number, None).id).collect();
        world.gmail.delete_mails(ANN, &ids[..200]).unwrap();
        world.gmail.relabel(ANN, &ids[200..250], &[&label], &["INBOX"]).unwrap();
        world.gmail.expire_history(ANN);
        // So slow that the kill comes in the middle.
        world.gmail.add_fault("messages.get", When::Nth(300), Fault::Timeout { millis: 60_000, done: false }).unwrap();
        world.gmail.clear_calls();
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        owner.post(&format!("/api/email/accounts/{account}/sync"), json!({})).await.json(202);
        crate::support::wait_until("half of the gap to be fetched", async || {
            world.gmail.counts().by_name.get("messages.get").is_some_and(|count| *count >= 300)
        })
        .await;
        duplex.kill();
        world.gmail.clear_faults();
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        owner.post(&format!("/api/email/accounts/{account}/sync"), json!({})).await.json(202);
        world.converged(&owner, &account).await;

        let all = events(&owner, &["email.received", "email.updated", "email.deleted"]).await;
        let of = |kind: &str| all[told..].iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
        assert_eq!(of("email.received").len(), 500);
        assert_eq!(of("email.deleted").len(), 200);
        assert_eq!(of("email.updated").len(), 50);
        let after = states(&owner, &account).await;
        assert!(added.iter().all(|id| after.contains_key(id)));
        assert!(before.keys().filter(|id| !ids[..200].contains(id)).all(|id| after.contains_key(id)));
        let fetched = world.gmail.counts().by_name["messages.get"];
        assert!(fetched <= 500 * 135 / 100, "{fetched} mails were fetched for 500 new ones");
    }
}
