//! The first import under kills and faults of every kind: the same mails in the end, and hardly a call more.

use crate::support::gmail::{ANN, GmailWorld, live, states};
use crate::support::{Backend, Client, TestProcess};
use duplex_emulators::gmail::control::Seed;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use serde_json::Value;

/// Mails of the mailbox.
const MAILS: u32 = 5_000;
/// How often the process dies during the import.
const KILLS: u64 = 10;

/// A mailbox with mail in every folder.
fn fill(world: &GmailWorld) {
    let label = world.gmail.create_label(ANN, "Customers").unwrap();
    for number in 1..=MAILS {
        let labels: &[&str] = match number % 10 {
            0 => &["TRASH"],
            1 => &["SENT"],
            2 => &["INBOX", &label],
            3 => &["INBOX", "STARRED"],
            4 => &[],
            _ => &["INBOX", "UNREAD"],
        };
        world.mail(number, Some(labels));
    }
    world.gmail.add_mail(ANN, Seed { raw: "no mail at all".to_owned(), ..Seed::default() }).unwrap();
}

async fn synced(owner: &Client, account: &str) -> (u64, bool) {
    let shown: Value = owner.get(&format!("/api/email/accounts/{account}")).await.json(200);
    (shown["progress"]["synced"].as_u64().unwrap(), shown["phase"] == "live")
}

on_both! {
    async fn an_import_of_five_thousand_mails_survives_kills(backend: Backend) {
        let world = GmailWorld::start();
        fill(&world);
        let mut duplex = TestProcess::start_with(backend, |settings| world.set(settings)).await;
        let mut owner = duplex.owner().await;
        let account = world.connect(&duplex.base(), &owner).await;
        let mut in_the_import = 0;
        for kill in 1..=KILLS {
            let share = u64::from(MAILS) * kill / (KILLS + 2);
            crate::support::wait_until("the next share to be fetched", async || {
                let got = world.gmail.counts().by_name.get("messages.get").copied().unwrap_or_default();
                got >= share || synced(&owner, &account).await.1
            })
            .await;
            in_the_import += u64::from(!synced(&owner, &account).await.1);
            duplex.kill();
            duplex.start_again().await;
            owner = duplex.owner_again().await;
        }
        assert!(in_the_import >= KILLS / 2, "only {in_the_import} of {KILLS} kills met the import");
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        assert_eq!(states(&owner, &account).await.len(), MAILS as usize + 1);
        let calls = world.gmail.counts().calls;
        assert!(calls <= u64::from(MAILS) * 135 / 100, "{calls} calls for {MAILS} mails");
    }
}

on_both! {
    async fn an_import_survives_every_fault_at_a_fifth_of_all_calls(backend: Backend) {
        const SOME: u32 = 600;
        let world = GmailWorld::start();
        (1..=SOME).for_each(|number| drop(world.mail(number, None)));
        let share = When::Percent(2.5);
        let faults = [
            Fault::TooManyRequests { retry_after: RetryAfter::Seconds(1) },
            Fault::RateForbidden { retry_after: RetryAfter::Absent },
            Fault::ServerError { status: 500 },
            Fault::ServerError { status: 503 },
            Fault::Html { status: 502 },
            Fault::TruncatedJson,
            Fault::CutBody,
            Fault::Reset,
        ];
        for call in ["messages.*", "history.list", "labels.list", "getProfile"] {
            for fault in &faults {
                world.gmail.add_fault(call, share, fault.clone()).unwrap();
            }
        }
        let duplex = TestProcess::start_with(backend, |settings| world.set(settings)).await;
        let owner = duplex.owner().await;
        world.gmail.clear_calls();
        let account = world.connect(&duplex.base(), &owner).await;
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        let calls = world.gmail.counts().by_name["messages.get"];
        assert!(calls <= u64::from(SOME) * 135 / 100, "{calls} calls for {SOME} mails");
    }
}
