//! The process dies at each step of sending.

use std::time::Duration;

use duplex_emulators::shared::faults::{Fault, When};

use super::world::{mail, undo};
use crate::support::gmail::{GmailWorld, live};
use crate::support::{Backend, TestProcess, wait_until};

on_both! {
    async fn a_process_killed_at_each_step_sends_every_mail_once(backend: Backend) {
        let world = GmailWorld::start();
        let mut duplex = TestProcess::start_with(backend, |settings| world.set(settings)).await;
        let mut owner = duplex.owner().await;
        let account = world.connect(&duplex.base(), &owner).await;
        live(&owner, &account).await;
        undo(&owner, &account, 0).await;
        let mut number = 0;
        for step in ["getProfile", "drafts.create", "drafts.send", "messages.get"] {
            for done in [false, true] {
                number += 1;
                let subject = format!("Mail {number}");
                world.gmail.clear_calls();
                world.gmail.add_fault(step, When::Nth(1), Fault::Timeout { millis: 60_000, done }).unwrap();
                let mut submitted = mail(&subject);
                submitted["account_id"] = account.clone().into();
                let id = owner.post("/api/email/messages", submitted).await.json(202)["id"].as_str().unwrap().to_owned();
                wait_until(&format!("{step} is called"), async || world.gmail.counts().by_name.contains_key(step)).await;
                duplex.kill();
                world.gmail.clear_faults();
                duplex.start_again().await;
                owner = duplex.owner_again().await;
                let path = format!("/api/email/messages/{id}");
                wait_until("it is sent", async || owner.get(&path).await.json(200)["status"] == "sent").await;
                let left = world.gmail.sent();
                assert_eq!(left.iter().filter(|mail| mail.subject == subject).count(), 1, "{step} done: {done}");
                tokio::time::timeout(Duration::from_secs(60), async {
                    let sent = left.iter().find(|mail| mail.subject == subject).unwrap();
                    wait_until("its Message-ID is known", async || {
                        owner.get(&path).await.json(200)["message_id"] == sent.message_id.as_str()
                    })
                    .await;
                })
                .await
                .unwrap();
            }
        }
        let all = owner.all(&format!("/api/email/messages?account_id={account}")).await;
        assert_eq!(all.len(), number);
    }
}
