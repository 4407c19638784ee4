//! Subscriptions as a test sees them, and what goes wrong with notifications.

use crate::graph::Graph;
use crate::graph::subscriptions::{Delivery, Lifecycle, PushFaults, validated};

impl Graph {
    /// Ids of the subscriptions there are, with the resource of each and its end in milliseconds.
    pub fn subscriptions(&self) -> Vec<(String, String, i64)> {
        let state = self.state();
        let now = state.now();
        let live = state.subscriptions.all.values().filter(|one| one.expires > now);
        live.map(|one| (one.id.clone(), one.resource.clone(), one.expires)).collect()
    }

    /// Forgets a subscription without a word.
    pub fn drop_subscription(&self, id: &str) -> Option<()> {
        self.state().subscriptions.all.remove(id).map(|_| ())
    }

    /// Tells news about a subscription itself.
    pub fn lifecycle(&self, id: &str, event: Lifecycle) -> Option<()> {
        let told = self.state().lifecycle(id, event);
        self.bell.notify_waiters();
        told
    }

    /// Has the endpoints of a subscription prove themselves once more; says why they did not.
    pub async fn resend_validation(&self, id: &str) -> Result<(), String> {
        let urls: Vec<String> = {
            let state = self.state();
            let found = state.subscriptions.all.get(id).ok_or("there is no such subscription")?;
            std::iter::once(found.notification_url.clone()).chain(found.lifecycle_url.clone()).collect()
        };
        for url in urls {
            validated(self, &url).await.map_err(|error| error.message.into_string())?;
        }
        Ok(())
    }

    /// Decides what goes wrong with notifications from now on.
    pub fn set_push_faults(&self, faults: PushFaults) {
        self.state().subscriptions.faults = faults;
    }

    /// Attempts to tell so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().subscriptions.deliveries.clone()
    }

    /// How many notifications there were, and how many of them were lost.
    pub fn notifications(&self) -> (u64, u64) {
        self.state().subscriptions.counted
    }
}
