//! Facts: their numbers, who reads them, and the WebSocket over them.

mod list;
mod numbers;
mod socket;

use duplex::clock::{Clock, Timestamp};
use duplex::db::Db;
use duplex::events::AccountRef;
use duplex::ids::{AccountId, EmailId, OrgId, ThreadId, UserId};
use duplex::outbox::{Fact, record};
use serde_json::Value;

use crate::support::{Client, TestApp, wait_for};

/// Writes facts beside an application, as another copy of it would: nobody rings its bell.
#[derive(Clone)]
struct Writer {
    db: Db,
    account: AccountRef,
}

impl Writer {
    /// Writes about a mailbox of this caller.
    async fn of(app: &TestApp, caller: &Client) -> Self {
        let me = caller.get("/api/me").await.json(200);
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        let org: OrgId = id(&me["organization"]["id"]).parse().unwrap();
        let user: UserId = id(&me["id"]).parse().unwrap();
        Self { db: app.database().await, account: AccountRef { org, user, account: AccountId::new() } }
    }

    /// A fact like any other.
    fn fact(&self) -> Fact {
        Fact::email_received(self.account, EmailId::new(), ThreadId::new())
    }

    /// Writes so many facts in one transaction.
    async fn write(&self, count: usize) {
        self.write_at(count, Clock::system().now()).await;
    }

    /// The same at another time.
    async fn write_at(&self, count: usize, at: Timestamp) {
        self.write_these((0..count).map(|_| self.fact()).collect(), at).await;
    }

    async fn write_these(&self, facts: Vec<Fact>, at: Timestamp) {
        let mut conn = self.db.write().await.unwrap();
        conn.transaction(async |tx| record(tx, facts, at).await).await.unwrap();
    }
}

/// Waits until the reader has so many events; gives them.
async fn events(reader: &Client, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} events"), async || {
        Some(reader.all("/api/events").await).filter(|events| events.len() >= count)
    })
    .await
}

/// The numbers of events.
fn numbers(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["seq"].as_i64().unwrap_or_else(|| panic!("no number: {event}"))).collect()
}
