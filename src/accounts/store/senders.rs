//! The addresses that mail may be sent from, as the provider tells them.

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::model::SenderAddress;
use super::super::service::Accounts;
use crate::db::schema::email_accounts;
use crate::db::types::Json;
use crate::db::{DbConn, is_corrupt};
use crate::ids::AccountId;
use crate::on_conn;

impl Accounts {
    /// Takes over which addresses mail may be sent from. They are the owner's own, so they are aliases as well; those that a
    /// person named stay.
    pub async fn note_senders(&self, id: AccountId, senders: Vec<SenderAddress>) -> QueryResult<()> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let query = email_accounts::table.find(id).select((
                email_accounts::email_address,
                email_accounts::aliases,
                email_accounts::senders,
            ));
            let (own, aliases, before): (String, Json, Json) = on_conn!(tx, |c| query.first(c).await)?;
            let bad = |column| move |_| is_corrupt("email_accounts", column);
            let aliases: Vec<String> = serde_json::from_value(aliases.0).map_err(bad("aliases"))?;
            let before: Vec<SenderAddress> = serde_json::from_value(before.0).map_err(bad("senders"))?;
            if before == senders {
                return Ok(());
            }
            let is_in = |list: &[SenderAddress], address: &str| list.iter().any(|one| one.is(address));
            let kept = aliases.into_iter().filter(|alias| !is_in(&before, alias) && !is_in(&senders, alias));
            let told = senders.iter().map(|one| one.address.clone()).filter(|one| !one.eq_ignore_ascii_case(&own));
            let aliases: Vec<String> = kept.chain(told).collect();
            let aliases = Json(serde_json::to_value(aliases).unwrap_or_default());
            let senders = Json(serde_json::to_value(&senders).unwrap_or_default());
            save(tx, id, (&aliases, &senders), now).await
        })
        .await
    }
}

async fn save(
    tx: &mut DbConn,
    id: AccountId,
    (aliases, senders): (&Json, &Json),
    now: crate::clock::Timestamp,
) -> QueryResult<()> {
    let query = diesel::update(email_accounts::table.find(id)).set((
        email_accounts::aliases.eq(aliases),
        email_accounts::senders.eq(senders),
        email_accounts::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}
