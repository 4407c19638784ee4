//! Pub/Sub's pushes: who is believed, and what a push does.

use data_encoding::BASE64URL_NOPAD;
use duplex::access::Role;
use duplex::clock::Clock;
use duplex::events::Events;
use duplex::identity::{Identity, UserOrder};
use duplex::secret::Secret;
use duplex_emulators::gmail::pubsub::{Forgery, PushFaults};
use duplex_emulators::shared::faults::{Fault, When};
use duplex_emulators::shared::jwt::signed;
use duplex_emulators::shared::keys::TestKey;
use serde_json::json;

use super::{AUDIENCE, PUSHER, Rung, SUBSCRIPTION, WEBHOOK, arrived, envelope, proof, set, shouted, subjects};
use crate::support::gmail::{ANN, GmailWorld, live, states};
use crate::support::{Backend, TestApp, wait_for, wait_until};

on_both! {
    async fn a_push_that_is_not_genuine_has_no_effect_and_is_not_sent_again(backend: Backend) {
        let rung = Rung::start(backend).await;
        rung.world.gmail.remove_subscription(SUBSCRIPTION);
        let before = rung.rung_at().await;
        let mut proofs: Vec<Option<String>> = [
            Forgery::ForeignKey,
            Forgery::Unsigned,
            Forgery::Absent,
            Forgery::Expired,
            Forgery::WrongAudience,
            Forgery::WrongIssuer,
            Forgery::WrongEmail,
            Forgery::UnverifiedEmail,
        ]
        .map(|forgery| proof(&rung.world, Some(forgery)))
        .into();
        let genuine = proof(&rung.world, None).unwrap();
        for odd in ["Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", &genuine.replace("Bearer", "Basic"), &format!("{genuine}x")] {
            proofs.push(Some((*odd).to_owned()));
        }
        // A key of this server's own opens nothing here.
        let key = rung.owner.post("/api/api-keys", json!({"name": "k"})).await.json(201);
        proofs.push(Some(format!("Bearer {}", key["key"].as_str().unwrap())));
        for (number, proof) in proofs.iter().enumerate() {
            let answer = rung.post(proof.as_deref(), envelope(ANN, &format!("forged {number}"))).await;
            assert_eq!((answer.status, answer.bytes.len()), (204, 0), "{proof:?}");
            assert_eq!(rung.rung_at().await, before, "{proof:?}");
        }
        assert_eq!(rung.post(Some(&genuine), envelope(ANN, "genuine")).await.status, 204);
        assert!(rung.rung_at().await > before);
    }
}

on_both! {
    async fn junk_from_the_right_sender_has_no_effect_either(backend: Backend) {
        let rung = Rung::start(backend).await;
        rung.world.gmail.remove_subscription(SUBSCRIPTION);
        let before = rung.rung_at().await;
        let genuine = proof(&rung.world, None);
        let data = |data: &str| json!({"message": {"data": data, "messageId": "1"}}).to_string().into_bytes();
        for body in [
            Vec::new(),
            b"{".to_vec(),
            b"null".to_vec(),
            b"[1]".to_vec(),
            b"{\"message\":7}".to_vec(),
            b"{\"message\":{}}".to_vec(),
            b"{\"message\":{\"data\":7}}".to_vec(),
            data(""),
            data("%%%"),
            data("anVuaw=="),
            data("e30="),
            envelope("nobody@elsewhere.example", "2"),
            vec![b' '; 2_000_000],
            vec![0xff; 10_000],
        ] {
            let answer = rung.post(genuine.as_deref(), body.clone()).await;
            assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        }
        assert_eq!(rung.rung_at().await, before);
        rung.app.nobody().get(WEBHOOK).await.problem(405, "method_not_allowed");
    }
}

on_both! {
    async fn a_message_that_came_before_does_not_ring_again(backend: Backend) {
        let rung = Rung::start(backend).await;
        rung.world.gmail.remove_subscription(SUBSCRIPTION);
        let genuine = proof(&rung.world, None);
        rung.post(genuine.as_deref(), envelope(ANN, "once")).await;
        let first = rung.rung_at().await;
        rung.post(genuine.as_deref(), envelope(ANN, "once")).await;
        assert_eq!(rung.rung_at().await, first);
        // Another alphabet, a number as text, other letters in the address, no id.
        let data = json!({"emailAddress": shouted(), "historyId": "77"}).to_string();
        let body = json!({"message": {"data": BASE64URL_NOPAD.encode(data.as_bytes())}}).to_string();
        rung.post(genuine.as_deref(), body.into_bytes()).await;
        assert!(rung.rung_at().await > first);
    }
}

on_both! {
    async fn a_new_key_is_found_and_without_keys_a_push_comes_again(backend: Backend) {
        let rung = Rung::start(backend).await;
        rung.world.gmail.remove_subscription(SUBSCRIPTION);
        let before = rung.rung_at().await;
        let now = rung.world.gmail.now() / 1000;
        let claims = json!({
            "iss": "accounts.google.com", "aud": AUDIENCE, "email": PUSHER, "email_verified": true,
            "iat": now, "exp": now + 3600, "sub": "1",
        });
        let second = format!("Bearer {}", signed(TestKey::SecondSigning, &claims));
        assert_eq!(rung.post(Some(&second), envelope(ANN, "unknown key")).await.status, 204);
        assert_eq!(rung.rung_at().await, before);
        rung.world.gmail.rotate_signing_key();
        assert_eq!(rung.post(Some(&second), envelope(ANN, "new key")).await.status, 204);
        assert!(rung.rung_at().await > before);
    }
}

on_both! {
    async fn keys_that_cannot_be_had_make_a_push_come_again(backend: Backend) {
        let world = GmailWorld::start();
        let app = TestApp::start_with(backend, |settings| {
            set(&world, settings);
            settings.set("GOOGLE_CERTS_URL", "http://127.0.0.1:9/nobody");
        })
        .await;
        let genuine = proof(&world, None).unwrap();
        let headers = [("authorization", genuine.as_str())];
        let push = Some(("application/json", envelope(ANN, "1")));
        let answer = app.nobody().request("POST", WEBHOOK, &headers, push).await;
        answer.problem(503, "unavailable");
        let forged = proof(&world, Some(Forgery::WrongAudience)).unwrap();
        let push = Some(("application/json", envelope(ANN, "2")));
        let answer = app.nobody().request("POST", WEBHOOK, &[("authorization", &forged)], push).await;
        assert_eq!(answer.status, 204, "for rubbish no key is needed");
    }
}

on_both! {
    async fn a_ring_wakes_every_mailbox_of_the_address_in_all_organizations(backend: Backend) {
        let rung = Rung::start(backend).await;
        let order = UserOrder {
            email: "zoe@globex.example".into(),
            name: "Zoe".into(),
            role: Role::Owner,
            password: Secret::new("seven green bottles"),
            organization: Some("Globex".into()),
        };
        let operator = Identity::new(rung.app.database().await, Clock::system(), Events::default(), &rung.app.base);
        operator.provision_user(order).await.unwrap();
        let zoe = rung.app.nobody().sign_in("zoe@globex.example", "seven green bottles").await;
        let hers = rung.world.connect(&rung.app.base, &zoe).await;
        live(&zoe, &hers).await;
        wait_until("it is rung for", async || {
            zoe.get(&format!("/api/email/accounts/{hers}")).await.json(200)["push"] == "webhook"
        })
        .await;
        rung.world.mail(2, None);
        arrived(&rung.owner, &rung.account, 2).await;
        arrived(&zoe, &hers, 2).await;
    }
}

on_both! {
    async fn pushes_that_are_lost_doubled_and_reordered_lose_and_double_nothing(backend: Backend) {
        let rung = Rung::start_with(backend, |settings| {
            settings.set("SYNC_CRON", "*/4 * * * * *");
        })
        .await;
        let gmail = &rung.world.gmail;
        gmail.change_settings(|settings| settings.notification_gap_millis = 0);
        for number in 2..=31 {
            gmail.set_push_faults(PushFaults {
                drop_percent: 30.0,
                duplicate_percent: 30.0,
                reorder_next: u32::from(number % 3 == 0),
                ..PushFaults::default()
            });
            rung.world.mail(number, None);
            if number % 5 == 0 {
                arrived(&rung.owner, &rung.account, number).await;
            }
        }
        rung.world.converged(&rung.owner, &rung.account).await;
        assert_eq!(states(&rung.owner, &rung.account).await.len(), 31);
        let received = wait_for("an event for each", async || {
            let events = rung.owner.all("/api/events?after=0").await;
            let received = events.into_iter().filter(|event| event["type"] == "email.received").count();
            (received >= 30).then_some(received)
        })
        .await;
        assert_eq!(received, 30, "one event for each mail after the first import");
        assert_eq!(subjects(&rung.owner, &rung.account).await.len(), 31);
    }
}

on_both! {
    async fn rings_during_a_pass_bring_one_more(backend: Backend) {
        let rung = Rung::start(backend).await;
        let gmail = &rung.world.gmail;
        gmail.remove_subscription(SUBSCRIPTION);
        let genuine = proof(&rung.world, None);
        let looks = || gmail.counts().by_name.get("history.list").copied().unwrap_or_default();
        // Let the looks that follow the first ring pass: the next one is further away than this test lasts.
        wait_until("a quiet moment", async || {
            let next = rung.shown().await["next_sync_at"].as_str().and_then(duplex::clock::Timestamp::parse);
            next.is_some_and(|next| next - Clock::system().now() > chrono::Duration::seconds(15))
        })
        .await;
        gmail.set_latency(std::time::Duration::from_millis(1_500));
        gmail.clear_calls();
        rung.post(genuine.as_deref(), envelope(ANN, "first")).await;
        wait_until("the pass runs", async || looks() == 1).await;
        for number in 0..5 {
            rung.post(genuine.as_deref(), envelope(ANN, &format!("meanwhile {number}"))).await;
        }
        wait_until("one more pass", async || looks() == 2).await;
        let before = rung.shown().await["last_sync_at"].clone();
        wait_until("it ends", async || rung.shown().await["last_sync_at"] != before).await;
        assert_eq!(looks(), 2);
    }
}

on_both! {
    async fn a_push_that_could_not_be_proven_is_heard_when_it_comes_again(backend: Backend) {
        let rung = Rung::start(backend).await;
        rung.world.gmail.remove_subscription(SUBSCRIPTION);
        let before = rung.rung_at().await;
        let genuine = proof(&rung.world, None);
        // A known key needs no fetch, so trouble with the keys does no harm.
        rung.world.gmail.add_fault("oauth.certs", When::Always, Fault::ServerError { status: 503 }).unwrap();
        assert_eq!(rung.post(genuine.as_deref(), envelope(ANN, "m")).await.status, 204);
        assert!(rung.rung_at().await > before);
    }
}
