//! The organization itself, and its audit log.

use serde_json::json;

use super::Identity;
use crate::access::Access;
use crate::identity::address::name;
use crate::identity::audit_log::{Actor, ChainReport, Record, audit, verify_chain};
use crate::identity::model::{Organization, User};
use crate::identity::store::audit::{Entry, Filter};
use crate::identity::{IdentityError, store};
use crate::ids::AuditId;

impl Identity {
    /// The caller and the caller's organization.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn me(&self, access: &Access) -> Result<(User, Organization), IdentityError> {
        let mut conn = self.0.db.read().await?;
        let user = store::users::get(&mut conn, access.org, access.user).await?;
        Ok((user, store::organizations::get(&mut conn, access.org).await?))
    }

    /// Gives the organization another name.
    ///
    /// # Errors
    /// When the name does not fit.
    pub(in crate::identity) async fn rename_organization(
        &self,
        access: &Access,
        actor: &Actor,
        new: &str,
    ) -> Result<Organization, IdentityError> {
        let new = name("name", new)?;
        let now = self.0.clock.now();
        let mut conn = self.0.db.write().await?;
        conn.transaction(async |tx| {
            store::audit::lock(tx, access.org).await?;
            store::organizations::rename(tx, access.org, &new, now).await?;
            let record = Record::new("organization.renamed", "organization", access.org).with(json!({ "name": new }));
            audit(tx, now, access.org, actor, record).await?;
            Ok(store::organizations::get(tx, access.org).await?)
        })
        .await
    }

    /// A page of the audit log, newest first; `after` is the last entry of the page before.
    ///
    /// # Errors
    /// When the entry to go on after does not exist.
    pub(in crate::identity) async fn audit_entries(
        &self,
        access: &Access,
        mut filter: Filter,
        after: Option<AuditId>,
        limit: i64,
    ) -> Result<Vec<Entry>, IdentityError> {
        let mut conn = self.0.db.read().await?;
        if let Some(after) = after {
            filter.below = Some(store::audit::seq_of(&mut conn, access.org, after).await?);
        }
        Ok(store::audit::list(&mut conn, access.org, &filter, limit).await?)
    }

    /// Checks that nothing in the middle of the audit log was changed or removed.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::identity) async fn check_audit(&self, access: &Access) -> Result<ChainReport, IdentityError> {
        Ok(verify_chain(&mut self.0.db.read().await?, access.org).await?)
    }
}
