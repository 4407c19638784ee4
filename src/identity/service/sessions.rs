//! Signing in and out.

use chrono::Duration;

use super::{Identity, Visitor};
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::identity::address::LoginAddress;
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::model::{Credentials, Organization, Session, User};
use crate::identity::store::sessions::NewSession;
use crate::identity::{IdentityError, store, token};
use crate::ids::SessionId;
use crate::secret::Secret;

/// A session that is not used ends after so long.
pub(in crate::identity) const IDLE: Duration = Duration::days(14);

/// Every session ends after so long, used or not.
pub(in crate::identity) const LONGEST: Duration = Duration::days(90);

/// The longest name of a browser that is kept, in characters.
const USER_AGENT: usize = 300;

/// A person who has just signed in.
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// The person's organization.
    pub organization: Organization,
    /// The cookie's value, told once.
    pub token: Secret,
    /// What unsafe requests must send along.
    pub csrf_token: String,
}

impl Identity {
    /// Signs in with address and password.
    ///
    /// An unknown address, a wrong password and a disabled user take as long and look the same.
    ///
    /// # Errors
    /// When they do not fit, or were tried too often.
    pub(in crate::identity) async fn sign_in(
        &self,
        email: &str,
        password: Secret,
        visitor: Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let person = email.trim().to_lowercase();
        let found = self.guarded(&person, visitor.ip, password).await?;
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        let signed_in = conn.transaction(async |tx| start(tx, now, found.user.clone(), &visitor).await).await?;
        if visitor.old_token.is_some() {
            self.0.callers.forget_all();
        }
        Ok(signed_in)
    }

    /// Checks a password and counts the guess when it is wrong.
    pub(super) async fn guarded(
        &self,
        person: &str,
        ip: std::net::IpAddr,
        password: Secret,
    ) -> Result<Credentials, IdentityError> {
        let guess = self.0.guesses.count(person, ip)?;
        let outcome = self.check_password(person, password).await;
        if !matches!(outcome, Err(IdentityError::WrongCredentials)) {
            guess.was_right();
        }
        outcome
    }

    async fn check_password(&self, person: &str, password: Secret) -> Result<Credentials, IdentityError> {
        let found = match LoginAddress::parse(person) {
            Ok(address) => {
                // The connection goes back before the slow part.
                let mut conn = self.0.db.read().await?;
                store::users::credentials(&mut conn, &address.normalized).await?
            }
            Err(_) => None,
        };
        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let fits = self.0.passwords.verify(password, hash).await?;
        match found {
            Some(found) if fits && found.user.disabled_at.is_none() => Ok(found),
            Some(found) => {
                tracing::warn!(user.id = %found.user.id, "a sign-in was refused");
                Err(IdentityError::WrongCredentials)
            }
            None => Err(IdentityError::WrongCredentials),
        }
    }

    /// Ends the caller's session, or one that the caller has elsewhere.
    ///
    /// # Errors
    /// When the caller has no such session.
    pub(in crate::identity) async fn end_session(
        &self,
        access: &Access,
        actor: &Actor,
        id: SessionId,
    ) -> Result<(), IdentityError> {
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            if !store::sessions::delete(tx, access.user, id).await? {
                return Err(IdentityError::NotFound);
            }
            Ok(audit(tx, now, access.org, actor, Record::new("session.ended", "session", id)).await?)
        })
        .await?;
        self.0.callers.forget_all();
        Ok(())
    }

    /// Where the caller is signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn sessions(&self, access: &Access) -> Result<Vec<Session>, IdentityError> {
        let now = self.0.clock.now();
        Ok(store::sessions::of_user(&mut self.0.db.read().await?, access.user, now).await?)
    }
}

/// Starts a session with a token of its own: one that somebody planted in the browser before is worth nothing.
pub(super) async fn start(
    tx: &mut DbConn,
    now: Timestamp,
    user: User,
    visitor: &Visitor,
) -> Result<SignedIn, IdentityError> {
    store::audit::lock(tx, user.organization_id).await?;
    if let Some(old) = &visitor.old_token {
        store::sessions::delete_by_token(tx, &token::hash(old)).await?;
    }
    let (token, csrf_token) = (token::random()?, token::random()?.expose().to_owned());
    let id = SessionId::new();
    let session = NewSession {
        id,
        user_id: user.id,
        token_hash: token::hash(token.expose()),
        csrf_token: csrf_token.clone(),
        ip_address: Some(visitor.ip.to_string()),
        user_agent: visitor.user_agent.as_ref().map(|text| text.chars().take(USER_AGENT).collect()),
        last_seen_at: now,
        expires_at: now + IDLE,
        created_at: now,
    };
    store::sessions::insert(tx, session).await?;
    store::users::signed_in(tx, user.id, now).await?;
    let actor = Actor::person(user.id, visitor.ip);
    audit(tx, now, user.organization_id, &actor, Record::new("session.started", "session", id)).await?;
    let organization = store::organizations::get(tx, user.organization_id).await?;
    Ok(SignedIn { user, organization, token, csrf_token })
}
