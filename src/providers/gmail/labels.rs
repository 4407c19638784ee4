//! Labels: listed, made, renamed, deleted.

use google_gmail1::api;

use super::client::{GmailMailbox, Method};
use super::error::Sort;
use super::model::{Label, LabelCounts};
use crate::providers::ProviderError;

const LIST: Method = Method::new("labels.list", 1, Sort::Ask);
const GET: Method = Method::new("labels.get", 1, Sort::Ask);
const CREATE: Method = Method::new("labels.create", 5, Sort::Create);
const RENAME: Method = Method::new("labels.patch", 5, Sort::Change);
const DELETE: Method = Method::new("labels.delete", 5, Sort::Change);

impl GmailMailbox {
    /// All labels.
    pub async fn labels(&self) -> Result<Vec<Label>, ProviderError> {
        let (_, list) =
            self.call(LIST, async |hub, ear| hub.users().labels_list("me").delegate(ear).doit().await).await?;
        list.labels.unwrap_or_default().into_iter().map(TryInto::try_into).collect()
    }

    /// How many mails have a label.
    pub async fn label_counts(&self, id: &str) -> Result<LabelCounts, ProviderError> {
        let (_, label) =
            self.call(GET, async |hub, ear| hub.users().labels_get("me", id).delegate(ear).doit().await).await?;
        Ok(label.into())
    }

    /// Makes a label. One of this name that is there already is a `Conflict`.
    pub async fn create_label(&self, name: &str) -> Result<Label, ProviderError> {
        let (_, label) = self
            .call(CREATE, async |hub, ear| {
                let label = api::Label {
                    name: Some(name.to_owned()),
                    label_list_visibility: Some("labelShow".to_owned()),
                    message_list_visibility: Some("show".to_owned()),
                    ..api::Label::default()
                };
                hub.users().labels_create(label, "me").delegate(ear).doit().await
            })
            .await?;
        label.try_into()
    }

    /// Gives a label another name.
    pub async fn rename_label(&self, id: &str, name: &str) -> Result<Label, ProviderError> {
        let (_, label) = self
            .call(RENAME, async |hub, ear| {
                let label = api::Label { name: Some(name.to_owned()), ..api::Label::default() };
                hub.users().labels_patch(label, "me", id).delegate(ear).doit().await
            })
            .await?;
        label.try_into()
    }

    /// Deletes a label; its mails stay.
    pub async fn delete_label(&self, id: &str) -> Result<(), ProviderError> {
        self.call(DELETE, async |hub, ear| hub.users().labels_delete("me", id).delegate(ear).doit().await).await?;
        Ok(())
    }
}
