//! Building a server, apart from running it: a built application knows its port.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Accounts, Vault};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbOptions};
use crate::events::Events;
use crate::http::Proxies;
use crate::identity::Identity;
use crate::instance::Instance;
use crate::messages::Messages;
use crate::net::{Net, NetOptions};
use crate::outbox::{Outbox, Sequencer};
use crate::replay::Holder;
use crate::sending::{Sender, SenderParts, Sending};
use crate::storage::Storage;
use crate::sync::{Engine, EngineParts, Gate, SyncTimes};
use crate::telemetry::Metrics;
use crate::{router, schedule};

/// How long running work may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(8);

/// What stands below every command: settings, database, keys.
pub struct Ground {
    /// The settings.
    pub config: Config,
    /// The clock.
    pub clock: Clock,
    /// The database, with its schema up to date.
    pub db: Db,
    /// The way out.
    pub net: Net,
    /// The keys.
    pub vault: Vault,
}

impl Ground {
    /// Opens the database, brings its schema up to date and checks the keys against it.
    ///
    /// # Errors
    /// One line with the remedy.
    pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let net = Net::new(NetOptions {
            allow_private_networks: config.allow_private_networks,
            extra_ca_certs: config.extra_ca_certs.clone(),
            ..NetOptions::default()
        })?;
        let db = Db::open(&DbOptions { url: config.database_url.clone(), tls: Some(net.tls_config()) }).await?;
        let vault = Vault::new(&config.keys.encryption)?;
        accounts::check_keys(&db, &vault, &clock).await?;
        Ok(Self { config: config.clone(), clock, db, net, vault })
    }
}

/// A server that is built but does not serve yet.
pub struct Application {
    app: App,
    engine: Engine,
    sequencer: Sequencer,
    sender: Sender,
    instance: Instance,
    listener: TcpListener,
    bound: SocketAddr,
    sync_cron: String,
    setup_link: Option<String>,
}

impl Application {
    /// Opens everything that a server needs and binds its address.
    ///
    /// # Errors
    /// One line that says what is wrong and what to do.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let times = SyncTimes::parse(&config.sync_cron)?;
        let listener = TcpListener::bind(config.bind_addr).with_context(|| {
            format!("cannot listen on {}; is another server running? Set BIND_ADDR to a free address", config.bind_addr)
        })?;
        let bound = listener.local_addr()?;
        let public_url = config.public_url(bound);
        let Ground { config, clock, db, net, vault } = Ground::open(&config, clock).await?;
        let instance = Instance::claim(&config.data_dir)?;
        let storage = Storage::open(&config.storage, &net).await?;
        let events = Events::default();
        let identity = Identity::new(db.clone(), clock.clone(), &public_url);
        let accounts = Accounts::new(db.clone(), clock.clone(), net.clone(), vault, events.clone(), instance.name());
        let messages = Messages::new(db.clone(), clock.clone(), storage.clone(), events.clone(), &public_url);
        let outbox = Outbox::new(db.clone(), clock.clone());
        let sequencer = Sequencer::new(db.clone(), events.clone(), &outbox);
        let sending = Sending::new(
            db.clone(),
            clock.clone(),
            storage.clone(),
            accounts.clone(),
            messages.clone(),
            events.clone(),
        );
        let gate = Gate::default();
        let sender = Sender::new(SenderParts {
            db: db.clone(),
            clock: clock.clone(),
            net: net.clone(),
            storage: storage.clone(),
            accounts: accounts.clone(),
            events: events.clone(),
            gate: gate.clone(),
        });
        let metrics = Arc::new(Metrics::default());
        let engine = Engine::new(EngineParts {
            db: db.clone(),
            clock: clock.clone(),
            net,
            storage: storage.clone(),
            accounts: accounts.clone(),
            events: events.clone(),
            metrics: metrics.clone(),
            times,
            gate,
        });
        let holder = Holder::new(instance.name());
        holder.release_own(&db).await?;
        let setup_link = identity.setup_token().await?.map(|token| identity.setup_link(&token));
        let app = App {
            db,
            clock,
            events,
            storage,
            identity,
            accounts,
            messages,
            sending,
            outbox,
            holder,
            metrics,
            public_url: public_url.into(),
            cors_allowed_origins: config.cors_allowed_origins.into(),
            proxies: Proxies(config.trusted_proxies),
        };
        Ok(Self { app, engine, sequencer, sender, instance, listener, bound, sync_cron: config.sync_cron, setup_link })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.bound.port()
    }

    /// Where people reach it.
    pub fn url(&self) -> &str {
        &self.app.public_url
    }

    /// The link for the first run; nothing when a user exists.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// The one-time token of that link.
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_link.as_deref()?.split_once("token=").map(|(_, token)| token)
    }

    /// Serves until it is told to stop; then lets requests and syncs end, for some seconds at most.
    ///
    /// # Errors
    /// When the server or the scheduler cannot run.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { app, engine, sequencer, sender, instance, listener, bound, sync_cron, .. } = self;
        let (identity, outbox, uploads) = (app.identity.clone(), app.outbox.clone(), app.sending.clone());
        let server = HttpServer::new(move || router::service(app.clone()))
            .workers(std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 16))
            .shutdown_timeout(FAREWELL.as_secs())
            .client_request_timeout(Duration::from_secs(20))
            // An answer goes out in two writes; without this the second waits 40 ms for the client's delayed ACK.
            .tcp_nodelay(true)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        let serving = tokio::spawn(server);
        tracing::info!(address = %bound, "listening");
        let mut scheduler = schedule::start(&sync_cron, engine.clone(), identity, outbox, uploads).await?;
        let numbering = tokio::spawn(sequencer.run(stop.clone()));
        let sending = tokio::spawn(sender.run(stop.clone()));
        let syncing = tokio::spawn(engine.clone().run(stop.clone()));
        stop.cancelled().await;
        scheduler.shutdown().await?;
        let (_, synced, sent) = tokio::join!(
            handle.stop(true),
            tokio::time::timeout(FAREWELL, syncing),
            tokio::time::timeout(FAREWELL, sending)
        );
        if sent.is_err() {
            tracing::warn!(
                "a mail was being handed over when the server stopped; it is looked after at the next start"
            );
        }
        if synced.is_err() {
            tracing::warn!("a sync did not end in time; it goes on at the next start");
        }
        numbering.await?;
        serving.await??;
        drop(instance);
        Ok(())
    }
}
