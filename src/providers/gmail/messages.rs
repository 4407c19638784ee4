//! Mails: listed, fetched, and given other labels.

use google_gmail1::api;

use super::batch::{Fetch, Outcomes, Wanted};
use super::call::Method;
use super::client::GmailMailbox;
use super::convert::known;
use super::error::Sort;
use super::model::{ListPage, ListQuery, MessageMetadata, MessageState, Profile, RawMessage};
use super::transport::Request;
use crate::providers::ProviderError;

const PROFILE: Method = Method::new("getProfile", 1, Sort::Ask);
const LIST: Method = Method::new("messages.list", 5, Sort::Ask);
const GET: Method = Method::new("messages.get", 20, Sort::Ask);
const MODIFY: Method = Method::new("messages.modify", 5, Sort::Change);
const BATCH_MODIFY: Method = Method::new("messages.batchModify", 50, Sort::Change);
const TRASH: Method = Method::new("messages.trash", 20, Sort::Change);
const UNTRASH: Method = Method::new("messages.untrash", 5, Sort::Change);

/// Mails that are changed by one call at most.
pub const MOST_IN_BATCH: usize = 1_000;

impl GmailMailbox {
    /// The mailbox's address, and its place in the history now.
    pub async fn profile(&self) -> Result<Profile, ProviderError> {
        self.call::<api::Profile>(PROFILE, Request::get(&["profile"])).await?.try_into()
    }

    /// A page of mails, the newest first. A page that Gmail has forgotten is a `Conflict`: the list is to be begun anew.
    pub async fn list(&self, query: &ListQuery) -> Result<ListPage, ProviderError> {
        let mut request = Request::get(&["messages"]).with("maxResults", &query.max.clamp(1, 500).to_string());
        for label in &query.label_ids {
            request = request.with("labelIds", label);
        }
        if query.include_spam_trash {
            request = request.with("includeSpamTrash", "true");
        }
        if let Some(q) = &query.q {
            request = request.with("q", q);
        }
        if let Some(token) = &query.page_token {
            request = request.with("pageToken", token);
        }
        let page: api::ListMessagesResponse = self.call(LIST, request).await?;
        Ok(ListPage {
            messages: known(page.messages, "a mail without an id"),
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
        })
    }

    /// Whole mails, each with its own outcome, in the order given.
    pub async fn raw(&self, ids: &[String]) -> Vec<(String, Result<RawMessage, ProviderError>)> {
        self.fetch(ids, |id| message(id, "raw").slow(), RawMessage::try_from).await
    }

    /// What changes about mails, each with its own outcome, in the order given.
    pub async fn minimal(&self, ids: &[String]) -> Vec<(String, Result<MessageState, ProviderError>)> {
        self.fetch(ids, |id| message(id, "minimal"), MessageState::try_from).await
    }

    async fn fetch<T>(
        &self,
        ids: &[String],
        request: fn(&str) -> Request,
        read: fn(api::Message) -> Result<T, ProviderError>,
    ) -> Outcomes<T> {
        Fetch::new(self, ids, Wanted { method: GET, request, read }).all().await
    }

    /// A mail with some of its header fields.
    pub async fn metadata(&self, id: &str, headers: &[&str]) -> Result<MessageMetadata, ProviderError> {
        let request = headers.iter().fold(message(id, "metadata"), |it, header| it.with("metadataHeaders", header));
        self.call::<api::Message>(GET, request).await?.try_into()
    }

    /// Gives a mail labels and takes others off.
    pub async fn modify(&self, id: &str, add: &[String], remove: &[String]) -> Result<MessageState, ProviderError> {
        let change = api::ModifyMessageRequest { add_label_ids: some(add), remove_label_ids: some(remove) };
        let request = Request::post(&["messages", id, "modify"]).json(&change);
        self.call::<api::Message>(MODIFY, request).await?.try_into()
    }

    /// The same for up to [`MOST_IN_BATCH`] mails, at the price of ten. Nothing is told of each.
    pub async fn batch_modify(&self, ids: &[String], add: &[String], remove: &[String]) -> Result<(), ProviderError> {
        let change = api::BatchModifyMessagesRequest {
            ids: Some(ids.to_vec()),
            add_label_ids: some(add),
            remove_label_ids: some(remove),
        };
        self.tell(BATCH_MODIFY, Request::post(&["messages", "batchModify"]).json(&change)).await
    }

    /// Puts a mail into the trash.
    pub async fn trash(&self, id: &str) -> Result<MessageState, ProviderError> {
        self.call::<api::Message>(TRASH, Request::post(&["messages", id, "trash"])).await?.try_into()
    }

    /// Takes a mail out of the trash.
    pub async fn untrash(&self, id: &str) -> Result<MessageState, ProviderError> {
        self.call::<api::Message>(UNTRASH, Request::post(&["messages", id, "untrash"])).await?.try_into()
    }
}

fn message(id: &str, format: &str) -> Request {
    Request::get(&["messages", id]).with("format", format)
}

fn some(labels: &[String]) -> Option<Vec<String>> {
    (!labels.is_empty()).then(|| labels.to_vec())
}
