//! Brings the places of mails to where a plan wants them.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;

use super::super::model::Flag;
use super::places::{self, Departure, Location};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::{AccountId, EmailId, FolderId, LocationId};

/// What is to be done with the places of one mail, with folders that exist.
#[derive(Debug, Clone)]
pub(in crate::messages::operations) struct Work {
    pub email: EmailId,
    pub account: AccountId,
    pub received_at: Timestamp,
    /// Places that it leaves.
    pub leave: Vec<Location>,
    /// Folders that it comes to, with the flags that it is to have there.
    pub expect: Vec<(FolderId, (bool, bool))>,
    /// Places that get other flags.
    pub flags: Vec<(Location, (bool, bool))>,
}

/// The same value for many places: the flag, what is wanted, what the provider has where that is another.
type Setting = (Flag, bool, Option<bool>);

/// Does it, in a handful of statements.
pub(in crate::messages::operations) async fn apply(
    tx: &mut DbConn,
    works: Vec<Work>,
    now: Timestamp,
) -> QueryResult<()> {
    let emails: Vec<EmailId> = works.iter().filter(|work| !work.expect.is_empty()).map(|work| work.email).collect();
    let mut former: BTreeMap<(EmailId, FolderId), Vec<Departure>> = BTreeMap::new();
    for row in places::departures(tx, &emails).await? {
        former.entry((row.email_id, row.folder_id)).or_default().push(row);
    }
    let mut settings: HashMap<Setting, Vec<LocationId>> = HashMap::new();
    let (mut left, mut gone) = (Vec::new(), Vec::new());
    let (mut arriving, mut called_back) = (Vec::new(), Vec::new());
    for work in works {
        for (row, wanted) in &work.flags {
            for setting in set(row, *wanted) {
                settings.entry(setting).or_default().push(row.id);
            }
        }
        for row in work.leave {
            left.push(row.id);
            gone.extend(row.leave(now));
        }
        for (folder, wanted) in work.expect {
            // A place that the mail has not left yet takes it back as if nothing had been.
            let back = former.get_mut(&(work.email, folder)).and_then(Vec::pop);
            arriving.push(match back {
                Some(row) => {
                    called_back.push(row.id);
                    row.come_back(work.received_at, wanted)
                }
                None => Location::expected((work.email, work.account, work.received_at), folder, wanted, now),
            });
        }
    }
    places::delete_locations(tx, &left).await?;
    places::insert_departures(tx, gone).await?;
    places::delete_departures(tx, &called_back).await?;
    places::insert_locations(tx, arriving).await?;
    for ((flag, wanted, server), ids) in settings {
        places::set_flag(tx, &ids, flag, wanted, server).await?;
    }
    Ok(())
}

/// The settings of a place whose flags differ from what is wanted. What the provider last said stays beside a wanted flag,
/// even where both are the same again, until the executor has looked.
fn set(row: &Location, wanted: (bool, bool)) -> Vec<Setting> {
    let arrived = row.uid.is_some();
    let mut settings = Vec::new();
    if row.is_read != wanted.0 {
        settings.push((Flag::Read, wanted.0, Some(row.truth().0).filter(|_| arrived)));
    }
    if row.is_starred != wanted.1 {
        settings.push((Flag::Starred, wanted.1, Some(row.truth().1).filter(|_| arrived)));
    }
    settings
}
