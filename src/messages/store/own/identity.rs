//! What a provider calls a mail of ours: learnt when it was sent or kept there, by the sender or by sync, whoever is first.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use super::proof::{Evidence, prove_sent};
use super::sighting::Sighting;
use super::{copies, tie};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, email_outgoing, emails};
use crate::ids::{EmailId, ThreadId};
use crate::mail::ParsedMail;
use crate::messages::model::{FolderRole, IncomingMail, Intake, Mailbox};
use crate::messages::store::incoming::{Threaded, assign_threads};
use crate::messages::store::{rows, threads, told};
use crate::on_conn;

/// What a provider calls a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name within the mailbox.
    pub external_id: String,
    /// The conversation that the provider counts it to, where it has such.
    pub provider_thread_id: Option<String>,
    /// The Message-ID that its readers see, where the provider told it.
    pub message_id: Option<String>,
}

#[derive(Queryable)]
struct Known {
    external_id: String,
    provider_thread_id: Option<String>,
    message_id: Option<String>,
    received_at: Timestamp,
}

/// Takes over what the provider calls a mail; once, however often it is called.
///
/// Answers refer to the Message-ID that readers saw: where the provider replaced ours, both lead to the conversation.
pub async fn identify(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    identity: &Identity,
    now: Timestamp,
) -> QueryResult<()> {
    threads::lock(tx, owner.org).await?;
    let query = emails::table.find(id).select((
        emails::external_id,
        emails::provider_thread_id,
        emails::message_id,
        emails::received_at,
    ));
    let known: Known = on_conn!(tx, |c| query.first(c).await)?;
    let thread = identity.provider_thread_id.as_ref().or(known.provider_thread_id.as_ref());
    let message_id = identity.message_id.as_ref().or(known.message_id.as_ref());
    let is_known = known.external_id == identity.external_id
        && known.provider_thread_id.as_ref() == thread
        && known.message_id.as_ref() == message_id;
    if is_known {
        return Ok(());
    }
    give_way(tx, owner, id, &identity.external_id, now).await?;
    let query = diesel::update(emails::table.find(id)).set((
        emails::external_id.eq(&identity.external_id),
        emails::provider_thread_id.eq(thread),
        emails::message_id.eq(message_id),
        emails::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    if known.message_id.as_ref() != message_id {
        let unnoted = email_outgoing::table
            .filter(email_outgoing::email_id.eq(id))
            .filter(email_outgoing::written_message_id.is_null());
        let query = diesel::update(unnoted).set(email_outgoing::written_message_id.eq(&known.message_id));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    // Named by both, it draws together whatever either of them leads to.
    let named = ParsedMail {
        message_id: message_id.cloned(),
        references: known.message_id.into_iter().collect(),
        ..ParsedMail::default()
    };
    let threaded = Threaded { mail: &named, at: known.received_at, provider_thread: thread.map(String::as_str) };
    let news = Intake { now, seen_at: now, told: true };
    let (assigned, merged) = assign_threads(tx, owner, &[threaded], &news).await?;
    let touched: BTreeSet<ThreadId> = assigned.into_iter().chain(merged).collect();
    threads::rebuild(tx, &touched, now).await
}

/// Sync stored the mail as one of its own before it could be known as ours: that row goes.
async fn give_way(tx: &mut DbConn, owner: &Mailbox, id: EmailId, external_id: &str, now: Timestamp) -> QueryResult<()> {
    let query = emails::table
        .filter(emails::account_id.eq(owner.account))
        .filter(emails::external_id.eq(external_id))
        .filter(emails::id.ne(id))
        .select((emails::id, emails::thread_id));
    let doubles: Vec<(EmailId, Option<ThreadId>)> = on_conn!(tx, |c| query.load(c).await)?;
    for (double, thread) in doubles {
        on_conn!(tx, |c| {
            let places = email_locations::table.filter(email_locations::email_id.eq(double));
            diesel::delete(places).execute(c).await?;
            let leaving = email_departures::table.filter(email_departures::email_id.eq(double));
            diesel::delete(leaving).execute(c).await?;
            diesel::update(emails::table.find(double))
                .set((
                    emails::external_id.eq(rows::local_id(double)),
                    emails::deleted_at.eq(Some(now)),
                    emails::updated_at.eq(now),
                ))
                .execute(c)
                .await
        })?;
        threads::rebuild(tx, &thread.into_iter().collect(), now).await?;
        told::deleted(tx, owner, &BTreeSet::from([double]), &Intake { now, seen_at: now, told: true }).await?;
    }
    Ok(())
}

/// Takes over that a mail of ours lies among the sent mails of its provider, which alone puts mails there: this is its identity,
/// its Message-ID and its original, and it was sent. Answers whether facts were written.
///
/// Where it lies is for the caller to say. Answers and reports that came before are tied to it now.
pub async fn adopt_sent(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    mail: &IncomingMail,
    intake: &Intake,
) -> QueryResult<bool> {
    let identity = Identity {
        external_id: mail.external_id.clone(),
        provider_thread_id: mail.provider_thread_id.clone(),
        message_id: mail.parsed.message_id.clone(),
    };
    identify(tx, owner, id, &identity, intake.now).await?;
    copies::adopt(tx, id, mail, intake.now).await?;
    if let Some(date) = mail.parsed.date {
        let query = diesel::update(emails::table.find(id)).set(emails::sent_at.eq(Timestamp::from(date)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::due_at.eq(None::<Timestamp>),
        email_outgoing::mirror_due_at.eq(None::<Timestamp>),
        email_outgoing::draft_id.eq(None::<String>),
        email_outgoing::draft_message_id.eq(None::<String>),
        email_outgoing::draft_pin.eq(None::<i64>),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let proven = prove_sent(tx, &[id], Evidence::Itself, intake.now).await?;
    let query = emails::table.find(id).select(emails::thread_id);
    let thread: Option<ThreadId> = on_conn!(tx, |c| query.first(c).await)?;
    let Some(thread) = thread else { return Ok(proven) };
    threads::rebuild(tx, &BTreeSet::from([thread]), intake.now).await?;
    let seen = Sighting::new(id, thread, mail, true);
    Ok(tie(tx, owner, Some(FolderRole::Sent), &[seen], intake).await? || proven)
}
