//! API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::present;
use crate::access::Scope;
use crate::clock::Timestamp;
use crate::identity::model;
use crate::ids::{ApiKeyId, UserId};
use crate::secret::Secret;

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// How it starts.
    pub prefix: String,
    /// What it may do; null: all that its user may.
    pub scopes: Option<Vec<Scope>>,
    /// When it stops to count.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The key itself, told once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl ApiKey {
    /// A key as it is shown; `key` only when it was just made.
    pub fn of(stored: model::ApiKey, key: Option<Secret>) -> Self {
        Self {
            scopes: stored.scopes(),
            id: stored.id,
            user_id: stored.user_id,
            name: stored.name,
            prefix: stored.prefix,
            expires_at: stored.expires_at,
            last_used_at: stored.last_used_at,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            key: key.map(|key| key.expose().to_owned()),
        }
    }
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyCreate {
    /// What it is for.
    pub name: String,
    /// What it may do; absent: all that its user may.
    pub scopes: Option<Vec<Scope>>,
    /// When it stops to count.
    pub expires_at: Option<Timestamp>,
}

/// What changes of a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyPatch {
    /// What it is for.
    pub name: Option<String>,
    /// What it may do; null: all that its user may.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<Scope>>)]
    pub scopes: Option<Option<Vec<Scope>>>,
    /// When it stops to count; null: never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Option<Option<Timestamp>>,
}
