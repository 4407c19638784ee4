//! Changes flags (RFC 3501 §6.4.6), on condition that nobody else did meanwhile (RFC 7162 §3.1.3).

use std::collections::BTreeMap;

use super::command::Command;
use super::connection::{Use, is_done, refused_change};
use super::fetch::MAX_SET;
use super::mailbox::within;
use super::response::{Response, Status};
use super::{ImapConnection, ImapError, UidSet};

/// A flag that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Flagged`
    Flagged,
    /// `\Answered`
    Answered,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `$Forwarded`, a keyword
    Forwarded,
}

impl Flag {
    /// The server's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Flagged => "\\Flagged",
            Self::Answered => "\\Answered",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::Forwarded => "$Forwarded",
        }
    }

    /// Whether the protocol defines it; others are keywords, which a folder may not know yet.
    pub fn is_system(self) -> bool {
        self != Self::Forwarded
    }
}

/// A flag and what it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlagSet {
    /// Which flag.
    pub flag: Flag,
    /// Whether it is to be set or cleared.
    pub on: bool,
}

/// What became of a change of flags. A mail that is in neither list was changed, or is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The modification sequences that the server told for changed mails, by ascending UID. One
    /// that was as wanted already may be missing.
    pub modseqs: Vec<(u32, u64)>,
    /// Mails that were left alone, for somebody changed them after `unchanged_since`.
    pub modified: UidSet,
}

impl ImapConnection {
    /// Sets or clears a flag of mails in the folder opened with [`Self::select`].
    ///
    /// With `unchanged_since` a mail is left alone that changed after that modification sequence.
    /// The condition is dropped where the server lacks CONDSTORE; leave it away yourself for a
    /// folder that keeps no modification sequences (`highest_modseq` is none), for there it is an
    /// error.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::NotPermitted`] in a read-only folder; see [`super::Mailbox::can_store`]
    /// for flags that would be taken and forgotten. Otherwise as the server refuses
    /// or the connection fails; some mails may have been changed then.
    pub async fn store_flags(
        &mut self,
        uids: &UidSet,
        change: &FlagSet,
        unchanged_since: Option<u64>,
    ) -> Result<Stored, ImapError> {
        self.must_be_writable()?;
        let condition = match unchanged_since.filter(|_| self.capabilities.condstore) {
            Some(since) => format!(" (UNCHANGEDSINCE {since})"),
            None => String::new(),
        };
        let sign = if change.on { '+' } else { '-' };
        let words = format!("{condition} {sign}FLAGS.SILENT ({})", change.flag.as_str());
        let limit = self.wire.limits().entries;
        let mut told = BTreeMap::new();
        let mut modified = UidSet::new();
        for part in uids.split(MAX_SET) {
            let tag = self.start(Command::new(&format!("UID STORE {part}{words}"))).await?;
            let status = self.verdict(&tag, |response| note(&mut told, &part, limit, &response)).await?;
            match refused(&status, &part, &told) {
                Some(left) => modified.extend(left),
                None if is_done(&status) => {}
                None => return Err(refused_change(&status)),
            }
        }
        told.retain(|uid, _| !modified.contains(*uid));
        Ok(Stored { modseqs: told.into_iter().collect(), modified })
    }
}

/// Takes note of what a server tells about a mail that it changed.
fn note(told: &mut BTreeMap<u32, u64>, part: &UidSet, limit: usize, response: &Response) -> Result<Use, ImapError> {
    let Response::Fetch(data) = response else {
        return Ok(Use::Unasked);
    };
    let (Some(uid), Some(mod_seq)) = (data.uid.filter(|uid| part.contains(*uid)), data.mod_seq) else {
        return Ok(Use::Unasked);
    };
    let again = told.insert(uid, mod_seq).is_some();
    within(told.len(), limit)?;
    // We asked for silence: flags come only when somebody else changes them too.
    Ok(match (data.flags.is_some(), again) {
        (true, _) => Use::Unasked,
        (false, true) => Use::Extra,
        (false, false) => Use::Asked,
    })
}

/// The mails that were left alone, if the server says that some were: with OK when others were
/// changed, and with NO or OK when none was.
fn refused(status: &Status, part: &UidSet, told: &BTreeMap<u32, u64>) -> Option<UidSet> {
    if status.code_name() != "MODIFIED" {
        return None;
    }
    let named = UidSet::parse(status.code_argument().trim()).map(|set| part.intersection(&set));
    // When the set makes no sense, nothing is known to be done but what was told to be.
    Some(named.filter(|set| !set.is_empty()).unwrap_or_else(|| {
        let done: UidSet = told.keys().copied().collect();
        part.difference(&done)
    }))
}
