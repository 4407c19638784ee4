//! Rows of sessions, and of the links that set a new password.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{idempotency_keys, password_resets, sessions, users};
use crate::identity::model::{Session, User};
use crate::ids::{PasswordResetId, SessionId, UserId};
use crate::on_conn;

/// A session to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub token_hash: Vec<u8>,
    pub csrf_token: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

pub async fn insert(tx: &mut DbConn, session: NewSession) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::insert_into(sessions::table).values(&session).execute(c).await)?;
    Ok(())
}

/// The session of a token, with its user.
pub async fn by_token(conn: &mut DbConn, token_hash: &[u8]) -> QueryResult<Option<(Session, User)>> {
    on_conn!(conn, |c| {
        sessions::table
            .inner_join(users::table)
            .filter(sessions::token_hash.eq(token_hash))
            .select((Session::as_select(), User::as_select()))
            .first(c)
            .await
            .optional()
    })
}

/// A user's sessions that have not expired, the one used last first.
pub async fn of_user(conn: &mut DbConn, user: UserId, now: Timestamp) -> QueryResult<Vec<Session>> {
    on_conn!(conn, |c| {
        sessions::table
            .filter(sessions::user_id.eq(user))
            .filter(sessions::expires_at.gt(now))
            .order((sessions::last_seen_at.desc(), sessions::id.desc()))
            .select(Session::as_select())
            .load(c)
            .await
    })
}

/// Notes that a session is in use and lets it live on.
pub async fn touch(tx: &mut DbConn, id: SessionId, now: Timestamp, expires_at: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(sessions::table.find(id))
            .set((sessions::last_seen_at.eq(now), sessions::expires_at.eq(expires_at)))
            .execute(c)
            .await
    })?;
    Ok(())
}

pub async fn delete(tx: &mut DbConn, user: UserId, id: SessionId) -> QueryResult<bool> {
    let gone = on_conn!(tx, |c| {
        diesel::delete(sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.eq(id))).execute(c).await
    })?;
    Ok(gone == 1)
}

pub async fn delete_by_token(tx: &mut DbConn, token_hash: &[u8]) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::delete(sessions::table.filter(sessions::token_hash.eq(token_hash))).execute(c).await)?;
    Ok(())
}

/// Signs a user out everywhere, but for one session.
pub async fn delete_all(tx: &mut DbConn, user: UserId, but: Option<SessionId>) -> QueryResult<()> {
    on_conn!(tx, |c| {
        let mut sessions = diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).into_boxed();
        if let Some(but) = but {
            sessions = sessions.filter(sessions::id.ne(but));
        }
        sessions.execute(c).await
    })?;
    Ok(())
}

/// Makes a link to set a new password; older ones of the user stop working.
pub async fn put_reset(
    tx: &mut DbConn,
    user: UserId,
    token_hash: &[u8],
    created_by: UserId,
    expires_at: Timestamp,
    now: Timestamp,
) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::delete(password_resets::table.filter(password_resets::user_id.eq(user))).execute(c).await?;
        diesel::insert_into(password_resets::table)
            .values((
                password_resets::id.eq(PasswordResetId::new()),
                password_resets::user_id.eq(user),
                password_resets::token_hash.eq(token_hash),
                password_resets::created_by.eq(created_by),
                password_resets::expires_at.eq(expires_at),
                password_resets::created_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// The user that a link to set a new password belongs to, while it counts.
pub async fn reset_user(conn: &mut DbConn, token_hash: &[u8], now: Timestamp) -> QueryResult<Option<UserId>> {
    on_conn!(conn, |c| {
        password_resets::table
            .filter(password_resets::token_hash.eq(token_hash))
            .filter(password_resets::used_at.is_null())
            .filter(password_resets::expires_at.gt(now))
            .select(password_resets::user_id)
            .first(c)
            .await
            .optional()
    })
}

/// Uses a link up; of several callers at once only one succeeds.
pub async fn use_reset(tx: &mut DbConn, token_hash: &[u8], now: Timestamp) -> QueryResult<bool> {
    let used = on_conn!(tx, |c| {
        diesel::update(
            password_resets::table
                .filter(password_resets::token_hash.eq(token_hash))
                .filter(password_resets::used_at.is_null())
                .filter(password_resets::expires_at.gt(now)),
        )
        .set(password_resets::used_at.eq(now))
        .execute(c)
        .await
    })?;
    Ok(used == 1)
}

/// Forgets what has expired.
pub async fn purge(tx: &mut DbConn, now: Timestamp) -> QueryResult<usize> {
    on_conn!(tx, |c| {
        let gone = diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(c).await?
            + diesel::delete(password_resets::table.filter(password_resets::expires_at.le(now))).execute(c).await?
            + diesel::delete(idempotency_keys::table.filter(idempotency_keys::expires_at.le(now))).execute(c).await?;
        Ok(gone)
    })
}
