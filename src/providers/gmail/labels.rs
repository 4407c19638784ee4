//! Labels: listed, made, renamed, deleted.

use google_gmail1::api;
use reqwest::Method as Verb;

use super::call::Method;
use super::client::GmailMailbox;
use super::convert::{known, lacks};
use super::error::Sort;
use super::model::{Label, LabelCounts};
use super::transport::Request;
use crate::providers::ProviderError;

const LIST: Method = Method::new("labels.list", 1, Sort::Ask);
const GET: Method = Method::new("labels.get", 1, Sort::Ask);
const CREATE: Method = Method::new("labels.create", 5, Sort::Create);
const RENAME: Method = Method::new("labels.patch", 5, Sort::Change);
const DELETE: Method = Method::new("labels.delete", 5, Sort::Change);

impl GmailMailbox {
    /// All labels.
    pub async fn labels(&self) -> Result<Vec<Label>, ProviderError> {
        let list: api::ListLabelsResponse = self.call(LIST, Request::get(&["labels"])).await?;
        let labels = known(list.labels, "a label without an id");
        // Gmail's own are always there; to read their absence as «all labels were deleted» would do harm.
        if labels.is_empty() { Err(lacks("the labels")) } else { Ok(labels) }
    }

    /// How many mails have a label.
    pub async fn label_counts(&self, id: &str) -> Result<LabelCounts, ProviderError> {
        Ok(self.call::<api::Label>(GET, Request::get(&["labels", id])).await?.into())
    }

    /// Makes a label. One of this name that is there already is a `Conflict`; when no answer comes it may be there
    /// (`may_be_done`).
    pub async fn create_label(&self, name: &str) -> Result<Label, ProviderError> {
        let label = api::Label {
            name: Some(name.to_owned()),
            label_list_visibility: Some("labelShow".to_owned()),
            message_list_visibility: Some("show".to_owned()),
            ..api::Label::default()
        };
        self.call::<api::Label>(CREATE, Request::post(&["labels"]).json(&label)).await?.try_into()
    }

    /// Gives a label another name.
    pub async fn rename_label(&self, id: &str, name: &str) -> Result<Label, ProviderError> {
        let label = api::Label { name: Some(name.to_owned()), ..api::Label::default() };
        let request = Request::to(Verb::PATCH, &["labels", id]).json(&label);
        self.call::<api::Label>(RENAME, request).await?.try_into()
    }

    /// Deletes a label; its mails stay. `NotFound` when it is not there, also because a try whose answer was lost deleted it.
    pub async fn delete_label(&self, id: &str) -> Result<(), ProviderError> {
        self.tell(DELETE, Request::to(Verb::DELETE, &["labels", id])).await
    }
}
