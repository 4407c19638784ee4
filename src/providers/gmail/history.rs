//! What changed in a mailbox.

use google_gmail1::api;

use super::call::Method;
use super::client::GmailMailbox;
use super::convert::required;
use super::error::Sort;
use super::model::HistoryPage;
use super::transport::Request;
use crate::providers::ProviderError;

const HISTORY: Method = Method::new("history.list", 2, Sort::History);

/// Entries of one page, the most that Gmail gives.
const PAGE: &str = "500";

impl GmailMailbox {
    /// A page of what changed after a place in the history. A place that Gmail has forgotten is `CursorExpired`.
    pub async fn history(&self, start: u64, page_token: Option<&str>) -> Result<HistoryPage, ProviderError> {
        let mut request =
            Request::get(&["history"]).with("startHistoryId", &start.to_string()).with("maxResults", PAGE);
        if let Some(token) = page_token {
            request = request.with("pageToken", token);
        }
        let page: api::ListHistoryResponse = self.call(HISTORY, request).await?;
        let next_page_token = page.next_page_token.filter(|token| !token.is_empty());
        let history_id = match next_page_token {
            Some(_) => page.history_id.unwrap_or(start),
            None => required(page.history_id, "the place in the history")?,
        };
        let records = page.history.unwrap_or_default().into_iter().map(Into::into).collect();
        Ok(HistoryPage { records, history_id, next_page_token })
    }
}
