//! The audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::clock::Timestamp;
use crate::http::{Keyset, Limit};
use crate::identity::audit_log::ChainReport;
use crate::identity::store::audit::Entry;
use crate::ids::{ApiKeyId, AuditId, UserId};

/// Which entries of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// How many at most: 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>)]
    pub limit: Limit,
    /// Where the page before ended.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
    /// Who did it.
    pub actor_id: Option<UserId>,
    /// What was done, such as `user.created`.
    pub action: Option<String>,
    /// To what kind of object, such as `user`.
    pub object_type: Option<String>,
    /// To which object.
    pub object_id: Option<String>,
    /// From this time on.
    pub after: Option<Timestamp>,
    /// Before this time.
    pub before: Option<Timestamp>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// Its number in the organization, without gaps.
    pub seq: i64,
    /// `user`, `api_key` or `system`.
    pub actor_kind: String,
    /// Who did it.
    pub actor_id: Option<UserId>,
    /// With which key.
    pub api_key_id: Option<ApiKeyId>,
    /// What was done.
    pub action: String,
    /// To what kind of object.
    pub object_type: String,
    /// To which object.
    pub object_id: Option<String>,
    /// What changed.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// From which address.
    pub ip_address: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// The hash that binds it to the entry before, in hexadecimal digits.
    pub hash: String,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            seq: entry.seq,
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_user_id,
            api_key_id: entry.actor_key_id,
            action: entry.action,
            object_type: entry.object_type,
            object_id: entry.object_id,
            detail: entry.detail.0,
            ip_address: entry.ip_address,
            created_at: entry.created_at,
            hash: data_encoding::HEXLOWER.encode(&entry.hash),
        }
    }
}

/// The state of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Whether every entry fits the one before.
    pub valid: bool,
    /// How many entries fit.
    pub entries: i64,
    /// The number of the first entry that does not fit.
    pub broken_at: Option<i64>,
    /// The hash of the last entry that fits; write it down elsewhere to notice entries that are cut off.
    pub head: String,
}

impl From<ChainReport> for AuditCheck {
    fn from(report: ChainReport) -> Self {
        let ChainReport { entries, broken_at, head } = report;
        Self { valid: broken_at.is_none(), entries, broken_at, head }
    }
}
