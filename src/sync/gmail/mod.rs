//! Mailboxes that are spoken to over the Gmail API.
//!
//! The cursor is Gmail's `historyId`. It is pinned before the first import, so that what changes meanwhile is told by the
//! history afterwards ([`history`]). When Gmail has forgotten the place (404), the mailbox is compared label by label from a
//! new pin ([`compare`]), which is also the daily sweep: labels list five hundred mails for five units, where asking mail by
//! mail would cost twenty each. Labels are folders ([`labels`]); a mail that has none still lies in the view of all mail.

mod compare;
mod exclude;
mod fetch;
mod fold;
mod history;
mod import;
mod labels;
mod senders;

use futures_util::future::BoxFuture;

use super::error::PassError;
use super::ground::Ground;
use crate::accounts::{Cursor, Phase};
use crate::providers::gmail::{GmailMailbox, Lane};
pub(super) use labels::{Labels, STARRED, UNREAD, VIEW, is_built_in};

/// A pass over a Gmail mailbox.
struct Pass<'a> {
    ground: Ground<'a>,
    mailbox: GmailMailbox,
    labels: Labels,
    cursor: Cursor,
}

impl<'a> std::ops::Deref for Pass<'a> {
    type Target = Ground<'a>;

    fn deref(&self) -> &Ground<'a> {
        &self.ground
    }
}

/// Brings a mailbox up to date. The work of a pass is large: it lies on the heap.
pub(super) fn run(ground: Ground<'_>) -> BoxFuture<'_, Result<(), PassError>> {
    Box::pin(follow(ground))
}

async fn follow(ground: Ground<'_>) -> Result<(), PassError> {
    let parts = ground.parts;
    let tokens = parts.accounts.tokens(&ground.account);
    let mailbox = parts.gmail.mailbox(ground.account.id.to_string(), tokens, Lane::Background);
    let cursor = parts.accounts.cursor(ground.account.id).await?;
    let labels = Labels::load(&parts.db, ground.account.id).await?;
    let mut pass = Pass { ground, mailbox, labels, cursor };
    match (pass.account.phase, pass.cursor.history_id) {
        (Phase::Live, Some(known)) => pass.follow(known).await,
        (Phase::Live, None) => pass.recover().await,
        (Phase::Backfill | Phase::Paused, _) => pass.import().await,
    }
}
