//! Organizations, people and how they sign in, as the rest of the module sees them.

use diesel::{Queryable, Selectable};

use crate::access::{Role, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{api_keys, invitations, organizations, sessions, users};
use crate::db::types::Json;
use crate::ids::{ApiKeyId, InvitationId, OrgId, SessionId, UserId};

/// A tenant: everything belongs to one.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = organizations)]
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

/// A person of an organization.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The organization.
    pub organization_id: OrgId,
    /// The address to sign in with, as it was typed.
    pub email: String,
    /// The name.
    pub name: String,
    /// What the person may do.
    #[diesel(deserialize_as = String)]
    pub role: Role,
    /// The CRM's id of this person.
    pub external_id: Option<String>,
    /// When the person signed in last.
    pub last_sign_in_at: Option<Timestamp>,
    /// Since when the person may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A user's password hash beside the user; only for signing in.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct Credentials {
    #[diesel(embed)]
    pub user: User,
    pub email_normalized: String,
    pub password_hash: Option<String>,
}

/// A signed-in browser.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(super) struct Session {
    pub id: SessionId,
    pub csrf_token: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// An API key, without the key.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct ApiKey {
    pub id: ApiKeyId,
    pub user_id: UserId,
    pub name: String,
    pub prefix: String,
    scopes: Option<Json>,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ApiKey {
    /// What the key may do; nothing given means all the user's rights.
    pub fn scopes(&self) -> Option<Vec<Scope>> {
        let Json(scopes) = self.scopes.as_ref()?;
        // A scope that this version does not know grants nothing.
        let texts = scopes.as_array().map(Vec::as_slice).unwrap_or_default();
        Some(texts.iter().filter_map(|text| Scope::parse(text.as_str()?)).collect())
    }
}

/// Scopes as they are stored.
pub(super) fn stored_scopes(scopes: &[Scope]) -> Json {
    Json(scopes.iter().map(|scope| scope.as_str()).collect())
}

/// An invitation to join an organization.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub(super) struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrgId,
    pub email: String,
    pub name: String,
    #[diesel(deserialize_as = String)]
    pub role: Role,
    pub created_by: Option<UserId>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}
