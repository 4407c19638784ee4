//! What the journal of changes is made of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::types::Json;
use crate::ids::{AccountId, EmailId, FolderId, LocationId, OperationId};

/// What a person wants of some mails; absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Read or unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// With a star or without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_starred: Option<bool>,
    /// Put away, or taken out of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_archived: Option<bool>,
    /// Into the trash, or out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash: Option<bool>,
    /// Into this folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder_id: Option<FolderId>,
    /// Out of this folder alone; only with `folder_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_folder_id: Option<FolderId>,
    /// Also into the folders of these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_labels: Vec<String>,
    /// Out of the folders of these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_labels: Vec<String>,
}

/// The fields of a mail that a change is about. In the journal: what is still to be carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// Whether it is read.
    #[serde(skip_serializing_if = "is_false")]
    pub is_read: bool,
    /// Whether it has a star.
    #[serde(skip_serializing_if = "is_false")]
    pub is_starred: bool,
    /// Where it lies.
    #[serde(skip_serializing_if = "is_false")]
    pub places: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Fields {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Those of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            is_read: self.is_read || other.is_read,
            is_starred: self.is_starred || other.is_starred,
            places: self.places || other.places,
        }
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            is_read: self.is_read && other.is_read,
            is_starred: self.is_starred && other.is_starred,
            places: self.places && other.places,
        }
    }

    /// Those that the other does not have.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            is_read: self.is_read && !other.is_read,
            is_starred: self.is_starred && !other.is_starred,
            places: self.places && !other.places,
        }
    }

    /// The names that the API has for them.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.is_read, "is_read"), (self.is_starred, "is_starred"), (self.places, "folders")];
        all.into_iter().filter(|(here, _)| *here).map(|(_, name)| name).collect()
    }

    /// Reads what the journal holds.
    pub(super) fn read(stored: Json) -> Self {
        serde_json::from_value(stored.0).unwrap_or_default()
    }

    /// Writes what the journal holds.
    pub(super) fn stored(self) -> Json {
        Json(serde_json::to_value(self).unwrap_or_default())
    }
}

/// A flag of a mail that both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// `\Seen`.
    Read,
    /// `\Flagged`.
    Starred,
}

/// A place where a mail lay before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerPlace {
    /// The folder.
    pub folder: FolderId,
    /// Whether it was read there.
    pub is_read: bool,
    /// Whether it had a star there.
    pub is_starred: bool,
}

/// The former state of a mail, with what of it the change made different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Former {
    /// Every place, copies in one folder included.
    pub places: Vec<FormerPlace>,
    /// What the change made different.
    pub changed: Fields,
}

/// How far a change has come, for one mail or for all of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Done here, on its way to the provider.
    Pending,
    /// The provider has it too.
    Confirmed,
    /// The provider refused it; what is shown here is the provider's state again.
    Failed,
    /// A person took it back.
    Undone,
    /// A later change of the same fields took its place before it was carried out.
    Superseded,
}

impl OperationState {
    const EVERY: [Self; 5] = [Self::Pending, Self::Confirmed, Self::Failed, Self::Undone, Self::Superseded];

    /// The word of the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Undone => "undone",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|state| state.as_str() == text)
    }

    /// The state of an operation from those of its items: the one that asks most for attention counts.
    pub fn of_items(items: impl IntoIterator<Item = Self>) -> Self {
        let items: Vec<Self> = items.into_iter().collect();
        let by_rank = [Self::Pending, Self::Failed, Self::Undone, Self::Superseded];
        by_rank.into_iter().find(|state| items.contains(state)).unwrap_or(Self::Confirmed)
    }
}

/// One mail's part of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// The operation.
    pub operation: OperationId,
    /// The mail.
    pub email: EmailId,
}

/// An item whose time to be carried out has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueItem {
    /// The operation and the mail.
    pub key: ItemKey,
    /// What is still to be carried out.
    pub todo: Fields,
    /// How often it was tried.
    pub attempts: u32,
    /// When the person asked for it.
    pub created_at: Timestamp,
}

/// An operation whose state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationChange {
    /// The operation.
    pub operation: OperationId,
    /// Its state now.
    pub state: OperationState,
}

/// A mail's number in a folder of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// The generation of the numbers.
    pub uid_validity: u32,
    /// The number.
    pub uid: u32,
}

/// A place of a mail: where it lies (`email_locations`), or which it is to leave (`email_departures`).
///
/// A place keeps its id when it changes from one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    /// Its id.
    pub id: LocationId,
    /// The mail.
    pub email: EmailId,
    /// The folder.
    pub folder: FolderId,
    /// The provider's name of the folder; IMAP: the raw name.
    pub folder_name: String,
    /// Its number; nothing while the provider does not have it there, or has not said which it is.
    pub number: Option<Number>,
    /// Whether it is to be read (for a departure: whether it is at the provider).
    pub is_read: bool,
    /// Whether it is to have a star (for a departure: whether it has one at the provider).
    pub is_starred: bool,
    /// What the provider last said, where that differs or may differ.
    pub server_read: Option<bool>,
    /// What the provider last said, where that differs or may differ.
    pub server_starred: Option<bool>,
    /// The state of the flags, where the server counts them.
    pub mod_seq: Option<u64>,
    /// When the provider last confirmed a change of ours. On a place without a number: the mail was brought there, and
    /// the next look into the folder will tell its number.
    pub settled_at: Option<Timestamp>,
    /// When the place came to be.
    pub created_at: Timestamp,
}

impl PlaceRow {
    /// What the provider has of a flag, as far as is known.
    pub fn server(&self, flag: Flag) -> bool {
        match flag {
            Flag::Read => self.server_read.unwrap_or(self.is_read),
            Flag::Starred => self.server_starred.unwrap_or(self.is_starred),
        }
    }

    /// What is wanted of a flag.
    pub fn wanted(&self, flag: Flag) -> bool {
        match flag {
            Flag::Read => self.is_read,
            Flag::Starred => self.is_starred,
        }
    }
}

/// The places of a mail on both sides, from which follows what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDiff {
    /// The mail.
    pub email: EmailId,
    /// The mailbox.
    pub account: AccountId,
    /// Where it is to lie; without a number: not there at the provider yet.
    pub locations: Vec<PlaceRow>,
    /// Where it is to lie no more.
    pub departures: Vec<PlaceRow>,
    /// Whether the mail is still to be brought to the provider, as a draft or as the copy of what was sent: until then its
    /// places are not the journal's to change.
    pub awaited: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use OperationState::{Confirmed, Failed, Pending, Superseded, Undone};

    #[test]
    fn the_item_that_asks_most_for_attention_gives_the_state() {
        for (items, state) in [
            (vec![], Confirmed),
            (vec![Confirmed, Confirmed], Confirmed),
            (vec![Confirmed, Superseded], Superseded),
            (vec![Superseded, Failed, Confirmed], Failed),
            (vec![Failed, Pending], Pending),
            (vec![Undone, Confirmed], Undone),
        ] {
            assert_eq!(OperationState::of_items(items.clone()), state, "{items:?}");
        }
    }

    #[test]
    fn fields_are_stored_without_those_that_are_not_meant() {
        let fields = Fields { is_read: true, ..Fields::default() };
        assert_eq!(serde_json::to_string(&fields).unwrap(), r#"{"is_read":true}"#);
        assert_eq!(Fields::read(Json(serde_json::json!({}))), Fields::default());
        let both = Fields { places: true, ..fields };
        assert_eq!((both.without(fields), both.and(fields)), (Fields { places: true, ..Fields::default() }, fields));
    }
}
