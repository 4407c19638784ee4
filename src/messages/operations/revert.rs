//! What is to be done so that people see of a mail what the provider has; pure.

use std::collections::HashMap;

use super::model::{Fields, Flag};
use super::store::places::{Departure, Location};
use crate::clock::Timestamp;
use crate::ids::LocationId;

/// What is to be done for some mails.
#[derive(Debug, Default)]
pub(super) struct Reverted {
    /// Places that never came to be at the provider.
    pub vanish: Vec<LocationId>,
    /// Departures that are places again.
    pub come_back: Vec<Location>,
    /// Flags that are as the provider has them.
    pub flags: HashMap<(Flag, bool), Vec<LocationId>>,
}

impl Reverted {
    /// Adds what is to be done for other mails.
    pub fn add(&mut self, other: Self) {
        self.vanish.extend(other.vanish);
        self.come_back.extend(other.come_back);
        for (key, ids) in other.flags {
            self.flags.entry(key).or_default().extend(ids);
        }
    }
}

/// Takes these fields of a mail back. `others` are fields that another change is about to carry out: what is wanted of them
/// counts for the places that come back, too.
pub(super) fn revert(
    locations: Vec<Location>,
    departures: Vec<Departure>,
    fields: Fields,
    others: Fields,
    received_at: Timestamp,
) -> Reverted {
    let mut reverted = Reverted::default();
    let truth_of_departures = (departures.iter().any(|row| row.is_read), departures.iter().any(|row| row.is_starred));
    let wanted = (locations.iter().any(|row| row.is_read), locations.iter().any(|row| row.is_starred));
    let knows_wanted = !locations.is_empty();
    let mut left = Vec::new();
    for row in locations {
        // One that is settled lies there already, though the provider has not told its number.
        if fields.places && row.uid.is_none() && row.settled_at.is_none() {
            reverted.vanish.push(row.id);
        } else {
            left.push(row);
        }
    }
    for row in &left {
        let truth = if row.uid.is_none() && !departures.is_empty() { truth_of_departures } else { row.truth() };
        if fields.is_read {
            reverted.flags.entry((Flag::Read, truth.0)).or_default().push(row.id);
        }
        if fields.is_starred {
            reverted.flags.entry((Flag::Starred, truth.1)).or_default().push(row.id);
        }
    }
    if fields.places {
        let back = |row: Departure| {
            let truth = row.truth();
            let flags = (
                if others.is_read && knows_wanted { wanted.0 } else { truth.0 },
                if others.is_starred && knows_wanted { wanted.1 } else { truth.1 },
            );
            row.come_back(received_at, flags)
        };
        reverted.come_back = departures.into_iter().map(back).collect();
    }
    reverted
}
