//! Proofs that a folder is stored completely.

use std::collections::HashMap;

use diesel::prelude::Insertable;
use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::places::stored_uids;
use super::skips::skipped_uids;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::completeness_runs;
use crate::db::types::Json;
use crate::ids::{AccountId, FolderId, ProofId};
use crate::messages::model::Proof;
use crate::on_conn;

/// Proofs of a folder that are kept.
const KEPT: i64 = 30;

#[derive(Insertable)]
#[diesel(table_name = completeness_runs)]
struct NewRun {
    id: ProofId,
    account_id: AccountId,
    folder_id: FolderId,
    provider_count: i64,
    stored_count: i64,
    skipped_count: i64,
    missing_count: i64,
    detail: Json,
    created_at: Timestamp,
}

/// Keeps what a comparison of a folder came to, counted after it was mended.
pub async fn record_proof(tx: &mut DbConn, proof: &Proof, now: Timestamp) -> QueryResult<()> {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let stored = stored_uids(tx, proof.folder, proof.uid_validity, 1).await?.len() as u64;
    let skipped = skipped_uids(tx, proof.folder, proof.uid_validity).await?.len() as u64;
    let row = NewRun {
        id: ProofId::new(),
        account_id: proof.account,
        folder_id: proof.folder,
        provider_count: count(proof.provider_count),
        stored_count: count(stored),
        skipped_count: count(skipped),
        missing_count: count(proof.provider_count.saturating_sub(stored + skipped)),
        detail: Json(json!({ "found_missing": proof.found_missing, "found_vanished": proof.found_vanished })),
        created_at: now,
    };
    on_conn!(tx, |c| diesel::insert_into(completeness_runs::table).values(&row).execute(c).await)?;
    let older = completeness_runs::table
        .filter(completeness_runs::folder_id.eq(proof.folder))
        .order(completeness_runs::created_at.desc())
        .offset(KEPT)
        .limit(KEPT)
        .select(completeness_runs::id);
    let older: Vec<ProofId> = on_conn!(tx, |c| older.load(c).await)?;
    let query = diesel::delete(completeness_runs::table.filter(completeness_runs::id.eq_any(older)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// When each folder of a mailbox was last proven complete: compared mail by mail, with nothing missing after it.
pub async fn proven_at(conn: &mut DbConn, account: AccountId) -> QueryResult<HashMap<FolderId, Timestamp>> {
    let query = completeness_runs::table
        .filter(completeness_runs::account_id.eq(account))
        .filter(completeness_runs::missing_count.eq(0))
        .order(completeness_runs::created_at)
        .select((completeness_runs::folder_id, completeness_runs::created_at));
    let rows: Vec<(FolderId, Timestamp)> = on_conn!(conn, |c| query.load(c).await)?;
    // Of several the newest comes last and stays.
    Ok(rows.into_iter().collect())
}
