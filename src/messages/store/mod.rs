//! All SQL about mails, threads, places and folders.

mod arrivals;
mod bounce_rules;
mod content;
mod digest;
mod erase;
mod folders;
mod incoming;
pub(super) mod location;
mod outgoing;
pub(super) mod own;
mod placement;
mod places;
mod proofs;
pub(super) mod read;
pub(super) mod refresh;
mod rows;
mod skips;
mod suppress;
pub(super) mod threads;
mod told;

pub use erase::{erase_account_mail, unreferenced};
pub use folders::{
    arrivals_since, folder, folder_counts, list_folders, rename_folder, save_cursor, set_folder_error, set_included,
    set_provider_count, upsert_folders,
};
pub use incoming::{apply_batch, apply_known, known_external_ids};
pub use outgoing::{delete_written, refresh_threads, rewrite_mail, set_sent_at, set_status, write_mail};
pub use own::{Evidence, prove_sent};
pub use places::{
    forget_unfound, newest_external_ids, remove_locations, remove_stale_locations, stored_flags, stored_uids,
    unread_uids, update_flags,
};
pub use proofs::{proven_at, record_proof};
pub use skips::{due_skips, forget_skips, forget_stale_skips, record_skips, skip_reasons, skipped_uids};
pub use suppress::suppressed;
pub use told::updated as tell_updated;
