//! The sent mails that others answer, report on, or are copies of.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{ExpressionMethods, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use super::sighting::Sighting;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{emails, thread_accounts};
use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId, OrgId, ThreadId, UserId};
use crate::messages::model::{FolderRole, Mailbox};
use crate::messages::store::threads::{self, IDS};
use crate::on_conn;

/// A mail that somebody of the organization sent, here or with another program.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Original {
    pub id: EmailId,
    pub org: OrgId,
    pub user: UserId,
    pub account: AccountId,
    pub thread: Option<ThreadId>,
    pub message_id: Option<String>,
    pub status: String,
    pub from: String,
    pub replied_at: Option<Timestamp>,
}

impl Original {
    /// Its mailbox as events speak of it.
    pub fn about(&self) -> AccountRef {
        AccountRef { org: self.org, user: self.user, account: self.account }
    }

    fn is_doubtful(&self) -> bool {
        matches!(self.status.as_str(), "uncertain" | "sending")
    }
}

/// Sent mails by their Message-ID; each mailbox has its own.
pub(super) type Originals = BTreeMap<String, Vec<Original>>;

/// The sent mails that these mails are about.
pub(super) async fn of(tx: &mut DbConn, owner: &Mailbox, seen: &[Sighting]) -> QueryResult<Originals> {
    let reported: BTreeSet<&str> = seen.iter().filter_map(Sighting::original).collect();
    let mut wanted: BTreeSet<&str> = reported.clone();
    for mail in seen {
        wanted.extend(mail.parent.as_deref());
        wanted.extend(mail.message_id.as_deref());
    }
    // What a mail answers lies in its own thread, and a copy does; what a report is about need not.
    let mut threads: BTreeSet<ThreadId> = seen.iter().map(|mail| mail.thread).collect();
    threads.extend(threads::by_message_ids(tx, owner.org, reported).await?.into_values());
    let accounts = accounts(tx, &threads).await?;
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let mut found = load(tx, owner.org, accounts.into_iter().chain([owner.account]), &wanted).await?;
    let fresh: BTreeSet<EmailId> = seen.iter().filter(|mail| !mail.is_outbound).map(|mail| mail.id).collect();
    found.retain(|_, mails| {
        mails.retain(|mail| !fresh.contains(&mail.id));
        !mails.is_empty()
    });
    Ok(found)
}

/// The mailboxes that hold parts of these threads.
async fn accounts(tx: &mut DbConn, ids: &BTreeSet<ThreadId>) -> QueryResult<BTreeSet<AccountId>> {
    let ids: Vec<ThreadId> = ids.iter().copied().collect();
    let mut found = BTreeSet::new();
    for chunk in ids.chunks(IDS) {
        let query = thread_accounts::table
            .filter(thread_accounts::thread_id.eq_any(chunk))
            .select(thread_accounts::account_id)
            .distinct();
        let rows: Vec<AccountId> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The sent mails of these mailboxes with these Message-IDs.
pub(super) async fn load(
    tx: &mut DbConn,
    org: OrgId,
    accounts: impl IntoIterator<Item = AccountId>,
    ids: &[&str],
) -> QueryResult<Originals> {
    let accounts: BTreeSet<AccountId> = accounts.into_iter().collect();
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    let mut found = Originals::new();
    for chunk in ids.chunks(IDS) {
        let query = emails::table
            .filter(emails::account_id.eq_any(&accounts))
            .filter(emails::message_id.eq_any(chunk))
            .filter(emails::organization_id.eq(org))
            .filter(emails::direction.eq("outbound"))
            .filter(emails::status.ne_all(["draft", "scheduled", "cancelled"]))
            .select((
                emails::id,
                emails::organization_id,
                emails::user_id,
                emails::account_id,
                emails::thread_id,
                emails::message_id,
                emails::status,
                emails::from_email,
                emails::replied_at,
            ));
        let rows: Vec<Original> = on_conn!(tx, |c| query.load(c).await)?;
        for mail in rows {
            let Some(id) = mail.message_id.clone() else { continue };
            found.entry(id).or_default().push(mail);
        }
    }
    Ok(found)
}

/// The doubtful ones of which these mails show that they were sent: they are copies of them, answer them or report on them.
pub(super) fn proven(originals: &Originals, role: Option<FolderRole>, seen: &[Sighting]) -> Vec<EmailId> {
    let mut found = BTreeSet::new();
    for mail in seen {
        let copy = mail.message_id.as_deref().filter(|_| mail.proves(role));
        let answered = mail.parent.as_deref().filter(|_| !mail.is_outbound);
        let ids = [copy, answered, mail.original()];
        let about = ids.into_iter().flatten().filter_map(|id| originals.get(id)).flatten();
        found.extend(about.filter(|it| it.is_doubtful() && it.id != mail.id).map(|it| it.id));
    }
    found.into_iter().collect()
}

/// The Message-IDs of the sent mails among these.
pub(super) fn sent(seen: &[Sighting]) -> Vec<&str> {
    seen.iter().filter(|mail| mail.is_outbound).filter_map(|mail| mail.message_id.as_deref()).collect()
}
