//! API keys: how programs prove who they are.

use serde_json::json;

use super::Identity;
use crate::access::{Access, Role, Scope};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::identity::address::name;
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::model::{ApiKey, stored_scopes};
use crate::identity::{IdentityError, store, token};
use crate::ids::{ApiKeyId, OrgId, UserId};
use crate::secret::Secret;

/// A key to be made.
pub struct NewKey {
    pub name: String,
    pub scopes: Option<Vec<Scope>>,
    pub expires_at: Option<Timestamp>,
}

/// What changes of a key; absent fields stay.
#[derive(Default)]
pub struct KeyChange {
    pub name: Option<String>,
    pub scopes: Option<Option<Vec<Scope>>>,
    pub expires_at: Option<Option<Timestamp>>,
}

impl Identity {
    /// A page of the keys; a member sees only its own.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn keys(
        &self,
        access: &Access,
        after: Option<ApiKeyId>,
        limit: i64,
    ) -> Result<Vec<ApiKey>, IdentityError> {
        Ok(store::keys::list(&mut self.0.db.read().await?, access.org, owner(access), after, limit).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// When there is no such key, or it is somebody else's.
    pub(in crate::identity) async fn key(&self, access: &Access, id: ApiKeyId) -> Result<ApiKey, IdentityError> {
        Ok(store::keys::get(&mut self.0.db.read().await?, access.org, owner(access), id).await?)
    }

    /// Makes a key for the caller; the key itself is told once.
    ///
    /// # Errors
    /// When the caller may not give these scopes, or something does not fit.
    pub(in crate::identity) async fn create_key(
        &self,
        access: &Access,
        actor: &Actor,
        order: NewKey,
    ) -> Result<(ApiKey, Secret), IdentityError> {
        may_give(access, order.scopes.as_deref())?;
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            insert(tx, now, actor, (access.org, access.user), &order).await
        })
        .await
    }

    /// Changes a key's name, scopes or expiry.
    ///
    /// # Errors
    /// When there is no such key, the caller may not give these scopes, or something does not fit.
    pub(in crate::identity) async fn change_key(
        &self,
        access: &Access,
        actor: &Actor,
        id: ApiKeyId,
        change: KeyChange,
    ) -> Result<ApiKey, IdentityError> {
        let now = self.0.clock.now();
        if let Some(scopes) = &change.scopes {
            may_give(access, scopes.as_deref())?;
        }
        future(change.expires_at.flatten(), now)?;
        let row = store::keys::KeyChange {
            name: change.name.as_deref().map(|text| name("name", text)).transpose()?,
            scopes: change.scopes.as_ref().map(|scopes| scopes.as_deref().map(stored_scopes)),
            expires_at: change.expires_at,
            revoked_at: None,
            updated_at: Some(now),
        };
        let mut conn = self.0.db.write().await?;
        let key = conn
            .transaction(async |tx| {
                store::audit::lock(tx, access.org).await?;
                let before = store::keys::get(tx, access.org, owner(access), id).await?;
                if change.scopes.is_some() && before.user_id != access.user {
                    return Err(IdentityError::Forbidden("Only its own user may change what a key may do."));
                }
                let key = store::keys::update(tx, access.org, id, row.clone()).await?;
                let record = Record::new("api_key.changed", "api_key", id).with(json!({ "scopes": key.scopes() }));
                audit(tx, now, access.org, actor, record).await?;
                Ok(key)
            })
            .await?;
        self.0.callers.forget_all();
        Ok(key)
    }

    /// Revokes a key: it stops to count at once.
    ///
    /// # Errors
    /// When there is no such key, or it is somebody else's.
    pub(in crate::identity) async fn revoke_key(
        &self,
        access: &Access,
        actor: &Actor,
        id: ApiKeyId,
    ) -> Result<(), IdentityError> {
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            store::keys::get(tx, access.org, owner(access), id).await?;
            let revoked = store::keys::KeyChange { revoked_at: Some(now), updated_at: Some(now), ..Default::default() };
            store::keys::update(tx, access.org, id, revoked).await?;
            Ok::<_, IdentityError>(
                audit(tx, now, access.org, actor, Record::new("api_key.revoked", "api_key", id)).await?,
            )
        })
        .await?;
        self.0.callers.forget_all();
        Ok(())
    }
}

/// Stores a new key of a user and tells the audit log.
pub(super) async fn insert(
    tx: &mut DbConn,
    now: Timestamp,
    actor: &Actor,
    (org, user): (OrgId, UserId),
    order: &NewKey,
) -> Result<(ApiKey, Secret), IdentityError> {
    future(order.expires_at, now)?;
    let key = token::api_key()?;
    let row = store::keys::NewKey {
        id: ApiKeyId::new(),
        organization_id: org,
        user_id: user,
        name: name("name", &order.name)?,
        prefix: token::shown(&key),
        key_hash: token::hash(key.expose()),
        scopes: order.scopes.as_deref().map(stored_scopes),
        expires_at: order.expires_at,
        created_at: now,
        updated_at: now,
    };
    let stored = store::keys::insert(tx, row).await?;
    let record = Record::new("api_key.created", "api_key", stored.id).with(json!({ "scopes": order.scopes }));
    audit(tx, now, org, actor, record).await?;
    Ok((stored, key))
}

/// Whether somebody of this role can have a key with such scopes.
pub(super) fn role_may_have(role: Role, scopes: Option<&[Scope]>) -> Result<(), IdentityError> {
    let mighty = |scope: &Scope| matches!(scope, Scope::Admin | Scope::ActAs);
    if role < Role::Admin && scopes.is_some_and(|scopes| scopes.iter().any(mighty)) {
        return Err(IdentityError::Forbidden("Only an owner or admin can have a key with \"admin\" or \"act_as\"."));
    }
    Ok(())
}

/// Nobody gives away more than they have.
fn may_give(access: &Access, scopes: Option<&[Scope]>) -> Result<(), IdentityError> {
    role_may_have(access.role, scopes)?;
    let within = match (&access.scopes, scopes) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(wanted)) => wanted.iter().all(|scope| access.allows(*scope)),
    };
    if within {
        Ok(())
    } else {
        Err(IdentityError::Forbidden("A key cannot give scopes that it does not have itself."))
    }
}

fn future(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), IdentityError> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(IdentityError::Invalid("expires_at", "must lie in the future".into()));
    }
    Ok(())
}

fn owner(access: &Access) -> Option<UserId> {
    (!access.is_admin()).then_some(access.user)
}
