//! Mailboxes that were disconnected, and those whose mail is to be erased.

use diesel::QueryResult;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::model::Status;
use super::Sealed;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::email_accounts;
use crate::ids::{AccountId, OrgId};
use crate::on_conn;

/// Forgets the credentials of a mailbox; its mail stays, or is marked to be erased.
pub(in crate::accounts) async fn remove(
    tx: &mut DbConn,
    id: AccountId,
    erase: bool,
    now: Timestamp,
) -> QueryResult<()> {
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
                email_accounts::push.eq("none"),
                email_accounts::token_expires_at.eq(None::<Timestamp>),
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
pub(in crate::accounts) async fn to_erase(conn: &mut DbConn) -> QueryResult<Vec<(AccountId, OrgId)>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::erase_requested_at.is_not_null())
            .select((email_accounts::id, email_accounts::organization_id))
            .load(c)
            .await
    })
}

/// Deletes the row of a mailbox whose mail has been erased.
pub(in crate::accounts) async fn delete(tx: &mut DbConn, id: AccountId) -> QueryResult<()> {
    on_conn!(tx, |c| {
        let erased = email_accounts::id.eq(id).and(email_accounts::erase_requested_at.is_not_null());
        diesel::delete(email_accounts::table.filter(erased)).execute(c).await
    })?;
    Ok(())
}
