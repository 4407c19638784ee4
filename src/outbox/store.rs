//! All SQL on `events`.

use diesel::{Insertable, QueryResult};

use super::model::Fact;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::events;
use crate::db::types::Json;
use crate::ids::{AccountId, EventId, OrgId, UserId};
use crate::insert_rows;

/// A fact without its number.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct NewRow {
    id: EventId,
    organization_id: OrgId,
    user_id: Option<UserId>,
    type_: &'static str,
    account_id: Option<AccountId>,
    data: Json,
    occurred_at: Timestamp,
}

/// Writes facts inside the transaction that makes them true; after its commit publish `Event::FactsRecorded`.
///
/// They have no number yet: one that is taken inside a transaction could become visible after a later one.
pub async fn record(tx: &mut DbConn, facts: Vec<Fact>, now: Timestamp) -> QueryResult<()> {
    if facts.is_empty() {
        return Ok(());
    }
    let row = |fact: Fact| NewRow {
        id: EventId::new(),
        organization_id: fact.org,
        user_id: fact.reader,
        type_: fact.kind,
        account_id: fact.account,
        data: Json(fact.data),
        occurred_at: now,
    };
    let rows: Vec<NewRow> = facts.into_iter().map(row).collect();
    insert_rows!(tx, events::table, rows)?;
    Ok(())
}
