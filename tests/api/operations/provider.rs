//! A provider's mailbox in memory, and an executor that carries differences to it as a real one would.

use std::collections::BTreeMap;

use duplex::ids::{EmailId, FolderId};
use duplex::messages::{self, Flag, ItemKey, MailDiff, Number, OperationChange, PlaceRow};

use super::{World, later};

/// What the provider has: mails with their flags by folder and number.
#[derive(Default, Debug)]
pub struct Provider {
    pub mails: BTreeMap<(FolderId, u32), (EmailId, bool, bool)>,
    next: u32,
}

impl Provider {
    /// Takes what is stored of these mails for what the provider has.
    pub async fn mirror(world: &World, ids: &[EmailId]) -> Self {
        let mut provider = Self { next: 100_000, ..Self::default() };
        for diff in world.diffs(ids).await.into_values() {
            for row in diff.locations {
                let number = row.number.expect("every place has arrived");
                provider.mails.insert((row.folder, number.uid), (row.email, row.is_read, row.is_starred));
            }
        }
        provider
    }

    /// A number that no mail has yet.
    pub fn number(&mut self) -> Number {
        self.next += 1;
        Number { uid_validity: 1, uid: self.next }
    }

    /// Carries out what is due, as an executor does, and confirms it.
    pub async fn carry_out(&mut self, world: &World) -> Vec<OperationChange> {
        let account = world.api.ground.owner.account;
        let mut conn = world.api.ground.write().await;
        let due = messages::due_items(&mut conn, account, later() + chrono::Duration::hours(1), 10_000).await.unwrap();
        drop(conn);
        let keys: Vec<ItemKey> = due.iter().map(|item| item.key).collect();
        let emails: Vec<EmailId> = keys.iter().map(|key| key.email).collect();
        for diff in world.diffs(&emails).await.into_values() {
            self.carry(world, diff).await;
        }
        let mut conn = world.api.ground.write().await;
        conn.transaction(async |tx| messages::confirm(tx, &keys, later()).await).await.unwrap()
    }

    async fn carry(&mut self, world: &World, diff: MailDiff) {
        let mut conn = world.api.ground.write().await;
        for row in diff.locations.iter().filter(|row| row.number.is_some()) {
            for flag in [Flag::Read, Flag::Starred] {
                if row.server(flag) != row.wanted(flag) {
                    self.store(row, flag);
                    let stored = [(row.id, Some(9))];
                    let wanted = row.wanted(flag);
                    conn.transaction(async |tx| messages::flags_stored(tx, &stored, flag, wanted, later()).await)
                        .await
                        .unwrap();
                }
            }
        }
        let mut departures = diff.departures.iter();
        for wanted in diff.locations.iter().filter(|row| row.number.is_none()) {
            let to = self.number();
            match departures.next() {
                Some(from) => {
                    let mail = self.mails.remove(&(from.folder, from.number.unwrap().uid)).unwrap();
                    self.mails.insert((wanted.folder, to.uid), mail);
                    conn.transaction(async |tx| messages::moved(tx, from, wanted.folder, Some(to), later()).await)
                        .await
                        .unwrap();
                }
                None => {
                    // What arrived in this round is a source in the next.
                    let Some(from) = diff.locations.iter().find(|row| row.number.is_some()) else { continue };
                    let mail = self.mails[&(from.folder, from.number.unwrap().uid)];
                    self.mails.insert((wanted.folder, to.uid), mail);
                    conn.transaction(async |tx| messages::copied(tx, from, wanted.folder, Some(to), later()).await)
                        .await
                        .unwrap();
                }
            }
        }
        for from in departures {
            self.mails.remove(&(from.folder, from.number.unwrap().uid)).unwrap();
            conn.transaction(async |tx| messages::removed(tx, from, later()).await).await.unwrap();
        }
    }

    fn store(&mut self, row: &PlaceRow, flag: Flag) {
        let mail = self.mails.get_mut(&(row.folder, row.number.unwrap().uid)).unwrap();
        match flag {
            Flag::Read => mail.1 = row.wanted(flag),
            Flag::Starred => mail.2 = row.wanted(flag),
        }
    }

    /// Carries out until nothing is due, then asserts that both sides are the same.
    pub async fn settle(&mut self, world: &World, ids: &[EmailId]) {
        for _ in 0..4 {
            self.carry_out(world).await;
        }
        let mut here: Vec<(FolderId, u32, EmailId, bool, bool)> = Vec::new();
        for diff in world.diffs(ids).await.into_values() {
            assert!(diff.departures.is_empty(), "{diff:?}");
            for row in diff.locations {
                assert_eq!((row.server_read, row.server_starred), (None, None), "{row:?}");
                here.push((row.folder, row.number.unwrap().uid, row.email, row.is_read, row.is_starred));
            }
        }
        here.sort();
        let there = self.mails.iter().filter(|(_, mail)| ids.contains(&mail.0));
        let there: Vec<_> =
            there.map(|((folder, uid), (email, read, star))| (*folder, *uid, *email, *read, *star)).collect();
        assert_eq!(here, there);
    }
}
