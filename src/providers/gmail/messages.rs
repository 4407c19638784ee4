//! Mails: listed, fetched, and given other labels.

use futures_util::{StreamExt, stream};
use google_gmail1::api;

use super::client::{GmailMailbox, Method};
use super::error::Sort;
use super::model::{ListPage, ListQuery, MessageMetadata, MessageState, Profile, RawMessage};
use crate::providers::ProviderError;

const PROFILE: Method = Method::new("getProfile", 1, Sort::Ask);
const LIST: Method = Method::new("messages.list", 5, Sort::Ask);
const GET: Method = Method::new("messages.get", 20, Sort::Ask);
const MODIFY: Method = Method::new("messages.modify", 5, Sort::Change);
const BATCH_MODIFY: Method = Method::new("messages.batchModify", 50, Sort::Change);
const TRASH: Method = Method::new("messages.trash", 20, Sort::Change);
const UNTRASH: Method = Method::new("messages.untrash", 5, Sort::Change);

/// Mails that are asked for side by side; the governor lets fewer go where the user has less.
const AT_ONCE: usize = 10;

/// Mails that are changed by one call at most.
pub const MOST_IN_BATCH: usize = 1_000;

impl GmailMailbox {
    /// The mailbox's address, and its place in the history now.
    pub async fn profile(&self) -> Result<Profile, ProviderError> {
        let (_, profile) =
            self.call(PROFILE, async |hub, ear| hub.users().get_profile("me").delegate(ear).doit().await).await?;
        profile.try_into()
    }

    /// A page of mails, the newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<ListPage, ProviderError> {
        let (_, page) = self
            .call(LIST, async |hub, ear| {
                let users = hub.users();
                let mut call = users.messages_list("me").max_results(query.max);
                for label in &query.label_ids {
                    call = call.add_label_ids(label);
                }
                if query.include_spam_trash {
                    call = call.include_spam_trash(true);
                }
                if let Some(q) = &query.q {
                    call = call.q(q);
                }
                if let Some(token) = &query.page_token {
                    call = call.page_token(token);
                }
                call.delegate(ear).doit().await
            })
            .await?;
        let messages = page.messages.unwrap_or_default().into_iter().map(TryInto::try_into);
        Ok(ListPage {
            messages: messages.collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
        })
    }

    /// Whole mails, each with its own outcome, in the order given.
    pub async fn raw(&self, ids: &[String]) -> Vec<(String, Result<RawMessage, ProviderError>)> {
        self.each(ids, async |id| self.get(id, "raw", &[]).await?.try_into()).await
    }

    /// What changes about mails, each with its own outcome, in the order given.
    pub async fn minimal(&self, ids: &[String]) -> Vec<(String, Result<MessageState, ProviderError>)> {
        self.each(ids, async |id| self.get(id, "minimal", &[]).await?.try_into()).await
    }

    /// A mail with some of its header fields.
    pub async fn metadata(&self, id: &str, headers: &[&str]) -> Result<MessageMetadata, ProviderError> {
        self.get(id, "metadata", headers).await?.try_into()
    }

    async fn each<T>(
        &self,
        ids: &[String],
        fetch: impl AsyncFn(&str) -> Result<T, ProviderError>,
    ) -> Vec<(String, Result<T, ProviderError>)> {
        let fetch = &fetch;
        stream::iter(ids).map(async |id| (id.clone(), fetch(id).await)).buffered(AT_ONCE).collect().await
    }

    async fn get(&self, id: &str, format: &str, headers: &[&str]) -> Result<api::Message, ProviderError> {
        let (_, message) = self
            .call(GET, async |hub, ear| {
                let users = hub.users();
                let mut call = users.messages_get("me", id).format(format);
                for header in headers {
                    call = call.add_metadata_headers(header);
                }
                call.delegate(ear).doit().await
            })
            .await?;
        Ok(message)
    }

    /// Gives a mail labels and takes others off.
    pub async fn modify(&self, id: &str, add: &[String], remove: &[String]) -> Result<MessageState, ProviderError> {
        let (_, message) = self
            .call(MODIFY, async |hub, ear| {
                let request = api::ModifyMessageRequest { add_label_ids: some(add), remove_label_ids: some(remove) };
                hub.users().messages_modify(request, "me", id).delegate(ear).doit().await
            })
            .await?;
        message.try_into()
    }

    /// The same for up to a thousand mails. Nothing is told of each.
    pub async fn batch_modify(&self, ids: &[String], add: &[String], remove: &[String]) -> Result<(), ProviderError> {
        self.call(BATCH_MODIFY, async |hub, ear| {
            let request = api::BatchModifyMessagesRequest {
                ids: Some(ids.to_vec()),
                add_label_ids: some(add),
                remove_label_ids: some(remove),
            };
            hub.users().messages_batch_modify(request, "me").delegate(ear).doit().await
        })
        .await?;
        Ok(())
    }

    /// Puts a mail into the trash.
    pub async fn trash(&self, id: &str) -> Result<MessageState, ProviderError> {
        let (_, message) =
            self.call(TRASH, async |hub, ear| hub.users().messages_trash("me", id).delegate(ear).doit().await).await?;
        message.try_into()
    }

    /// Takes a mail out of the trash.
    pub async fn untrash(&self, id: &str) -> Result<MessageState, ProviderError> {
        let (_, message) = self
            .call(UNTRASH, async |hub, ear| hub.users().messages_untrash("me", id).delegate(ear).doit().await)
            .await?;
        message.try_into()
    }
}

fn some(labels: &[String]) -> Option<Vec<String>> {
    (!labels.is_empty()).then(|| labels.to_vec())
}
