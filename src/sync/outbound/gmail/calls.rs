//! The calls that change labels, and what is tried when one is refused.

use std::collections::BTreeSet;

use super::super::failure::Reason;
use super::super::outcomes::Outcomes;
use super::carry::{Group, groups};
use super::plan::{Change, TRASH, Task};
use super::{Gmail, Trouble};
use crate::providers::gmail::MessageState;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::sync::gmail::is_built_in;

/// Labels of one call, each way.
const MOST_LABELS: usize = 100;

impl Gmail<'_> {
    /// Changes the labels of one mail; answers what Gmail says of it then.
    pub(super) async fn change_one(&self, id: &str, change: &Change) -> Result<Option<MessageState>, ProviderError> {
        let mut answer = None;
        let mut change = change.clone();
        if self.trash_by_call && change.is_about_trash() {
            let state = match change.add.contains(TRASH) {
                true => self.mailbox.trash(id).await?,
                false => self.mailbox.untrash(id).await?,
            };
            // Only what these calls have not done by themselves is left.
            change.add.retain(|label| label != TRASH && !state.label_ids.contains(label));
            change.remove.retain(|label| label != TRASH && state.label_ids.contains(label));
            answer = Some(state);
        }
        for (add, remove) in pieces(&change) {
            answer = Some(self.mailbox.modify(id, &add, &remove).await?);
        }
        Ok(answer)
    }

    /// Changes the labels of many mails.
    pub(super) async fn change_many(&self, group: &Group) -> Result<(), ProviderError> {
        let ids: Vec<String> = group.tasks.iter().map(|task| task.id.clone()).collect();
        for (add, remove) in pieces(&group.change) {
            self.mailbox.batch_modify(&ids, &add, &remove).await?;
        }
        Ok(())
    }

    /// Looks why a group was refused; answers whether it may go better now.
    pub(super) async fn learns(
        &mut self,
        group: &Group,
        error: &ProviderError,
        outcomes: &mut Outcomes,
    ) -> Result<bool, Trouble> {
        let gone = self.gone_labels(&group.change).await?;
        if !gone.is_empty() {
            self.gone.extend(gone);
            self.forget_list(outcomes).await?;
            return Ok(true);
        }
        if self.trash_by_call || !group.change.is_about_trash() || error.kind != ProviderErrorKind::Refused {
            return Ok(false);
        }
        // In a batch one of the mails may be to blame.
        let refuses = match group.tasks.first() {
            Some(task) => match self.change_one(&task.id, &group.change).await {
                Ok(_) => false,
                Err(error) if error.kind == ProviderErrorKind::Refused => true,
                Err(error) if error.kind == ProviderErrorKind::NotFound => false,
                Err(error) => return Err(Trouble::from(&error)),
            },
            None => true,
        };
        if refuses {
            tracing::info!(account.id = %self.account.id, "the label of the trash is refused; it has calls of its own");
            self.trash_by_call = true;
        }
        Ok(refuses)
    }

    /// Leaves labels out that somebody deleted: with the label all mails have lost it, and none can get it.
    pub(super) async fn without_gone(&mut self, group: Group, outcomes: &mut Outcomes) -> Result<Vec<Group>, Trouble> {
        let mut tasks = group.tasks;
        if !self.gone.is_disjoint(&group.change.add) {
            outcomes.fail_places(tasks.iter().map(|task| task.done.email), &Reason::label_gone());
            tasks = tasks.into_iter().map(Task::only_flags).filter(|task| !task.change.is_empty()).collect();
        }
        for task in &mut tasks {
            task.change.remove.retain(|label| !self.gone.contains(label));
        }
        let (done, tasks): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|task| task.change.is_empty());
        self.write(done.into_iter().map(|task| (task, None)).collect(), outcomes).await?;
        Ok(groups(tasks).collect())
    }

    /// Those of these labels that somebody deleted.
    async fn gone_labels(&self, change: &Change) -> Result<BTreeSet<String>, Trouble> {
        let asked: BTreeSet<&str> = change.labels().filter(|label| !is_built_in(label)).collect();
        if asked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let listed = self.mailbox.labels().await.map_err(|error| Trouble::from(&error))?;
        let is_gone = |label: &&str| !listed.iter().any(|it| it.id == *label);
        Ok(asked.into_iter().filter(is_gone).map(str::to_owned).collect())
    }
}

/// A change in pieces that one call takes.
fn pieces(change: &Change) -> Vec<(Vec<String>, Vec<String>)> {
    let cut = |labels: &BTreeSet<String>| -> Vec<Vec<String>> {
        let labels: Vec<String> = labels.iter().cloned().collect();
        labels.chunks(MOST_LABELS).map(<[String]>::to_vec).collect()
    };
    let (mut add, mut remove) = (cut(&change.add).into_iter(), cut(&change.remove).into_iter());
    let mut pieces = Vec::new();
    loop {
        match (add.next(), remove.next()) {
            (None, None) => return pieces,
            (add, remove) => pieces.push((add.unwrap_or_default(), remove.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("Label_{number:03}")).collect()
    }

    #[test]
    fn a_change_of_many_labels_takes_several_calls() {
        let sizes = |add, remove| -> Vec<(usize, usize)> {
            let pieces = pieces(&Change { add: labels(add), remove: labels(remove) });
            pieces.iter().map(|(add, remove)| (add.len(), remove.len())).collect()
        };
        assert_eq!(sizes(1, 2), [(1, 2)]);
        assert_eq!(sizes(0, 230), [(0, 100), (0, 100), (0, 30)]);
        assert_eq!(sizes(101, 1), [(100, 1), (1, 0)]);
        assert!(sizes(0, 0).is_empty());
    }
}
