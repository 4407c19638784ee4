//! Drafts: our own copies come back, and another program may have edited them.

use std::collections::{BTreeMap, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::Recognised;
use super::judge::{Draft, Marker, Verdict};
use super::rows::{self, OwnMail};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, email_outgoing, emails, thread_message_ids};
use crate::ids::{EmailId, LocationId};
use crate::messages::model::{IncomingMail, Mailbox};
use crate::messages::store::location::{Departure, Location};
use crate::messages::store::rows::{defects, pairs};
use crate::messages::store::{content, threads};
use crate::{insert_rows, on_conn};

/// Finds drafts of ours among new mails of a folder of drafts, the oldest first.
pub(super) async fn recognise(
    tx: &mut DbConn,
    owner: &Mailbox,
    fresh: &[&IncomingMail],
    now: Timestamp,
) -> QueryResult<Recognised> {
    let mut drafts = load(tx, owner, fresh).await?;
    let mut found = Recognised::default();
    for mail in fresh {
        let marker = Marker::of(&mail.parsed);
        let Some(draft) = of(&mut drafts, mail, marker) else { continue };
        let mut work = Work { tx, owner, now, draft };
        if work.take(mail, marker, &mut found).await? {
            found.rows.insert(mail.external_id.clone(), (draft.own.id, draft.own.received_at));
        }
    }
    let threads = drafts.values().filter(|draft| found.changed.contains(&draft.own.id));
    let threads = threads.filter_map(|draft| draft.own.thread).collect();
    threads::rebuild(tx, &threads, now).await?;
    Ok(found)
}

/// The mails that these may be: by their mark, or by their Message-ID.
async fn load(tx: &mut DbConn, owner: &Mailbox, fresh: &[&IncomingMail]) -> QueryResult<BTreeMap<EmailId, Draft>> {
    let Some(folder) = fresh.first().map(|mail| mail.folder) else { return Ok(BTreeMap::new()) };
    let marked: Vec<EmailId> = fresh.iter().filter_map(|mail| Some(Marker::of(&mail.parsed)?.email)).collect();
    let named: Vec<&str> = fresh.iter().filter_map(|mail| mail.parsed.message_id.as_deref()).collect();
    let mut own: HashMap<EmailId, OwnMail> = HashMap::new();
    for mail in rows::by_ids(tx, owner.account, &marked).await? {
        own.insert(mail.id, mail);
    }
    for mail in rows::by_message_ids(tx, owner.account, &named).await? {
        own.insert(mail.id, mail);
    }
    let ids: Vec<EmailId> = own.keys().copied().collect();
    let mut numbers = rows::numbers(tx, folder, &ids).await?;
    let draft = |(id, own): (EmailId, OwnMail)| (id, Draft { own, numbers: numbers.remove(&id).unwrap_or_default() });
    Ok(own.into_iter().map(draft).collect())
}

/// Which of them a mail is about: the one that its mark names; else, by its Message-ID, a draft, rather one that was
/// written here than one that was made elsewhere.
fn of<'a>(
    drafts: &'a mut BTreeMap<EmailId, Draft>,
    mail: &IncomingMail,
    marker: Option<Marker>,
) -> Option<&'a mut Draft> {
    let marked =
        marker.map(|marker| marker.email).filter(|id| drafts.get(id).is_some_and(|it| it.own.outgoing.is_some()));
    let id = match marked {
        Some(id) => id,
        None => {
            let name = mail.parsed.message_id.as_deref()?;
            let named = drafts.values().filter(|draft| draft.own.message_id.as_deref() == Some(name));
            let best = named.max_by_key(|draft| (draft.own.status == "draft", draft.own.outgoing.is_some()));
            best.map(|draft| draft.own.id)?
        }
    };
    drafts.get_mut(&id)
}

/// Finds our own copies of drafts where another program put them, such as the trash: they stay the mail that they are.
pub(super) async fn recognise_elsewhere(
    tx: &mut DbConn,
    owner: &Mailbox,
    fresh: &[&IncomingMail],
    now: Timestamp,
) -> QueryResult<Recognised> {
    let marked: Vec<(Marker, &IncomingMail)> =
        fresh.iter().filter_map(|mail| Some((Marker::of(&mail.parsed)?, *mail))).collect();
    let ids: Vec<EmailId> = marked.iter().map(|(marker, _)| marker.email).collect();
    let own = rows::by_ids(tx, owner.account, &ids).await?;
    let mut found = Recognised::default();
    for (marker, mail) in marked {
        let mut those = own.iter().filter_map(|it| Some((it, it.outgoing.as_ref()?)));
        let Some((own, outgoing)) = those.find(|(own, _)| own.id == marker.email) else { continue };
        let draft = &mut Draft { own: own.clone(), numbers: Vec::new() };
        if own.is_local() && own.status == "draft" && outgoing.mirrored_revision == Some(marker.revision) {
            Work { tx, owner, now, draft }.take_identity(mail).await?;
        }
        found.rows.insert(mail.external_id.clone(), (own.id, own.received_at));
    }
    Ok(found)
}

struct Work<'a> {
    tx: &'a mut DbConn,
    owner: &'a Mailbox,
    now: Timestamp,
    draft: &'a mut Draft,
}

impl Work<'_> {
    /// Takes over what a mail is to the draft; answers whether the mail is the draft.
    async fn take(&mut self, mail: &IncomingMail, marker: Option<Marker>, found: &mut Recognised) -> QueryResult<bool> {
        let at = (i64::from(mail.uid_validity), i64::from(mail.uid));
        let verdict = match self.draft.judge(marker, at) {
            Verdict::Compare(revision) if self.has_content_of(mail).await? => Verdict::Copy(revision),
            Verdict::Compare(_) => self.draft.judge_foreign(at),
            verdict => verdict,
        };
        match verdict {
            Verdict::Stranger | Verdict::Compare(_) => return Ok(false),
            Verdict::Conflict => {
                self.part_from(mail).await?;
                return Ok(false);
            }
            Verdict::Stale => self.leave(mail).await?,
            Verdict::Copy(revision) => {
                self.adopt(mail, revision).await?;
                self.draft.numbers.push(at);
            }
            Verdict::Edited => {
                self.edit(mail).await?;
                self.draft.numbers.push(at);
                found.changed.insert(self.draft.own.id);
            }
        }
        Ok(true)
    }

    /// Whether the mail says what the draft says, white space aside.
    async fn has_content_of(&mut self, mail: &IncomingMail) -> QueryResult<bool> {
        let query =
            emails::table.find(self.draft.own.id).select((emails::subject, emails::body_text, emails::body_html));
        type Content = (Option<String>, Option<String>, Option<String>);
        let (subject, text, html): Content = on_conn!(self.tx, |c| query.first(c).await)?;
        let same = |here: Option<&str>, there: Option<&str>| match (here, there) {
            (Some(here), Some(there)) => here.split_whitespace().eq(there.split_whitespace()),
            // A text part that was derived from the HTML is not kept with the draft.
            _ => true,
        };
        let parsed = &mail.parsed;
        Ok(subject.unwrap_or_default().split_whitespace().eq(parsed.subject.split_whitespace())
            && same(text.as_deref(), parsed.body_text.as_deref())
            && same(html.as_deref(), parsed.body_html.as_deref()))
    }

    /// From now on the row is known by the identity of this copy.
    async fn take_identity(&mut self, mail: &IncomingMail) -> QueryResult<()> {
        let query = diesel::update(emails::table.find(self.draft.own.id)).set((
            emails::external_id.eq(&mail.external_id),
            emails::raw_ref.eq(&mail.raw_ref),
            emails::raw_size.eq(i64::try_from(mail.raw_size).ok()),
            emails::headers.eq(pairs(mail.parsed.headers.clone())),
            emails::defects.eq(defects(&mail.parsed.defects)),
            emails::synced_at.eq(self.now),
        ));
        on_conn!(self.tx, |c| query.execute(c).await)?;
        self.draft.own.external_id.clone_from(&mail.external_id);
        Ok(())
    }

    /// Our own copy: the provider has this version.
    async fn adopt(&mut self, mail: &IncomingMail, revision: i64) -> QueryResult<()> {
        self.take_identity(mail).await?;
        let id = self.draft.own.id;
        let Some(outgoing) = &mut self.draft.own.outgoing else { return Ok(()) };
        let is_newer = outgoing.mirrored_revision.is_none_or(|known| known < revision);
        let at = (i64::from(mail.uid_validity), i64::from(mail.uid));
        let is_done = revision == outgoing.revision && self.draft.numbers.iter().all(|number| *number == at);
        if is_newer {
            outgoing.mirrored_revision = Some(revision);
            self.replace_older(mail).await?;
            let query = diesel::update(email_outgoing::table.find(id))
                .set((email_outgoing::mirrored_revision.eq(Some(revision)), email_outgoing::updated_at.eq(self.now)));
            on_conn!(self.tx, |c| query.execute(c).await)?;
        }
        if is_done {
            let query =
                diesel::update(email_outgoing::table.find(id)).set(email_outgoing::mirror_due_at.eq(None::<Timestamp>));
            on_conn!(self.tx, |c| query.execute(c).await)?;
        }
        Ok(())
    }

    /// The older copies in the folder of this one are to be taken out: the mirror may have died before it noted that.
    async fn replace_older(&mut self, mail: &IncomingMail) -> QueryResult<()> {
        let query = email_locations::table
            .filter(email_locations::email_id.eq(self.draft.own.id))
            .filter(email_locations::folder_id.eq(mail.folder))
            .filter(email_locations::uid.ne(i64::from(mail.uid)));
        let older: Vec<Location> = on_conn!(self.tx, |c| query.select(Location::as_select()).load(c).await)?;
        if older.is_empty() {
            return Ok(());
        }
        let ids: Vec<LocationId> = older.iter().map(|row| row.id).collect();
        let departures: Vec<Departure> = older.iter().filter_map(|row| row.leave(self.now)).collect();
        insert_rows!(self.tx, email_departures::table, departures, |q| q.on_conflict_do_nothing())?;
        let query = diesel::delete(email_locations::table.filter(email_locations::id.eq_any(ids)));
        on_conn!(self.tx, |c| query.execute(c).await)?;
        self.draft.numbers.clear();
        self.wake_mirror().await
    }

    /// A copy of ours that nobody needs any more: it is no place of the draft, and the mirror takes it out.
    async fn leave(&mut self, mail: &IncomingMail) -> QueryResult<()> {
        let departure = Departure {
            id: LocationId::new(),
            email_id: self.draft.own.id,
            folder_id: mail.folder,
            account_id: self.owner.account,
            uid: mail.uid.into(),
            uid_validity: mail.uid_validity.into(),
            mod_seq: mail.mod_seq.and_then(|value| i64::try_from(value).ok()),
            is_read: mail.is_read,
            is_starred: mail.is_starred,
            created_at: self.now,
        };
        insert_rows!(self.tx, email_departures::table, vec![departure], |q| q.on_conflict_do_nothing())?;
        self.wake_mirror().await
    }

    async fn wake_mirror(&mut self) -> QueryResult<()> {
        let idle = email_outgoing::table
            .filter(email_outgoing::email_id.eq(self.draft.own.id))
            .filter(email_outgoing::mirror_due_at.is_null());
        let query = diesel::update(idle)
            .set((email_outgoing::mirror_due_at.eq(Some(self.now)), email_outgoing::updated_at.eq(self.now)));
        on_conn!(self.tx, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Another program edited the draft: the row gets its content.
    async fn edit(&mut self, mail: &IncomingMail) -> QueryResult<()> {
        content::replace(self.tx, self.owner, self.draft.own.id, mail, self.now).await?;
        self.draft.own.external_id.clone_from(&mail.external_id);
        let Some(outgoing) = &mut self.draft.own.outgoing else { return Ok(()) };
        outgoing.revision += 1;
        outgoing.mirrored_revision = Some(outgoing.revision);
        let query = diesel::update(email_outgoing::table.find(self.draft.own.id)).set((
            email_outgoing::revision.eq(outgoing.revision),
            email_outgoing::mirrored_revision.eq(Some(outgoing.revision)),
            email_outgoing::mirror_due_at.eq(None::<Timestamp>),
            email_outgoing::mirror_attempts.eq(0),
            email_outgoing::updated_at.eq(self.now),
        ));
        on_conn!(self.tx, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Both were edited. The draft of ours gets a Message-ID of its own, so that nothing later takes one for the other.
    async fn part_from(&mut self, mail: &IncomingMail) -> QueryResult<()> {
        let own = &mut self.draft.own;
        if own.message_id.is_none() || own.message_id != mail.parsed.message_id {
            return Ok(());
        }
        let host = own.message_id.as_deref().and_then(|id| id.rsplit_once('@')).map_or("localhost", |(_, host)| host);
        let fresh = format!("{}@{host}", EmailId::new());
        let query = diesel::update(emails::table.find(own.id))
            .set((emails::message_id.eq(Some(&fresh)), emails::updated_at.eq(self.now)));
        on_conn!(self.tx, |c| query.execute(c).await)?;
        if let Some(thread) = own.thread {
            let query = diesel::insert_into(thread_message_ids::table)
                .values((
                    thread_message_ids::organization_id.eq(self.owner.org),
                    thread_message_ids::message_id.eq(&fresh),
                    thread_message_ids::thread_id.eq(thread),
                ))
                .on_conflict_do_nothing();
            on_conn!(self.tx, |c| query.execute(c).await)?;
        }
        own.message_id = Some(fresh);
        Ok(())
    }
}
