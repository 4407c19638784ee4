//! Replies and forwards: whom they go to, what they are called, what they refer to, and what they quote.

mod body;
mod quote;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod quote_tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::address::check_address;
use super::check::{is_breaking, is_id};
use super::fields::shortened;
use crate::mail::Mailbox;
use crate::mail::limits::{MAX_SUBJECT_BYTES, truncate};
use crate::mail::threading::{without_forward_prefixes, without_reply_prefixes};

pub use body::{Body, with_signature};
pub use quote::{Quoted, quote_forward, quote_reply};

/// The mail that is answered or passed on, as far as that needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplySource {
    /// Its Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// What it answers itself.
    pub in_reply_to: Option<String>,
    /// The Message-IDs of its thread, oldest first.
    pub references: Vec<String>,
    /// Its author.
    pub from: Option<Mailbox>,
    /// Where its author wants answers.
    pub reply_to: Vec<Mailbox>,
    /// Its primary recipients.
    pub to: Vec<Mailbox>,
    /// The recipients of a copy.
    pub cc: Vec<Mailbox>,
    /// Its subject.
    pub subject: String,
    /// When it was written.
    pub date: Option<DateTime<Utc>>,
    /// Its text.
    pub text: Option<String>,
    /// Its HTML as it came, not sanitised: that is done here.
    pub html: Option<String>,
}

/// Whom an answer goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// The primary recipients.
    pub to: Vec<Mailbox>,
    /// The recipients of a copy.
    pub cc: Vec<Mailbox>,
}

/// The subject of a reply: one `Re:`, whatever the languages and the number of those that were there.
pub fn reply_subject(original: &str) -> String {
    prefixed("Re:", without_reply_prefixes(&one_line(original)))
}

/// The subject of a forward: one `Fwd:`; that the mail is itself an answer stays.
pub fn forward_subject(original: &str) -> String {
    prefixed("Fwd:", without_forward_prefixes(&one_line(original)))
}

fn prefixed(prefix: &str, rest: &str) -> String {
    let mut subject = format!("{prefix} {rest}");
    truncate(&mut subject, MAX_SUBJECT_BYTES);
    subject.trim_end().to_owned()
}

/// A text that may stand in a field of ours, whatever stood in the original.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_breaking(c) { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// Whom a reply goes to; `own` holds the normalized addresses of the mailbox that answers, its aliases as well.
///
/// A reply goes where the author wants answers, else to the author; a reply to a mail of one's own goes on to those it
/// went to. `all` adds everyone else who could be seen, without oneself. Nobody gets it twice, and an address that no
/// server would take is left out: the mail it comes from is not ours to correct.
pub fn reply_recipients(original: &ReplySource, own: &BTreeSet<String>, all: bool) -> Recipients {
    let is_own = |mailbox: &Mailbox| own.contains(&mailbox.normalized());
    let mut chosen = Chosen::default();
    let mut recipients = Recipients::default();
    if original.from.as_ref().is_some_and(is_own) {
        let to: Vec<&Mailbox> = original.to.iter().filter(|mailbox| !is_own(mailbox)).collect();
        let to_myself = to.is_empty() && !(all && original.cc.iter().any(|mailbox| !is_own(mailbox)));
        let to = if to_myself { original.to.iter().collect() } else { to };
        recipients.to = chosen.take(to.into_iter());
    } else {
        let wanted: Vec<&Mailbox> = original.reply_to.iter().filter(|mailbox| !is_own(mailbox)).collect();
        let wanted = if wanted.is_empty() { original.from.iter().collect() } else { wanted };
        recipients.to = chosen.take(wanted.into_iter());
        if all {
            recipients.to.extend(chosen.take(original.to.iter().filter(|mailbox| !is_own(mailbox))));
        }
    }
    if all {
        recipients.cc = chosen.take(original.cc.iter().filter(|mailbox| !is_own(mailbox)));
    }
    recipients
}

/// The addresses that are taken already.
#[derive(Default)]
struct Chosen(BTreeSet<String>);

impl Chosen {
    fn take<'a>(&mut self, list: impl Iterator<Item = &'a Mailbox>) -> Vec<Mailbox> {
        let usable = list.filter_map(|mailbox| {
            let address = check_address(&mailbox.address).ok()?;
            let name = mailbox.name.as_deref().map(one_line).filter(|name| !name.is_empty());
            Some(Mailbox { name, address })
        });
        usable.filter(|mailbox| self.0.insert(mailbox.normalized())).collect()
    }
}

/// The References of an answer: those of the original, else what it answers, and then the original itself
/// (RFC 5322 §3.6.4).
pub fn references_for(original: &ReplySource) -> Vec<String> {
    let ancestors: Vec<&String> = match original.references.is_empty() {
        true => original.in_reply_to.iter().collect(),
        false => original.references.iter().collect(),
    };
    let mut seen = BTreeSet::new();
    let usable = ancestors.into_iter().filter(|id| Some(*id) != original.message_id.as_ref());
    let usable = usable.chain(&original.message_id).filter(|id| is_id(id));
    shortened(usable.filter(|id| seen.insert(id.as_str())).cloned().collect())
}
