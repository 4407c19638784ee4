//! A thousand mailboxes that are listened to.

use super::measure::{cpu, load, memory, quantile, setting};
use super::server::{Door, Server};
use super::support::app::OWNER_EMAIL;
use super::support::{Backend, Client, TestProcess, wait_until};
use super::{end, first_answer, free_port, mails, sending};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Mails in each inbox.
const MAILS: u32 = 5;

/// Accounts that are being connected at once.
const AT_ONCE: usize = 8;

/// How long the mail server is away.
const AWAY: Duration = Duration::from_secs(5);

/// How long something may take before the bench goes on without it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures and prints.
pub async fn measure(accounts: usize, samples: usize, rest: usize) {
    let rest = Duration::from_secs(rest as u64);
    let server = Server::start(accounts, MAILS).await;
    let port = free_port();
    let mut process = TestProcess::start_with(Backend::Sqlite, |settings| {
        settings.set("RUST_LOG", "warn").set("BIND_ADDR", &format!("127.0.0.1:{port}"));
        // The system's allocator keeps a heap for each of many threads unless told otherwise.
        if let Ok(heaps) = std::env::var("MALLOC_ARENA_MAX") {
            settings.set("MALLOC_ARENA_MAX", &heaps);
        }
    })
    .await;
    drop(process.owner().await);
    let client = process.nobody().with_key(&key(&process));
    let began = Instant::now();
    let ids = connect_all(&client, &server, accounts).await;
    let connected = began.elapsed().as_secs_f64();
    let idle = server.all_idle(PATIENCE).await;
    println!(
        "{accounts} mailboxes connected in {connected:.0} s, {} idle after {:.0} s, load {}",
        server.idle(),
        began.elapsed().as_secs_f64(),
        load()
    );
    if idle.is_none() {
        complain(&client, &server, &process).await;
    }
    at_rest("that imported them", process.pid(), &server, rest).await;
    announce(&client, &server, &ids, samples).await;
    for (name, meanwhile) in [("nobody listens", Door::Shut), ("a balancer hangs up", Door::Slammed)] {
        reconnect(name, meanwhile, process.pid(), &server).await;
    }
    process.terminate().await;

    let (time, mut child) = first_answer(&process, port);
    let back = server.all_idle(PATIENCE).await.map_or(f64::NAN, |time| time.as_secs_f64());
    println!("P7  started again on {accounts} mailboxes: first answer after {time:.0} ms, all idle after {back:.0} s");
    at_rest("started again", child.id(), &server, rest).await;
    end(&mut child);
    let unknown = server.unknown();
    if !unknown.is_empty() {
        println!("commands that the server does not know: {unknown:#?}");
    }
}

/// An API key of the owner, as the operator makes it.
fn key(process: &TestProcess) -> String {
    let order = ["admin", "create-key", "--email", OWNER_EMAIL, "--name", "bench", "--scopes", "read,write"];
    let output = process.command(&order).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().last().unwrap_or_else(|| panic!("no key: {output:?}")).to_owned()
}

/// Connects all mailboxes; their ids, by the number of the user.
async fn connect_all(client: &Client, server: &Server, accounts: usize) -> Vec<String> {
    let smtp = sending::start().await;
    let mut ids = vec![String::new(); accounts];
    let mut tasks = tokio::task::JoinSet::new();
    let mut next = 0..accounts;
    loop {
        while tasks.len() < AT_ONCE
            && let Some(user) = next.next()
        {
            let (client, smtp, port) = (client.clone(), smtp.clone(), server.port);
            tasks.spawn(async move { (user, connect(&client, user, port, smtp).await) });
        }
        let Some(done) = tasks.join_next().await else { return ids };
        let (user, id) = done.unwrap();
        ids[user] = id;
    }
}

async fn connect(client: &Client, user: usize, port: u16, smtp: Value) -> String {
    let name = mails::user_name(user);
    let imap = json!({"host": "localhost", "port": port, "security": "tls", "username": name, "password": "pw"});
    let request = json!({"provider": "imap", "email_address": name, "imap": imap, "smtp": smtp});
    loop {
        let answer = client.post("/api/email/accounts", request.clone()).await;
        if answer.status != 429 {
            return answer.json(201)["id"].as_str().unwrap().to_owned();
        }
        let seconds = answer.header("retry-after").and_then(|text| text.parse().ok()).unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// Says why not all mailboxes are listened to.
async fn complain(client: &Client, server: &Server, process: &TestProcess) {
    let accounts = client.all("/api/email/accounts").await;
    let bad = |account: &&Value| account["phase"] != "live" || account["status"] != "active";
    println!("not all are idle; commands that the server does not know: {:#?}", server.unknown());
    println!("mailboxes that are not well: {:#?}", accounts.iter().filter(bad).take(3).collect::<Vec<_>>());
    println!("{}", process.words().lines().take(20).collect::<Vec<_>>().join("\n"));
}

/// Memory and work of a process to which nothing happens.
async fn at_rest(which: &str, pid: u32, server: &Server, rest: Duration) {
    let before = cpu(pid);
    tokio::time::sleep(rest).await;
    println!(
        "P7  {} idle connections, {} open, the process {which}: {:.1} MB resident ({:.1} MB its own, goal 64), at most \
         {:.1} MB; {:.2} cpu s in {} s of rest; load {}",
        server.idle(),
        server.open(),
        memory(pid, "VmRSS"),
        memory(pid, "RssAnon"),
        memory(pid, "VmHWM"),
        cpu(pid) - before,
        rest.as_secs(),
        load()
    );
}

/// P6: from a new mail to its event.
async fn announce(client: &Client, server: &Server, ids: &[String], samples: usize) {
    let mut socket = client.web_socket().await;
    let mut times = Vec::new();
    let mut dice = setting("SEED", 7) as u64;
    for _ in 0..samples {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let user = usize::try_from(dice >> 33).unwrap() % ids.len();
        wait_until("the mailbox is listened to", async || server.is_idle(user)).await;
        tokio::time::sleep(Duration::from_millis(dice >> 57)).await;
        let began = Instant::now();
        server.deliver(user);
        let ours =
            |event: &Value| event["type"] == "email.received" && event["data"]["account_id"] == ids[user].as_str();
        socket.next("the new mail", ours).await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    println!(
        "P6  {samples} mails, {} mailboxes idle: event after {:.1} ms (p50, goal 150), {:.1} ms (p99, goal 1000), {:.1} ms at \
         most; load {}",
        server.idle(),
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 1.0),
        load()
    );
}

/// P18: the mail server restarts.
async fn reconnect(name: &str, meanwhile: Door, pid: u32, server: &Server) {
    let (before, began) = (cpu(pid), Instant::now());
    server.restart(meanwhile, AWAY).await;
    let back = server.all_idle(PATIENCE).await;
    let (rush, connects) = server.rush();
    let seconds = back.map_or("more than 600".to_owned(), |time| format!("{:.1}", time.as_secs_f64()));
    println!(
        "P18 mail server away for {} s ({name}): all listened to again {seconds} s after it is back (goal 120), at most {rush} \
         connects in a second (goal 20), {connects} in all; {} idle; {:.1} cpu s in {:.0} s; {:.1} MB; load {}",
        AWAY.as_secs(),
        server.idle(),
        cpu(pid) - before,
        began.elapsed().as_secs_f64(),
        memory(pid, "VmRSS"),
        load()
    );
}
