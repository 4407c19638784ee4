//! Invitations: a link that an admin hands to somebody who shall join.

use chrono::Duration;
use serde_json::json;

use super::sessions::{SignedIn, start};
use super::users::{NewPerson, insert, may_manage};
use super::{Identity, Visitor};
use crate::access::{Access, Role};
use crate::identity::address::{LoginAddress, name};
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::model::{Invitation, Organization};
use crate::identity::store::invitations::NewInvitation;
use crate::identity::{IdentityError, store, token};
use crate::ids::InvitationId;
use crate::secret::Secret;

/// How long an invitation counts.
const LIFETIME: Duration = Duration::days(7);

/// Whom to invite.
pub struct NewGuest {
    pub email: String,
    pub name: String,
    pub role: Role,
}

impl Identity {
    /// Makes an invitation; the link is told once, to be handed on by the admin.
    ///
    /// # Errors
    /// When the address is in use, something does not fit, or an admin tries to invite an owner.
    pub(in crate::identity) async fn invite(
        &self,
        access: &Access,
        actor: &Actor,
        guest: NewGuest,
    ) -> Result<(Invitation, String), IdentityError> {
        may_manage(access.role, guest.role)?;
        let address = LoginAddress::parse(&guest.email)?;
        let name = name("name", &guest.name)?;
        let token = token::random()?;
        let now = self.0.clock.now();
        let row = NewInvitation {
            id: InvitationId::new(),
            organization_id: access.org,
            email: address.as_given,
            email_normalized: address.normalized,
            name,
            role: guest.role.as_str(),
            token_hash: token::hash(token.expose()),
            created_by: access.user,
            expires_at: now + LIFETIME,
            created_at: now,
        };
        let mut conn = self.0.db.write().await?;
        let invitation = conn
            .transaction(async |tx| {
                store::audit::lock(tx, access.org).await?;
                if store::users::credentials(tx, &row.email_normalized).await?.is_some() {
                    return Err(IdentityError::EmailTaken);
                }
                let invitation = store::invitations::insert(tx, row.clone()).await?;
                let record = Record::new("invitation.created", "invitation", invitation.id)
                    .with(json!({ "role": invitation.role }));
                audit(tx, now, access.org, actor, record).await?;
                Ok(invitation)
            })
            .await?;
        Ok((invitation, self.link("invitation", &token)))
    }

    /// A page of the open invitations.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn invitations(
        &self,
        access: &Access,
        after: Option<InvitationId>,
        limit: i64,
    ) -> Result<Vec<Invitation>, IdentityError> {
        Ok(store::invitations::list(&mut self.0.db.read().await?, access.org, after, limit).await?)
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// When it does not exist or was used.
    pub(in crate::identity) async fn withdraw(
        &self,
        access: &Access,
        actor: &Actor,
        id: InvitationId,
    ) -> Result<(), IdentityError> {
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            if !store::invitations::delete(tx, access.org, id).await? {
                return Err(IdentityError::NotFound);
            }
            Ok(audit(tx, now, access.org, actor, Record::new("invitation.withdrawn", "invitation", id)).await?)
        })
        .await
    }

    /// What a link invites to.
    ///
    /// # Errors
    /// When the link does not count.
    pub(in crate::identity) async fn invitation(
        &self,
        token: &Secret,
    ) -> Result<(Invitation, Organization), IdentityError> {
        let now = self.0.clock.now();
        let mut conn = self.0.db.read().await?;
        let invitation = store::invitations::open(&mut conn, &token::hash(token.expose()), now)
            .await?
            .ok_or(IdentityError::InvalidToken)?;
        let organization = store::organizations::get(&mut conn, invitation.organization_id).await?;
        Ok((invitation, organization))
    }

    /// Follows an invitation: makes the user and signs in.
    ///
    /// # Errors
    /// When the link does not count, or the password does not fit.
    pub(in crate::identity) async fn accept(
        &self,
        token: &Secret,
        password: Secret,
        called: Option<String>,
        visitor: Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let (invitation, _) = self.invitation(token).await?;
        let now = self.0.clock.now();
        let person = NewPerson {
            email: invitation.email,
            name: called.unwrap_or(invitation.name),
            role: invitation.role,
            password: Some(password),
            external_id: None,
        };
        let row = self.new_user(invitation.organization_id, person, now).await?;
        let actor = Actor::person(row.id, visitor.ip);
        let mut conn = self.0.db.write().await?;
        let signed_in = conn
            .transaction(async |tx| {
                store::audit::lock(tx, invitation.organization_id).await?;
                if !store::invitations::take(tx, invitation.id, now).await? {
                    return Err(IdentityError::InvalidToken);
                }
                let user = insert(tx, now, &actor, row.clone()).await?;
                start(tx, now, user, &visitor).await
            })
            .await?;
        if visitor.old_token.is_some() {
            self.0.callers.forget_all();
        }
        Ok(signed_in)
    }
}
