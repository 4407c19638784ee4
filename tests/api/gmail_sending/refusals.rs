//! What Gmail, or Duplex for it, refuses.

use chrono::Duration;
use duplex_emulators::gmail::model::SendAs;
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::json;

use super::world::{Post, mail};
use crate::support::gmail::{ANN, GmailWorld};
use crate::support::{Backend, wait_until};

const SALES: &str = "sales@gmail.example";
const PENDING: &str = "pending@gmail.example";

fn sender(address: &str, status: &str) -> SendAs {
    SendAs {
        send_as_email: address.to_owned(),
        display_name: "Sales".to_owned(),
        signature: "<p>The sales team</p>".to_owned(),
        treat_as_alias: true,
        verification_status: Some(status.to_owned()),
        ..SendAs::default()
    }
}

fn senders(world: &GmailWorld) {
    world.gmail.put_send_as(ANN, sender(SALES, "accepted"));
    world.gmail.put_send_as(ANN, sender(PENDING, "pending"));
}

on_both! {
    async fn mail_leaves_from_confirmed_addresses_alone(backend: Backend) {
        let post = Post::start_at(backend, duplex::clock::Clock::system(), senders).await;
        let account = post.owner.get(&format!("/api/email/accounts/{}", post.account)).await.json(200);
        assert_eq!(account["aliases"], json!([SALES]), "{account}");
        let mut offer = mail("From sales");
        offer["from_alias"] = SALES.into();
        offer["body_html"] = "<p>Hello</p>".into();
        let id = post.submit(offer).await;
        post.learnt(&id).await;
        let raw = String::from_utf8_lossy(&post.left("From sales")[0].raw).into_owned();
        assert!(raw.contains(&format!("<{SALES}>")) && raw.contains("The sales team"), "{raw}");
        let mut refused = mail("Refused");
        refused["from_alias"] = PENDING.into();
        let answer = post.post(refused).await;
        assert_eq!(answer.problem(422, "validation_failed")["errors"][0]["field"], "from_alias");

        // Gmail permits it no more when the mail is to leave.
        post.undo(60).await;
        let mut late = mail("Late");
        late["from_alias"] = SALES.into();
        let id = post.submit(late).await;
        post.world.gmail.put_send_as(ANN, sender(SALES, "pending"));
        post.undo(0).await;
        post.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await;
        let shown = post.until(&id, "failed").await;
        assert!(shown["error_message"].as_str().unwrap().contains("Send mail as"), "{shown}");
        assert!(post.left("Late").is_empty());
    }
}

on_both! {
    async fn at_the_daily_limit_only_sending_waits(backend: Backend) {
        let post = Post::with_clock(backend).await;
        post.world.gmail.change_settings(|settings| settings.daily_sends = Some(1));
        let first = post.submit(mail("First")).await;
        post.until(&first, "sent").await;
        let second = post.submit(mail("Second")).await;
        wait_until("the second waits", async || {
            let shown = post.shown(&second).await;
            shown["status"] == "queued" && shown["error_message"].as_str().is_some_and(|words| words.contains("limit"))
        })
        .await;
        let third = post.submit(mail("Third")).await;
        post.world.mail(7, None);
        post.sync().await;
        assert!(post.messages().await.iter().any(|mail| mail["subject"] == "Mail 7"), "syncing goes on");
        assert_eq!(post.shown(&third).await["status"], "queued");
        post.world.gmail.advance(std::time::Duration::from_secs(86_500));
        post.app.clock.advance(Duration::hours(25));
        post.until(&second, "sent").await;
        assert_eq!((post.left("First").len(), post.left("Second").len()), (1, 1));
    }
}

on_both! {
    async fn a_recipient_that_gmail_refuses_fails_the_mail_with_words(backend: Backend) {
        let post = Post::start(backend).await;
        let refusal = Fault::Refusal { status: 400, reason: "invalidArgument".to_owned() };
        post.world.gmail.add_fault("drafts.send", When::Nth(1), refusal).unwrap();
        let id = post.submit(mail("Refused")).await;
        let shown = post.until(&id, "failed").await;
        assert!(shown["error_message"].as_str().is_some_and(|words| words.contains("Gmail refused")), "{shown}");
        assert_eq!(post.told("email.failed", &id).await, 1);
        post.drafts_are(&[]).await;
        post.owner.post(&format!("/api/email/messages/{id}/retry"), json!({})).await.json(200);
        post.learnt(&id).await;
        assert_eq!(post.left("Refused").len(), 1);
    }
}
