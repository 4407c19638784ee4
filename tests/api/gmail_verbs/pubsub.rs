//! Notifications fetched from a Pub/Sub subscription.

use super::{ANN, CLIENT, World, net};
use duplex::providers::gmail::{PubSub, notification};
use duplex::providers::oauth::AccessTokens;
use duplex::providers::{ProviderError, ProviderErrorKind};
use duplex::secret::Secret;
use futures_util::future::BoxFuture;
use std::time::Duration;

const TOPIC: &str = "projects/p/topics/mail";
const SUBSCRIPTION: &str = "projects/p/subscriptions/duplex";

struct Fixed(Secret);

impl AccessTokens for Fixed {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn renewed<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        self.current()
    }
}

fn tokens(world: &World, scope: &str) -> Fixed {
    Fixed(Secret::new(world.gmail.grant(ANN, CLIENT, &[scope]).unwrap().access_token))
}

#[tokio::test(flavor = "multi_thread")]
async fn news_is_pulled_and_acknowledged() {
    let world = World::start();
    world.gmail.add_topic(TOPIC, true);
    world.gmail.add_subscription(SUBSCRIPTION, TOPIC, None, Duration::from_secs(600));
    world.gmail.change_settings(|settings| settings.pull_wait_millis = 0);
    let tokens = tokens(&world, "https://www.googleapis.com/auth/pubsub");
    let pubsub = PubSub::new(&net(), world.gmail.url().parse().unwrap());
    assert_eq!(pubsub.pull(&tokens, SUBSCRIPTION, 10).await.unwrap(), []);

    // An order is told of at once.
    let watch = world.mailbox.watch(TOPIC, &[]).await.unwrap();
    let received = loop {
        let received = pubsub.pull(&tokens, SUBSCRIPTION, 10).await.unwrap();
        if !received.is_empty() {
            break received;
        }
    };
    let told = notification(&received[0].data).unwrap();
    assert_eq!((&*told.email_address, told.history_id), (ANN, Some(watch.history_id)));

    let ids = [received[0].ack_id.clone()];
    for _ in 0..2 {
        pubsub.acknowledge(&tokens, SUBSCRIPTION, &ids).await.unwrap();
    }
    pubsub.acknowledge(&tokens, SUBSCRIPTION, &[]).await.unwrap();
    assert_eq!(world.gmail.waiting(SUBSCRIPTION), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_cannot_be_used_is_the_operators() {
    let world = World::start();
    let pubsub = PubSub::new(&net(), world.gmail.url().parse().unwrap());
    let good = tokens(&world, "https://www.googleapis.com/auth/pubsub");
    let poor = tokens(&world, "https://www.googleapis.com/auth/gmail.modify");
    for (tokens, subscription) in [(&good, "projects/p/subscriptions/none"), (&poor, SUBSCRIPTION)] {
        let error = pubsub.pull(tokens, subscription, 10).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ProviderErrorKind::NeedsOperator, "pubsub_refused"), "{error:?}");
    }
}
