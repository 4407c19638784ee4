//! Mails whose places the provider cannot have yet: what it does not show of them is not gone.

use std::collections::HashSet;

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, email_locations, email_outgoing, emails};
use crate::ids::EmailId;
use crate::messages::model::FolderRole;
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// Where a mail is between its author's word and its end.
const ON_ITS_WAY: [&str; 5] = ["scheduled", "queued", "sending", "uncertain", "failed"];

/// Those of these mails that are not gone though they lie nowhere: they are on their way, or their copy is still to be
/// filed. A draft is gone then: it was discarded, or sent elsewhere.
pub(in crate::messages::store) async fn spared(conn: &mut DbConn, mails: &[EmailId]) -> QueryResult<HashSet<EmailId>> {
    let mut found = HashSet::new();
    for chunk in mails.chunks(IDS) {
        let is_due = email_outgoing::file_due_at.is_not_null();
        let query = emails::table
            .inner_join(email_outgoing::table)
            .filter(emails::id.eq_any(chunk))
            .filter(emails::status.eq_any(ON_ITS_WAY).or(is_due))
            .select(emails::id);
        let rows: Vec<EmailId> = on_conn!(conn, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// Those of these mails that are still to be brought to the provider: what is expected of their places stays expected.
pub(in crate::messages) async fn awaited(conn: &mut DbConn, mails: &[EmailId]) -> QueryResult<HashSet<EmailId>> {
    let mut found = spared(conn, mails).await?;
    for chunk in mails.chunks(IDS) {
        let query = email_outgoing::table
            .filter(email_outgoing::email_id.eq_any(chunk))
            .filter(email_outgoing::mirror_due_at.is_not_null())
            .select(email_outgoing::email_id);
        let rows: Vec<EmailId> = on_conn!(conn, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// Drafts among these mails that lie in no folder of drafts any more are not to be brought there again.
pub(in crate::messages::store) async fn forget_mirrors(
    tx: &mut DbConn,
    mails: &[EmailId],
    now: Timestamp,
) -> QueryResult<()> {
    for chunk in mails.chunks(IDS) {
        let query = emails::table
            .inner_join(email_outgoing::table)
            .filter(emails::id.eq_any(chunk))
            .filter(emails::status.eq("draft"))
            .filter(email_outgoing::mirror_due_at.is_not_null())
            .select(emails::id);
        let waiting: Vec<EmailId> = on_conn!(tx, |c| query.load(c).await)?;
        if waiting.is_empty() {
            continue;
        }
        let query = email_locations::table
            .inner_join(email_folders::table)
            .filter(email_locations::email_id.eq_any(&waiting))
            .filter(email_folders::role.eq(FolderRole::Drafts.as_str()))
            .select(email_locations::email_id);
        let kept: Vec<EmailId> = on_conn!(tx, |c| query.load(c).await)?;
        let done: Vec<EmailId> = waiting.into_iter().filter(|mail| !kept.contains(mail)).collect();
        let query = diesel::update(email_outgoing::table.filter(email_outgoing::email_id.eq_any(done)))
            .set((email_outgoing::mirror_due_at.eq(None::<Timestamp>), email_outgoing::updated_at.eq(now)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}
