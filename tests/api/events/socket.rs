//! The WebSocket: what was missed comes first, and nothing comes twice.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::Service;
use actix_web::{App, HttpMessage, HttpServer, web};
use duplex::access::{Access, Role};
use duplex::accounts::{Accounts, Vault};
use duplex::clock::Clock;
use duplex::config::{Config, Source};
use duplex::db::schema::organizations;
use duplex::db::{Db, DbOptions};
use duplex::events::{AccountRef, Event, Events};
use duplex::ids::{AccountId, OrgId, UserId};
use duplex::net::{Net, NetOptions};
use duplex::outbox::{Outbox, Sequencer};
use duplex::{on_conn, realtime};
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt;

use super::{Writer, events};
use crate::support::{Backend, Client, Settings, TestApp, TestDatabase};

on_both! {
    async fn a_socket_sends_what_was_missed_then_what_happens_and_nothing_twice(app: TestApp) {
        let owner = app.owner().await;
        let writer = Writer::of(&app, &owner).await;
        writer.write(450).await;
        events(&owner, 450).await;
        let mut fresh = owner.web_socket().await;
        let mut back = owner.web_socket_at("/api/ws?after=10").await;
        let more = tokio::spawn(async move {
            for _ in 0..20 {
                writer.write(3).await;
            }
        });
        for seq in 11..=510 {
            assert_eq!(back.next("the next event", |_| true).await["seq"], seq);
        }
        more.await.unwrap();
        for seq in 451..=510 {
            assert_eq!(fresh.next("a new event", |_| true).await["seq"], seq, "without a number the news begin now");
        }
        for bad in ["after=x", "after=-1", "since=1"] {
            owner.get(&format!("/api/ws?{bad}")).await.problem(422, "validation_failed");
        }
    }
}

/// A server of WebSockets alone, with a bell that the test may ring as well.
struct Bells {
    base: String,
    events: Events,
    writer: Writer,
    stop: CancellationToken,
    _database: TestDatabase,
    _dir: tempfile::TempDir,
}

impl Bells {
    async fn start(backend: Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(backend).await;
        let settings = Settings::for_test(dir.path(), database.url().as_deref());
        let config = Config::load(&Source::from_pairs(settings.0)).unwrap();
        let db = Db::open(&DbOptions { url: config.database_url.clone(), tls: None }).await.unwrap();
        let org = organization(&db).await;
        let account = AccountRef { org, user: UserId::new(), account: AccountId::new() };
        let access = Access { org, user: account.user, role: Role::Member, scopes: None, session: None, key: None };

        let (events, clock, stop) = (Events::default(), Clock::system(), CancellationToken::new());
        let outbox = Outbox::new(db.clone(), clock.clone());
        let net = Net::new(NetOptions::default()).unwrap();
        let vault = Vault::new(&config.keys.encryption).unwrap();
        let accounts = Accounts::new(db.clone(), clock.clone(), net, vault, events.clone(), "test");
        tokio::spawn(Sequencer::new(db.clone(), events.clone(), &outbox).run(stop.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (bell, done) = (events.clone(), stop.clone());
        let serve = HttpServer::new(move || {
            let access = access.clone();
            let (service, _) = App::new().into_utoipa_app().configure(realtime::configure).split_for_parts();
            service
                .app_data(web::Data::new(bell.clone()))
                .app_data(web::Data::new(outbox.clone()))
                .app_data(web::Data::new(accounts.clone()))
                .app_data(web::Data::new(clock.clone()))
                .wrap_fn(move |request, service| {
                    request.extensions_mut().insert(access.clone());
                    service.call(request)
                })
        });
        let server = serve.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        tokio::spawn(async move {
            done.cancelled().await;
            handle.stop(false).await;
        });
        let writer = Writer { db, account };
        Self { base, events, writer, stop, _database: database, _dir: dir }
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn organization(db: &Db) -> OrgId {
    // Here alone: its `load` would take the place of an atomic's.
    use diesel::ExpressionMethods;
    use diesel_async::RunQueryDsl;

    let (org, now) = (OrgId::new(), Clock::system().now());
    let mut conn = db.write().await.unwrap();
    let row = (
        organizations::id.eq(org),
        organizations::name.eq("Acme"),
        organizations::created_at.eq(now),
        organizations::updated_at.eq(now),
    );
    let conn = &mut conn;
    on_conn!(conn, |c| diesel::insert_into(organizations::table).values(row).execute(c).await).unwrap();
    org
}

on_both! {
    async fn a_bell_that_drowns_in_others_costs_no_event_and_doubles_none(backend: Backend) {
        let server = Bells::start(backend).await;
        let mut socket = Client::nobody(&server.base).web_socket_at("/api/ws?after=0").await;
        let over = Arc::new(AtomicBool::new(false));
        let noise = std::thread::spawn({
            let (events, over) = (server.events.clone(), over.clone());
            let strangers = AccountRef { user: UserId::new(), ..server.writer.account };
            move || {
                while !over.load(Ordering::Acquire) {
                    // Far more than the channel holds, so that whoever listens falls behind.
                    for _ in 0..5_000 {
                        events.publish(Event::SyncProgress(strangers));
                    }
                    std::thread::yield_now();
                }
            }
        });
        let (writer, events) = (server.writer.clone(), server.events.clone());
        let writing = tokio::spawn(async move {
            for _ in 0..60 {
                writer.write(1).await;
                events.publish(Event::FactsRecorded(writer.account.org));
            }
        });
        for seq in 1..=60 {
            assert_eq!(socket.next("the next event", |_| true).await["seq"], seq);
        }
        writing.await.unwrap();
        over.store(true, Ordering::Release);
        noise.join().unwrap();
    }
}
