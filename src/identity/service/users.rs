//! The people of an organization.

use serde_json::json;

use super::{Identity, taken};
use crate::access::{Access, Role};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::identity::address::{LoginAddress, name};
use crate::identity::audit_log::{Actor, Record, audit};
use crate::identity::model::User;
use crate::identity::store::users::{NewUser, UserChange};
use crate::identity::{IdentityError, password, store};
use crate::ids::{OrgId, UserId};
use crate::secret::Secret;

/// The longest id that a CRM may give a person, in characters.
const EXTERNAL_ID: usize = 200;

/// A person to be added.
pub struct NewPerson {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password: Option<Secret>,
    pub external_id: Option<String>,
}

/// What changes of a person; absent fields stay.
#[derive(Default)]
pub struct PersonChange {
    pub email: Option<String>,
    pub name: Option<String>,
    pub role: Option<Role>,
    pub external_id: Option<Option<String>>,
    pub disabled: Option<bool>,
}

impl Identity {
    /// A page of the organization's people; a member sees only itself.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn users(
        &self,
        access: &Access,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<User>, IdentityError> {
        let only = (!access.is_admin()).then_some(access.user);
        Ok(store::users::list(&mut self.0.db.read().await?, access.org, only, after, limit).await?)
    }

    /// One person; a member finds only itself.
    ///
    /// # Errors
    /// When there is no such person.
    pub(in crate::identity) async fn user(&self, access: &Access, id: UserId) -> Result<User, IdentityError> {
        visible(access, id)?;
        Ok(store::users::get(&mut self.0.db.read().await?, access.org, id).await?)
    }

    /// Adds a person; without a password the person needs a link to set one.
    ///
    /// # Errors
    /// When the address is in use, something does not fit, or an admin tries to make an owner.
    pub(in crate::identity) async fn create_user(
        &self,
        access: &Access,
        actor: &Actor,
        person: NewPerson,
    ) -> Result<User, IdentityError> {
        may_manage(access.role, person.role)?;
        let now = self.0.clock.now();
        let row = self.new_user(access.org, person, now).await?;
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            insert(tx, now, actor, row.clone()).await
        })
        .await
    }

    /// Checks a person's data and hashes the password.
    pub(super) async fn new_user(
        &self,
        org: OrgId,
        person: NewPerson,
        now: Timestamp,
    ) -> Result<NewUser, IdentityError> {
        let address = LoginAddress::parse(&person.email)?;
        let name = name("name", &person.name)?;
        let external_id = person.external_id.map(external_id).transpose()?;
        let password_hash = match person.password {
            Some(secret) => {
                password::acceptable(&secret, &address.normalized)?;
                Some(self.0.passwords.hash(secret).await?)
            }
            None => None,
        };
        Ok(NewUser {
            id: UserId::new(),
            organization_id: org,
            email: address.as_given,
            email_normalized: address.normalized,
            name,
            role: person.role.as_str(),
            password_changed_at: password_hash.is_some().then_some(now),
            password_hash,
            external_id,
            created_at: now,
            updated_at: now,
        })
    }

    /// Changes a person; members may change their own name, admins everybody but owners, owners everybody.
    ///
    /// # Errors
    /// When the caller may not, something does not fit, or the last owner would be lost.
    pub(in crate::identity) async fn change_user(
        &self,
        access: &Access,
        actor: &Actor,
        id: UserId,
        change: PersonChange,
    ) -> Result<User, IdentityError> {
        visible(access, id)?;
        if !access.is_admin() && !only_name(&change) {
            return Err(IdentityError::Forbidden("Only an owner or admin may change this. Ask one of them."));
        }
        let now = self.0.clock.now();
        let row = row_change(&change, now)?;
        let mut conn = self.0.db.write().await?;
        let user = conn
            .transaction(async |tx| {
                store::audit::lock(tx, access.org).await?;
                let before = store::users::get(tx, access.org, id).await?;
                if id != access.user {
                    may_manage(access.role, before.role)?;
                }
                let role = change.role.unwrap_or(before.role);
                if role != before.role {
                    may_manage(access.role, role.max(before.role))?;
                }
                let disabled = change.disabled.unwrap_or(before.disabled_at.is_some());
                if before.role == Role::Owner && (role != Role::Owner || disabled) {
                    keep_an_owner(tx, access.org, id).await?;
                }
                let user = store::users::update(tx, access.org, id, row.clone()).await.map_err(taken)?;
                if disabled {
                    store::sessions::delete_all(tx, id, None).await?;
                }
                let record = Record::new("user.changed", "user", id).with(told(&change));
                audit(tx, now, access.org, actor, record).await?;
                Ok::<_, IdentityError>(user)
            })
            .await?;
        self.0.callers.forget_all();
        Ok(user)
    }

    /// Removes a person, with the person's mailboxes, keys and sessions.
    ///
    /// # Errors
    /// When the caller may not, or the last owner would be lost.
    pub(in crate::identity) async fn delete_user(
        &self,
        access: &Access,
        actor: &Actor,
        id: UserId,
    ) -> Result<(), IdentityError> {
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            let user = store::users::get(tx, access.org, id).await?;
            may_manage(access.role, user.role)?;
            if user.role == Role::Owner {
                keep_an_owner(tx, access.org, id).await?;
            }
            store::users::delete(tx, access.org, id).await?;
            Ok::<_, IdentityError>(audit(tx, now, access.org, actor, Record::new("user.deleted", "user", id)).await?)
        })
        .await?;
        self.0.callers.forget_all();
        Ok(())
    }
}

/// Stores a person and tells the audit log.
pub(super) async fn insert(
    tx: &mut DbConn,
    now: Timestamp,
    actor: &Actor,
    row: NewUser,
) -> Result<User, IdentityError> {
    let (org, role) = (row.organization_id, row.role);
    let user = store::users::insert(tx, row).await.map_err(taken)?;
    let record = Record::new("user.created", "user", user.id).with(json!({ "role": role }));
    audit(tx, now, org, actor, record).await?;
    Ok(user)
}

/// Only owners make, change or remove owners.
pub(super) fn may_manage(manager: Role, managed: Role) -> Result<(), IdentityError> {
    if managed <= manager {
        return Ok(());
    }
    Err(IdentityError::Forbidden("Only an owner may do this to an owner. Ask one of them."))
}

fn visible(access: &Access, id: UserId) -> Result<(), IdentityError> {
    if access.is_admin() || id == access.user { Ok(()) } else { Err(IdentityError::NotFound) }
}

async fn keep_an_owner(tx: &mut DbConn, org: OrgId, leaving: UserId) -> Result<(), IdentityError> {
    if store::users::other_owners(tx, org, leaving).await? == 0 {
        return Err(IdentityError::LastOwner);
    }
    Ok(())
}

fn only_name(change: &PersonChange) -> bool {
    matches!(change, PersonChange { email: None, role: None, external_id: None, disabled: None, .. })
}

fn row_change(change: &PersonChange, now: Timestamp) -> Result<UserChange, IdentityError> {
    let address = change.email.as_deref().map(LoginAddress::parse).transpose()?;
    Ok(UserChange {
        email: address.as_ref().map(|address| address.as_given.clone()),
        email_normalized: address.map(|address| address.normalized),
        name: change.name.as_deref().map(|text| name("name", text)).transpose()?,
        role: change.role.map(Role::as_str),
        external_id: change.external_id.clone().map(|id| id.map(external_id).transpose()).transpose()?,
        disabled_at: change.disabled.map(|disabled| disabled.then_some(now)),
        updated_at: Some(now),
    })
}

/// The fields that changed; names and addresses themselves stay out of the log.
fn told(change: &PersonChange) -> serde_json::Value {
    let mut fields = Vec::new();
    for (changed, field) in [
        (change.email.is_some(), "email"),
        (change.name.is_some(), "name"),
        (change.external_id.is_some(), "external_id"),
    ] {
        if changed {
            fields.push(field);
        }
    }
    json!({ "fields": fields, "role": change.role, "disabled": change.disabled })
}

fn external_id(text: String) -> Result<String, IdentityError> {
    if text.is_empty() || text.chars().count() > EXTERNAL_ID || text.chars().any(char::is_control) {
        return Err(IdentityError::Invalid("external_id", format!("must have 1 to {EXTERNAL_ID} characters")));
    }
    Ok(text)
}
