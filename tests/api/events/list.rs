//! `GET /api/events`: pages, readers, and what is not kept any more.

use chrono::Duration;
use duplex::access::Role;
use duplex::clock::Clock;
use duplex::identity::{Identity, UserOrder};
use duplex::ids::ThreadId;
use duplex::outbox::{Fact, Outbox};
use duplex::secret::Secret;
use serde_json::json;

use super::{Writer, events, numbers};
use crate::mailbox::{backfilled, connect, fill};
use crate::support::{Client, Dovecot, SmtpSecurity, SmtpSink, TestApp};

const PASSWORD: &str = "seven green bottles";

on_both! {
    async fn after_reads_what_follows_a_number_page_by_page(app: TestApp) {
        let owner = app.owner().await;
        let writer = Writer::of(&app, &owner).await;
        assert_eq!(owner.get("/api/events?after=0").await.json(200), json!({ "items": [], "next_cursor": null }));
        writer.write(5).await;
        let all = events(&owner, 5).await;
        assert_eq!(numbers(&all), [1, 2, 3, 4, 5]);
        assert_eq!(all[0]["type"], "email.received");
        assert_eq!(all[0]["data"]["account_id"], json!(writer.account.account));
        assert!(all[0]["data"]["email_id"].is_string() && all[0]["data"]["thread_id"].is_string(), "{}", all[0]);
        assert!(all[0]["occurred_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{}", all[0]);
        let mut fields: Vec<&String> = all[0].as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["data", "id", "occurred_at", "seq", "type"]);

        let first = owner.get("/api/events?after=1&limit=2").await.json(200);
        assert_eq!(numbers(first["items"].as_array().unwrap()), [2, 3]);
        let next = first["next_cursor"].as_str().unwrap();
        let second = owner.get(&format!("/api/events?after=1&limit=2&cursor={next}")).await.json(200);
        assert_eq!((numbers(second["items"].as_array().unwrap()), second["next_cursor"].is_null()), (vec![4, 5], true));
        let none = owner.get("/api/events?after=99").await.json(200);
        assert_eq!(none, json!({ "items": [], "next_cursor": null }));

        for bad in ["after=-1", "after=x", "after=", "cursor=x", "limit=0", "limit=201", "before=1"] {
            owner.get(&format!("/api/events?{bad}")).await.problem(422, "validation_failed");
        }
        app.nobody().get("/api/events").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn a_reader_sees_what_is_its_own_and_what_concerns_everybody(app: TestApp) {
        let owner = app.owner().await;
        let mia = json!({ "email": "mia@acme.example", "name": "Mia", "role": "admin", "password": PASSWORD });
        owner.post("/api/users", mia).await.json(201);
        let mia = app.nobody().sign_in("mia@acme.example", PASSWORD).await;
        let zoe = another_organization(&app).await;
        let (ours, theirs) = (Writer::of(&app, &owner).await, Writer::of(&app, &mia).await);
        let foreign = Writer::of(&app, &zoe).await;
        ours.write(1).await;
        theirs.write(1).await;
        let merged = Fact::thread_merged(ours.account.org, ThreadId::new(), ThreadId::new());
        ours.write_these(vec![merged], Clock::system().now()).await;
        ours.write(1).await;
        foreign.write(2).await;

        assert_eq!(numbers(&events(&owner, 3).await), [1, 3, 4]);
        let mias = events(&mia, 2).await;
        assert_eq!(numbers(&mias), [2, 3]);
        assert_eq!((&mias[1]["type"], mias[1]["data"]["thread_id"].is_string()), (&json!("thread.merged"), true));
        let page = owner.get("/api/events?after=0&limit=1").await.json(200);
        assert_eq!(numbers(page["items"].as_array().unwrap()), [1]);
        let next = format!("/api/events?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
        assert_eq!(numbers(owner.get(&next).await.json(200)["items"].as_array().unwrap()), [3, 4]);
        assert_eq!(numbers(&events(&zoe, 2).await), [1, 2], "each organization counts for itself");

        // A key that may act for others reads its own user's facts, and the other's when it says so.
        let order = json!({ "name": "a program", "scopes": ["read", "act_as"] });
        let made = owner.post("/api/api-keys", order).await.json(201);
        let program = owner.with_key(made["key"].as_str().unwrap());
        assert_eq!(numbers(&program.all("/api/events").await), [1, 3, 4]);
        let acting = program.request("GET", "/api/events", &[("x-act-as", "mia@acme.example")], None).await.json(200);
        assert_eq!(numbers(acting["items"].as_array().unwrap()), [2, 3]);
    }
}

async fn another_organization(app: &TestApp) -> Client {
    let order = UserOrder {
        email: "zoe@globex.example".into(),
        name: "Zoe".into(),
        role: Role::Owner,
        password: Secret::new(PASSWORD),
        organization: Some("Globex".into()),
    };
    let operator = Identity::new(app.database().await, Clock::system(), &app.base);
    operator.provision_user(order).await.unwrap();
    app.nobody().sign_in("zoe@globex.example", PASSWORD).await
}

on_both! {
    async fn what_is_older_than_thirty_days_goes_and_says_so(app: TestApp) {
        let owner = app.owner().await;
        let writer = Writer::of(&app, &owner).await;
        let now = Clock::system().now();
        writer.write_at(3, now - Duration::days(31)).await;
        events(&owner, 3).await;
        writer.write_at(1, now).await;
        events(&owner, 4).await;
        // A clock that was slow: older than its neighbours, but numbered behind them, so it stays.
        writer.write_at(1, now - Duration::days(31)).await;
        events(&owner, 5).await;

        let outbox = Outbox::new(writer.db.clone(), Clock::system());
        assert_eq!(outbox.purge_expired().await.unwrap(), 3);
        assert_eq!(outbox.purge_expired().await.unwrap(), 0);
        for gone in ["after=0", "after=2", "cursor=1"] {
            let problem = owner.get(&format!("/api/events?{gone}")).await.problem(410, "events_expired");
            assert_eq!(problem["earliest_seq"], 4);
        }
        for kept in ["after=3", "limit=10"] {
            let page = owner.get(&format!("/api/events?{kept}")).await.json(200);
            assert_eq!(numbers(page["items"].as_array().unwrap()), [4, 5], "{kept}");
        }
        let mut socket = owner.web_socket_at("/api/ws?after=1").await;
        let first = socket.next("the first frame", |_| true).await;
        assert_eq!((&first["type"], first["seq"].is_null()), (&json!("events.expired"), true), "{first}");
        assert_eq!(first["data"]["earliest_seq"], 4);
        for seq in [4, 5] {
            assert_eq!(socket.next("a kept event", |_| true).await["seq"], seq);
        }

        // However long nothing happens, the numbers go on where they were.
        let later = Outbox::new(writer.db.clone(), Clock::fixed(now + Duration::days(90)));
        assert_eq!(later.purge_expired().await.unwrap(), 1);
        writer.write(1).await;
        assert_eq!(numbers(&events(&owner, 2).await), [5, 6]);
    }
}

on_both! {
    async fn a_mailbox_tells_that_it_was_connected_imported_and_disconnected(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 61, 60);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let mut socket = owner.web_socket().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;
        let progress = socket.next("progress", |frame| frame["type"] == "sync.progress").await;
        assert_eq!((progress["seq"].is_null(), &progress["data"]["account_id"]), (true, &json!(id)));
        socket.next("the end of the import", |frame| frame["type"] == "account.backfill_completed").await;
        let path = format!("/api/email/accounts/{id}?keep_mail=true");
        assert_eq!(owner.delete(&path).await.status, 204);
        owner.delete(&path).await;
        let told = events(&owner, 3).await;
        let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["account.connected", "account.backfill_completed", "account.disconnected"]);
        assert!(told.iter().all(|event| event["data"]["account_id"] == id.as_str()), "{told:?}");
    }
}
