//! P5: a pass over a mailbox in which nothing changed, in turn with `mbsync`.
//!
//! `cargo bench --bench unchanged`, with `MAILS` (20,000), `ROUNDS` (5), `PASSES` (10, in each round) and `DATABASE`
//! (sqlite or postgres). Wants Dovecot, and `mbsync` (Debian: isync) for the comparison. Once with all that Dovecot can do,
//! and once with a server that counts no changes, where every flag is to be compared.

#[path = "first_sync/mailbox.rs"]
mod mailbox;
#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;

use mailbox::{FOLDERS, fill, mbsync_config};
use measure::{Usage, command, cpu, load, median, setting};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::client::WebSocket;
use support::{Backend, Client, Dovecot, DovecotOptions, Mailbox, SmtpSecurity, SmtpSink, TestProcess};
use tempfile::TempDir;

/// What a server says that keeps no modification sequences.
const PLAIN: &str = "IMAP4rev1 SASL-IR LITERAL+ ENABLE ID NAMESPACE UIDPLUS UNSELECT MOVE IDLE ESEARCH SPECIAL-USE \
                     LIST-EXTENDED LIST-STATUS AUTH=PLAIN";

/// Before each of our passes.
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() {
    let (mails, rounds) = (setting("MAILS", 20_000), setting("ROUNDS", 5));
    let backend = match std::env::var("DATABASE").as_deref() {
        Ok("postgres") => Backend::Postgres,
        _ => Backend::Sqlite,
    };
    let everything = Dovecot::start(&DovecotOptions::default());
    measure("all that Dovecot can do", 0.5, &everything.mailbox(), backend, (mails, rounds)).await;
    drop(everything);
    let plain = Dovecot::start(&DovecotOptions { capability: Some(PLAIN), ..DovecotOptions::default() });
    measure("without CONDSTORE", 1.0, &plain.mailbox(), backend, (mails, rounds)).await;
}

async fn measure(name: &str, goal: f64, mailbox: &Mailbox<'_>, backend: Backend, (mails, rounds): (usize, usize)) {
    let passes = setting("PASSES", 10);
    fill(mailbox, mails);
    for (folder, _) in FOLDERS {
        mailbox.peer().mails(folder);
    }
    println!("\n{mails} mails, {backend:?}, {name}, load {}", load());
    let peer = Peer::start(mailbox);
    let mut duplex = Duplex::start(mailbox, backend, mails).await;
    // Once each without counting: what was left over from the first sync is done then.
    if let Some(peer) = &peer {
        peer.pass();
    }
    duplex.pass().await;
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let theirs = peer.as_ref().map(|peer| average((0..passes).map(|_| peer.pass()).collect()));
        let mut ours = Vec::new();
        for _ in 0..passes {
            ours.push(duplex.pass().await);
        }
        let ours = average(ours);
        println!("round {round}, load {}", load());
        println!("  duplex {}", show(ours));
        let Some(theirs) = theirs else { continue };
        println!("  mbsync {}", show(theirs));
        println!(
            "  duplex is {:.2} × mbsync in wall time, {:.2} × in cpu",
            ours.wall / theirs.wall,
            ours.cpu / theirs.cpu
        );
        ratios.push((ours.wall / theirs.wall, ours.cpu / theirs.cpu));
    }
    if !ratios.is_empty() {
        let of = |value: fn(&(f64, f64)) -> f64| median(&ratios.iter().map(value).collect::<Vec<_>>());
        println!(
            "P5  {name}: median of {rounds}: {:.2} × mbsync (goal {goal}), {:.2} × its cpu",
            of(|ratio| ratio.0),
            of(|ratio| ratio.1)
        );
    }
    duplex.process.terminate().await;
}

fn show(usage: Usage) -> String {
    format!("{:7.1} ms wall  {:7.1} ms cpu a pass", usage.wall * 1000.0, usage.cpu * 1000.0)
}

/// One pass of many.
fn average(passes: Vec<Usage>) -> Usage {
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let count = passes.len() as f64;
    let mean = |value: fn(&Usage) -> f64| passes.iter().map(value).sum::<f64>() / count;
    Usage { wall: mean(|usage| usage.wall), cpu: mean(|usage| usage.cpu), peak_mb: 0.0 }
}

/// `mbsync` with its Maildir.
struct Peer {
    dir: TempDir,
}

impl Peer {
    /// Fetches everything once; nothing where `mbsync` is not installed.
    fn start(mailbox: &Mailbox<'_>) -> Option<Self> {
        let there = Command::new("mbsync").arg("--version").stdout(Stdio::null()).status();
        if there.is_err() {
            println!("mbsync is not installed (Debian: isync): Duplex alone");
            return None;
        }
        let dir = TempDir::with_prefix("duplex-mbsync-").unwrap();
        let store = dir.path().join("mail");
        std::fs::create_dir(&store).unwrap();
        std::fs::write(dir.path().join("mbsyncrc"), mbsync_config(mailbox, &store, false)).unwrap();
        let peer = Self { dir };
        peer.pass();
        Some(peer)
    }

    fn pass(&self) -> Usage {
        let config: &Path = &self.dir.path().join("mbsyncrc");
        let mut mbsync = Command::new("mbsync");
        command(mbsync.arg("--quiet").arg("--config").arg(config).arg("--all").env("HOME", self.dir.path()))
    }
}

/// The product with the mailbox imported.
struct Duplex {
    process: TestProcess,
    client: Client,
    socket: WebSocket,
    account: String,
    last: Value,
    _smtp: SmtpSink,
}

impl Duplex {
    async fn start(mailbox: &Mailbox<'_>, backend: Backend, mails: usize) -> Self {
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let process = TestProcess::start_with(backend, |settings| {
            // The periodic sync would come in between.
            settings.set("RUST_LOG", "warn").set("SYNC_CRON", "0 0 0 1 1 *");
        })
        .await;
        let client = process.owner().await;
        let request = mailbox.connect_request(smtp.settings(&mailbox.user));
        let account = client.post("/api/email/accounts", request).await.json(201);
        let path = format!("/api/email/accounts/{}", account["id"].as_str().unwrap());
        loop {
            let account = client.get(&path).await.json(200);
            if account["phase"] == "live" && account["push"] == "idle" {
                assert_eq!(account["progress"]["synced"], mails, "{account}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let socket = client.web_socket().await;
        let account = account["id"].as_str().unwrap().to_owned();
        let mut duplex = Self { process, client, socket, account, last: Value::Null, _smtp: smtp };
        // The first pass compares every mail, which is due once a day; what it finds it says with the next.
        duplex.pass().await;
        duplex.last = duplex.client.get(&path).await.json(200)["last_sync_at"].clone();
        duplex
    }

    /// From the request until the time of the last sync has moved.
    async fn pass(&mut self) -> Usage {
        // Connections to one host are spaced out: only the first of many in a row would not wait for its turn.
        tokio::time::sleep(PAUSE).await;
        let pid = self.process.pid();
        let (before, began) = (cpu(pid), Instant::now());
        let path = format!("/api/email/accounts/{}/sync", self.account);
        let answer = self.client.post(&path, json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        let (account, last) = (&self.account, &self.last);
        let moved = |event: &Value| {
            let data = &event["data"];
            event["type"] == "sync.progress" && data["account_id"] == account.as_str() && data["last_sync_at"] != *last
        };
        let event = self.socket.next("the pass", moved).await;
        self.last = event["data"]["last_sync_at"].clone();
        Usage { wall: began.elapsed().as_secs_f64(), cpu: cpu(pid) - before, peak_mb: 0.0 }
    }
}
