//! Proof that a mail was sent of which that was not certain.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_outgoing, email_recipients, emails};
use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId, OrgId, ThreadId, UserId};
use crate::on_conn;
use crate::outbox::{self, Fact};

/// What shows that a mail was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Its copy among the sent mails.
    Copy,
    /// Something that only a sent mail leads to: a copy elsewhere, an answer, a report. Its own copy is still to be filed.
    Elsewhere,
}

#[derive(Queryable)]
struct Doubtful {
    id: EmailId,
    org: OrgId,
    user: UserId,
    account: AccountId,
    thread: Option<ThreadId>,
    status: String,
    handed_at: Option<Timestamp>,
}

/// Marks those of these mails as sent of which it was uncertain, and tells of it. Answers whether facts were written.
///
/// Recipients that were passed over before the connection broke are still to be served: with such a mail waits again. Where
/// some recipients had the mail from an earlier try already, evidence says nothing about this one, and the doubt remains.
pub async fn prove_sent(tx: &mut DbConn, mails: &[EmailId], evidence: Evidence, now: Timestamp) -> QueryResult<bool> {
    if mails.is_empty() {
        return Ok(false);
    }
    let query = emails::table
        .inner_join(email_outgoing::table)
        .filter(emails::id.eq_any(mails))
        .filter(emails::status.eq_any(["uncertain", "sending"]))
        .select((
            emails::id,
            emails::organization_id,
            emails::user_id,
            emails::account_id,
            emails::thread_id,
            emails::status,
            email_outgoing::handed_at,
        ));
    let doubtful: Vec<Doubtful> = on_conn!(tx, |c| query.load(c).await)?;
    let mut facts = Vec::new();
    for mail in doubtful.into_iter().filter(|mail| mail.status == "uncertain" || mail.handed_at.is_some()) {
        let query = email_recipients::table
            .filter(email_recipients::email_id.eq(mail.id))
            .filter(email_recipients::recipient_type.ne("reply_to"))
            .select(email_recipients::delivery);
        let deliveries: Vec<Option<String>> = on_conn!(tx, |c| query.load(c).await)?;
        let Some(left) = left_over(&deliveries) else { continue };
        settle(tx, &mail, left, evidence, now).await?;
        if !left {
            let about = AccountRef { org: mail.org, user: mail.user, account: mail.account };
            facts.push(Fact::email_sent(about, mail.id, mail.thread));
        }
    }
    let told = !facts.is_empty();
    outbox::record(tx, facts, now).await?;
    Ok(told)
}

/// Whether recipients remain to be served; nothing where the evidence may be about an earlier try.
fn left_over(deliveries: &[Option<String>]) -> Option<bool> {
    let is = |wanted: &'static str| move |delivery: &Option<String>| delivery.as_deref() == Some(wanted);
    if ["accepted", "delayed", "bounced"].into_iter().any(|earlier| deliveries.iter().any(is(earlier))) {
        return None;
    }
    let handed = deliveries.iter().any(is("handed"));
    Some(handed && deliveries.iter().any(|delivery| matches!(delivery.as_deref(), None | Some("deferred"))))
}

async fn settle(tx: &mut DbConn, mail: &Doubtful, left: bool, evidence: Evidence, now: Timestamp) -> QueryResult<()> {
    let handed = email_recipients::table
        .filter(email_recipients::email_id.eq(mail.id))
        .filter(email_recipients::delivery.eq("handed"));
    let query = diesel::update(handed).set(email_recipients::delivery.eq("accepted"));
    on_conn!(tx, |c| query.execute(c).await)?;
    let query = diesel::update(emails::table.find(mail.id)).set((
        emails::status.eq(if left { "queued" } else { "sent" }),
        emails::error_message.eq(None::<String>),
        emails::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let file_due_at = match evidence {
        Evidence::Copy => None,
        Evidence::Elsewhere => Some(now),
    };
    let query = diesel::update(email_outgoing::table.find(mail.id)).set((
        email_outgoing::due_at.eq(left.then_some(now)),
        email_outgoing::error_code.eq(None::<String>),
        email_outgoing::file_due_at.eq(file_due_at),
        email_outgoing::file_attempts.eq(0),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::left_over;

    fn after(deliveries: &[&str]) -> Option<bool> {
        let read = |word: &&str| Some((*word).to_owned()).filter(|word| !word.is_empty());
        left_over(&deliveries.iter().map(read).collect::<Vec<_>>())
    }

    #[test]
    fn recipients_that_were_passed_over_are_still_to_be_served() {
        assert_eq!(after(&["handed", "handed", "refused"]), Some(false));
        assert_eq!(after(&["handed", "deferred"]), Some(true));
        assert_eq!(after(&["handed", ""]), Some(true));
        assert_eq!(after(&["", ""]), Some(false));
    }

    #[test]
    fn evidence_after_an_earlier_try_leaves_the_doubt() {
        assert_eq!(after(&["accepted", "handed"]), None);
        assert_eq!(after(&["bounced", "handed"]), None);
    }
}
