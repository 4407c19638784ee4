//! Whatever dies, and whenever: no mail is sent twice, none is lost, and what cannot be known is said.

use std::collections::BTreeSet;

use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use duplex::clock::Clock;
use duplex::db::schema::idempotency_keys;
use duplex::db::types::Json;
use duplex::db::{DatabaseUrl, Db, DbOptions};
use duplex::on_conn;
use duplex::secret::Secret;
use serde_json::{Value, json};

use super::campaign::{BARE, Campaign, Moment, SAVING};
use crate::mailbox::backfilled;
use crate::support::{
    Act, Backend, Client, Dovecot, Mailbox, Phase, SmtpSecurity, SmtpSink, TestApp, TestProcess, wait_for, wait_until,
};

on_both! {
    async fn a_process_killed_at_each_moment_of_sending_sends_every_mail_once(backend: Backend) {
        let mut campaign = Campaign::start(backend).await;
        for moment in Moment::ALL {
            campaign.kill_at(moment, BARE).await;
        }
        for moment in [Moment::MidData, Moment::BodySent, Moment::AnswerLost] {
            campaign.kill_at(moment, SAVING).await;
        }
        let fates = campaign.fates().await;
        let told = campaign.facts("email.sent").await;
        for (mail, fate) in campaign.mails.iter().zip(&fates) {
            let what = format!("{:?} on way {}, {} at first: {fate:?}", mail.moment, mail.way, mail.first);
            assert!(fate.taken <= 1 && fate.copies <= 1, "double: {what}");
            match fate.status.as_str() {
                "sent" => assert!(fate.taken == 1 && fate.copies == 1, "{what}"),
                "uncertain" => assert!(mail.moment.may_be_uncertain() && fate.copies == 0, "{what}"),
                _ => panic!("lost: {what}"),
            }
            if mail.moment == Moment::AnswerLost {
                // Where the server saves to Sent, it may be found before anybody looks.
                let first = mail.first == "uncertain" || (mail.way == SAVING && mail.first == "sent");
                assert!(first && fate.taken == 1, "{what}");
                assert_eq!(fate.status, if mail.way == SAVING { "sent" } else { "uncertain" }, "{what}");
            }
            assert_eq!(told.get(&mail.id).copied().unwrap_or(0), usize::from(fate.status == "sent"), "{what}");
        }

        for (mail, fate) in campaign.mails.iter().zip(&fates).filter(|(_, fate)| fate.status == "uncertain") {
            assert_eq!(campaign.retry(mail).await, 1, "{:?} {fate:?}", mail.moment);
        }
    }
}

/// A mailbox whose mail is sent at once, in an application with a clock of the test's own.
struct Desk {
    app: TestApp,
    owner: Client,
    mailbox: Mailbox<'static>,
    sink: SmtpSink,
    account: String,
}

impl Desk {
    async fn start(backend: Backend, clock: Clock) -> Self {
        let app = TestApp::start_at(backend, clock, |_| {}).await;
        let owner = app.owner().await;
        let mailbox = Dovecot::shared().mailbox();
        let sink = SmtpSink::start(SmtpSecurity::Tls).await;
        let request = mailbox.connect_request(sink.settings(&mailbox.user));
        let account = owner.post("/api/email/accounts", request).await.json(201)["id"].as_str().unwrap().to_owned();
        let at_once = json!({ "settings": { "undo_send_seconds": 0 } });
        owner.patch(&format!("/api/email/accounts/{account}"), at_once).await.json(200);
        backfilled(&owner, &account).await;
        Self { app, owner, mailbox, sink, account }
    }

    fn mail(&self, subject: &str) -> Value {
        let to = json!([{ "email": "ann@client.example" }]);
        json!({ "account_id": self.account, "to": to, "subject": subject, "body_text": "All is well." })
    }

    async fn submit(&self, mail: Value) -> String {
        let answer = self.owner.post("/api/email/messages", mail).await.json(202);
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn shown(&self, id: &str) -> Value {
        self.owner.get(&format!("/api/email/messages/{id}")).await.json(200)
    }

    /// Waits until nothing is going on with a mail, and past every pause before another try; gives its status and
    /// whether it had to wait.
    async fn settled(&self, id: &str) -> (String, bool) {
        let mut waited = false;
        let status = wait_for("the mail has left or it is not known", async || {
            let shown = self.shown(id).await;
            let status = shown["status"].as_str().unwrap();
            // Once: a clock that runs away would take the sender's claim from it.
            if status == "queued" && !shown["error_message"].is_null() && !std::mem::replace(&mut waited, true) {
                self.app.clock.advance(chrono::Duration::seconds(46));
            }
            ["sent", "uncertain", "failed"].contains(&status).then(|| status.to_owned())
        })
        .await;
        (status, waited)
    }

    fn taken(&self, subject: &str) -> usize {
        self.sink.accepted().iter().filter(|mail| mail.header("Subject").as_deref() == Some(subject)).count()
    }
}

on_both! {
    async fn a_connection_that_ends_at_each_moment_costs_nothing_and_doubles_nothing(backend: Backend) {
        let desk = Desk::start(backend, Clock::fixed(Clock::system().now())).await;
        for phase in Phase::ALL {
            let subject = format!("{phase:?}");
            let mut mail = desk.mail(&subject);
            if phase == Phase::Body {
                // More than the sockets hold, so that the end cannot have left when the connection does.
                let file = Some(("application/octet-stream", vec![b'x'; 6_000_000]));
                let path = "/api/email/attachments?file_name=large.bin";
                let file = desk.owner.request("POST", path, &[], file).await.json(201);
                mail["attachment_ids"] = json!([file["id"]]);
            }
            // Not over a connection that is kept: the end of such a one is tried again at once.
            desk.sink.cut_connections();
            wait_until("no connection is left", async || desk.sink.open_connections() == 0).await;
            desk.sink.plan(phase, Act::Close);
            let id = desk.submit(mail).await;
            let (status, waited) = desk.settled(&id).await;
            match phase {
                Phase::Dot | Phase::Taken => assert_eq!((status.as_str(), waited), ("uncertain", false), "{phase:?}"),
                Phase::Answered => assert_eq!((status.as_str(), waited), ("sent", false), "{phase:?}"),
                _ => assert_eq!(status, "sent", "{phase:?}"),
            }
            let taken = usize::from(phase != Phase::Dot);
            assert_eq!(desk.taken(&subject), taken, "{phase:?}");
            if status == "uncertain" {
                desk.owner.post(&format!("/api/email/messages/{id}/cancel"), Value::Null).await.problem(409, "conflict");
                assert_eq!(desk.shown(&id).await["status"], "uncertain");
            }
            if phase == Phase::Dot {
                desk.owner.post(&format!("/api/email/messages/{id}/retry"), Value::Null).await.json(200);
                assert_eq!(desk.settled(&id).await.0, "sent");
                assert_eq!(desk.taken(&subject), 1);
            }
        }
        assert_eq!(desk.sink.violations(), Vec::<String>::new());
    }
}

on_both! {
    async fn a_mail_whose_answer_was_lost_is_sent_when_its_copy_turns_up(backend: Backend) {
        let desk = Desk::start(backend, Clock::system()).await;
        desk.sink.plan(Phase::Taken, Act::Close);
        let id = desk.submit(desk.mail("lost")).await;
        assert_eq!(desk.settled(&id).await.0, "uncertain");
        let raw = desk.sink.accepted()[0].raw.clone();
        desk.mailbox.peer().append("Sent", &[raw], &["\\Seen"]);
        wait_until("the copy in Sent is found", async || desk.shown(&id).await["status"] == "sent").await;
        wait_until("the copy is the mail", async || desk.shown(&id).await["folders"][0]["name"] == "Sent").await;
        assert_eq!(desk.taken("lost"), 1);
        assert_eq!(desk.owner.all(&format!("/api/email/messages?account_id={}", desk.account)).await.len(), 1);
        assert_eq!(desk.mailbox.peer().counts()["Sent"], 1);
    }
}

async fn with_key(owner: &Client, key: &str, mail: &Value) -> crate::support::Answer {
    let body = Some(("application/json", mail.to_string().into_bytes()));
    owner.request("POST", "/api/email/messages", &[("Idempotency-Key", key)], body).await
}

on_both! {
    async fn fifty_posts_at_once_with_one_key_are_one_mail(backend: Backend) {
        let desk = Desk::start(backend, Clock::system()).await;
        let mail = desk.mail("once");
        let answers = futures_util::future::join_all((0..50).map(|_| with_key(&desk.owner, "k1", &mail))).await;
        let first = answers[0].json(202);
        let id = first["id"].as_str().unwrap();
        for answer in &answers {
            assert_eq!(answer.json(202), first);
        }
        let other = desk.mail("another");
        with_key(&desk.owner, "k1", &other).await.problem(409, "idempotency_key_reused");
        assert_eq!(desk.settled(id).await.0, "sent");
        assert_eq!(with_key(&desk.owner, "k1", &mail).await.json(202)["id"], id);

        let second = with_key(&desk.owner, "k2", &other).await.json(202);
        assert_eq!(desk.settled(second["id"].as_str().unwrap()).await.0, "sent");
        let accepted = desk.sink.accepted();
        let ids: BTreeSet<_> = accepted.iter().map(|mail| mail.message_id()).collect();
        assert_eq!((accepted.len(), ids.len()), (2, 2));
    }
}

on_both! {
    async fn a_key_outlives_a_kill_between_the_commit_and_the_answer(backend: Backend) {
        let mut campaign = Campaign::start(backend).await;
        let mail = campaign.mail(BARE, "once");
        let (owner, path) = (campaign.owner(), campaign.list(BARE));
        let client = owner.clone();
        let posted = mail.clone();
        // Its answer is nobody's any more: the task dies with the connection.
        let post = tokio::spawn(async move { with_key(&client, "k1", &posted).await });
        let id = wait_for("the mail is stored", async || {
            let listed = owner.get(&path).await.json(200);
            listed["items"][0]["id"].as_str().map(str::to_owned)
        })
        .await;
        campaign.duplex.kill();
        drop(post.await);
        // Whether the answer was kept before the process died is a matter of milliseconds: here it was not.
        forget_answers(&campaign.duplex).await;
        campaign.duplex.start_again().await;

        let again = with_key(&campaign.owner(), "k1", &mail).await.json(202);
        assert_eq!(again["id"], id.as_str());
        assert_eq!(campaign.settled(&id).await, "sent");
        assert_eq!(with_key(&campaign.owner(), "k1", &mail).await.json(202)["id"], id.as_str());
        let other = campaign.mail(BARE, "another");
        with_key(&campaign.owner(), "k1", &other).await.problem(409, "idempotency_key_reused");
        assert_eq!(campaign.owner().all(&path).await.len(), 1);
        assert_eq!(campaign.taken(BARE), 1);
    }
}

/// Makes the answers that were kept as if their process had died right before it kept them.
async fn forget_answers(duplex: &TestProcess) {
    let url = match duplex.settings.0.get("DATABASE_URL") {
        Some(url) => DatabaseUrl::Postgres(Secret::new(url.clone())),
        None => DatabaseUrl::Sqlite(duplex.data_dir().join("duplex.db")),
    };
    let db = Db::open(&DbOptions { url, tls: None }).await.unwrap();
    let mut conn = db.write().await.unwrap();
    let query = diesel::update(idempotency_keys::table).set((
        idempotency_keys::status.eq(None::<i32>),
        idempotency_keys::headers.eq(None::<Json>),
        idempotency_keys::response.eq(None::<Vec<u8>>),
    ));
    let changed = on_conn!(&mut conn, |c| query.execute(c).await).unwrap();
    assert_eq!(changed, 1);
}
