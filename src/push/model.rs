//! What the operator has set up.

use crate::config::PubSubConfig;

/// The path of the webhook that Pub/Sub pushes to.
pub(super) const GMAIL_WEBHOOK: &str = "/api/email/webhooks/gmail";

/// How Gmail tells of news here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GmailPush {
    /// The topic that Gmail publishes to.
    pub topic: String,
    /// The subscription that is pulled from.
    pub subscription: Option<String>,
    /// Who pushes.
    pub pusher: Option<Pusher>,
}

/// What the token of a push must prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pusher {
    /// Whom it must be meant for.
    pub audience: String,
    /// The service account whose it must be.
    pub email: String,
}

impl GmailPush {
    /// Reads the settings; nothing when news of Gmail are to be found by polling alone. What makes no sense is told.
    pub fn new(config: Option<&PubSubConfig>, has_service_account: bool, public_url: &str) -> Option<Self> {
        let config = config?;
        let subscription = config.subscription.clone().filter(|_| has_service_account);
        if config.subscription.is_some() && subscription.is_none() {
            tracing::warn!(
                "GOOGLE_PUBSUB_SUBSCRIPTION cannot be pulled from without a service account; set GOOGLE_SERVICE_ACCOUNT_FILE"
            );
        }
        let pusher = config.service_account.clone().map(|email| Pusher {
            audience: config.audience.clone().unwrap_or_else(|| format!("{public_url}{GMAIL_WEBHOOK}")),
            email,
        });
        if pusher.is_none() && subscription.is_none() {
            tracing::warn!(
                "GOOGLE_PUBSUB_TOPIC is set, but nobody could tell us of its messages, so news is found by polling; set \
                 GOOGLE_PUBSUB_SERVICE_ACCOUNT, who pushes, or GOOGLE_PUBSUB_SUBSCRIPTION, where to pull from"
            );
            return None;
        }
        Some(Self { topic: config.topic.clone(), subscription, pusher })
    }

    /// How the API names it.
    pub(super) fn word(&self) -> &'static str {
        if self.subscription.is_some() { "pull" } else { "webhook" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(subscription: Option<&str>, audience: Option<&str>, service_account: Option<&str>) -> PubSubConfig {
        let text = |text: &str| text.to_owned();
        PubSubConfig {
            topic: "projects/p/topics/t".to_owned(),
            subscription: subscription.map(text),
            audience: audience.map(text),
            service_account: service_account.map(text),
        }
    }

    #[test]
    fn the_settings_say_how_news_come() {
        let url = "https://crm.example";
        let word = |config: &PubSubConfig, key| GmailPush::new(Some(config), key, url).map(|push| push.word());
        assert_eq!(word(&config(None, None, Some("p@x")), false), Some("webhook"));
        assert_eq!(word(&config(Some("s"), None, None), true), Some("pull"));
        assert_eq!(word(&config(Some("s"), None, Some("p@x")), true), Some("pull"));
        assert_eq!(word(&config(Some("s"), None, Some("p@x")), false), Some("webhook"));
        assert_eq!(word(&config(Some("s"), None, None), false), None);
        assert_eq!(word(&config(None, Some("a"), None), true), None, "anybody could push");
        assert_eq!(GmailPush::new(None, true, url), None);
    }

    #[test]
    fn a_push_is_meant_for_its_endpoint_unless_told_otherwise() {
        let audience = |config: PubSubConfig| {
            GmailPush::new(Some(&config), false, "https://crm.example").unwrap().pusher.unwrap().audience
        };
        assert_eq!(audience(config(None, None, Some("p@x"))), "https://crm.example/api/email/webhooks/gmail");
        assert_eq!(audience(config(None, Some("duplex"), Some("p@x"))), "duplex");
    }
}
