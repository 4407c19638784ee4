//! A thousand mails at once.

use serde_json::json;

use super::Stage;
use crate::support::Backend;
use crate::support::gmail::{ANN, states, sync};

on_both! {
    async fn undoing_the_archiving_of_a_thousand_mails_restores_their_labels_exactly(backend: Backend) {
        let stage = Stage::start(backend, |world| {
            let label = world.gmail.create_label(ANN, "Customers").unwrap();
            for number in 1..=1_010 {
                let labels: &[&str] = match number % 4 {
                    0 => &["INBOX", "UNREAD", &label],
                    1 => &["INBOX", "STARRED"],
                    2 => &["INBOX"],
                    _ => &["INBOX", "UNREAD"],
                };
                world.mail(number, Some(labels));
            }
        })
        .await;
        let (world, verbs) = (&stage.world, stage.verbs());
        let before = world.states();
        let ids: Vec<String> = verbs.mails("Inbox").await.into_iter().take(1_000).collect();
        world.gmail.clear_calls();
        let archived = verbs.batch(&ids, json!({"is_archived": true, "is_read": true})).await;
        assert_eq!(verbs.mails("Inbox").await.len(), 10, "they are gone from the inbox at once");
        stage.confirmed(&archived).await;
        let at_work = world.states().values().filter(|(folders, _, _)| folders.contains("Inbox")).count();
        assert_eq!(at_work, 10);
        let counts = world.gmail.counts().by_name;
        assert_eq!(counts.get("messages.batchModify"), Some(&2), "read ones and unread ones: {counts:?}");
        assert_eq!(counts.get("messages.modify"), None, "{counts:?}");
        let undone = verbs.undo(&archived).await;
        stage.confirmed(&undone).await;
        assert_eq!(world.states(), before, "Gmail has every mail as it was");
        assert_eq!(states(&stage.owner, &stage.account).await, before);
        let told = stage.told().await;
        sync(&stage.owner, &stage.account).await;
        stage.converged().await;
        assert_eq!(stage.told().await, told);
    }
}
