//! What is learnt of a mailbox while its mail is sent.

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::schema::email_accounts;
use crate::ids::AccountId;
use crate::on_conn;

impl Accounts {
    /// Notes the largest mail that the server takes, in octets.
    pub async fn note_max_size(&self, id: AccountId, size: Option<u64>) -> QueryResult<()> {
        let size = size.and_then(|size| i64::try_from(size).ok());
        let mut conn = self.db.write().await?;
        let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::smtp_max_size.eq(size));
        on_conn!(&mut conn, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Sends nothing of a mailbox before a time: its server wants less, or cannot be reached. Nothing ends the pause.
    pub async fn hold_mail(&self, id: AccountId, until: Option<Timestamp>) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::mail_not_before.eq(until));
        on_conn!(&mut conn, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Whether nothing of a mailbox is sent for now.
    pub async fn is_mail_held(&self, id: AccountId, now: Timestamp) -> QueryResult<bool> {
        let mut conn = self.db.read().await?;
        let query = email_accounts::table.find(id).select(email_accounts::mail_not_before);
        let until: Option<Timestamp> = on_conn!(&mut conn, |c| query.first(c).await)?;
        Ok(until.is_some_and(|until| until > now))
    }
}
