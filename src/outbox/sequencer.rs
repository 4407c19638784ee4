//! The sequencer: numbers the facts of each organization once they are committed.
//!
//! A number that is taken inside a transaction can become visible after a later one, and a reader that remembers the last
//! number it saw would miss it. So facts are written without one, and get it here: one organization at a time, by one copy
//! of the process at a time, in a transaction that does nothing else.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::QueryResult;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::service::{Listened, Outbox};
use super::store;
use crate::db::Db;
use crate::events::{Event, Events};
use crate::ids::OrgId;

/// The net under the bell: a lost ring, a process that died before it rang, numbers that another copy gave.
const TICK: Duration = Duration::from_secs(2);

/// The worker that gives out the numbers.
pub struct Sequencer {
    db: Db,
    events: Events,
    listened: Listened,
    /// The last number of each organization that this process has told of.
    told: HashMap<OrgId, i64>,
}

/// Whose facts may wait for their numbers.
enum Due {
    Of(HashSet<OrgId>),
    Anybody,
}

impl Sequencer {
    /// Takes the handles that it needs.
    pub fn new(db: Db, events: Events, outbox: &Outbox) -> Self {
        Self { db, events, listened: outbox.listened.clone(), told: HashMap::new() }
    }

    /// Numbers facts until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut bell = self.events.subscribe();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = tokio::select! {
                event = bell.recv() => match event {
                    Ok(Event::FactsRecorded(org)) => gather(&mut bell, org),
                    Ok(_) => continue,
                    Err(RecvError::Lagged(_)) => Due::Anybody,
                    Err(RecvError::Closed) => return,
                },
                _ = tick.tick() => Due::Anybody,
                () = stop.cancelled() => return,
            };
            if let Err(error) = self.serve(due).await {
                tracing::warn!(error = %error, "facts could not be numbered; trying again");
            }
        }
    }

    async fn serve(&mut self, due: Due) -> QueryResult<()> {
        let orgs = match due {
            Due::Of(orgs) => orgs,
            Due::Anybody => {
                self.look_elsewhere().await?;
                store::waiting(&mut self.db.read().await?).await?.into_iter().collect()
            }
        };
        for org in orgs {
            self.number(org).await?;
        }
        Ok(())
    }

    /// Numbers all committed facts of an organization and tells those who listen.
    async fn number(&mut self, org: OrgId) -> QueryResult<()> {
        loop {
            let mut conn = self.db.write().await?;
            let given = conn.transaction(async |tx| {
                store::take_turn(tx, org).await?;
                store::number(tx, org).await
            });
            let (count, last) = given.await?;
            drop(conn);
            let Some(last) = last else { return Ok(()) };
            self.tell(org, last);
            if count < store::BATCH {
                return Ok(());
            }
        }
    }

    /// Tells of numbers that another copy of the process gave, where somebody listens.
    async fn look_elsewhere(&mut self) -> QueryResult<()> {
        let listened = self.listened.orgs();
        self.told.retain(|org, _| listened.contains(org));
        for org in listened {
            let head = store::head(&mut self.db.read().await?, org).await?;
            if self.told.get(&org).is_none_or(|told| *told < head) {
                self.tell(org, head);
            }
        }
        Ok(())
    }

    fn tell(&mut self, org: OrgId, last: i64) {
        self.told.insert(org, last);
        self.events.publish(Event::FactsNumbered(org));
    }
}

/// Takes the rings that have come meanwhile along.
fn gather(bell: &mut Receiver<Event>, first: OrgId) -> Due {
    let mut orgs = HashSet::from([first]);
    loop {
        match bell.try_recv() {
            Ok(Event::FactsRecorded(org)) => {
                orgs.insert(org);
            }
            Ok(_) => {}
            Err(TryRecvError::Lagged(_)) => return Due::Anybody,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Due::Of(orgs),
        }
    }
}
