//! What a person has set at Gmail, and the order for notifications.

use google_gmail1::api;

use super::call::Method;
use super::client::GmailMailbox;
use super::error::Sort;
use super::model::{SendAs, Watch};
use super::transport::Request;
use crate::providers::ProviderError;

const SEND_AS: Method = Method::new("settings.sendAs.list", 1, Sort::Ask);
const WATCH: Method = Method::new("watch", 100, Sort::Change);
const STOP: Method = Method::new("stop", 50, Sort::Change);

impl GmailMailbox {
    /// The addresses that mail may be sent from.
    pub async fn send_as(&self) -> Result<Vec<SendAs>, ProviderError> {
        let list: api::ListSendAsResponse = self.call(SEND_AS, Request::get(&["settings", "sendAs"])).await?;
        let addresses = list.send_as.unwrap_or_default().into_iter().map(SendAs::from);
        Ok(addresses.filter(|address| !address.address.is_empty()).collect())
    }

    /// Orders notifications to a Pub/Sub topic, or renews the order. They end after seven days. Without labels every change
    /// is told. An order to another topic of the same project is a `Conflict`: [`Self::stop_watch`] ends it.
    pub async fn watch(&self, topic: &str, label_ids: &[String]) -> Result<Watch, ProviderError> {
        let order = api::WatchRequest {
            topic_name: Some(topic.to_owned()),
            label_ids: (!label_ids.is_empty()).then(|| label_ids.to_vec()),
            ..api::WatchRequest::default()
        };
        self.call::<api::WatchResponse>(WATCH, Request::post(&["watch"]).json(&order)).await?.try_into()
    }

    /// Ends the notifications.
    pub async fn stop_watch(&self) -> Result<(), ProviderError> {
        self.tell(STOP, Request::post(&["stop"])).await
    }
}
