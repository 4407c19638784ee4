//! Mails that people write and send here, as the provider reports of them: copies of what was sent, drafts that another
//! program edited, answers, delivery reports.

mod answers;
mod copies;
mod drafts;
mod guard;
pub(super) mod judge;
mod originals;
mod proof;
mod reports;
mod rows;
mod sighting;

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::EmailId;
use crate::messages::model::{FolderRole, IncomingMail, Intake, Mailbox};

pub(in crate::messages) use guard::awaited;
pub(super) use guard::{forget_mirrors, spared};
pub use proof::{Evidence, prove_sent};
pub(super) use sighting::Sighting;

/// What was recognised among mails whose identity is new.
#[derive(Debug, Default)]
pub(super) struct Recognised {
    /// The rows that they are, with the times that these are sorted by, by the identity of the incoming mail.
    pub rows: HashMap<String, (EmailId, Timestamp)>,
    /// Those of which more than the place changed.
    pub changed: BTreeSet<EmailId>,
    /// Whether facts were written.
    pub told: bool,
}

/// Finds the mails of a folder that are mails of ours under another identity, and takes over what they bring.
///
/// `known` are the mails that are stored by their identity already. The caller adds the places.
pub(super) async fn recognise(
    tx: &mut DbConn,
    owner: &Mailbox,
    role: Option<FolderRole>,
    mails: &[IncomingMail],
    known: &HashMap<String, (EmailId, Timestamp)>,
    intake: &Intake,
) -> QueryResult<Recognised> {
    let mut fresh: Vec<&IncomingMail> = mails.iter().filter(|mail| !known.contains_key(&mail.external_id)).collect();
    // The newest version of a draft is to be taken over last.
    fresh.sort_by_key(|mail| mail.uid);
    match role {
        _ if fresh.is_empty() => Ok(Recognised::default()),
        Some(FolderRole::Inbox | FolderRole::Spam) => Ok(Recognised::default()),
        Some(FolderRole::Drafts) => drafts::recognise(tx, owner, &fresh, intake.now).await,
        _ => {
            let drafts = drafts::recognise_elsewhere(tx, owner, &fresh, intake.now).await?;
            let mut found = copies::recognise(tx, owner, role, &fresh, intake.now).await?;
            found.rows.extend(drafts.rows);
            Ok(found)
        }
    }
}

/// Ties mails that were just stored to those that they answer or report on, and to answers and reports that were stored
/// before them. Answers whether facts were written.
pub(super) async fn tie(
    tx: &mut DbConn,
    owner: &Mailbox,
    role: Option<FolderRole>,
    seen: &[Sighting],
    intake: &Intake,
) -> QueryResult<bool> {
    if role == Some(FolderRole::Drafts) || seen.is_empty() {
        return Ok(false);
    }
    reports::keep(tx, owner.org, seen).await?;
    let originals = originals::of(tx, owner, seen).await?;
    let proven = originals::proven(&originals, role, seen);
    let mut told = prove_sent(tx, &proven, Evidence::Elsewhere, intake.now).await?;
    let mut answers = answers::among(&originals, role, seen);
    let mut reports = reports::among(&originals, seen);
    let late = originals::sent(seen);
    if !late.is_empty() {
        let late = originals::load(tx, owner.org, [owner.account], &late).await?;
        answers.extend(answers::before(tx, &late, seen).await?);
        reports.extend(reports::before(tx, owner.org, &late, seen).await?);
    }
    told |= answers::tie(tx, answers, intake).await?;
    told |= reports::tie(tx, owner.org, reports, intake).await?;
    Ok(told)
}
