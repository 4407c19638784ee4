//! Rows of invitations.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::invitations;
use crate::identity::model::Invitation;
use crate::ids::{InvitationId, OrgId, UserId};
use crate::on_conn;

/// An invitation to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = invitations)]
pub struct NewInvitation {
    pub id: InvitationId,
    pub organization_id: OrgId,
    pub email: String,
    pub email_normalized: String,
    pub name: String,
    pub role: &'static str,
    pub token_hash: Vec<u8>,
    pub created_by: UserId,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// Stores an invitation; older open ones for the same person stop working.
pub async fn insert(tx: &mut DbConn, invitation: NewInvitation) -> QueryResult<Invitation> {
    on_conn!(tx, |c| {
        diesel::delete(
            invitations::table
                .filter(invitations::organization_id.eq(invitation.organization_id))
                .filter(invitations::email_normalized.eq(&invitation.email_normalized))
                .filter(invitations::used_at.is_null()),
        )
        .execute(c)
        .await?;
        diesel::insert_into(invitations::table)
            .values(&invitation)
            .returning(Invitation::as_returning())
            .get_result(c)
            .await
    })
}

/// The invitation of a link, while it counts.
pub async fn open(conn: &mut DbConn, token_hash: &[u8], now: Timestamp) -> QueryResult<Option<Invitation>> {
    on_conn!(conn, |c| {
        invitations::table
            .filter(invitations::token_hash.eq(token_hash))
            .filter(invitations::used_at.is_null())
            .filter(invitations::expires_at.gt(now))
            .select(Invitation::as_select())
            .first(c)
            .await
            .optional()
    })
}

/// Uses an invitation up; of several callers at once only one succeeds.
pub async fn take(tx: &mut DbConn, id: InvitationId, now: Timestamp) -> QueryResult<bool> {
    let taken = on_conn!(tx, |c| {
        diesel::update(invitations::table.filter(invitations::id.eq(id)).filter(invitations::used_at.is_null()))
            .set(invitations::used_at.eq(now))
            .execute(c)
            .await
    })?;
    Ok(taken == 1)
}

/// A page of an organization's open invitations, oldest first; expired ones are shown as such.
pub async fn list(
    conn: &mut DbConn,
    org: OrgId,
    after: Option<InvitationId>,
    limit: i64,
) -> QueryResult<Vec<Invitation>> {
    on_conn!(conn, |c| {
        let mut query = invitations::table
            .filter(invitations::organization_id.eq(org))
            .filter(invitations::used_at.is_null())
            .order(invitations::id)
            .limit(limit)
            .select(Invitation::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(invitations::id.gt(after));
        }
        query.load(c).await
    })
}

/// Withdraws an open invitation.
pub async fn delete(tx: &mut DbConn, org: OrgId, id: InvitationId) -> QueryResult<bool> {
    let gone = on_conn!(tx, |c| {
        diesel::delete(
            invitations::table
                .filter(invitations::organization_id.eq(org))
                .filter(invitations::id.eq(id))
                .filter(invitations::used_at.is_null()),
        )
        .execute(c)
        .await
    })?;
    Ok(gone == 1)
}
