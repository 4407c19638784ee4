//! Moving, copying and taking out. Each outcome is written before the next command is given.

use super::carry::{Outcomes, Trouble};
use super::failure::Reason;
use super::flags::by_uid;
use super::session::Session;
use crate::ids::FolderId;
use crate::messages::{self, Number, PlaceRow};
use crate::providers::imap::{CopyMap, ImapConnection, ImapError, ImapErrorKind, UidSet};

/// What was done with mails.
#[derive(Clone, Copy)]
enum Done {
    Moved(FolderId),
    Copied(FolderId),
    Removed,
}

/// Mails whose outcome is written in one transaction: others want to write too.
const STEP: usize = 100;

/// A folder that mails are brought to: its id and the provider's name of it.
type Target<'a> = (FolderId, &'a str);

/// What a command brought about: done, with the new numbers where the server tells them, or refused.
enum Transferred {
    Done(Option<CopyMap>),
    Refused(ImapError),
}

impl Session<'_> {
    /// Runs a command. A refusal is for the caller; an error after which the connection is no good ends the work.
    pub(super) async fn command<R>(
        &mut self,
        run: impl AsyncFnOnce(&mut ImapConnection) -> Result<R, ImapError>,
    ) -> Result<Result<R, ImapError>, Trouble> {
        let connection = self.connection().await.map_err(Trouble::Broken)?;
        match run(connection).await {
            // A mailbox that is full refuses; nothing else is wrong with the connection.
            Err(error) if !error.keeps_connection() && error.kind != ImapErrorKind::OverQuota => {
                Err(Trouble::Broken(error))
            }
            other => Ok(other),
        }
    }

    /// Moves mails out of the selected folder.
    pub(super) async fn carry_moves(
        &mut self,
        to: Target<'_>,
        places: &[PlaceRow],
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let uids: UidSet = by_uid(places).keys().copied().collect();
        match self.transfer(&uids, to.1, true).await? {
            Transferred::Done(map) => self.settle_moves(to, places, &uids, map, outcomes).await,
            Transferred::Refused(error) if error.kind == ImapErrorKind::NotSupported => {
                self.carry_copies(to, places, outcomes).await?;
                let copied: Vec<PlaceRow> =
                    places.iter().filter(|place| !outcomes.failed_places(place.email)).cloned().collect();
                self.carry_removals(&copied, outcomes).await
            }
            Transferred::Refused(error) => {
                outcomes.fail_places(places, &Reason::from(&error));
                Ok(())
            }
        }
    }

    async fn settle_moves(
        &mut self,
        (folder, _): Target<'_>,
        places: &[PlaceRow],
        uids: &UidSet,
        map: Option<CopyMap>,
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let left = match &map {
            Some(_) => UidSet::new(),
            None => self.still_there(uids).await?,
        };
        let mut moved: Vec<(&PlaceRow, Option<Number>)> = Vec::with_capacity(places.len());
        for place in places {
            let Some(at) = place.number else { continue };
            match numbered(map.as_ref(), at.uid) {
                Some(number) => moved.push((place, Some(number))),
                None if map.is_some() || left.contains(at.uid) => outcomes.fail_places([place], &Reason::elsewhere()),
                None => {
                    outcomes.note_unsettled();
                    moved.push((place, None));
                }
            }
        }
        self.write(&moved, Done::Moved(folder)).await
    }

    /// Copies mails of the selected folder.
    pub(super) async fn carry_copies(
        &mut self,
        to: Target<'_>,
        places: &[PlaceRow],
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let uids: UidSet = by_uid(places).keys().copied().collect();
        let map = match self.transfer(&uids, to.1, false).await? {
            Transferred::Done(map) => map,
            Transferred::Refused(error) => {
                outcomes.fail_places(places, &Reason::from(&error));
                return Ok(());
            }
        };
        // A server that says nothing copied what is there.
        let there = match &map {
            Some(_) => UidSet::new(),
            None => self.still_there(&uids).await?,
        };
        let mut copied: Vec<(&PlaceRow, Option<Number>)> = Vec::with_capacity(places.len());
        for place in places {
            let Some(at) = place.number else { continue };
            match numbered(map.as_ref(), at.uid) {
                Some(number) => copied.push((place, Some(number))),
                None if there.contains(at.uid) => {
                    outcomes.note_unsettled();
                    copied.push((place, None));
                }
                None => outcomes.fail_places([place], &Reason::elsewhere()),
            }
        }
        self.write(&copied, Done::Copied(to.0)).await
    }

    /// Takes mails out of the selected folder; they lie elsewhere too.
    pub(super) async fn carry_removals(&mut self, places: &[PlaceRow], outcomes: &mut Outcomes) -> Result<(), Trouble> {
        if places.is_empty() {
            return Ok(());
        }
        let uids: UidSet = by_uid(places).keys().copied().collect();
        if let Err(error) = self.command(async |c| c.remove(&uids).await).await? {
            outcomes.fail_places(places, &Reason::from(&error));
            return Ok(());
        }
        let removed: Vec<(&PlaceRow, Option<Number>)> = places.iter().map(|place| (place, None)).collect();
        self.write(&removed, Done::Removed).await
    }

    /// Writes what was done with mails, in steps.
    async fn write(&self, mails: &[(&PlaceRow, Option<Number>)], done: Done) -> Result<(), Trouble> {
        let now = self.parts.clock.now();
        for step in mails.chunks(STEP) {
            let mut conn = self.parts.db.write().await?;
            conn.transaction(async |tx| {
                self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
                for &(place, number) in step {
                    match done {
                        Done::Moved(to) => messages::moved(tx, place, to, number, now).await?,
                        Done::Copied(to) => messages::copied(tx, place, to, number, now).await?,
                        Done::Removed => messages::removed(tx, place, now).await?,
                    }
                }
                Ok::<_, diesel::result::Error>(())
            })
            .await?;
        }
        Ok(())
    }

    /// Moves or copies, after making the folder when it is not there.
    async fn transfer(&mut self, uids: &UidSet, name: &str, moves: bool) -> Result<Transferred, Trouble> {
        let mut made = false;
        loop {
            let run = async |c: &mut ImapConnection| {
                if moves {
                    c.move_mails(uids, name).await.map(|moved| moved.copied)
                } else {
                    c.copy_mails(uids, name).await
                }
            };
            match self.command(run).await? {
                Ok(map) => return Ok(Transferred::Done(map)),
                Err(error) if error.kind == ImapErrorKind::TryCreate && !made => {
                    made = true;
                    if let Err(refused) = self.command(async |c| c.create_folder(name).await).await? {
                        return Ok(Transferred::Refused(refused));
                    }
                }
                Err(error) => return Ok(Transferred::Refused(error)),
            }
        }
    }

    /// Which of these mails lie in the selected folder.
    async fn still_there(&mut self, uids: &UidSet) -> Result<UidSet, Trouble> {
        match self.command(async |c| c.fetch_flags(uids, None).await).await? {
            Ok(flow) => Ok(flow.changed.iter().map(|entry| entry.uid).collect()),
            Err(error) => Err(Trouble::Broken(error)),
        }
    }
}

/// The new number of a mail, where the server told it.
fn numbered(map: Option<&CopyMap>, uid: u32) -> Option<Number> {
    let map = map?;
    let place = map.pairs.binary_search_by_key(&uid, |(from, _)| *from).ok()?;
    let (_, to) = map.pairs.get(place)?;
    Some(Number { uid_validity: map.uid_validity, uid: *to })
}
