//! What the routes of this module take and give.

mod audit;
mod keys;
mod people;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model;
use super::service::SignedIn;
use crate::access::{Access, Scope};
use crate::clock::Timestamp;
use crate::http::{Keyset, Limit};
use crate::ids::{OrgId, SessionId};
use crate::secret::Secret;

pub use audit::{AuditCheck, AuditEntry, AuditParams};
pub use keys::{ApiKey, ApiKeyCreate, ApiKeyPatch};
pub use people::{Invitation, InvitationAccept, InvitationCreate, InvitationView, User, UserCreate, UserPatch};

/// Tells "absent" from "null": absent stays, null clears.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// How many at most: 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>)]
    pub limit: Limit,
    /// Where the page before ended.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
}

/// Whether the first run is still to come.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetupState {
    /// True until the first user exists.
    pub needed: bool,
}

/// What the first person tells.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-time token from the printed link.
    pub token: Secret,
    /// The name of the organization.
    pub organization: String,
    /// The person's name.
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// Eight characters or more.
    pub password: Secret,
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address.
    pub email: String,
    /// The password.
    pub password: Secret,
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl From<model::Organization> for Organization {
    fn from(organization: model::Organization) -> Self {
        let model::Organization { id, name, created_at, updated_at } = organization;
        Self { id, name, created_at, updated_at }
    }
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The organization.
    pub organization: Organization,
    /// What the API key may do; null: all that the user may.
    pub scopes: Option<Vec<Scope>>,
    /// What unsafe requests of a browser send as `X-CSRF-Token`; null with an API key.
    pub csrf_token: Option<String>,
}

impl Me {
    /// The answer to somebody who has just signed in.
    pub fn signed_in(signed_in: SignedIn) -> Self {
        Self {
            user: signed_in.user.into(),
            organization: signed_in.organization.into(),
            scopes: None,
            csrf_token: Some(signed_in.csrf_token),
        }
    }

    /// The answer to a caller.
    pub fn of(
        access: &Access,
        (user, organization): (model::User, model::Organization),
        csrf_token: Option<String>,
    ) -> Self {
        Self { user: user.into(), organization: organization.into(), scopes: access.scopes.clone(), csrf_token }
    }
}

/// A link that an admin hands on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    /// The link; it works once and is not shown again.
    pub link: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A new password, by a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// The token of the link.
    pub token: Secret,
    /// The new password.
    pub password: Secret,
}

/// A new password, by its owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present password.
    pub current_password: Secret,
    /// The new one.
    pub new_password: Secret,
}

/// A new name of the organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPatch {
    /// The name.
    pub name: String,
}

/// A place where the caller is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Where it was signed in.
    pub ip_address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the hour.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session as its owner sees it.
    pub fn of(session: model::Session, access: &Access) -> Self {
        Self {
            id: session.id,
            current: access.session == Some(session.id),
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
        }
    }
}
