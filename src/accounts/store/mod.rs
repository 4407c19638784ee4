//! All SQL on `email_accounts`.

pub mod claims;
pub mod keys;
pub mod lease;
mod mail;
pub mod sweep;
mod watch;

use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable};
use diesel::{OptionalExtension, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::model::{Account, AccountSettings, Phase, Provider, Server, Status};
use crate::clock::Timestamp;
use crate::db::schema::{email_accounts, email_folders};
use crate::db::types::Json;
use crate::db::{DbConn, is_corrupt};
use crate::ids::{AccountId, FolderId, OrgId, UserId};
use crate::on_conn;

/// The columns of a mailbox that hold no secret.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = email_accounts)]
struct AccountRow {
    id: AccountId,
    organization_id: OrgId,
    user_id: UserId,
    provider: String,
    email_address: String,
    display_name: Option<String>,
    aliases: Json,
    imap_host: Option<String>,
    imap_port: Option<i32>,
    imap_security: Option<String>,
    imap_username: Option<String>,
    smtp_host: Option<String>,
    smtp_port: Option<i32>,
    smtp_security: Option<String>,
    status: String,
    error_code: Option<String>,
    error_message: Option<String>,
    consecutive_failures: i32,
    phase: String,
    backfill_finished_at: Option<Timestamp>,
    last_sync_at: Option<Timestamp>,
    next_sync_at: Option<Timestamp>,
    push: String,
    webhook_expires_at: Option<Timestamp>,
    settings: Json,
    smtp_max_size: Option<i64>,
    removed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<AccountRow> for Account {
    type Error = diesel::result::Error;

    fn try_from(row: AccountRow) -> QueryResult<Self> {
        let word = |column| move || is_corrupt("email_accounts", column);
        let server = |host: Option<String>, port: Option<i32>, security: Option<String>| {
            Some(Server { host: host?, port: u16::try_from(port?).ok()?, security: security?.parse().ok()? })
        };
        let imap = server(row.imap_host, row.imap_port, row.imap_security);
        Ok(Self {
            id: row.id,
            org: row.organization_id,
            user: row.user_id,
            provider: Provider::parse(&row.provider).ok_or_else(word("provider"))?,
            email_address: row.email_address,
            display_name: row.display_name,
            aliases: serde_json::from_value(row.aliases.0).map_err(|_| is_corrupt("email_accounts", "aliases"))?,
            imap: imap.zip(row.imap_username),
            smtp: server(row.smtp_host, row.smtp_port, row.smtp_security),
            status: Status::parse(&row.status).ok_or_else(word("status"))?,
            error_code: row.error_code,
            error_message: row.error_message,
            consecutive_failures: row.consecutive_failures,
            phase: Phase::parse(&row.phase).ok_or_else(word("phase"))?,
            backfill_finished_at: row.backfill_finished_at,
            last_sync_at: row.last_sync_at,
            next_sync_at: row.next_sync_at,
            push: row.push,
            webhook_expires_at: row.webhook_expires_at,
            settings: serde_json::from_value(row.settings.0).map_err(|_| is_corrupt("email_accounts", "settings"))?,
            smtp_max_size: row.smtp_max_size.and_then(|size| u64::try_from(size).ok()),
            removed_at: row.removed_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The sealed columns of a mailbox.
#[derive(Debug, Clone, Queryable, Selectable, diesel::AsChangeset)]
#[diesel(table_name = email_accounts)]
#[diesel(treat_none_as_null = true)]
pub(super) struct Sealed {
    pub access_token: Option<Vec<u8>>,
    pub refresh_token: Option<Vec<u8>>,
    pub imap_password: Option<Vec<u8>>,
    pub smtp_username: Option<Vec<u8>>,
    pub smtp_password: Option<Vec<u8>>,
}

/// Where and how a mailbox is reached; secrets sealed.
#[derive(Debug, Clone, Insertable, diesel::AsChangeset)]
#[diesel(table_name = email_accounts)]
#[diesel(treat_none_as_null = true)]
pub(super) struct Endpoints {
    pub imap_host: String,
    pub imap_port: i32,
    pub imap_security: String,
    pub imap_username: String,
    pub imap_password: Vec<u8>,
    pub smtp_host: String,
    pub smtp_port: i32,
    pub smtp_security: String,
    pub smtp_username: Option<Vec<u8>>,
    pub smtp_password: Option<Vec<u8>>,
}

/// A new mailbox.
#[derive(Debug, Insertable)]
#[diesel(table_name = email_accounts)]
pub(super) struct NewAccount {
    pub id: AccountId,
    pub organization_id: OrgId,
    pub user_id: UserId,
    pub provider: &'static str,
    pub email_address: String,
    pub display_name: Option<String>,
    pub aliases: Json,
    pub settings: Json,
    pub phase: &'static str,
    pub status: &'static str,
    pub push: &'static str,
    pub consecutive_failures: i32,
    pub next_sync_at: Timestamp,
    pub backfill_started_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[diesel(embed)]
    pub endpoints: Endpoints,
}

/// The import of one folder.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_folders)]
pub(super) struct FolderProgress {
    pub id: FolderId,
    pub account_id: AccountId,
    pub name: String,
    pub role: Option<String>,
    pub backfill_total: i64,
    pub backfill_synced: i64,
}

/// Inserts a mailbox.
pub(super) async fn insert(tx: &mut DbConn, account: &NewAccount) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::insert_into(email_accounts::table).values(account).execute(c).await)?;
    Ok(())
}

/// Reads one mailbox of an organization, unless it is being erased.
pub(super) async fn find(conn: &mut DbConn, org: OrgId, id: AccountId) -> QueryResult<Option<Account>> {
    let row = on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::organization_id.eq(org))
            .filter(email_accounts::id.eq(id))
            .filter(email_accounts::erase_requested_at.is_null())
            .select(AccountRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(Account::try_from).transpose()
}

/// Reads the mailboxes of one user, or of the whole organization; oldest first.
pub(super) async fn list(conn: &mut DbConn, org: OrgId, user: Option<UserId>) -> QueryResult<Vec<Account>> {
    let rows: Vec<AccountRow> = on_conn!(conn, |c| {
        let mut query = email_accounts::table
            .filter(email_accounts::organization_id.eq(org))
            .filter(email_accounts::erase_requested_at.is_null())
            .order(email_accounts::id)
            .select(AccountRow::as_select())
            .into_boxed();
        if let Some(user) = user {
            query = query.filter(email_accounts::user_id.eq(user));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Finds a user's mailbox by its address: its id, and whether its mail is being erased.
pub(super) async fn find_by_address(
    conn: &mut DbConn,
    user: UserId,
    address: &str,
) -> QueryResult<Option<(AccountId, Option<Timestamp>, Option<Timestamp>)>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::user_id.eq(user))
            .filter(email_accounts::email_address.eq(address))
            .select((email_accounts::id, email_accounts::removed_at, email_accounts::erase_requested_at))
            .first(c)
            .await
            .optional()
    })
}

/// Reads the sealed columns.
pub(super) async fn sealed(conn: &mut DbConn, id: AccountId) -> QueryResult<Sealed> {
    on_conn!(conn, |c| email_accounts::table.find(id).select(Sealed::as_select()).first(c).await)
}

/// Writes new servers and credentials and makes the mailbox due at once.
pub(super) async fn reconnect(
    tx: &mut DbConn,
    id: AccountId,
    endpoints: &Endpoints,
    now: Timestamp,
) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                endpoints,
                email_accounts::status.eq(Status::Active.as_str()),
                email_accounts::error_code.eq(None::<String>),
                email_accounts::error_message.eq(None::<String>),
                email_accounts::consecutive_failures.eq(0),
                email_accounts::removed_at.eq(None::<Timestamp>),
                email_accounts::next_sync_at.eq(now),
                email_accounts::sync_requested_at.eq(now),
                email_accounts::updated_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Saves what a person may change.
pub(super) async fn patch(
    tx: &mut DbConn,
    id: AccountId,
    display_name: Option<&str>,
    aliases: Value,
    settings: &AccountSettings,
    now: Timestamp,
) -> QueryResult<()> {
    let settings = Json(serde_json::to_value(settings).unwrap_or_default());
    let aliases = Json(aliases);
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                email_accounts::display_name.eq(display_name),
                email_accounts::aliases.eq(&aliases),
                email_accounts::settings.eq(&settings),
                email_accounts::updated_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Moves a mailbox to another phase; with a time it becomes due then.
pub(super) async fn set_phase(
    tx: &mut DbConn,
    id: AccountId,
    phase: Phase,
    due: Option<Timestamp>,
    now: Timestamp,
) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                email_accounts::phase.eq(phase.as_str()),
                email_accounts::next_sync_at.eq(due),
                email_accounts::updated_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Marks a mailbox as due now; a running pass sees the request and another follows it.
pub(super) async fn request_sync(tx: &mut DbConn, id: AccountId, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((email_accounts::next_sync_at.eq(now), email_accounts::sync_requested_at.eq(now)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Forgets the credentials of a mailbox; its mail stays, or is marked to be erased.
pub(super) async fn remove(tx: &mut DbConn, id: AccountId, erase: bool, now: Timestamp) -> QueryResult<()> {
    let nothing = Sealed {
        access_token: None,
        refresh_token: None,
        imap_password: None,
        smtp_username: None,
        smtp_password: None,
    };
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                nothing,
                email_accounts::status.eq(Status::Disconnected.as_str()),
                email_accounts::error_code.eq("removed"),
                email_accounts::error_message.eq("The mailbox was disconnected; its mail can be read here."),
                email_accounts::removed_at.eq(now),
                email_accounts::erase_requested_at.eq(erase.then_some(now)),
                email_accounts::next_sync_at.eq(None::<Timestamp>),
                email_accounts::claimed_by.eq(None::<String>),
                email_accounts::claimed_until.eq(None::<Timestamp>),
                email_accounts::updated_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Mailboxes whose mail is to be erased.
pub(super) async fn to_erase(conn: &mut DbConn) -> QueryResult<Vec<(AccountId, OrgId)>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::erase_requested_at.is_not_null())
            .select((email_accounts::id, email_accounts::organization_id))
            .load(c)
            .await
    })
}

/// Deletes the row of a mailbox whose mail has been erased.
pub(super) async fn delete(tx: &mut DbConn, id: AccountId) -> QueryResult<()> {
    on_conn!(tx, |c| {
        let erased = email_accounts::id.eq(id).and(email_accounts::erase_requested_at.is_not_null());
        diesel::delete(email_accounts::table.filter(erased)).execute(c).await
    })?;
    Ok(())
}

/// The import of each folder of some mailboxes, in the order of their names.
pub(super) async fn progress(conn: &mut DbConn, accounts: &[AccountId]) -> QueryResult<Vec<FolderProgress>> {
    on_conn!(conn, |c| {
        email_folders::table
            .filter(email_folders::account_id.eq_any(accounts))
            .filter(email_folders::included.eq(true))
            .filter(email_folders::selectable.eq(true))
            .filter(email_folders::deleted_at.is_null())
            .order((email_folders::account_id, email_folders::name))
            .select(FolderProgress::as_select())
            .load(c)
            .await
    })
}

/// Every mailbox that has credentials, in pages by id.
pub(super) async fn sealed_page(conn: &mut DbConn, after: Option<AccountId>) -> QueryResult<Vec<(AccountId, Sealed)>> {
    on_conn!(conn, |c| {
        let mut query = email_accounts::table
            .order(email_accounts::id)
            .limit(100)
            .select((email_accounts::id, Sealed::as_select()))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(email_accounts::id.gt(after));
        }
        query.load(c).await
    })
}

/// Writes credentials that were sealed anew.
pub(super) async fn reseal(tx: &mut DbConn, id: AccountId, sealed: &Sealed) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::update(email_accounts::table.find(id)).set(sealed).execute(c).await)?;
    Ok(())
}
