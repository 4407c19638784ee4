//! Shields: while a flag that a person changed is on its way, what the provider says of it stands beside it.

use std::collections::{HashMap, HashSet};

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::Fields;
use super::journal;
use super::places;
use crate::db::DbConn;
use crate::db::schema::email_locations;
use crate::ids::EmailId;
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// The fields in which the provider has something else than is wanted, by mail.
pub(super) async fn differing(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<HashMap<EmailId, Fields>> {
    let mut found = differing_flags(tx, emails).await?;
    let locations = places::locations(tx, emails).await?;
    let shown: HashSet<EmailId> = locations.iter().map(|row| row.email_id).collect();
    let expected = locations.iter().filter(|row| row.uid.is_none() && row.settled_at.is_none());
    // A mail that lies nowhere any more has nothing to leave for: what is left of it at the provider stays there.
    let departures = places::departures(tx, emails).await?;
    let leaving = departures.iter().map(|row| row.email_id).filter(|email| shown.contains(email));
    for email in expected.map(|row| row.email_id).chain(leaving) {
        found.entry(email).or_default().places = true;
    }
    Ok(found)
}

async fn differing_flags(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<HashMap<EmailId, Fields>> {
    let mut found: HashMap<EmailId, Fields> = HashMap::new();
    for chunk in emails.chunks(IDS) {
        let shielded = email_locations::server_read.is_not_null().or(email_locations::server_starred.is_not_null());
        let query = email_locations::table.filter(email_locations::email_id.eq_any(chunk)).filter(shielded).select((
            email_locations::email_id,
            email_locations::is_read,
            email_locations::server_read,
            email_locations::is_starred,
            email_locations::server_starred,
        ));
        type Row = (EmailId, bool, Option<bool>, bool, Option<bool>);
        let rows: Vec<Row> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, is_read, server_read, is_starred, server_starred) in rows {
            let differs = Fields {
                is_read: server_read.is_some_and(|server| server != is_read),
                is_starred: server_starred.is_some_and(|server| server != is_starred),
                places: false,
            };
            let fields = found.entry(email).or_default();
            *fields = fields.or(differs);
        }
    }
    Ok(found)
}

/// Takes away the shields of flags in which both sides agree and that no pending item is about.
pub(super) async fn drop_idle(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<()> {
    let pending = journal::pending_fields(tx, emails).await?;
    let free = |is_pending: fn(&Fields) -> bool| -> Vec<EmailId> {
        emails.iter().copied().filter(|email| !pending.get(email).is_some_and(is_pending)).collect()
    };
    for chunk in free(|fields| fields.is_read).chunks(IDS) {
        let equal = email_locations::server_read.eq(email_locations::is_read.nullable());
        let those = email_locations::table.filter(email_locations::email_id.eq_any(chunk)).filter(equal);
        let query = diesel::update(those).set(email_locations::server_read.eq(None::<bool>));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    for chunk in free(|fields| fields.is_starred).chunks(IDS) {
        let equal = email_locations::server_starred.eq(email_locations::is_starred.nullable());
        let those = email_locations::table.filter(email_locations::email_id.eq_any(chunk)).filter(equal);
        let query = diesel::update(those).set(email_locations::server_starred.eq(None::<bool>));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}
