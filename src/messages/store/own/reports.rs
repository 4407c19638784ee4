//! What mail servers report on mails that were sent.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use super::originals::{Original, Originals};
use super::sighting::Sighting;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{delivery_reports, email_recipients, emails};
use crate::db::types::Json;
use crate::ids::{EmailId, OrgId, RecipientId};
use crate::mail::{BounceRecipient, normalize_address};
use crate::messages::model::Intake;
use crate::messages::store::bounce_rules::{Outcome, outcome};
use crate::messages::store::suppress::suppress;
use crate::messages::store::threads::IDS;
use crate::outbox::{self, Fact};
use crate::{insert_rows, on_conn};

/// A sent mail and a report on it.
#[derive(Debug)]
pub(super) struct Report {
    original: Original,
    email: EmailId,
    at: Timestamp,
    recipients: Vec<BounceRecipient>,
}

#[derive(Insertable)]
#[diesel(table_name = delivery_reports, treat_none_as_default_value = false)]
struct Row {
    email_id: EmailId,
    organization_id: OrgId,
    original_message_id: String,
    recipients: Json,
}

/// Keeps what the reports among these mails say, for mails that are stored after them.
pub(super) async fn keep(tx: &mut DbConn, org: OrgId, seen: &[Sighting]) -> QueryResult<()> {
    let row = |mail: &Sighting| {
        Some(Row {
            email_id: mail.id,
            organization_id: org,
            original_message_id: mail.original()?.to_owned(),
            recipients: Json(serde_json::to_value(&mail.report.as_ref()?.recipients).unwrap_or_default()),
        })
    };
    let rows: Vec<Row> = seen.iter().filter_map(row).collect();
    insert_rows!(tx, delivery_reports::table, rows, |q| q.on_conflict_do_nothing())?;
    Ok(())
}

/// The reports among mails that were just stored.
pub(super) fn among(originals: &Originals, seen: &[Sighting]) -> Vec<Report> {
    let mut found = Vec::new();
    for mail in seen {
        let Some(report) = &mail.report else { continue };
        let about = mail.original().and_then(|id| originals.get(id)).into_iter().flatten();
        found.extend(about.map(|original| Report {
            original: original.clone(),
            email: mail.id,
            at: mail.received_at,
            recipients: report.recipients.clone(),
        }));
    }
    found
}

/// The reports that were stored before the mails that they are about.
pub(super) async fn before(
    tx: &mut DbConn,
    org: OrgId,
    sent: &Originals,
    seen: &[Sighting],
) -> QueryResult<Vec<Report>> {
    let fresh: BTreeSet<EmailId> = seen.iter().map(|mail| mail.id).collect();
    let ids: Vec<&str> = sent.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for chunk in ids.chunks(IDS) {
        let query = delivery_reports::table
            .inner_join(emails::table)
            .filter(delivery_reports::organization_id.eq(org))
            .filter(delivery_reports::original_message_id.eq_any(chunk))
            .select((
                delivery_reports::email_id,
                emails::received_at,
                delivery_reports::original_message_id,
                delivery_reports::recipients,
            ));
        let rows: Vec<(EmailId, Timestamp, String, Json)> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, at, original, recipients) in rows.into_iter().filter(|(email, ..)| !fresh.contains(email)) {
            let recipients: Vec<BounceRecipient> = serde_json::from_value(recipients.0).unwrap_or_default();
            let about = sent.get(&original).into_iter().flatten().filter(|mail| fresh.contains(&mail.id));
            found.extend(about.map(|mail| Report {
                original: mail.clone(),
                email,
                at,
                recipients: recipients.clone(),
            }));
        }
    }
    Ok(found)
}

/// Notes what became of the mails and tells of those that came back; answers whether facts were written.
pub(super) async fn tie(tx: &mut DbConn, org: OrgId, mut reports: Vec<Report>, intake: &Intake) -> QueryResult<bool> {
    reports.sort_by_key(|report| (report.at, report.email));
    let mut facts = Vec::new();
    for Report { original, email, at, recipients } in reports {
        let outcomes: Vec<(String, Outcome)> =
            recipients.iter().map(|one| (normalize_address(&one.address), outcome(one))).collect();
        let dead = note(tx, original.id, &outcomes).await?;
        if !dead.is_empty() {
            suppress(tx, org, &dead, original.id, intake.now).await?;
        }
        // A report in prose may name nobody.
        let failed = outcomes.is_empty() || outcomes.iter().any(|(_, outcome)| outcome.failed);
        if !failed {
            continue;
        }
        let unknown = emails::table.find(original.id).filter(emails::bounced_at.is_null());
        let query = diesel::update(unknown).set((emails::bounced_at.eq(Some(at)), emails::updated_at.eq(intake.now)));
        on_conn!(tx, |c| query.execute(c).await)?;
        if intake.told {
            let is_hard = outcomes.iter().any(|(_, outcome)| outcome.failed && outcome.is_hard);
            let kind = if is_hard { "hard" } else { "soft" };
            facts.push(Fact::email_bounced(original.about(), original.id, original.thread, email, kind));
        }
    }
    let told = !facts.is_empty();
    outbox::record(tx, facts, intake.now).await?;
    Ok(told)
}

#[derive(Queryable)]
struct Recipient {
    id: RecipientId,
    address: String,
    delivery: Option<String>,
}

/// Notes the outcomes at the recipients of a mail; answers the addresses of it that take no mail at all.
async fn note(tx: &mut DbConn, mail: EmailId, outcomes: &[(String, Outcome)]) -> QueryResult<Vec<String>> {
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq(mail))
        .filter(email_recipients::recipient_type.ne("reply_to"))
        .select((email_recipients::id, email_recipients::email_normalized, email_recipients::delivery));
    let recipients: Vec<Recipient> = on_conn!(tx, |c| query.load(c).await)?;
    let mut dead = Vec::new();
    for (address, outcome) in outcomes {
        let named: Vec<&Recipient> = recipients.iter().filter(|it| it.address == *address).collect();
        if outcome.failed && outcome.is_hard && !named.is_empty() {
            dead.push(address.clone());
        }
        // A mail to one person that was passed on bounces at an address that we do not know.
        let about = if named.is_empty() && recipients.len() == 1 { recipients.iter().collect() } else { named };
        for recipient in about {
            let Some(delivery) = outcome.delivery(recipient.delivery.as_deref()) else { continue };
            let query = diesel::update(email_recipients::table.find(recipient.id)).set((
                email_recipients::delivery.eq(delivery),
                email_recipients::smtp_code.eq(outcome.code),
                email_recipients::smtp_reply.eq(&outcome.words),
            ));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
    }
    Ok(dead)
}
