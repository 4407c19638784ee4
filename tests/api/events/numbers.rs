//! Numbers: one after another, whoever writes and however many number them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use duplex::clock::Clock;
use duplex::outbox::record;
use serde_json::Value;

use super::{Writer, events, numbers};
use crate::support::wait::PATIENCE;
use crate::support::{Backend, Client, TestApp, wait_for};

const WRITERS: usize = 8;
const ROUNDS: usize = 20;
/// Each round commits one fact and then two.
const FACTS: usize = WRITERS * ROUNDS * 3;

/// Writes round after round, and takes back a transaction in each.
async fn write(writer: Writer) {
    for _ in 0..ROUNDS {
        writer.write(1).await;
        let mut conn = writer.db.write().await.unwrap();
        let taken_back = conn.transaction(async |tx| {
            record(tx, vec![writer.fact()], Clock::system().now()).await?;
            Err::<(), _>(diesel::result::Error::RollbackTransaction)
        });
        assert!(taken_back.await.is_err());
        drop(conn);
        writer.write(2).await;
    }
}

/// Reads what follows the last event that it has, again and again, as a program does that must not miss any.
async fn follow(reader: Client, count: usize) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    let reading = async {
        while seen.len() < count {
            let after = seen.last().map_or(0, |event| event["seq"].as_i64().unwrap());
            let page = reader.get(&format!("/api/events?after={after}&limit=7")).await.json(200);
            seen.extend(page["items"].as_array().unwrap().iter().cloned());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("every event");
    seen
}

/// Reads the WebSocket until it has told of so many events.
async fn hear(reader: Client, count: usize, open: Arc<AtomicBool>) -> Vec<Value> {
    let mut socket = reader.web_socket_at("/api/ws?after=0").await;
    open.store(true, Ordering::Release);
    let mut heard = Vec::new();
    while heard.len() < count {
        heard.push(socket.next("an event", |_| true).await);
    }
    heard
}

on_both! {
    async fn facts_of_many_writers_get_numbers_without_gaps(backend: Backend) {
        let app = TestApp::start(backend).await;
        let owner = app.owner().await;
        // On PostgreSQL a second copy serves the same database, and numbers as well.
        let copy = match app.database_url() {
            Some(url) => Some(TestApp::start_with(backend, |settings| { settings.set("DATABASE_URL", &url); }).await),
            None => None,
        };
        let mut readers = vec![owner.clone()];
        if let Some(copy) = &copy {
            let password = crate::support::app::OWNER_PASSWORD;
            readers.push(copy.nobody().sign_in(crate::support::app::OWNER_EMAIL, password).await);
        }
        let mut following = Vec::new();
        for reader in readers {
            let open = Arc::new(AtomicBool::new(false));
            following.push(tokio::spawn(hear(reader.clone(), FACTS, open.clone())));
            wait_for("the WebSocket is open", async || open.load(Ordering::Acquire).then_some(())).await;
            following.push(tokio::spawn(follow(reader, FACTS)));
        }

        let writer = Writer::of(&app, &owner).await;
        let writing: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write(writer.clone()))).collect();
        for done in writing {
            done.await.unwrap();
        }
        let all = events(&owner, FACTS).await;
        let expected: Vec<i64> = (1..=i64::try_from(FACTS).unwrap()).collect();
        assert_eq!(numbers(&all), expected);
        assert_eq!(all.iter().map(|event| event["id"].as_str().unwrap()).collect::<HashSet<_>>().len(), FACTS);
        for seen in following {
            assert_eq!(seen.await.unwrap(), all, "each event once, in order, the same for everybody");
        }
        if let Some(copy) = copy {
            copy.stop().await;
        }
    }
}
