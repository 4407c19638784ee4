//! Exactly once, though answers are lost at each step and other programs have a hand in it.

use chrono::Duration;
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::json;

use super::world::{Post, mail};
use crate::support::gmail::ANN;
use crate::support::{Backend, wait_until};

on_both! {
    async fn a_mail_is_sent_once_though_the_answer_to_any_step_is_lost(backend: Backend) {
        let post = Post::start(backend).await;
        let steps = ["getProfile", "drafts.create", "drafts.send", "messages.get", "history.list", "drafts.get"];
        let faults = [Fault::LostAnswer, Fault::TruncatedJson, Fault::CutBody, Fault::ServerError { status: 503 }];
        let mut number = 0;
        for step in steps {
            for fault in &faults {
                // The lost answer to sending leads to the steps that look for it.
                if matches!(step, "history.list" | "drafts.get") {
                    post.world.gmail.add_fault("drafts.send", When::Nth(1), Fault::LostAnswer).unwrap();
                }
                post.world.gmail.add_fault(step, When::Nth(1), fault.clone()).unwrap();
                number += 1;
                let subject = format!("Mail {number}");
                let id = post.submit(mail(&subject)).await;
                wait_until(&format!("{step} fails with {}", fault.name()), async || {
                    let status = post.shown(&id).await["status"].clone();
                    if status == "queued" {
                        post.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await;
                    }
                    status == "sent"
                })
                .await;
                post.world.gmail.clear_faults();
                assert_eq!(post.left(&subject).len(), 1, "{step} {}", fault.name());
                post.learnt(&id).await;
                assert_eq!(post.told("email.sent", &id).await, 1, "{step} {}", fault.name());
            }
        }
        post.sync().await;
        assert_eq!(post.messages().await.len(), number);
        assert!(post.drafts().is_empty(), "{:?}", post.drafts());
    }
}

on_both! {
    async fn a_mail_whose_fate_does_not_show_yet_is_uncertain_until_it_does(backend: Backend) {
        let post = Post::with_clock(backend).await;
        post.world.gmail.add_fault("drafts.send", When::Nth(1), Fault::LostAnswer).unwrap();
        post.world.gmail.change_settings(|settings| settings.history_lag_millis = 3_600_000);
        let id = post.submit(mail("Lags")).await;
        let shown = post.until(&id, "uncertain").await;
        assert!(shown["error_message"].as_str().unwrap().contains("may have been sent"), "{shown}");
        post.app.clock.advance(Duration::seconds(6));
        post.app.clock.advance(Duration::seconds(60));
        assert_eq!(post.left("Lags").len(), 1);
        // Now it shows.
        post.world.gmail.advance(std::time::Duration::from_secs(7_200));
        wait_until("it is found", async || {
            post.app.clock.advance(Duration::seconds(30));
            post.shown(&id).await["status"] == "sent"
        })
        .await;
        assert_eq!((post.left("Lags").len(), post.told("email.sent", &id).await), (1, 1));
    }
}

on_both! {
    async fn a_draft_that_another_program_had_a_hand_in_makes_no_second_mail(backend: Backend) {
        let post = Post::with_clock(backend).await;
        let gmail = &post.world.gmail;
        for (number, act) in ["edited", "sent", "deleted"].into_iter().enumerate() {
            // Nothing can be sent for now; the draft lies there.
            gmail.add_fault("drafts.send", When::Always, Fault::ServerError { status: 503 }).unwrap();
            let subject = format!("Taken {number}");
            let id = post.submit(mail(&subject)).await;
            wait_until("the draft waits", async || {
                post.shown(&id).await["status"] == "queued" && post.drafts().len() == 1 && post.shown(&id).await["error_message"].is_string()
            })
            .await;
            let (draft, message) = post.drafts().remove(0);
            let raw = String::from_utf8(gmail.raw(ANN, &message).unwrap().to_vec()).unwrap();
            match act {
                "edited" => {
                    gmail.edit_draft(ANN, &draft, &raw.replace("Hello.", "Hello, edited."), false).unwrap();
                }
                "sent" => {
                    gmail.send_draft_elsewhere(ANN, &draft).unwrap();
                }
                _ => gmail.delete_mails(ANN, &[message]).unwrap(),
            }
            gmail.clear_faults();
            let wanted = if act == "sent" { "sent" } else { "failed" };
            wait_until(&format!("it was {act} elsewhere"), async || {
                post.app.clock.advance(Duration::seconds(50));
                post.shown(&id).await["status"] == wanted
            })
            .await;
            assert_eq!(post.left(&subject).len(), usize::from(act == "sent"), "{act}");
            if act != "sent" {
                let shown = post.shown(&id).await;
                assert!(shown["error_message"].as_str().unwrap().contains("Another program"), "{shown}");
                // At a person's word it is sent after all.
                post.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await.json(200);
                post.until(&id, "sent").await;
                assert_eq!(post.left(&subject).len(), 1);
            }
            for (_, message) in post.drafts() {
                gmail.delete_mails(ANN, &[message]).unwrap();
            }
        }
    }
}
