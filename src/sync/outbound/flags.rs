//! Flags: stored on condition that nobody else changed them meanwhile, and looked at afterwards where the server is silent.

use std::collections::HashMap;

use super::carry::{Outcomes, Trouble, wire_flag};
use super::failure::Reason;
use super::session::Session;
use crate::ids::{FolderId, LocationId};
use crate::messages::{self, Flag, FlagChange, Intake, PlaceRow};
use crate::providers::imap::{FlagEntry, FlagSet, Mailbox, UidSet};

impl Session<'_> {
    /// Sets or clears a flag of mails in the selected folder.
    pub(super) async fn store(
        &mut self,
        folder: FolderId,
        mailbox: &Mailbox,
        (flag, value): (Flag, bool),
        places: &[PlaceRow],
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let by_uid = by_uid(places);
        let uids: UidSet = by_uid.keys().copied().collect();
        let change = FlagSet { flag: wire_flag(flag), on: value };
        let since = mailbox.highest_modseq.and_then(|_| last_seen(places));
        let stored = match self.command(async |c| c.store_flags(&uids, &change, since).await).await? {
            Ok(stored) => stored,
            Err(error) => {
                outcomes.fail_flags(places, &Reason::from(&error));
                return Ok(());
            }
        };
        let mut done: HashMap<u32, Option<u64>> =
            stored.modseqs.iter().map(|&(uid, mod_seq)| (uid, Some(mod_seq))).collect();
        let told: UidSet = done.keys().copied().collect();
        let silent = uids.difference(&told);
        if !silent.is_empty() {
            let now = self.look(folder, mailbox.uid_validity, &silent).await?;
            let differs = |entry: &&FlagEntry| has(entry, flag) != value;
            let again: UidSet = now.iter().filter(differs).map(|entry| entry.uid).collect();
            done.extend(now.iter().map(|entry| (entry.uid, entry.mod_seq)));
            if !again.is_empty() {
                // Somebody changed these mails; what they are now is known, and what was asked for here is still wanted.
                self.store_again(&again, &change, &mut done, places, outcomes).await?;
            }
        }
        let missing = by_uid.iter().filter(|(uid, _)| !done.contains_key(uid)).map(|(_, place)| *place);
        outcomes.fail_flags(missing, &Reason::elsewhere());
        let written: Vec<(LocationId, Option<u64>)> =
            done.iter().filter_map(|(uid, mod_seq)| Some((by_uid.get(uid)?.id, *mod_seq))).collect();
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
            messages::flags_stored(tx, &written, flag, value, now).await
        })
        .await?;
        Ok(())
    }

    async fn store_again(
        &mut self,
        uids: &UidSet,
        change: &FlagSet,
        done: &mut HashMap<u32, Option<u64>>,
        places: &[PlaceRow],
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        match self.command(async |c| c.store_flags(uids, change, None).await).await? {
            Ok(stored) => {
                for (uid, mod_seq) in stored.modseqs {
                    done.insert(uid, Some(mod_seq));
                }
            }
            Err(error) => {
                let refused: Vec<&PlaceRow> =
                    places.iter().filter(|place| place.number.is_some_and(|at| uids.contains(at.uid))).collect();
                outcomes.fail_flags(refused, &Reason::from(&error));
                uids.iter().for_each(|uid| {
                    done.remove(&uid);
                });
            }
        }
        Ok(())
    }

    /// Asks for the flags of mails in the selected folder and takes the answer over.
    async fn look(&mut self, folder: FolderId, generation: u32, uids: &UidSet) -> Result<Vec<FlagEntry>, Trouble> {
        let asked_at = self.parts.clock.now();
        let flow = match self.command(async |c| c.fetch_flags(uids, None).await).await? {
            Ok(flow) => flow,
            Err(error) => return Err(Trouble::Broken(error)),
        };
        let changes: Vec<FlagChange> = flow.changed.iter().map(FlagChange::from).collect();
        let intake = Intake { now: self.parts.clock.now(), seen_at: asked_at, told: true };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
            messages::update_flags(tx, &self.owner, folder, generation, &changes, &intake).await
        })
        .await?;
        Ok(flow.changed)
    }
}

fn has(entry: &FlagEntry, flag: Flag) -> bool {
    match flag {
        Flag::Read => entry.flags.seen,
        Flag::Starred => entry.flags.flagged,
    }
}

/// The newest state that all of these mails are known in; none when one's is not known.
fn last_seen(places: &[PlaceRow]) -> Option<u64> {
    places.iter().map(|place| place.mod_seq).collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// Places by their numbers in the selected folder.
pub(super) fn by_uid(places: &[PlaceRow]) -> HashMap<u32, &PlaceRow> {
    places.iter().filter_map(|place| Some((place.number?.uid, place))).collect()
}
