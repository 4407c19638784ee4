//! Users and keys made by the operator on the command line, before the first start or while the server runs.

use super::keys::{NewKey, role_may_have};
use super::users::NewPerson;
use super::{Identity, keys, users};
use crate::access::{Role, Scope};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::identity::address::{LoginAddress, name};
use crate::identity::audit_log::Actor;
use crate::identity::{IdentityError, store};
use crate::ids::{OrgId, UserId};
use crate::secret::Secret;

/// The organization that is made for the very first user when none is named.
const FIRST_ORGANIZATION: &str = "My organization";

/// A user to be made by the operator.
#[derive(Debug)]
pub struct UserOrder {
    /// The address to sign in with.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The password.
    pub password: Secret,
    /// The name of the organization, which is made when there is none; else the only or first one.
    pub organization: Option<String>,
}

/// A key to be made by the operator.
#[derive(Debug)]
pub struct KeyOrder {
    /// The address of the user whose key it will be.
    pub email: String,
    /// What the key is for.
    pub name: String,
    /// What it may do; nothing given means all the user's rights.
    pub scopes: Option<Vec<Scope>>,
}

impl Identity {
    /// Makes a user, and the organization when there is none of that name.
    ///
    /// # Errors
    /// When the address is in use, or something does not fit.
    pub async fn provision_user(&self, order: UserOrder) -> Result<UserId, IdentityError> {
        let organization = order.organization.as_deref().map(|text| name("organization", text)).transpose()?;
        let now = self.0.clock.now();
        let person = NewPerson {
            email: order.email,
            name: order.name,
            role: order.role,
            password: Some(order.password),
            external_id: None,
        };
        // The organization is known only inside the transaction; the slow hash is made before it.
        let row = self.new_user(OrgId::new(), person, now).await?;
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            let mut row = row.clone();
            row.organization_id = pick(tx, organization.as_deref(), now).await?;
            store::audit::lock(tx, row.organization_id).await?;
            let id = users::insert(tx, now, &Actor::system(), row).await?.id;
            // From now on somebody can sign in, so printed set-up links must not count any more.
            store::settings::take_setup_tokens(tx).await?;
            Ok(id)
        })
        .await
    }

    /// Makes an API key for a user; it is told only here.
    ///
    /// # Errors
    /// When there is no such user, or the user's role cannot have these scopes.
    pub async fn provision_key(&self, order: KeyOrder) -> Result<Secret, IdentityError> {
        let address = LoginAddress::parse(&order.email)?;
        let now = self.0.clock.now();
        let key = NewKey { name: order.name, scopes: order.scopes, expires_at: None };
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            let found = store::users::credentials(tx, &address.normalized).await?;
            let user = found.ok_or_else(|| IdentityError::Invalid("email", "no user has this address".into()))?.user;
            role_may_have(user.role, key.scopes.as_deref())?;
            store::audit::lock(tx, user.organization_id).await?;
            let owner = (user.organization_id, user.id);
            let (_, secret) = keys::insert(tx, now, &Actor::system(), owner, &key).await?;
            Ok(secret)
        })
        .await
    }
}

/// The organization of that name, made when absent; without a name the first one.
async fn pick(tx: &mut DbConn, wanted: Option<&str>, now: Timestamp) -> Result<OrgId, IdentityError> {
    let all = store::organizations::all(tx).await?;
    let found = match wanted {
        Some(wanted) => all.iter().find(|organization| organization.name == wanted),
        None => all.first(),
    };
    match found {
        Some(organization) => Ok(organization.id),
        None => Ok(store::organizations::insert(tx, wanted.unwrap_or(FIRST_ORGANIZATION), now).await?),
    }
}
