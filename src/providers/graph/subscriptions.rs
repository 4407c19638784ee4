//! Orders for notifications.

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Method;
use serde_json::json;

use super::client::{Ask, GraphMailbox, MailboxRoot};
use super::model::Subscription;
use crate::providers::ProviderError;
use crate::secret::Secret;

impl GraphMailbox {
    /// Orders notifications of every change of mail. Graph asks our address for its consent before it answers.
    pub async fn subscribe(
        &self,
        notify: &str,
        lifecycle: &str,
        client_state: &Secret,
        until: DateTime<Utc>,
    ) -> Result<Subscription, ProviderError> {
        let resource = match &self.root {
            MailboxRoot::Me => "/me/messages".to_owned(),
            MailboxRoot::User(id) => format!("/users/{id}/messages"),
        };
        let order = json!({
            "changeType": "created,updated,deleted",
            "notificationUrl": notify,
            "lifecycleNotificationUrl": lifecycle,
            "resource": resource,
            "expirationDateTime": until.to_rfc3339_opts(SecondsFormat::Secs, true),
            "clientState": client_state.expose(),
        });
        self.read(Ask::new(Method::POST, vec!["subscriptions".to_owned()]).json(order)).await
    }

    /// Lets an order go on until a later time; `NotFound` when it has ended.
    pub async fn renew_subscription(&self, id: &str, until: DateTime<Utc>) -> Result<Subscription, ProviderError> {
        let body = json!({ "expirationDateTime": until.to_rfc3339_opts(SecondsFormat::Secs, true) });
        self.read(Ask::new(Method::PATCH, vec!["subscriptions".to_owned(), id.to_owned()]).json(body)).await
    }

    /// Ends an order.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), ProviderError> {
        self.ask(Ask::new(Method::DELETE, vec!["subscriptions".to_owned(), id.to_owned()])).await?;
        Ok(())
    }
}
