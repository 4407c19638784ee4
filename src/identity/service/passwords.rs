//! New passwords: chosen by the person, or by a link that an admin made.

use std::net::IpAddr;

use chrono::Duration;

use super::Identity;
use super::users::may_manage;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::{IdentityError, password, store, token};
use crate::ids::UserId;
use crate::secret::Secret;

/// How long a link to set a new password counts.
const LIFETIME: Duration = Duration::hours(24);

impl Identity {
    /// Changes the caller's own password and signs the caller out everywhere else.
    ///
    /// # Errors
    /// When the present password is wrong or the new one does not fit.
    pub(in crate::identity) async fn change_password(
        &self,
        access: &Access,
        ip: IpAddr,
        current: Secret,
        new: Secret,
    ) -> Result<(), IdentityError> {
        let person = store::users::credentials_of(&mut self.0.db.read().await?, access.user).await?.email_normalized;
        password::acceptable(&new, &person)?;
        self.guarded(&person, ip, current).await?;
        let hash = self.0.passwords.hash(new).await?;
        let now = self.0.clock.now();
        let actor = Actor::of(access, Some(ip));
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            store::users::set_password(tx, access.user, &hash, now).await?;
            store::sessions::delete_all(tx, access.user, access.session).await?;
            let record = Record::new("user.password_changed", "user", access.user);
            Ok::<_, IdentityError>(audit(tx, now, access.org, &actor, record).await?)
        })
        .await?;
        self.0.callers.forget_all();
        Ok(())
    }

    /// Makes a link with which a person can set a new password; the admin hands it on.
    ///
    /// # Errors
    /// When there is no such person, or an admin tries it for an owner.
    pub(in crate::identity) async fn reset_link(
        &self,
        access: &Access,
        actor: &Actor,
        id: UserId,
    ) -> Result<(String, Timestamp), IdentityError> {
        let token = token::random()?;
        let now = self.0.clock.now();
        let expires_at = now + LIFETIME;
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            let user = store::users::get(tx, access.org, id).await?;
            may_manage(access.role, user.role)?;
            let hash = token::hash(token.expose());
            store::sessions::put_reset(tx, id, &hash, access.user, expires_at, now).await?;
            let record = Record::new("user.password_reset_created", "user", id);
            Ok::<_, IdentityError>(audit(tx, now, access.org, actor, record).await?)
        })
        .await?;
        Ok((self.link("password-reset", &token), expires_at))
    }

    /// Follows such a link: sets the password and signs the person out everywhere.
    ///
    /// # Errors
    /// When the link does not count, or the password does not fit.
    pub(in crate::identity) async fn reset_password(
        &self,
        token: &Secret,
        new: Secret,
        ip: IpAddr,
    ) -> Result<(), IdentityError> {
        let token_hash = token::hash(token.expose());
        let now = self.0.clock.now();
        let person = {
            let mut conn = self.0.db.read().await?;
            let id = store::sessions::reset_user(&mut conn, &token_hash, now).await?;
            store::users::credentials_of(&mut conn, id.ok_or(IdentityError::InvalidToken)?).await?
        };
        password::acceptable(&new, &person.email_normalized)?;
        let hash = self.0.passwords.hash(new).await?;
        let user = person.user;
        let actor = Actor::person(user.id, ip);
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, user.organization_id).await?;
            if !store::sessions::use_reset(tx, &token_hash, now).await? {
                return Err(IdentityError::InvalidToken);
            }
            store::users::set_password(tx, user.id, &hash, now).await?;
            store::sessions::delete_all(tx, user.id, None).await?;
            let record = Record::new("user.password_reset", "user", user.id);
            Ok(audit(tx, now, user.organization_id, &actor, record).await?)
        })
        .await?;
        self.0.callers.forget_all();
        Ok(())
    }
}
