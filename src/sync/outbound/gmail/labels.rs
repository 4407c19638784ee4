//! Labels that are to be made before mails can get them.

use std::collections::BTreeMap;

use super::super::failure::Reason;
use super::super::outcomes::Outcomes;
use super::{Gmail, Trouble};
use crate::ids::{EmailId, FolderId};
use crate::messages::{self, LOCAL, MailDiff};
use crate::providers::gmail::Label;
use crate::providers::{ProviderError, ProviderErrorKind};

impl Gmail<'_> {
    /// Makes the labels that do not exist yet; answers the differences anew when there were such.
    pub(super) async fn make_labels(
        &self,
        diffs: &[MailDiff],
        outcomes: &mut Outcomes,
    ) -> Result<Option<Vec<MailDiff>>, Trouble> {
        let mut wanted: BTreeMap<(FolderId, &str), Vec<EmailId>> = BTreeMap::new();
        for place in diffs.iter().filter(|diff| !diff.awaited).flat_map(|diff| &diff.locations) {
            if let Some(name) = place.folder_name.strip_prefix(LOCAL) {
                wanted.entry((place.folder, name)).or_default().push(place.email);
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        for ((folder, name), mails) in wanted {
            match self.make_label(name).await {
                Ok(label) => self.adopt(folder, &label).await?,
                Err(error) if error.kind == ProviderErrorKind::Refused => {
                    let reason = Reason { code: "label_refused".to_owned(), ..Reason::from(&error) };
                    outcomes.fail_places(mails, &reason);
                }
                Err(error) => return Err(Trouble::from(&error)),
            }
        }
        let emails: Vec<EmailId> = diffs.iter().map(|diff| diff.email).collect();
        let mut conn = self.parts.db.read().await?;
        Ok(Some(messages::differences(&mut conn, &emails).await?))
    }

    /// Makes a label, or finds the one of this name that somebody else made meanwhile.
    async fn make_label(&self, name: &str) -> Result<Label, ProviderError> {
        let conflict = match self.mailbox.create_label(name).await {
            Err(error) if error.kind == ProviderErrorKind::Conflict => error,
            made => return made,
        };
        let lower = name.to_lowercase();
        let mut listed = self.mailbox.labels().await?;
        let exact = listed.iter().position(|label| label.name == name);
        let same = exact.or_else(|| listed.iter().position(|label| label.name.to_lowercase() == lower));
        match same {
            Some(found) => Ok(listed.swap_remove(found)),
            None => Err(conflict),
        }
    }

    async fn adopt(&self, folder: FolderId, label: &Label) -> Result<(), Trouble> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
            messages::adopt_folder(tx, self.account.id, folder, &label.id, now).await
        })
        .await?;
        Ok(())
    }

    /// The list of labels is not what it was thought to be: the pass that follows reads it again.
    pub(super) async fn forget_list(&self, outcomes: &mut Outcomes) -> Result<(), Trouble> {
        self.parts.accounts.forget_folders_listed(self.account.id).await?;
        outcomes.note_unsettled();
        Ok(())
    }
}
