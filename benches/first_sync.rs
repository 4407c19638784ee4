//! P1 and P3: the first sync of an IMAP mailbox over TLS, in turn with `mbsync`.
//!
//! `cargo bench --bench first_sync`, with `MAILS` (20,000), `ROUNDS` (3) and `DATABASE` (sqlite or
//! postgres). Wants `mbsync` (Debian: isync) and Dovecot. Duplex parses, threads and stores every mail and
//! its attachments in steps that survive a crash; `mbsync` writes them into a Maildir.

#[path = "first_sync/mailbox.rs"]
mod mailbox;
#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;

use mailbox::{FOLDERS, fill, mbsync_config};
use measure::{Usage, command, cpu, load, median, memory, setting};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Backend, Dovecot, Mailbox, SmtpSecurity, SmtpSink, TestProcess};

#[tokio::main]
async fn main() {
    let (mails, rounds) = (setting("MAILS", 20_000), setting("ROUNDS", 3));
    let backend = match std::env::var("DATABASE").as_deref() {
        Ok("postgres") => Backend::Postgres,
        _ => Backend::Sqlite,
    };
    let dovecot = Dovecot::shared();
    let mailbox = dovecot.mailbox();
    let bytes = fill(&mailbox, mails);
    println!("{mails} mails, {:.0} MB, {backend:?}, load {}", megabytes(bytes), load());
    // Once for the server's own indexes, so that no client pays for them.
    for (folder, _) in FOLDERS {
        mailbox.peer().mails(folder);
    }

    let mut results: Vec<[Usage; 3]> = Vec::new();
    for round in 1..=rounds {
        let loose = mbsync(&mailbox, false);
        let strict = mbsync(&mailbox, true);
        let ours = duplex(&mailbox, backend, mails).await;
        println!("\nround {round}, load {}", load());
        for (name, usage) in [("mbsync, FSync no", loose), ("mbsync, default", strict), ("duplex", ours)] {
            println!("  {name:<18} {:7.2} s wall  {:7.2} s cpu", usage.wall, usage.cpu);
        }
        println!(
            "  duplex is {:.2} × mbsync with FSync no, {:.2} × its default; {:.3} cpu s per 1,000; peak {:.0} MB",
            ours.wall / loose.wall,
            ours.wall / strict.wall,
            per_thousand(ours.cpu, mails),
            ours.peak_mb
        );
        results.push([loose, strict, ours]);
    }
    let of = |value: &dyn Fn(&[Usage; 3]) -> f64| median(&results.iter().map(value).collect::<Vec<_>>());
    println!("\nmedian of {rounds}");
    println!("  P1  {:.2} × mbsync with FSync no   (goal 0.8)", of(&|r| r[2].wall / r[0].wall));
    println!("      {:.2} × mbsync's default       (goal 0.4)", of(&|r| r[2].wall / r[1].wall));
    println!("  P3  {:.3} cpu s per 1,000 mails    (goal 0.6)", of(&|r| per_thousand(r[2].cpu, mails)));
    println!("      {:.0} MB at most               (goal 80)", of(&|r| r[2].peak_mb));
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn per_thousand(seconds: f64, mails: usize) -> f64 {
    seconds * 1000.0 / mails as f64
}

fn mbsync(mailbox: &Mailbox<'_>, fsync: bool) -> Usage {
    let dir = tempfile::TempDir::with_prefix("duplex-mbsync-").unwrap();
    let store = dir.path().join("mail");
    std::fs::create_dir(&store).unwrap();
    let config = dir.path().join("mbsyncrc");
    std::fs::write(&config, mbsync_config(mailbox, &store, fsync)).unwrap();
    command(Command::new("mbsync").arg("--quiet").arg("--config").arg(&config).arg("--all").env("HOME", dir.path()))
}

/// From the request that connects the mailbox until its last mail is stored.
async fn duplex(mailbox: &Mailbox<'_>, backend: Backend, mails: usize) -> Usage {
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let mut process = TestProcess::start_with(backend, |settings| {
        settings.set("RUST_LOG", "warn");
    })
    .await;
    let owner = process.owner().await;
    let pid = process.pid();
    let (before, began) = (cpu(pid), Instant::now());
    let request = mailbox.connect_request(smtp.settings(&mailbox.user));
    let account = owner.post("/api/email/accounts", request).await.json(201);
    let path = format!("/api/email/accounts/{}", account["id"].as_str().unwrap());
    loop {
        let account = owner.get(&path).await.json(200);
        if account["phase"] == "live" {
            assert_eq!(account["progress"]["synced"], mails, "{account}");
            break;
        }
        assert_ne!(account["status"], Value::from("disconnected"), "{account}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let usage = Usage { wall: began.elapsed().as_secs_f64(), cpu: cpu(pid) - before, peak_mb: memory(pid, "VmHWM") };
    process.terminate().await;
    usage
}
