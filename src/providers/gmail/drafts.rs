//! Drafts: made, changed, sent, deleted. Sending goes through a draft, whose being there tells whether it was sent.

use google_gmail1::api;
use reqwest::Method as Verb;

use super::call::Method;
use super::client::GmailMailbox;
use super::convert::known;
use super::error::Sort;
use super::model::{Draft, DraftPage, MessageState};
use super::transport::Request;
use crate::providers::ProviderError;

const LIST: Method = Method::new("drafts.list", 5, Sort::Ask);
const GET: Method = Method::new("drafts.get", 20, Sort::Ask);
const CREATE: Method = Method::new("drafts.create", 10, Sort::Create);
const UPDATE: Method = Method::new("drafts.update", 15, Sort::Change);
const SEND: Method = Method::new("drafts.send", 100, Sort::Send);
const DELETE: Method = Method::new("drafts.delete", 10, Sort::Change);

/// Drafts of one page, the most that Gmail gives.
const PAGE: &str = "500";

impl GmailMailbox {
    /// A page of drafts; `q` as in Gmail's search box.
    pub async fn drafts(&self, q: Option<&str>, page_token: Option<&str>) -> Result<DraftPage, ProviderError> {
        let mut request = Request::get(&["drafts"]).with("maxResults", PAGE);
        if let Some(q) = q {
            request = request.with("q", q);
        }
        if let Some(token) = page_token {
            request = request.with("pageToken", token);
        }
        let page: api::ListDraftsResponse = self.call(LIST, request).await?;
        let next_page_token = page.next_page_token.filter(|token| !token.is_empty());
        Ok(DraftPage { drafts: known(page.drafts, "a draft without an id or a mail"), next_page_token })
    }

    /// A draft by its id; `NotFound` when it was sent or deleted.
    pub async fn draft(&self, id: &str) -> Result<Draft, ProviderError> {
        let request = Request::get(&["drafts", id]).with("format", "minimal");
        self.call::<api::Draft>(GET, request).await?.try_into()
    }

    /// Makes a draft of a mail (RFC 5322), in a conversation where one is given. When no answer comes it may be there
    /// (`may_be_done`).
    pub async fn create_draft(&self, raw: Vec<u8>, thread_id: Option<&str>) -> Result<Draft, ProviderError> {
        let request = Request::upload(Verb::POST, &["drafts"], &about(None, thread_id), &raw);
        drop(raw);
        self.call::<api::Draft>(CREATE, request).await?.try_into()
    }

    /// Replaces the mail of a draft: it has another id afterwards.
    pub async fn update_draft(&self, id: &str, raw: Vec<u8>, thread_id: Option<&str>) -> Result<Draft, ProviderError> {
        let request = Request::upload(Verb::PUT, &["drafts", id], &about(Some(id), thread_id), &raw);
        drop(raw);
        self.call::<api::Draft>(UPDATE, request).await?.try_into()
    }

    /// Sends a draft. It is tried once: when no answer comes, the mail may have left (`may_be_done`).
    pub async fn send_draft(&self, id: &str) -> Result<MessageState, ProviderError> {
        let request = Request::post(&["drafts", "send"]).json(&about(Some(id), None));
        self.call::<api::Message>(SEND, request).await?.try_into()
    }

    /// Deletes a draft for good. `NotFound` when it is not there, also because a try whose answer was lost deleted it.
    pub async fn delete_draft(&self, id: &str) -> Result<(), ProviderError> {
        self.tell(DELETE, Request::to(Verb::DELETE, &["drafts", id])).await
    }
}

fn about(id: Option<&str>, thread_id: Option<&str>) -> api::Draft {
    let message =
        thread_id.map(|thread| api::Message { thread_id: Some(thread.to_owned()), ..api::Message::default() });
    api::Draft { id: id.map(str::to_owned), message }
}
