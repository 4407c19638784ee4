//! Mails as they are stored and read: messages with their recipients and attachments, threads, folders, skipped mails.
//!
//! The sync engine hands batches of fetched mails to [`apply_batch`], changed flags to [`update_flags`] and vanished
//! mails to [`remove_locations`], each inside the transaction that saves its cursor ([`save_cursor`]). What was left out
//! has a reason ([`record_skips`]).

mod completeness;
mod dto;
mod files;
mod model;
mod operations;
mod routes;
mod service;
mod store;
mod written;

pub use dto::{FolderDto, MessageDetail, MessageDto, Person, ThreadDto};
pub use model::{
    Applied, DueSkip, Erased, FlagChange, Folder, FolderCount, FolderCursor, FolderListing, FolderRole, IncomingMail,
    Intake, KnownCopy, Mailbox, Proof, Removed, Skip,
};
pub use operations::{
    Change, DueItem, Fields, Flag, Former, FormerPlace, ItemKey, Leftover, MailDiff, Number, OperationChange,
    OperationState, PlaceRow, appended, confirm, copied, differences, due_items, expect_in, fail, flags_stored,
    leftovers, moved, removed, removed_leftover, replaced, retry_later, withdraw,
};
pub use routes::configure;
pub use service::Messages;
pub use store::{
    Evidence, apply_batch, apply_known, arrivals_since, delete_written, due_skips, erase_account_mail, folder,
    folder_counts, forget_skips, forget_stale_skips, forget_unfound, known_external_ids, list_folders,
    newest_external_ids, prove_sent, record_proof, record_skips, refresh_threads, remove_locations,
    remove_stale_locations, rename_folder, rewrite_mail, save_cursor, set_folder_error, set_included,
    set_provider_count, set_sent_at, set_status, skipped_uids, stored_flags, stored_uids, suppressed, tell_updated,
    unread_uids, unreferenced, update_flags, upsert_folders, write_mail,
};
pub use written::{LOCAL, MailStatus, Written, WrittenFile};
