//! Makes the mailbox at Gmail equal to what is shown here.

use std::collections::{HashMap, VecDeque};

use futures_util::future::join_all;

use super::super::desk::SessionError;
use super::super::failure::Reason;
use super::super::outcomes::Outcomes;
use super::plan::{Change, Plan, Task, grouped};
use super::{Gmail, Trouble};
use crate::ids::EmailId;
use crate::messages::{self, Carried, Fields, Intake, MailDiff, Sighted};
use crate::providers::gmail::{MOST_IN_BATCH, MessageState};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::sync::gmail::Labels;

/// So many mails are changed one by one, for five units each; one more is cheaper in a batch, which costs fifty.
const ONE_BY_ONE: usize = 10;

/// Mails whose outcome is written in one transaction: others want to write too.
const STEP: usize = 250;

/// The same for some mails.
pub(super) struct Group {
    pub change: Change,
    pub tasks: Vec<Task>,
    /// Whether each mail's answer is needed.
    pub one_by_one: bool,
}

impl Group {
    /// The same for some of its mails.
    fn part(&self, tasks: Vec<Task>) -> Self {
        Self { change: self.change.clone(), tasks, one_by_one: self.one_by_one }
    }
}

/// The tasks as groups.
pub(super) fn groups(tasks: Vec<Task>) -> impl Iterator<Item = Group> {
    grouped(tasks).into_iter().map(|((change, reveals), tasks)| Group { change, tasks, one_by_one: reveals })
}

/// A mail with what Gmail says of it after its change, where it was asked for that.
type Done = (Task, Option<MessageState>);

impl Gmail<'_> {
    /// Does what is to be done for these mails, as far as it goes.
    pub async fn carry(
        &mut self,
        diffs: &[MailDiff],
        todo: &HashMap<EmailId, Fields>,
    ) -> Result<Outcomes, SessionError> {
        let mut outcomes = Outcomes::default();
        match self.carry_all(diffs, todo, &mut outcomes).await {
            Ok(()) => {}
            Err(Trouble::Broken(reason)) => outcomes.break_off(reason),
            Err(Trouble::Session(error)) => return Err(error),
        }
        Ok(outcomes)
    }

    async fn carry_all(
        &mut self,
        diffs: &[MailDiff],
        todo: &HashMap<EmailId, Fields>,
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let named = self.make_labels(diffs, outcomes).await?;
        let diffs = named.as_deref().unwrap_or(diffs);
        let plan = Plan::of(diffs, todo, |email| outcomes.failed_places(email));
        outcomes.fail_places(plan.awaited, &Reason::awaited());
        outcomes.fail_places(plan.fixed, &Reason::fixed());
        let (done, tasks): (Vec<Task>, Vec<Task>) = plan.tasks.into_iter().partition(|task| task.change.is_empty());
        self.write(done.into_iter().map(|task| (task, None)).collect(), outcomes).await?;
        let mut queue: VecDeque<Group> = groups(tasks).collect();
        while let Some(group) = queue.pop_front() {
            // What is left of a group that was refused comes next.
            let left = self.carry_group(group, outcomes).await?;
            left.into_iter().rev().for_each(|group| queue.push_front(group));
        }
        Ok(())
    }

    /// Carries a group out; answers what is still to be done of it.
    async fn carry_group(&mut self, mut group: Group, outcomes: &mut Outcomes) -> Result<Vec<Group>, Trouble> {
        if group.change.labels().any(|label| self.gone.contains(label)) {
            return self.without_gone(group, outcomes).await;
        }
        let trash_has_calls = self.trash_by_call && group.change.is_about_trash();
        if group.one_by_one || trash_has_calls || group.tasks.len() <= ONE_BY_ONE {
            return self.carry_singles(group, outcomes).await;
        }
        if group.tasks.len() > MOST_IN_BATCH {
            let rest = group.tasks.split_off(MOST_IN_BATCH);
            let rest = group.part(rest);
            return Ok(vec![group, rest]);
        }
        match self.change_many(&group).await {
            Ok(()) => {
                self.write(group.tasks.into_iter().map(|task| (task, None)).collect(), outcomes).await?;
                Ok(Vec::new())
            }
            Err(error) if is_about_these(&error) => {
                if self.learns(&group, &error, outcomes).await? {
                    return Ok(vec![group]);
                }
                let half = group.tasks.split_off(group.tasks.len() / 2);
                let half = group.part(half);
                Ok(vec![group, half])
            }
            Err(error) => Err(Trouble::from(&error)),
        }
    }

    /// Changes the first mails of a group one by one; answers what is still to be done of it.
    async fn carry_singles(&mut self, mut group: Group, outcomes: &mut Outcomes) -> Result<Vec<Group>, Trouble> {
        let rest = group.tasks.split_off(group.tasks.len().min(ONE_BY_ONE));
        let rest = group.part(rest);
        let tasks = std::mem::take(&mut group.tasks);
        // The governor of the client says how many of them go at once.
        let answered = join_all(tasks.into_iter().map(|task| self.answered(task, &group.change))).await;
        let (mut done, mut refused, mut trouble) = (Vec::new(), Vec::new(), None);
        for (task, answer) in answered {
            match answer {
                Ok(state) => done.push((task, state)),
                Err(error) if is_about_these(&error) => refused.push((task, error)),
                Err(error) => trouble = Some(error),
            }
        }
        self.write(done, outcomes).await?;
        let mut left = Vec::new();
        // A refusal says more than that a mail is gone.
        let telling = refused.iter().max_by_key(|(_, error)| error.kind == ProviderErrorKind::Refused);
        if let Some(error) = telling.map(|(_, error)| error.clone()) {
            if self.learns(&group, &error, outcomes).await? {
                left.push(group.part(refused.into_iter().map(|(task, _)| task).collect()));
            } else {
                refused.iter().for_each(|(task, error)| give_up(task, error, outcomes));
            }
        }
        match trouble {
            Some(error) => Err(Trouble::from(&error)),
            None => {
                left.extend((!rest.tasks.is_empty()).then_some(rest));
                Ok(left)
            }
        }
    }

    async fn answered(&self, task: Task, change: &Change) -> (Task, Result<Option<MessageState>, ProviderError>) {
        let answer = self.change_one(&task.id, change).await;
        (task, answer)
    }

    /// Writes what was done with mails, in steps.
    pub(super) async fn write(&self, done: Vec<Done>, outcomes: &mut Outcomes) -> Result<(), Trouble> {
        let labels = self.known_labels(&done, outcomes).await?;
        let mut done = done.into_iter();
        loop {
            let step: Vec<Done> = done.by_ref().take(STEP).collect();
            if step.is_empty() {
                return Ok(());
            }
            let now = self.parts.clock.now();
            let intake = Intake { now, seen_at: now, told: true };
            let words = step.iter().filter_map(|(task, state)| revealed(task, state.as_ref(), &labels)).collect();
            let step: Vec<Carried> = step.into_iter().map(|(task, _)| task.done).collect();
            let mut conn = self.parts.db.write().await?;
            conn.transaction(async |tx| {
                self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
                messages::carried(tx, self.account.id, &step, now).await?;
                messages::place(tx, &self.owner, &labels.layout, words, &intake).await
            })
            .await?;
        }
    }

    /// The folders by their labels, where answers are to be understood. One of a label that nobody heard of is listed by the
    /// pass that follows.
    async fn known_labels(&self, done: &[Done], outcomes: &mut Outcomes) -> Result<Labels, Trouble> {
        let told = done.iter().filter(|(task, _)| task.reveals).filter_map(|(_, state)| state.as_ref());
        let told: Vec<&MessageState> = told.collect();
        if told.is_empty() {
            return Ok(Labels::default());
        }
        let labels = Labels::load(&self.parts.db, self.account.id).await?;
        if told.iter().flat_map(|state| &state.label_ids).any(|label| labels.is_unheard_of(label)) {
            self.forget_list(outcomes).await?;
        }
        Ok(labels)
    }
}

/// What Gmail says of a mail that came out of where it was hidden.
fn revealed(task: &Task, state: Option<&MessageState>, labels: &Labels) -> Option<Sighted> {
    state.filter(|_| task.reveals).map(|state| labels.sighted(&task.id, &state.label_ids))
}

/// Whether an error may be about one of the mails or labels, and not about everything.
fn is_about_these(error: &ProviderError) -> bool {
    matches!(error.kind, ProviderErrorKind::NotFound | ProviderErrorKind::Refused)
}

/// A mail that could not be changed though its labels are there.
fn give_up(task: &Task, error: &ProviderError, outcomes: &mut Outcomes) {
    let reason = match error.kind {
        // The next pass tells under which id it is known now.
        ProviderErrorKind::NotFound if task.is_draft => Reason::elsewhere(),
        ProviderErrorKind::NotFound => Reason::gone(),
        _ => Reason::from(error),
    };
    let email = task.done.email;
    outcomes.fail_flags([email], &reason);
    outcomes.fail_places([email], &reason);
    outcomes.note_unsettled();
}
