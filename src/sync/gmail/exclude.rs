//! Mails that are not wanted here are left out before anything of them is read but their Message-ID.

use std::collections::BTreeSet;

use super::Pass;
use super::fetch::{Told, folder_excluded};
use super::fold::Change;
use crate::messages::Missed;
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::MessageMetadata;
use crate::sync::error::PassError;

/// The one header that is read, so that the question why a mail is not here can be answered.
const MESSAGE_ID: &str = "Message-ID";

impl Pass<'_> {
    /// Notes those of some new mails that lie only in folders which are not included; answers the others.
    pub(super) async fn leave_out(&self, fresh: &[(&str, &Change)]) -> Result<Vec<String>, PassError> {
        if self.labels.folders.iter().all(|folder| folder.included) {
            return Ok(fresh.iter().map(|(id, _)| (*id).to_owned()).collect());
        }
        let mut wanted = Vec::with_capacity(fresh.len());
        let mut unclear = Vec::new();
        let mut out = Vec::new();
        for (id, change) in fresh {
            match change.labels_now() {
                Some(labels) if self.is_wanted(&labels) => wanted.push((*id).to_owned()),
                Some(_) => out.push((*id).to_owned()),
                None => unclear.push((*id).to_owned()),
            }
        }
        for (id, state) in self.mailbox.minimal(&unclear).await {
            match state {
                Ok(state) => {
                    let wants = self.is_wanted(&state.label_ids.into_iter().collect());
                    if wants { wanted.push(id) } else { out.push(id) }
                }
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.note_left_out(out).await?;
        Ok(wanted)
    }

    fn is_wanted(&self, labels: &BTreeSet<String>) -> bool {
        let folders = self.labels.folders_of(labels.iter().map(String::as_str));
        !self.labels.layout.complete(&folders).is_empty()
    }

    async fn note_left_out(&self, ids: Vec<String>) -> Result<(), PassError> {
        let mut missed: Vec<Missed> = Vec::with_capacity(ids.len());
        for id in ids {
            match self.mailbox.metadata(&id, &[MESSAGE_ID]).await {
                Ok(mail) => {
                    missed.extend(self.labels.left_out(id, &mail.state.label_ids, message_id(&mail), folder_excluded()))
                }
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        let asked_at = self.parts.clock.now();
        self.commit(Vec::new(), Vec::new(), missed, (Told::Silently, asked_at), None).await.map(|_| ())
    }
}

fn message_id(mail: &MessageMetadata) -> Option<String> {
    let header = mail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(MESSAGE_ID));
    let id = header.map(|(_, value)| value.trim().trim_start_matches('<').trim_end_matches('>').to_owned());
    id.filter(|id| !id.is_empty())
}
