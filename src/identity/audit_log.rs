//! The audit log: who did what, each entry bound to the one before it by its hash.
//!
//! An entry is written in the transaction of the change that it tells of, so neither exists without the other. Its hash
//! is SHA-256 over the hash before it and all its own fields: a changed or removed entry in the middle breaks the chain.
//! Entries cut off at the end are noticed only by comparing with a number and hash written down elsewhere, which is why
//! a check answers both.

use std::net::IpAddr;

use ring::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::store;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::types::Json;
use crate::ids::{ApiKeyId, AuditId, OrgId, UserId};

/// Who caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    ip: Option<IpAddr>,
}

impl Actor {
    /// The caller of a request, with the address that it came from.
    pub fn of(access: &Access, ip: Option<IpAddr>) -> Self {
        Self { user: Some(access.user), key: access.key, ip }
    }

    /// A person who is not signed in yet: who sets up, signs in or follows a link.
    pub fn person(user: UserId, ip: IpAddr) -> Self {
        Self { user: Some(user), key: None, ip: Some(ip) }
    }

    /// The command line, the scheduler, the sync.
    pub const fn system() -> Self {
        Self { user: None, key: None, ip: None }
    }

    fn kind(&self) -> &'static str {
        match (self.user, self.key) {
            (_, Some(_)) => "api_key",
            (Some(_), None) => "user",
            (None, None) => "system",
        }
    }
}

/// What was done; `detail` holds neither secrets nor anything of a mail.
#[derive(Debug, Clone)]
pub struct Record {
    /// The verb, such as `user.created`.
    pub action: &'static str,
    /// The kind of object, such as `user`.
    pub object_type: &'static str,
    /// Its id.
    pub object_id: Option<String>,
    /// What changed.
    pub detail: Value,
}

impl Record {
    /// An action on an object.
    pub fn new(action: &'static str, object_type: &'static str, object_id: impl ToString) -> Self {
        Self { action, object_type, object_id: Some(object_id.to_string()), detail: json!({}) }
    }

    /// Adds what changed.
    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Writes an entry in the transaction of the change itself.
///
/// # Errors
/// When the database fails; the change must then fail with it.
pub async fn audit(
    tx: &mut DbConn,
    now: Timestamp,
    org: OrgId,
    actor: &Actor,
    record: Record,
) -> diesel::QueryResult<()> {
    store::audit::lock(tx, org).await?;
    let (seq, prev_hash) = store::audit::head(tx, org).await?.unwrap_or((0, Vec::new()));
    let mut entry = store::audit::Entry {
        id: AuditId::new(),
        organization_id: org,
        seq: seq + 1,
        actor_kind: actor.kind().to_owned(),
        actor_user_id: actor.user,
        actor_key_id: actor.key,
        action: record.action.to_owned(),
        object_type: record.object_type.to_owned(),
        object_id: record.object_id,
        detail: Json(record.detail),
        ip_address: actor.ip.map(|ip| ip.to_string()),
        created_at: now,
        prev_hash,
        hash: Vec::new(),
    };
    entry.hash = seal(&entry);
    store::audit::insert(tx, entry).await
}

/// The state of an organization's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// How many entries were checked.
    pub entries: i64,
    /// The first entry that does not fit, if any.
    pub broken_at: Option<i64>,
    /// The hash of the last entry that was checked, in hexadecimal digits.
    pub head: String,
}

/// Checks an organization's log from its first entry to its last.
///
/// # Errors
/// When the database fails.
pub(super) async fn verify_chain(conn: &mut DbConn, org: OrgId) -> diesel::QueryResult<ChainReport> {
    let (mut seq, mut head) = (0, Vec::new());
    loop {
        let page = store::audit::after(conn, org, seq).await?;
        if page.is_empty() {
            return Ok(report(seq, None, &head));
        }
        for entry in page {
            if entry.seq != seq + 1 || entry.prev_hash != head || entry.hash != seal(&entry) {
                return Ok(report(seq, Some(seq + 1), &head));
            }
            (seq, head) = (entry.seq, entry.hash);
        }
    }
}

fn report(entries: i64, broken_at: Option<i64>, head: &[u8]) -> ChainReport {
    ChainReport { entries, broken_at, head: data_encoding::HEXLOWER.encode(head) }
}

fn seal(entry: &store::audit::Entry) -> Vec<u8> {
    let fields = json!([
        entry.id,
        entry.organization_id,
        entry.seq,
        entry.actor_kind,
        entry.actor_user_id,
        entry.actor_key_id,
        entry.action,
        entry.object_type,
        entry.object_id,
        sorted(&entry.detail.0),
        entry.ip_address,
        entry.created_at.micros(),
    ]);
    let mut sha = Context::new(&SHA256);
    sha.update(&entry.prev_hash);
    sha.update(fields.to_string().as_bytes());
    sha.finish().as_ref().to_vec()
}

/// The same document as a list of pairs in order: `jsonb` does not keep the order of keys.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().map(|(key, value)| json!([key, sorted(value)])).collect();
            pairs.sort_by_key(Value::to_string);
            json!({ "object": pairs })
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_what_is_hashed() {
        let one: Value = serde_json::from_str(r#"{"b":{"y":1,"x":[1,{"q":2,"p":3}]},"a":null}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"a":null,"b":{"x":[1,{"p":3,"q":2}],"y":1}}"#).unwrap();
        assert_eq!(sorted(&one), sorted(&other));
        assert_ne!(sorted(&one), sorted(&json!({"a": null})));
    }
}
