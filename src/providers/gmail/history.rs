//! What changed in a mailbox.

use super::client::{GmailMailbox, Method};
use super::error::Sort;
use super::model::{HistoryPage, required};
use crate::providers::ProviderError;

const HISTORY: Method = Method::new("history.list", 2, Sort::History);

/// Entries of one page, the most that Gmail gives.
const PAGE: u32 = 500;

impl GmailMailbox {
    /// A page of what changed after a place in the history. A place that Gmail has forgotten is `CursorExpired`.
    pub async fn history(&self, start: u64, page_token: Option<&str>) -> Result<HistoryPage, ProviderError> {
        let (_, page) = self
            .call(HISTORY, async |hub, ear| {
                let users = hub.users();
                let mut call = users.history_list("me").start_history_id(start).max_results(PAGE);
                if let Some(token) = page_token {
                    call = call.page_token(token);
                }
                call.delegate(ear).doit().await
            })
            .await?;
        let records = page.history.unwrap_or_default().into_iter().map(TryInto::try_into);
        let next_page_token = page.next_page_token.filter(|token| !token.is_empty());
        let history_id = match next_page_token {
            Some(_) => page.history_id.unwrap_or(start),
            None => required(page.history_id, "the place in the history")?,
        };
        Ok(HistoryPage { records: records.collect::<Result<_, _>>()?, history_id, next_page_token })
    }
}
