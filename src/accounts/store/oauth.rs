//! Tokens of mailboxes, sealed, and the grants that they come from.

use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable};
use diesel::{OptionalExtension, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::super::model::{Credentials, Provider, Status};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, oauth_grants};
use crate::db::types::Json;
use crate::ids::{AccountId, GrantId, OrgId, UserId};
use crate::on_conn;

/// What a person allowed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = oauth_grants)]
pub(in crate::accounts) struct Grant {
    pub account_id: AccountId,
    pub id: GrantId,
    pub scopes: String,
    pub granted_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// The tokens of a mailbox, as they are in its row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_accounts)]
pub(in crate::accounts) struct TokenRow {
    pub status: String,
    pub removed_at: Option<Timestamp>,
    pub access_token: Option<Vec<u8>>,
    pub refresh_token: Option<Vec<u8>>,
    pub token_expires_at: Option<Timestamp>,
}

impl TokenRow {
    /// Whether the mailbox waits for a person, or for nothing at all.
    pub fn is_off(&self) -> bool {
        self.status == Status::Disconnected.as_str() || self.removed_at.is_some()
    }
}

/// New tokens, sealed.
#[derive(Debug, Clone)]
pub(in crate::accounts) struct NewTokens {
    pub access_token: Vec<u8>,
    /// Absent: the one before stays good.
    pub refresh_token: Option<Vec<u8>>,
    pub expires_at: Timestamp,
}

/// Reads the tokens of a mailbox with their grant.
pub(in crate::accounts) async fn read(
    conn: &mut DbConn,
    id: AccountId,
) -> QueryResult<Option<(TokenRow, Option<Grant>)>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .left_join(oauth_grants::table)
            .filter(email_accounts::id.eq(id))
            .select((TokenRow::as_select(), Option::<Grant>::as_select()))
            .first(c)
            .await
            .optional()
    })
}

/// Claims the making of a new access token; answers whether nobody else is at it.
pub(in crate::accounts) async fn claim(
    conn: &mut DbConn,
    grant: &Grant,
    by: &str,
    now: Timestamp,
    until: Timestamp,
) -> QueryResult<bool> {
    let free = oauth_grants::table
        .filter(oauth_grants::account_id.eq(grant.account_id))
        .filter(oauth_grants::id.eq(grant.id))
        .filter(oauth_grants::refreshed_until.is_null().or(oauth_grants::refreshed_until.lt(now)));
    let query = diesel::update(free).set((oauth_grants::refreshed_by.eq(by), oauth_grants::refreshed_until.eq(until)));
    Ok(on_conn!(conn, |c| query.execute(c).await)? == 1)
}

/// Gives a claim back.
pub(in crate::accounts) async fn release(conn: &mut DbConn, account: AccountId, by: &str) -> QueryResult<()> {
    let mine = oauth_grants::table.find(account).filter(oauth_grants::refreshed_by.eq(by));
    let query = diesel::update(mine)
        .set((oauth_grants::refreshed_by.eq(None::<String>), oauth_grants::refreshed_until.eq(None::<Timestamp>)));
    on_conn!(conn, |c| query.execute(c).await)?;
    Ok(())
}

/// Frees the claims that an instance held when it died.
pub(in crate::accounts) async fn release_all(conn: &mut DbConn, instance: &str) -> QueryResult<usize> {
    use diesel::TextExpressionMethods;
    let mine = oauth_grants::table.filter(oauth_grants::refreshed_by.like(format!("{instance}:%")));
    let query = diesel::update(mine)
        .set((oauth_grants::refreshed_by.eq(None::<String>), oauth_grants::refreshed_until.eq(None::<Timestamp>)));
    on_conn!(conn, |c| query.execute(c).await)
}

/// Writes tokens; a missing refresh token leaves the one before.
pub(in crate::accounts) async fn write(tx: &mut DbConn, id: AccountId, tokens: &NewTokens) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                email_accounts::access_token.eq(Some(&tokens.access_token)),
                // Nothing is changed by a None here.
                tokens.refresh_token.as_ref().map(|token| email_accounts::refresh_token.eq(Some(token))),
                email_accounts::token_expires_at.eq(Some(tokens.expires_at)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Writes what a refresh gave, with the scopes that it was for, and gives the claim back.
///
/// # Errors
/// `NotFound` when the mailbox was connected anew meanwhile; the transaction must not be committed then.
pub(in crate::accounts) async fn renew(
    tx: &mut DbConn,
    grant: &Grant,
    tokens: &NewTokens,
    ends_at: Option<Timestamp>,
) -> QueryResult<()> {
    write(tx, grant.account_id, tokens).await?;
    let same = oauth_grants::table.find(grant.account_id).filter(oauth_grants::id.eq(grant.id));
    let query = diesel::update(same).set((
        oauth_grants::scopes.eq(&grant.scopes),
        oauth_grants::ends_at.eq(ends_at),
        oauth_grants::refreshed_by.eq(None::<String>),
        oauth_grants::refreshed_until.eq(None::<Timestamp>),
    ));
    if on_conn!(tx, |c| query.execute(c).await)? == 1 { Ok(()) } else { Err(diesel::result::Error::NotFound) }
}

/// Writes what a person allowed now, in place of what was allowed before.
pub(in crate::accounts) async fn put_grant(tx: &mut DbConn, grant: &Grant) -> QueryResult<()> {
    drop_grant(tx, grant.account_id).await?;
    on_conn!(tx, |c| diesel::insert_into(oauth_grants::table).values(grant).execute(c).await)?;
    Ok(())
}

/// Forgets what a person allowed.
pub(in crate::accounts) async fn drop_grant(tx: &mut DbConn, id: AccountId) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::delete(oauth_grants::table.find(id)).execute(c).await)?;
    Ok(())
}

/// Which grant is the present one.
pub(in crate::accounts) async fn present(conn: &mut DbConn, id: AccountId) -> QueryResult<Option<GrantId>> {
    on_conn!(conn, |c| oauth_grants::table.find(id).select(oauth_grants::id).first(c).await.optional())
}

/// Sets what a mailbox is opened with.
pub(in crate::accounts) async fn set_credentials(
    tx: &mut DbConn,
    id: AccountId,
    credentials: Credentials,
    shared_via: Option<AccountId>,
) -> QueryResult<()> {
    let query = diesel::update(email_accounts::table.find(id))
        .set((email_accounts::credentials.eq(credentials.as_str()), email_accounts::shared_via.eq(shared_via)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Sets the further addresses of the owner.
pub(in crate::accounts) async fn set_aliases(tx: &mut DbConn, id: AccountId, aliases: &[String]) -> QueryResult<()> {
    let aliases = Json(aliases.iter().cloned().collect());
    let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::aliases.eq(&aliases));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Lets a mailbox wait for a person; answers whether it did not yet. With a time, only when nobody changed it since.
pub(in crate::accounts) async fn disconnect(
    tx: &mut DbConn,
    id: AccountId,
    unchanged_since: Option<Timestamp>,
    (code, message): (&str, &str),
    now: Timestamp,
) -> QueryResult<bool> {
    let changed = on_conn!(tx, |c| {
        let mut row = diesel::update(email_accounts::table)
            .set((
                email_accounts::status.eq(Status::Disconnected.as_str()),
                email_accounts::error_code.eq(Some(code)),
                email_accounts::error_message.eq(Some(message)),
                email_accounts::last_error_at.eq(Some(now)),
                email_accounts::next_sync_at.eq(None::<Timestamp>),
                email_accounts::updated_at.eq(now),
            ))
            .filter(email_accounts::id.eq(id))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .into_boxed();
        if let Some(time) = unchanged_since {
            row = row.filter(email_accounts::updated_at.eq(time));
        }
        row.execute(c).await
    })?;
    Ok(changed == 1)
}

/// Notes an error that the operator must mend; answers whether the mailbox was well before.
pub(in crate::accounts) async fn note_error(
    tx: &mut DbConn,
    id: AccountId,
    (code, message): (&str, &str),
    now: Timestamp,
) -> QueryResult<bool> {
    let status: Option<String> = on_conn!(tx, |c| {
        email_accounts::table
            .find(id)
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .select(email_accounts::status)
            .first(c)
            .await
            .optional()
    })?;
    let Some(status) = status else { return Ok(false) };
    let query = diesel::update(email_accounts::table.find(id)).set((
        email_accounts::status.eq(Status::Error.as_str()),
        email_accounts::error_code.eq(Some(code)),
        email_accounts::error_message.eq(Some(message)),
        email_accounts::last_error_at.eq(Some(now)),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(status == Status::Active.as_str())
}

/// Shared mailboxes that wait for the one through which they are opened, with their owners.
pub(in crate::accounts) async fn waiting_for(
    conn: &mut DbConn,
    via: AccountId,
) -> QueryResult<Vec<(AccountId, OrgId, UserId)>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::shared_via.eq(via))
            .filter(email_accounts::credentials.eq(Credentials::Shared.as_str()))
            .filter(email_accounts::status.eq(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .select((email_accounts::id, email_accounts::organization_id, email_accounts::user_id))
            .load(c)
            .await
    })
}

/// Whether another live mailbox has the same address at the same provider: both hang on one grant there.
pub(in crate::accounts) async fn has_twin(
    conn: &mut DbConn,
    id: AccountId,
    provider: Provider,
    address: &str,
) -> QueryResult<bool> {
    let query = email_accounts::table
        .filter(email_accounts::id.ne(id))
        .filter(email_accounts::provider.eq(provider.as_str()))
        .filter(email_accounts::email_address.eq(address))
        .filter(email_accounts::removed_at.is_null())
        .filter(email_accounts::refresh_token.is_not_null());
    on_conn!(conn, |c| diesel::select(diesel::dsl::exists(query)).get_result(c).await)
}
