//! The first run: a one-time token from the log makes the first owner.

use serde_json::json;

use super::sessions::{SignedIn, start};
use super::{Identity, Visitor};
use crate::access::Role;
use crate::db::DbConn;
use crate::identity::address::{LoginAddress, name};
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::store::users::NewUser;
use crate::identity::{IdentityError, password, store, token};
use crate::ids::UserId;
use crate::secret::Secret;

/// Links that count at once: each copy of the server prints its own.
const LINKS: usize = 8;

/// What the first person tells.
pub struct FirstRun {
    pub token: Secret,
    pub organization: String,
    pub name: String,
    pub email: String,
    pub password: Secret,
}

impl Identity {
    /// Whether nobody can sign in yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_needed(&self) -> Result<bool, IdentityError> {
        Ok(!store::users::any(&mut self.0.db.read().await?).await?)
    }

    /// Makes a token for the first run, to be called at the start; nothing when a user exists. Only its hash is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_token(&self) -> Result<Option<Secret>, IdentityError> {
        if !self.setup_needed().await? {
            return Ok(None);
        }
        let token = token::random()?;
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| -> Result<(), IdentityError> {
            let mut hashes = store::settings::setup_tokens(tx).await?;
            hashes.push(hex(&token));
            let surplus = hashes.len().saturating_sub(LINKS);
            hashes.drain(..surplus);
            Ok(store::settings::put_setup_tokens(tx, &hashes, now).await?)
        })
        .await?;
        Ok(Some(token))
    }

    /// The link for the first run, to be printed where only the operator reads it.
    pub fn setup_link(&self, token: &Secret) -> String {
        self.link("setup", token)
    }

    /// Makes the first organization and its owner, and signs the owner in.
    ///
    /// # Errors
    /// When it was done before, or the token is not one that was printed.
    pub(in crate::identity) async fn set_up(
        &self,
        first: FirstRun,
        visitor: Visitor,
    ) -> Result<SignedIn, IdentityError> {
        Self::check_setup(&mut self.0.db.read().await?, &first.token).await?;
        let address = LoginAddress::parse(&first.email)?;
        let (person, organization) = (name("name", &first.name)?, name("organization", &first.organization)?);
        password::acceptable(&first.password, &address.normalized)?;
        let hash = self.0.passwords.hash(first.password).await?;
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            // Of two posts at once, the second waits here for the first and then finds nothing to take.
            if !store::settings::take_setup_tokens(tx).await? || store::users::any(tx).await? {
                return Err(IdentityError::SetupDone);
            }
            let org = store::organizations::insert(tx, &organization, now).await?;
            let owner = NewUser {
                id: UserId::new(),
                organization_id: org,
                email: address.as_given.clone(),
                email_normalized: address.normalized.clone(),
                name: person.clone(),
                role: Role::Owner.as_str(),
                password_hash: Some(hash.clone()),
                password_changed_at: Some(now),
                external_id: None,
                created_at: now,
                updated_at: now,
            };
            let owner = store::users::insert(tx, owner).await?;
            let actor = Actor::person(owner.id, visitor.ip);
            let record = Record::new("organization.created", "organization", org).with(json!({ "name": organization }));
            audit(tx, now, org, &actor, record).await?;
            start(tx, now, owner, &visitor).await
        })
        .await
    }

    async fn check_setup(conn: &mut DbConn, token: &Secret) -> Result<(), IdentityError> {
        // Hashes are compared, so the time tells nothing about the token. The tokens are read first: if somebody else
        // has just taken them, the user is there to be seen afterwards.
        let known = store::settings::setup_tokens(conn).await?.contains(&hex(token));
        if store::users::any(conn).await? {
            return Err(IdentityError::SetupDone);
        }
        if known { Ok(()) } else { Err(IdentityError::InvalidToken) }
    }
}

fn hex(token: &Secret) -> String {
    data_encoding::HEXLOWER.encode(&token::hash(token.expose()))
}
