//! Mails of ours among those that a provider speaks of as a whole (Gmail): known by our marks, or as the new version of a draft
//! that is known. Their rows get the identity; the caller places them by it.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::drafts::Work;
use super::identity::{Identity, adopt_sent, identify};
use super::judge::{Draft, MAIL_MARK, MARKER, Marker};
use super::rows::{self, OwnMail};
use crate::db::DbConn;
use crate::db::schema::{email_locations, email_outgoing, emails};
use crate::ids::EmailId;
use crate::messages::model::{FolderRole, IncomingMail, Intake, Mailbox};
use crate::messages::store::rows::local_id;
use crate::messages::store::{content, threads};
use crate::messages::whole::{Layout, Sighted, Whereabouts};
use crate::on_conn;

/// Where a mail lies, as far as that tells what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Among the sent mails, where the provider alone puts mails.
    Sent,
    /// Among the drafts.
    Draft,
    /// Anywhere else.
    Elsewhere,
}

/// By what a mail is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The mark of a mail that is sent.
    Mail,
    /// The mark of a version of a draft.
    Draft(i64),
    /// It takes the place of the version that is known.
    Replaces,
}

/// What a mail is to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A mail of its own.
    Stranger,
    /// Nothing to be stored: the draft by which a mail is being sent, or a version that is no more.
    PassOver,
    /// The mail as it was sent.
    Sent,
    /// The draft, sent with another program: what was sent counts.
    SentElsewhere,
    /// Our own version of the draft.
    Copy(i64),
    /// Our own version unless its content differs: some programs keep marks that they do not know.
    Compare,
    /// The draft as it was edited elsewhere.
    Edited,
    /// The draft under another name, in the trash perhaps.
    Renamed,
}

/// Judges a mail that is known by a mark. Pure.
pub(super) fn judge(own: &OwnMail, mark: Mark, spot: Spot, external_id: &str) -> Verdict {
    let Some(outgoing) = &own.outgoing else {
        let is_version = mark == Mark::Replaces && spot == Spot::Draft && own.status == "draft";
        return if is_version { Verdict::Edited } else { Verdict::Stranger };
    };
    let status = own.status.as_str();
    match (mark, spot) {
        (Mark::Mail, Spot::Sent) => match status {
            "draft" => Verdict::Stranger,
            "sent" | "delivered" if !own.is_local() => Verdict::Stranger,
            _ => Verdict::Sent,
        },
        (Mark::Mail, Spot::Draft) => match status {
            "scheduled" | "queued" | "sending" | "uncertain" => Verdict::PassOver,
            _ if outgoing.draft_message_id.as_deref() == Some(external_id) => Verdict::PassOver,
            _ => Verdict::Stranger,
        },
        (Mark::Draft(revision), _) if !(1..=outgoing.revision).contains(&revision) => Verdict::Stranger,
        (Mark::Draft(_), Spot::Sent) => match status {
            "draft" | "scheduled" | "queued" | "cancelled" | "failed" => Verdict::SentElsewhere,
            _ => Verdict::Stranger,
        },
        (Mark::Draft(_), Spot::Draft) if status != "draft" || own.is_discarded() => Verdict::PassOver,
        (Mark::Draft(revision), Spot::Draft) => {
            let mirrored = outgoing.mirrored_revision.unwrap_or_default();
            if revision < mirrored {
                Verdict::PassOver
            } else if revision > mirrored || own.is_local() {
                Verdict::Copy(revision)
            } else {
                Verdict::Compare
            }
        }
        (Mark::Draft(_), Spot::Elsewhere) if status == "draft" && !own.is_discarded() => Verdict::Renamed,
        (Mark::Replaces, Spot::Draft) if status == "draft" => Verdict::Edited,
        (Mark::Mail | Mark::Draft(_) | Mark::Replaces, _) => Verdict::Stranger,
    }
}

/// What was recognised.
#[derive(Debug, Default)]
pub(in crate::messages::store) struct Own {
    /// The mails that are none of ours.
    pub strangers: Vec<IncomingMail>,
    /// Rows of which more than the place changed.
    pub changed: BTreeSet<EmailId>,
    /// Whether facts were written.
    pub told: bool,
}

/// Finds mails of ours among mails whose identity is new, and takes over what they bring. `words` say where they lie.
pub(in crate::messages::store) async fn recognise_whole(
    tx: &mut DbConn,
    owner: &Mailbox,
    layout: &Layout,
    fresh: Vec<IncomingMail>,
    words: &[Sighted],
    intake: &Intake,
) -> QueryResult<Own> {
    let spots: HashMap<&str, Spot> =
        words.iter().map(|word| (word.external_id.as_str(), spot(layout, &word.places))).collect();
    let mut found = Own::default();
    for mut mail in fresh {
        let spot = spots.get(mail.external_id.as_str()).copied().unwrap_or(Spot::Elsewhere);
        let verdict = match marked(tx, owner, &mail).await? {
            Some((own, mark)) => Some((judge(&own, mark, spot, &mail.external_id), own)),
            None => None,
        };
        let is_ours = match verdict {
            Some((verdict, own)) => take(tx, owner, (own, verdict), &mail, intake, &mut found).await?,
            None => false,
        };
        if !is_ours {
            // Our marks say nothing more about it.
            mail.parsed.headers.retain(|(name, _)| name != MARKER && name != MAIL_MARK);
            found.strangers.push(mail);
        }
    }
    Ok(found)
}

fn spot(layout: &Layout, places: &Whereabouts) -> Spot {
    let Whereabouts::In(folders) = places else { return Spot::Elsewhere };
    let lies_in = |role| folders.iter().any(|folder| layout.role(*folder) == Some(role));
    if lies_in(FolderRole::Sent) {
        Spot::Sent
    } else if lies_in(FolderRole::Trash) || lies_in(FolderRole::Spam) || !lies_in(FolderRole::Drafts) {
        Spot::Elsewhere
    } else {
        Spot::Draft
    }
}

/// The row that a mail says it is, and by what.
async fn marked(tx: &mut DbConn, owner: &Mailbox, mail: &IncomingMail) -> QueryResult<Option<(OwnMail, Mark)>> {
    let parsed = &mail.parsed;
    let mail_mark: Option<EmailId> = parsed.header(MAIL_MARK).and_then(|value| value.trim().parse().ok());
    let by_mark = match (mail_mark, Marker::of(parsed)) {
        (Some(id), _) => Some((id, Mark::Mail)),
        (None, Some(marker)) => Some((marker.email, Mark::Draft(marker.revision))),
        (None, None) => None,
    };
    if let Some((id, mark)) = by_mark
        && let Some(own) = rows::by_ids(tx, owner.account, &[id]).await?.pop().filter(|own| own.outgoing.is_some())
    {
        return Ok(Some((own, mark)));
    }
    let Some(replaced) = mail.replaces.as_deref() else { return Ok(None) };
    Ok(rows::by_external_ids(tx, owner.account, &[replaced]).await?.pop().map(|own| (own, Mark::Replaces)))
}

/// Takes over what a mail is to a row; answers whether it is that.
async fn take(
    tx: &mut DbConn,
    owner: &Mailbox,
    (own, verdict): (OwnMail, Verdict),
    mail: &IncomingMail,
    intake: &Intake,
    found: &mut Own,
) -> QueryResult<bool> {
    let id = own.id;
    match verdict {
        Verdict::Stranger => return Ok(false),
        Verdict::PassOver => {}
        Verdict::Sent => found.told |= adopt_sent(tx, owner, id, mail, intake).await?,
        Verdict::SentElsewhere => {
            content::replace(tx, owner, id, mail, intake.now).await?;
            found.told |= adopt_sent(tx, owner, id, mail, intake).await?;
            found.changed.insert(id);
        }
        Verdict::Copy(revision) => {
            rename(tx, owner, id, mail, intake).await?;
            note_mirrored(tx, id, revision, intake).await?;
        }
        Verdict::Renamed => rename(tx, owner, id, mail, intake).await?,
        Verdict::Compare | Verdict::Edited => {
            let is_unsaved = own.outgoing.as_ref().is_some_and(|out| out.mirrored_revision != Some(out.revision));
            let thread = own.thread;
            let mut draft = Draft { own, numbers: Vec::new() };
            let mut work = Work { tx, owner, now: intake.now, draft: &mut draft };
            if verdict == Verdict::Compare && work.has_content_of(mail).await? {
                rename(work.tx, owner, id, mail, intake).await?;
            } else if is_unsaved {
                work.part_from(mail).await?;
                work.wake_mirror().await?;
                go_apart(work.tx, id, intake).await?;
                return Ok(false);
            } else {
                work.edit(mail).await?;
                rename(work.tx, owner, id, mail, intake).await?;
                threads::rebuild(work.tx, &thread.into_iter().collect(), intake.now).await?;
                found.changed.insert(id);
            }
        }
    }
    Ok(true)
}

/// From now on the draft is known by the identity of this version. Its Message-ID stays its own.
async fn rename(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    mail: &IncomingMail,
    intake: &Intake,
) -> QueryResult<()> {
    let identity = Identity {
        external_id: mail.external_id.clone(),
        provider_thread_id: mail.provider_thread_id.clone(),
        message_id: None,
    };
    identify(tx, owner, id, &identity, intake.now).await
}

/// The provider has this version of the draft.
async fn note_mirrored(tx: &mut DbConn, id: EmailId, revision: i64, intake: &Intake) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id))
        .set((email_outgoing::mirrored_revision.eq(Some(revision)), email_outgoing::updated_at.eq(intake.now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Both sides were edited: the provider's version is another mail from now on, and the draft of ours is to be brought there anew.
async fn go_apart(tx: &mut DbConn, id: EmailId, intake: &Intake) -> QueryResult<()> {
    let query = diesel::update(emails::table.find(id)).set((
        emails::external_id.eq(local_id(id)),
        emails::provider_thread_id.eq(None::<String>),
        emails::raw_ref.eq(None::<String>),
        emails::updated_at.eq(intake.now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::draft_id.eq(None::<String>),
        email_outgoing::draft_pin.eq(None::<i64>),
        email_outgoing::mirrored_revision.eq(None::<i64>),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let query = diesel::update(email_locations::table.filter(email_locations::email_id.eq(id))).set((
        email_locations::uid.eq(None::<i64>),
        email_locations::uid_validity.eq(None::<i64>),
        email_locations::settled_at.eq(None::<crate::clock::Timestamp>),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
