//! The application inside the test process.

use super::client::Client;
use super::postgres::{Backend, TestDatabase};
use super::settings::Settings;
use duplex::clock::Clock;
use duplex::config::{Config, Source};
use duplex::db::{DatabaseUrl, Db, DbOptions};
use duplex::secret::Secret;
use duplex::startup::Application;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The owner's address in every test that sets up.
pub const OWNER_EMAIL: &str = "olga@acme.example";
/// The owner's password.
pub const OWNER_PASSWORD: &str = "correct horse battery staple";

/// How long the application may take to finish what it is doing.
const FAREWELL: Duration = Duration::from_secs(15);

/// A running application on a database of its own. It stops with this value.
pub struct TestApp {
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    /// The clock that the application reads.
    pub clock: Clock,
    /// Which database it runs on.
    pub backend: Backend,
    setup_token: Option<String>,
    stop: CancellationToken,
    run: Option<JoinHandle<anyhow::Result<()>>>,
    // Dropped last, in this order: the application is gone by then.
    _database: TestDatabase,
    _dir: TempDir,
}

impl TestApp {
    /// Starts it with ordinary settings.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    /// Starts it with changed settings.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at(backend, Clock::system(), change).await
    }

    /// Starts it with changed settings and a clock of the test's own.
    pub async fn start_at(backend: Backend, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = TempDir::with_prefix("duplex-test-").unwrap();
        let database = TestDatabase::create(backend).await;
        let mut settings = Settings::for_test(dir.path(), database.url().as_deref());
        change(&mut settings);
        let config = Config::load(&Source::from_pairs(settings.0)).unwrap();
        let application = Application::build(config, clock.clone()).await.unwrap();
        let base = format!("http://127.0.0.1:{}", application.port());
        let setup_token = application.setup_token().map(str::to_owned);
        let stop = CancellationToken::new();
        let run = tokio::spawn(application.run(stop.clone()));
        Self { base, clock, backend, setup_token, stop, run: Some(run), _database: database, _dir: dir }
    }

    /// Somebody who has not signed in.
    pub fn nobody(&self) -> Client {
        Client::nobody(&self.base)
    }

    /// The one-time token that the set-up link carries.
    pub fn setup_token(&self) -> &str {
        self.setup_token.as_deref().expect("a fresh application waits to be set up")
    }

    /// Sets up and signs the owner in.
    pub async fn owner(&self) -> Client {
        self.nobody().set_up(self.setup_token(), OWNER_EMAIL, OWNER_PASSWORD).await
    }

    /// The address of its database; none for the embedded file in its folder.
    pub fn database_url(&self) -> Option<String> {
        self._database.url()
    }

    /// Its database, opened beside it.
    pub async fn database(&self) -> Db {
        let url = match self.database_url() {
            Some(url) => DatabaseUrl::Postgres(Secret::new(url)),
            None => DatabaseUrl::Sqlite(self.data_dir().join("duplex.db")),
        };
        Db::open(&DbOptions { url, tls: None }).await.unwrap()
    }

    /// The folder of its data.
    pub fn data_dir(&self) -> &std::path::Path {
        self._dir.path()
    }

    /// Stops it and waits until it has.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(run) = self.run.take() {
            tokio::time::timeout(FAREWELL, run).await.expect("the application did not stop").unwrap().unwrap();
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        let Some(run) = self.run.take() else { return };
        tokio::task::block_in_place(|| {
            let _ = tokio::runtime::Handle::current().block_on(tokio::time::timeout(FAREWELL, run));
        });
    }
}
