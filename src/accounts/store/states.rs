//! Sign-ins at a provider that are under way (`oauth_states`).

use diesel::prelude::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable};
use diesel::{OptionalExtension, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::oauth_states;
use crate::ids::{AccountId, ConnectId, OrgId, SessionId, UserId};
use crate::on_conn;

/// A sign-in that begins.
#[derive(Debug, Insertable)]
#[diesel(table_name = oauth_states)]
pub(in crate::accounts) struct NewConnect {
    pub id: ConnectId,
    pub organization_id: OrgId,
    pub user_id: UserId,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub provider: &'static str,
    pub state_hash: Vec<u8>,
    pub pkce_verifier: Vec<u8>,
    pub scopes: String,
    pub login_hint: Option<String>,
    pub return_to: Option<String>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// A sign-in.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = oauth_states)]
pub(in crate::accounts) struct Connect {
    pub id: ConnectId,
    pub organization_id: OrgId,
    pub user_id: UserId,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub provider: String,
    pub pkce_verifier: Vec<u8>,
    pub scopes: Option<String>,
    pub return_to: Option<String>,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub is_done: bool,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

/// Writes a sign-in down, and clears those away that ended before a time.
pub(in crate::accounts) async fn begin(tx: &mut DbConn, connect: &NewConnect, ended: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::delete(oauth_states::table.filter(oauth_states::expires_at.lt(ended))).execute(c).await?;
        diesel::insert_into(oauth_states::table).values(connect).execute(c).await
    })?;
    Ok(())
}

/// Finds a sign-in by the hash of its state.
pub(in crate::accounts) async fn find_by_state(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<Connect>> {
    on_conn!(conn, |c| {
        oauth_states::table
            .filter(oauth_states::state_hash.eq(hash))
            .select(Connect::as_select())
            .first(c)
            .await
            .optional()
    })
}

/// Reads a sign-in of a user.
pub(in crate::accounts) async fn find(conn: &mut DbConn, user: UserId, id: ConnectId) -> QueryResult<Option<Connect>> {
    on_conn!(conn, |c| {
        oauth_states::table
            .filter(oauth_states::id.eq(id))
            .filter(oauth_states::user_id.eq(user))
            .select(Connect::as_select())
            .first(c)
            .await
            .optional()
    })
}

/// Uses a sign-in up; answers whether it was unused.
pub(in crate::accounts) async fn take(conn: &mut DbConn, id: ConnectId, now: Timestamp) -> QueryResult<bool> {
    let unused = oauth_states::table.find(id).filter(oauth_states::used_at.is_null());
    let query = diesel::update(unused).set(oauth_states::used_at.eq(now));
    Ok(on_conn!(conn, |c| query.execute(c).await)? == 1)
}

/// Notes how a sign-in ended well.
pub(in crate::accounts) async fn succeed(tx: &mut DbConn, id: ConnectId, account: AccountId) -> QueryResult<()> {
    let query = diesel::update(oauth_states::table.find(id))
        .set((oauth_states::account_id.eq(account), oauth_states::is_done.eq(true)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Notes why a sign-in failed.
pub(in crate::accounts) async fn fail(conn: &mut DbConn, id: ConnectId, code: &str, message: &str) -> QueryResult<()> {
    let query = diesel::update(oauth_states::table.find(id))
        .set((oauth_states::error_code.eq(code), oauth_states::error_message.eq(message)));
    on_conn!(conn, |c| query.execute(c).await)?;
    Ok(())
}
