//! Whether a change can still be taken back; pure.

use std::collections::BTreeSet;

use super::model::{Fields, OperationState};
use crate::ids::OperationId;

/// A later operation on the same mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Later {
    pub operation: OperationId,
    /// The operation that it took back, if it is an undo.
    pub undoes: Option<OperationId>,
    /// What it changed of the mail.
    pub changed: Fields,
    pub state: OperationState,
}

/// Whether a later operation that still counts changed the same fields.
///
/// An operation and the undo that took it back count for nothing together, unless the undo was taken back in its turn.
pub(super) fn is_overtaken(changed: Fields, later: &[Later]) -> bool {
    let mut by_age: Vec<&Later> = later.iter().collect();
    by_age.sort_by_key(|later| std::cmp::Reverse(later.operation));
    let known: BTreeSet<OperationId> = by_age.iter().map(|later| later.operation).collect();
    let mut void = BTreeSet::new();
    for later in by_age {
        if void.contains(&later.operation) || later.state == OperationState::Failed {
            continue;
        }
        if let Some(target) = later.undoes.filter(|target| known.contains(target)) {
            void.insert(target);
            continue;
        }
        if !later.changed.and(changed).is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use OperationState::{Confirmed, Failed, Undone};

    const READ: Fields = Fields { is_read: true, is_starred: false, places: false };
    const PLACES: Fields = Fields { is_read: false, is_starred: false, places: true };

    fn later(operation: OperationId, changed: Fields, state: OperationState, undoes: Option<OperationId>) -> Later {
        Later { operation, undoes, changed, state }
    }

    #[test]
    fn only_a_later_change_of_the_same_field_stands_in_the_way() {
        let other = OperationId::new();
        assert!(!is_overtaken(READ, &[]));
        assert!(is_overtaken(READ, &[later(other, READ, Confirmed, None)]));
        assert!(!is_overtaken(READ, &[later(other, PLACES, Confirmed, None)]));
        assert!(!is_overtaken(READ, &[later(other, READ, Failed, None)]));
    }

    #[test]
    fn what_was_taken_back_counts_for_nothing_until_it_is_done_again() {
        let (change, undo, redo) = (OperationId::new(), OperationId::new(), OperationId::new());
        let taken_back = [later(change, READ, Undone, None), later(undo, READ, Confirmed, Some(change))];
        assert!(!is_overtaken(READ, &taken_back));
        let again = [
            later(change, READ, Undone, None),
            later(undo, READ, Undone, Some(change)),
            later(redo, READ, Confirmed, Some(undo)),
        ];
        assert!(is_overtaken(READ, &again));
    }

    #[test]
    fn an_undo_of_something_earlier_stands_in_the_way() {
        let (earlier, undo) = (OperationId::new(), OperationId::new());
        assert!(is_overtaken(READ, &[later(undo, READ, Confirmed, Some(earlier))]));
    }
}
