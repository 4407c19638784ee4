//! Addresses that nothing is sent to any more.

use std::collections::HashSet;

use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;
use ring::digest::{Context, SHA256};

use super::threads::IDS;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::suppressions;
use crate::ids::{EmailId, OrgId, SuppressionId};
use crate::mail::normalize_address;
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = suppressions, treat_none_as_default_value = false)]
struct Row {
    id: SuppressionId,
    organization_id: OrgId,
    email_normalized: Option<String>,
    address_hash: Vec<u8>,
    reason: &'static str,
    email_id: Option<EmailId>,
    created_at: Timestamp,
}

/// The digest that an address is looked up by; each organization has its own for the same address.
pub(super) fn address_hash(org: OrgId, address: &str) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(org.uuid().as_bytes());
    context.update(normalize_address(address).as_bytes());
    context.finish().as_ref().to_vec()
}

/// Notes addresses to which this mail could not be delivered for good.
pub(super) async fn suppress(
    tx: &mut DbConn,
    org: OrgId,
    addresses: &[String],
    email: EmailId,
    now: Timestamp,
) -> QueryResult<()> {
    let row = |address: &String| Row {
        id: SuppressionId::new(),
        organization_id: org,
        email_normalized: Some(normalize_address(address)),
        address_hash: address_hash(org, address),
        reason: "bounced",
        email_id: Some(email),
        created_at: now,
    };
    let rows: Vec<Row> = addresses.iter().map(row).collect();
    insert_rows!(tx, suppressions::table, rows, |q| q.on_conflict_do_nothing())?;
    Ok(())
}

/// Those of these addresses, as they were given, that an organization sends nothing to.
pub async fn suppressed(conn: &mut DbConn, org: OrgId, addresses: &[String]) -> QueryResult<Vec<String>> {
    let hashed: Vec<(&String, Vec<u8>)> =
        addresses.iter().map(|address| (address, address_hash(org, address))).collect();
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    for chunk in hashed.chunks(IDS) {
        let hashes: Vec<&[u8]> = chunk.iter().map(|(_, hash)| hash.as_slice()).collect();
        let query = suppressions::table
            .filter(suppressions::organization_id.eq(org))
            .filter(suppressions::address_hash.eq_any(hashes))
            .select(suppressions::address_hash);
        let rows: Vec<Vec<u8>> = on_conn!(conn, |c| query.load(c).await)?;
        known.extend(rows);
    }
    Ok(hashed.into_iter().filter(|(_, hash)| known.contains(hash)).map(|(address, _)| address.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_follows_the_address_and_the_organization() {
        let (org, other) = (OrgId::new(), OrgId::new());
        assert_eq!(address_hash(org, " Bob@B.Example"), address_hash(org, "bob@b.example"));
        assert_ne!(address_hash(org, "bob@b.example"), address_hash(other, "bob@b.example"));
    }
}
