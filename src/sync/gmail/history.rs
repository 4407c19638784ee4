//! What changed since the last pass, by Gmail's history.

use std::collections::{BTreeSet, HashSet};

use chrono::Duration;

use super::fetch::{ROUNDS, Replaced, Told};
use super::fold::{Change, Fold};
use super::labels::{STARRED, UNREAD};
use super::{Pass, labels};
use crate::clock::Timestamp;
use crate::messages::{self, Sighted, Whereabouts};
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::HistoryPage;
use crate::sync::error::PassError;

/// Mails of which changes are gathered before they are applied; what follows is another stretch.
const STRETCH: usize = 20_000;

/// Changes that are applied in one transaction.
const TOGETHER: usize = 500;

/// A stretch of the history.
struct Stretch {
    fold: Fold,
    /// Up to where it reaches.
    until: u64,
    /// Whether more follows.
    more: bool,
}

impl Pass<'_> {
    /// Brings a live mailbox up to date from the place in the history up to which it is known.
    pub(super) async fn follow(&mut self, known: u64) -> Result<(), PassError> {
        match self.catch_up(known).await {
            Err(PassError::Provider(error)) if error.kind == ProviderErrorKind::CursorExpired => {
                tracing::warn!(account.id = %self.account.id, "Gmail has forgotten the place in the history; all mail is compared");
                self.recover().await
            }
            Ok(()) if self.sweeps => self.sweep().await,
            ended => ended,
        }
    }

    /// Takes over what the history tells, stretch by stretch. The place is saved with the last change of each.
    pub(super) async fn catch_up(&mut self, known: u64) -> Result<(), PassError> {
        let (mut from, mut rounds) = (known, 0);
        loop {
            // A change of ours that is confirmed from now on is newer than what is read; read again, it is among it. The
            // clocks of several servers may differ for good, so in the end the history has the last word anyway.
            let lenience = if rounds < ROUNDS { Duration::zero() } else { Duration::days(1) };
            let asked_at = self.parts.clock.now() + lenience;
            let stretch = self.stretch(from).await?;
            let (more, until) = (stretch.more, stretch.until);
            if !self.take_in(stretch, from, asked_at).await? {
                rounds += 1;
                continue;
            }
            if !more {
                break;
            }
            (from, rounds) = (until, 0);
        }
        self.refresh_labels().await?;
        self.import_new_folders().await?;
        self.retry_missed().await
    }

    /// Reads the history from a place on. What it says of the end counts only after the last page.
    async fn stretch(&self, from: u64) -> Result<Stretch, PassError> {
        let mut fold = Fold::default();
        let mut token: Option<String> = None;
        loop {
            if self.stop.is_cancelled() {
                return Err(PassError::Stopped);
            }
            let HistoryPage { records, history_id, next_page_token } =
                self.mailbox.history(from, token.as_deref()).await?;
            records.iter().for_each(|record| fold.add(record));
            let last = records.last().map(|record| record.id);
            match next_page_token {
                // Changes after a record are asked for with its id.
                Some(_) if fold.len() >= STRETCH && last.is_some_and(|id| id > from) => {
                    return Ok(Stretch { fold, until: last.unwrap_or(from), more: true });
                }
                Some(next) => token = Some(next),
                None => return Ok(Stretch { fold, until: history_id.max(from), more: false }),
            }
        }
    }

    /// Takes a stretch over; answers whether all of it counts.
    async fn take_in(&mut self, stretch: Stretch, from: u64, asked_at: Timestamp) -> Result<bool, PassError> {
        let Stretch { fold, until, .. } = stretch;
        if fold.labels().any(|label| self.labels.is_unheard_of(label)) {
            self.adopt_labels().await?;
        }
        let changes = fold.into_changes();
        let ids: Vec<&str> = changes.iter().map(|(id, _)| id.as_str()).collect();
        let mut conn = self.parts.db.read().await?;
        let known = messages::known_external_ids(&mut conn, self.account.id, &ids).await?;
        let placeless = messages::placeless_ids(&mut conn, self.account.id, &ids).await?;
        let missed = messages::missed_ids(&mut conn, self.account.id, &ids).await?;
        drop(conn);
        let unknown = |(id, change): &&(String, Change)| !change.deleted && !known.contains(id);
        // A mail that was left out may belong here now; otherwise it stays left out.
        let fetched = |it: &&(String, Change)| !missed.contains(&it.0) || !it.1.labels.is_empty();
        let fresh: Vec<(&str, &Change)> =
            changes.iter().filter(unknown).filter(fetched).map(|(id, change)| (id.as_str(), change)).collect();
        let fresh = self.leave_out(&fresh).await?;
        // New mails first: a new version of a draft takes the place of the one that is deleted.
        let mut replaced = Replaced::new();
        for (id, change) in changes.iter().filter(|(id, change)| change.deleted && known.contains(id)) {
            replaced.entry(change.thread.clone().unwrap_or_default()).or_default().push(id.clone());
        }
        self.store(fresh, Told::News, replaced).await?;
        let placeless = placeless.into_iter().chain(self.revealed(&changes).await?).collect();
        let words = self.words(&changes, &known, &placeless, &missed).await?;
        self.apply_words(words, asked_at, (until != from).then_some(until)).await
    }

    /// Mails that came out of trash or spam: which labels they have beside, was hidden so far.
    async fn revealed(&self, changes: &[(String, Change)]) -> Result<BTreeSet<String>, PassError> {
        let left = |(_, change): &&(String, Change)| {
            change.labels.iter().any(|(label, has)| !has && labels::HIDING.contains(&label.as_str()))
        };
        let ids: Vec<&str> = changes.iter().filter(left).map(|(id, _)| id.as_str()).collect();
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let hiding = self.labels.layout.hiding();
        Ok(messages::placed_in(&mut self.parts.db.read().await?, self.account.id, &hiding, &ids).await?)
    }

    /// What the changes say of mails that are stored.
    async fn words(
        &self,
        changes: &[(String, Change)],
        known: &HashSet<String>,
        placeless: &BTreeSet<String>,
        missed: &BTreeSet<String>,
    ) -> Result<Vec<Sighted>, PassError> {
        let mut words = Vec::new();
        let mut unclear = Vec::new();
        for (id, change) in changes {
            if change.deleted && (known.contains(id) || missed.contains(id)) {
                words.push(Sighted {
                    external_id: id.clone(),
                    places: Whereabouts::Gone,
                    is_read: None,
                    is_starred: None,
                });
            } else if placeless.contains(id) && (change.added || !change.labels.is_empty()) {
                unclear.push(id.clone());
            } else if known.contains(id) && !change.labels.is_empty() {
                words.push(self.word(id, change));
            }
        }
        words.extend(self.look_at(&unclear).await?);
        Ok(words)
    }

    fn word(&self, id: &str, change: &Change) -> Sighted {
        let with = |has: bool| change.labels.iter().filter(move |(_, it)| **it == has).map(|(label, _)| label.as_str());
        let flag = |label: &str| change.labels.get(label).copied();
        Sighted {
            external_id: id.to_owned(),
            places: Whereabouts::Moved {
                into: self.labels.folders_of(with(true)),
                out_of: self.labels.folders_of(with(false)),
            },
            is_read: flag(UNREAD).map(|unread| !unread),
            is_starred: flag(STARRED),
        }
    }

    /// Asks for all labels of mails; such that are gone are passed over.
    pub(super) async fn look_at(&self, ids: &[String]) -> Result<Vec<Sighted>, PassError> {
        let mut words = Vec::with_capacity(ids.len());
        for (id, state) in self.mailbox.minimal(ids).await {
            match state {
                Ok(state) if state.label_ids.iter().any(|label| label == labels::CHAT) => {}
                Ok(state) => words.push(self.labels.sighted(&id, &state.label_ids)),
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(words)
    }

    /// Applies what is known of mails in some transactions; the last one also saves the place in the history. Answers whether
    /// all of it counts: else the place stays where it was.
    async fn apply_words(
        &mut self,
        words: Vec<Sighted>,
        asked_at: Timestamp,
        until: Option<u64>,
    ) -> Result<bool, PassError> {
        let (mut words, mut counts) = (words.into_iter(), true);
        loop {
            let step: Vec<Sighted> = words.by_ref().take(TOGETHER).collect();
            let is_last = words.len() == 0;
            let save = until.filter(|_| is_last && counts);
            if !step.is_empty() || save.is_some() {
                counts &= self.commit(Vec::new(), step, Vec::new(), (Told::News, asked_at), save).await?.is_empty();
            }
            if is_last {
                break;
            }
        }
        if let Some(until) = until.filter(|_| counts) {
            self.cursor.history_id = Some(until);
        }
        Ok(counts)
    }
}
