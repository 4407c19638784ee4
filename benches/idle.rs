//! P7: memory at rest, without accounts and with a thousand that are listened to, and the time from the start to the
//! first answer. P6: from a new mail to its event on the WebSocket. P18: all connections break, and come back.
//!
//! `cargo bench --bench idle`, with `STARTS` (20), `ACCOUNTS` (1000; 0 leaves that part out), `SAMPLES` (200) and
//! `REST` (60, seconds). The thousand mailboxes lie on a small IMAP server in this process, over TLS.
//! `MALLOC_ARENA_MAX`, when it is set, is handed on to the server that listens to them.

#[path = "idle/mails.rs"]
mod mails;
#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[path = "idle/sending.rs"]
mod sending;
#[path = "idle/server.rs"]
mod server;
#[path = "idle/session.rs"]
mod session;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;
#[path = "idle/thousand.rs"]
mod thousand;

use measure::{load, median, memory, milliseconds, quantile, setting};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Backend, TestProcess};

/// How long a process rests before its memory counts.
const REST: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let starts = setting("STARTS", 20);
    for backend in [Backend::Sqlite, Backend::Postgres] {
        without_accounts(backend, starts).await;
    }
    let accounts = setting("ACCOUNTS", 1000);
    if accounts > 0 {
        thousand::measure(accounts, setting("SAMPLES", 200), setting("REST", 60)).await;
    }
}

async fn without_accounts(backend: Backend, starts: usize) {
    let port = free_port();
    // Its first start makes the database; what counts is every later one.
    let mut process = TestProcess::start_with(backend, |settings| {
        settings.set("BIND_ADDR", &format!("127.0.0.1:{port}"));
    })
    .await;
    process.terminate().await;

    let mut times = Vec::new();
    let (mut resident, mut anonymous) = (0.0, 0.0);
    for start in 1..=starts {
        let (time, mut child) = first_answer(&process, port);
        times.push(time);
        if start == starts {
            std::thread::sleep(REST);
            resident = memory(child.id(), "VmRSS");
            anonymous = memory(child.id(), "RssAnon");
        }
        end(&mut child);
    }
    println!(
        "P7  {backend:?}: {resident:.1} MB resident ({anonymous:.1} MB its own, goal 25); first answer after {:.0} ms, \
         slowest of {starts} {:.0} ms (goal 150); load {}",
        median(&times),
        quantile(&times, 1.0),
        load()
    );
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a process on the data that is there; the milliseconds until it answers.
fn first_answer(process: &TestProcess, port: u16) -> (f64, Child) {
    let began = Instant::now();
    let child = process.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !answers(port) {
        std::thread::sleep(Duration::from_micros(500));
    }
    (milliseconds(began.elapsed()), child)
}

/// Whether the server answers 200.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut head = [0; 12];
    asked.is_ok() && stream.read_exact(&mut head).is_ok() && head.ends_with(b"200")
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
