//! Fresh databases for tests.

use super::script_server::ScriptServer;
use std::sync::LazyLock;
use tokio_postgres::NoTls;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// A PostgreSQL that answers for this test process: the one of the environment, or one of our own.
struct Server {
    url: String,
    _own: Option<ScriptServer>,
}

/// A PostgreSQL of one's own, to be stopped and started again.
pub struct PrivatePostgres(ScriptServer);

impl PrivatePostgres {
    /// Starts it, empty.
    pub fn start() -> Self {
        Self(ScriptServer::start("private-postgres", &[]))
    }

    /// The address of its database.
    pub fn url(&self) -> &str {
        self.0.facts["url"].as_str().unwrap()
    }

    /// Ends the server and its connections; its data stays.
    pub fn stop(&self) {
        self.0.tell("stop");
    }

    /// Starts the server again, on the same port with the same data.
    pub fn start_again(&self) {
        self.0.tell("start");
    }
}

static SERVER: LazyLock<Server> = LazyLock::new(|| match std::env::var("DUPLEX_TEST_POSTGRES_URL") {
    Ok(url) => Server { url, _own: None },
    Err(_) => {
        let own = ScriptServer::start("private-postgres", &[]);
        Server { url: own.facts["url"].as_str().unwrap().to_owned(), _own: Some(own) }
    }
});

/// A database for one test, dropped with this value; on SQLite there is nothing to do, its file lies in
/// the test's folder.
pub struct TestDatabase {
    name: Option<String>,
}

impl TestDatabase {
    /// A new, empty database.
    pub async fn create(backend: Backend) -> Self {
        if backend == Backend::Sqlite {
            return Self { name: None };
        }
        let name = format!("duplex_test_{}", uuid::Uuid::new_v4().simple());
        tokio::task::spawn_blocking(|| LazyLock::force(&SERVER)).await.unwrap();
        run(&format!("CREATE DATABASE {name}")).await.unwrap();
        Self { name: Some(name) }
    }

    /// Its address; none where the default, an embedded file, is meant.
    pub fn url(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        let (server, _) = SERVER.url.rsplit_once('/')?;
        Some(format!("{server}/{name}"))
    }
}

async fn run(statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&SERVER.url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let done = client.batch_execute(statement).await;
    driver.abort();
    done
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        // A runtime of its own, since the test's may be on its way out.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime
                .block_on(run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
                .map_err(std::io::Error::other)
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a test database stays behind: {error}");
        }
    }
}
