//! Drafts: made, changed, sent, deleted. Sending goes through a draft, whose being there tells whether it was sent.

use std::io::Cursor;

use google_gmail1::api;
use google_gmail1::common::Error;

use super::client::{GmailMailbox, Method};
use super::error::Sort;
use super::model::{Draft, DraftPage, MessageState};
use crate::providers::ProviderError;

const LIST: Method = Method::new("drafts.list", 5, Sort::Ask);
const GET: Method = Method::new("drafts.get", 20, Sort::Ask);
const CREATE: Method = Method::new("drafts.create", 10, Sort::Create);
const UPDATE: Method = Method::new("drafts.update", 15, Sort::Change);
const SEND: Method = Method::new("drafts.send", 100, Sort::Send);
const DELETE: Method = Method::new("drafts.delete", 10, Sort::Change);

/// Drafts of one page, the most that Gmail gives.
const PAGE: u32 = 500;

impl GmailMailbox {
    /// A page of drafts; `q` as in Gmail's search box.
    pub async fn drafts(&self, q: Option<&str>, page_token: Option<&str>) -> Result<DraftPage, ProviderError> {
        let (_, page) = self
            .call(LIST, async |hub, ear| {
                let users = hub.users();
                let mut call = users.drafts_list("me").max_results(PAGE);
                if let Some(q) = q {
                    call = call.q(q);
                }
                if let Some(token) = page_token {
                    call = call.page_token(token);
                }
                call.delegate(ear).doit().await
            })
            .await?;
        let drafts = page.drafts.unwrap_or_default().into_iter().map(TryInto::try_into);
        let next_page_token = page.next_page_token.filter(|token| !token.is_empty());
        Ok(DraftPage { drafts: drafts.collect::<Result<_, _>>()?, next_page_token })
    }

    /// A draft by its id; `NotFound` when it was sent or deleted.
    pub async fn draft(&self, id: &str) -> Result<Draft, ProviderError> {
        let (_, draft) = self
            .call(GET, async |hub, ear| hub.users().drafts_get("me", id).format("minimal").delegate(ear).doit().await)
            .await?;
        draft.try_into()
    }

    /// Makes a draft of a mail (RFC 5322), in a conversation where one is given. When no answer comes it may be there
    /// (`may_be_done`).
    pub async fn create_draft(&self, raw: Vec<u8>, thread_id: Option<&str>) -> Result<Draft, ProviderError> {
        let (_, draft) = self
            .call(CREATE, async |hub, ear| {
                let call = hub.users().drafts_create(boxed(None, thread_id), "me").delegate(ear);
                call.upload(Cursor::new(raw.clone()), rfc822()?).await
            })
            .await?;
        draft.try_into()
    }

    /// Replaces the mail of a draft: it has another id afterwards.
    pub async fn update_draft(&self, id: &str, raw: Vec<u8>, thread_id: Option<&str>) -> Result<Draft, ProviderError> {
        let (_, draft) = self
            .call(UPDATE, async |hub, ear| {
                let call = hub.users().drafts_update(boxed(Some(id), thread_id), "me", id).delegate(ear);
                call.upload(Cursor::new(raw.clone()), rfc822()?).await
            })
            .await?;
        draft.try_into()
    }

    /// Sends a draft. It is tried once: when no answer comes, the mail may have left (`may_be_done`).
    pub async fn send_draft(&self, id: &str) -> Result<MessageState, ProviderError> {
        let message = self
            .call(SEND, async |line, ear| {
                line.post::<api::Message>("gmail/v1/users/me/drafts/send", &boxed(Some(id), None), ear).await
            })
            .await?;
        message.try_into()
    }

    /// Deletes a draft for good.
    pub async fn delete_draft(&self, id: &str) -> Result<(), ProviderError> {
        self.call(DELETE, async |hub, ear| hub.users().drafts_delete("me", id).delegate(ear).doit().await).await?;
        Ok(())
    }
}

fn boxed(id: Option<&str>, thread_id: Option<&str>) -> api::Draft {
    let message =
        thread_id.map(|thread| api::Message { thread_id: Some(thread.to_owned()), ..api::Message::default() });
    api::Draft { id: id.map(str::to_owned), message }
}

fn rfc822() -> Result<mime::Mime, Error> {
    "message/rfc822".parse().map_err(|_| Error::FieldClash("message/rfc822"))
}
