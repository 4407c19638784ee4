//! The sealed columns of mailboxes.

use diesel::prelude::{ExpressionMethods, QueryDsl, Queryable, Selectable};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::db::DbConn;
use crate::db::schema::email_accounts;
use crate::ids::AccountId;
use crate::on_conn;

/// The sealed columns of a mailbox.
#[derive(Debug, Clone, Queryable, Selectable, diesel::AsChangeset)]
#[diesel(table_name = email_accounts)]
#[diesel(treat_none_as_null = true)]
pub(in crate::accounts) struct Sealed {
    pub access_token: Option<Vec<u8>>,
    pub refresh_token: Option<Vec<u8>>,
    pub imap_password: Option<Vec<u8>>,
    pub smtp_username: Option<Vec<u8>>,
    pub smtp_password: Option<Vec<u8>>,
}

/// Reads the sealed columns.
pub(in crate::accounts) async fn sealed(conn: &mut DbConn, id: AccountId) -> QueryResult<Sealed> {
    on_conn!(conn, |c| email_accounts::table.find(id).select(Sealed::as_select()).first(c).await)
}

/// Every mailbox that has credentials, in pages by id.
pub(in crate::accounts) async fn sealed_page(
    conn: &mut DbConn,
    after: Option<AccountId>,
) -> QueryResult<Vec<(AccountId, Sealed)>> {
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
pub(in crate::accounts) async fn reseal(tx: &mut DbConn, id: AccountId, sealed: &Sealed) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::update(email_accounts::table.find(id)).set(sealed).execute(c).await)?;
    Ok(())
}
