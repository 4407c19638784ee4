//! The real binary as a process of its own: to be killed, and started again on the same data.

use super::client::Client;
use super::postgres::{Backend, TestDatabase};
use super::settings::Settings;
use super::wait::wait_for;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A running `duplex`. It is killed with this value.
pub struct TestProcess {
    /// The settings, which count from the next start on.
    pub settings: Settings,
    child: Option<Child>,
    said: Arc<Mutex<Vec<String>>>,
    // Dropped last, in this order: the process is gone by then.
    _database: TestDatabase,
    dir: TempDir,
}

impl TestProcess {
    /// Starts it with ordinary settings and waits until it is ready.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    /// Starts it with changed settings and waits until it is ready.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = TempDir::with_prefix("duplex-test-").unwrap();
        let database = TestDatabase::create(backend).await;
        let mut settings = Settings::for_test(dir.path(), database.url().as_deref());
        change(&mut settings);
        let said = Arc::default();
        let mut process = Self { settings, child: None, said, _database: database, dir };
        process.start_again().await;
        process
    }

    /// Starts it on the data that is there, and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.said.lock().unwrap().clear();
        let mut child = self.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        listen(child.stdout.take().unwrap(), &self.said);
        listen(child.stderr.take().unwrap(), &self.said);
        self.child = Some(child);
        wait_for("the process says that it is ready", async || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", self.words());
            self.line_with("Duplex is ready at ")
        })
        .await;
    }

    /// Changes a setting; it counts from the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.set(name, value);
    }

    /// The command line with these arguments, in the same environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duplex"));
        command.args(arguments).env_clear().envs(&self.settings.0).current_dir(self.dir.path()).stdin(Stdio::null());
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGKILL: it gets no chance to finish anything.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, as an orderly stop; waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let done = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(done.success());
        wait_for("the process ends after SIGTERM", async || child.try_wait().unwrap()).await
    }

    /// Everything that it printed and logged since its last start.
    pub fn words(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    fn line_with(&self, mark: &str) -> Option<String> {
        let said = self.said.lock().unwrap();
        said.iter().find_map(|line| line.split_once(mark).map(|(_, behind)| behind.trim().to_owned()))
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base(&self) -> String {
        self.line_with("Duplex is ready at ").expect("it is ready")
    }

    /// The one-time token of the set-up link that it printed.
    pub fn setup_token(&self) -> String {
        let behind = self.line_with("/setup?token=").expect("it printed a set-up link");
        behind.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').collect()
    }

    /// Somebody who has not signed in.
    pub fn nobody(&self) -> Client {
        Client::nobody(&self.base())
    }

    /// Sets up and signs the owner in.
    pub async fn owner(&self) -> Client {
        self.nobody().set_up(&self.setup_token(), super::app::OWNER_EMAIL, super::app::OWNER_PASSWORD).await
    }

    /// The owner signed in again, after a restart.
    pub async fn owner_again(&self) -> Client {
        self.nobody().sign_in(super::app::OWNER_EMAIL, super::app::OWNER_PASSWORD).await
    }

    /// The folder of its data.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }
}

fn listen(output: impl Read + Send + 'static, said: &Arc<Mutex<Vec<String>>>) {
    let said = said.clone();
    std::thread::spawn(move || {
        // To watch a process at work: DUPLEX_TEST_LOG=1 scripts/test NAME --nocapture
        let aloud = std::env::var_os("DUPLEX_TEST_LOG").is_some();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if aloud {
                eprintln!("{line}");
            }
            said.lock().unwrap().push(line);
        }
    });
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
