//! All SQL on `events`.

use diesel::sql_types::{BigInt, Integer};
use diesel::{
    ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable,
    QueryableByName, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::Fact;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::events;
use crate::db::types::{Json, Uid};
use crate::ids::{AccountId, EventId, OrgId, UserId};
use crate::{insert_rows, on_conn};

/// How many facts get their numbers in one transaction.
pub(super) const BATCH: usize = 500;

/// How many numbers a step of the clearing covers.
const STEP: i64 = 1000;

/// The space of our advisory locks on PostgreSQL: those with two numbers never meet those with one.
const LOCKS: i32 = 0x6f75_7462;

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

/// A fact with its number.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(super) struct Row {
    pub id: EventId,
    pub type_: String,
    #[diesel(select_expression = events::seq.assume_not_null())]
    pub seq: i64,
    pub occurred_at: Timestamp,
    pub data: Json,
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

/// Organizations with facts that wait for their numbers.
pub(super) async fn waiting(conn: &mut DbConn) -> QueryResult<Vec<OrgId>> {
    orgs(conn, async |conn, after| {
        on_conn!(conn, |c| {
            // The order of the index of rows without a number: SQLite would rather walk through all numbers otherwise.
            events::table
                .filter(events::seq.is_null())
                .filter(events::organization_id.gt(after))
                .order((events::organization_id, events::id))
                .select(events::organization_id)
                .first(c)
                .await
                .optional()
        })
    })
    .await
}

/// Organizations with facts.
pub(super) async fn with_facts(conn: &mut DbConn) -> QueryResult<Vec<OrgId>> {
    orgs(conn, async |conn, after| {
        on_conn!(conn, |c| {
            events::table
                .filter(events::organization_id.gt(after))
                .order(events::organization_id)
                .select(events::organization_id)
                .first(c)
                .await
                .optional()
        })
    })
    .await
}

/// Leaps from one organization to the next, a seek each, where a DISTINCT would read every row.
async fn orgs(
    conn: &mut DbConn,
    next: impl AsyncFn(&mut DbConn, OrgId) -> QueryResult<Option<OrgId>>,
) -> QueryResult<Vec<OrgId>> {
    let mut found = Vec::new();
    let mut last = OrgId::from_uuid(Uuid::nil());
    while let Some(org) = next(conn, last).await? {
        found.push(org);
        last = org;
    }
    Ok(found)
}

/// Makes those who number an organization's facts take turns; on SQLite they do already.
pub(super) async fn take_turn(tx: &mut DbConn, org: OrgId) -> QueryResult<()> {
    if let DbConn::Postgres(c) = tx {
        let [.., a, b, d, e] = *org.uuid().as_bytes();
        diesel::sql_query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind::<Integer, _>(LOCKS)
            .bind::<Integer, _>(i32::from_be_bytes([a, b, d, e]))
            .execute(c)
            .await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Given {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Gives the next numbers to committed facts, in the order of their ids; answers how many and the last number.
///
/// The statement comes after [`take_turn`], so that it sees the numbers that were given before.
pub(super) async fn number(tx: &mut DbConn, org: OrgId) -> QueryResult<(usize, Option<i64>)> {
    let text = format!(
        "UPDATE events SET seq = given.seq FROM (
            SELECT id, row_number() OVER (ORDER BY id)
                + (SELECT coalesce(max(seq), 0) FROM events WHERE organization_id = $1) AS seq
            FROM (SELECT id FROM events WHERE organization_id = $1 AND seq IS NULL ORDER BY id LIMIT {BATCH}) AS waiting
        ) AS given WHERE events.id = given.id RETURNING events.seq AS seq"
    );
    let given: Vec<Given> = on_conn!(tx, |c| diesel::sql_query(&text).bind::<Uid, _>(org).get_results(c).await)?;
    Ok((given.len(), given.iter().map(|given| given.seq).max()))
}

/// The last number that an organization gave; 0 before the first.
pub(super) async fn head(conn: &mut DbConn, org: OrgId) -> QueryResult<i64> {
    edge(conn, org, End::Last).await.map(|seq| seq.unwrap_or(0))
}

/// The first number that is still kept.
pub(super) async fn earliest(conn: &mut DbConn, org: OrgId) -> QueryResult<Option<i64>> {
    edge(conn, org, End::First).await
}

#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

async fn edge(conn: &mut DbConn, org: OrgId, end: End) -> QueryResult<Option<i64>> {
    on_conn!(conn, |c| {
        // `> 0` rather than "not null": the index of (organization, number) then starts at the right place.
        let numbered = events::table.filter(events::organization_id.eq(org)).filter(events::seq.gt(0));
        let numbers = numbered.select(events::seq.assume_not_null());
        match end {
            End::First => numbers.order(events::seq.asc()).first(c).await.optional(),
            End::Last => numbers.order(events::seq.desc()).first(c).await.optional(),
        }
    })
}

/// The facts after a number that a user may read, in order.
///
/// Two reads, each in the order of its index, rather than one with an OR, which would sort all that follows. Both end at
/// `head`, which was read before them: what gets its number in between waits for the next page.
pub(super) async fn page(
    conn: &mut DbConn,
    org: OrgId,
    user: UserId,
    (after, head): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let mut rows = slice(conn, org, Some(user), (after, head), limit).await?;
    rows.extend(slice(conn, org, None, (after, head), limit).await?);
    rows.sort_unstable_by_key(|row| row.seq);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

async fn slice(
    conn: &mut DbConn,
    org: OrgId,
    reader: Option<UserId>,
    (after, head): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<Row>> {
    on_conn!(conn, |c| {
        let rows = events::table
            .filter(events::organization_id.eq(org))
            .filter(events::seq.gt(after))
            .filter(events::seq.le(head))
            .order(events::seq)
            .limit(limit)
            .select(Row::as_select());
        match reader {
            Some(user) => rows.filter(events::user_id.eq(user)).load(c).await,
            None => rows.filter(events::user_id.is_null()).load(c).await,
        }
    })
}

/// The number from which on facts are kept: that of the first since a time, or else the last one.
///
/// The last stays, however old: the next number follows it.
pub(super) async fn kept_from(conn: &mut DbConn, org: OrgId, time: Timestamp) -> QueryResult<i64> {
    let first: Option<i64> = on_conn!(conn, |c| {
        events::table
            .filter(events::organization_id.eq(org))
            .filter(events::seq.gt(0))
            .filter(events::occurred_at.ge(time))
            .order(events::seq.asc())
            .select(events::seq.assume_not_null())
            .first(c)
            .await
            .optional()
    })?;
    match first {
        Some(seq) => Ok(seq),
        None => head(conn, org).await,
    }
}

/// Deletes the oldest facts below a number, a step of them; answers how many, 0 when none is left.
pub(super) async fn delete_below(conn: &mut DbConn, org: OrgId, below: i64) -> QueryResult<usize> {
    let Some(first) = earliest(conn, org).await? else { return Ok(0) };
    let end = below.min(first.saturating_add(STEP));
    on_conn!(conn, |c| {
        let old = events::table.filter(events::organization_id.eq(org)).filter(events::seq.gt(0));
        diesel::delete(old.filter(events::seq.lt(end))).execute(c).await
    })
}
