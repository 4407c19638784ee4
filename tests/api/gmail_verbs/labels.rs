//! Labels, addresses to send from, and the order for notifications.

use super::{ANN, World, texts};
use duplex::providers::ProviderErrorKind;
use duplex_emulators::gmail::model::SendAs;

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_made_renamed_counted_and_deleted() {
    let world = World::start();
    let ids = world.mails(2);
    let made = world.mailbox.create_label("Deals/2026 é").await.unwrap();
    assert_eq!((&*made.name, made.is_system), ("Deals/2026 é", false));
    let twice = world.mailbox.create_label("Deals/2026 é").await.unwrap_err();
    assert_eq!(twice.kind, ProviderErrorKind::Conflict);

    world.mailbox.batch_modify(&ids, &[made.id.clone()], &[]).await.unwrap();
    world.mailbox.modify(&ids[0], &[], &texts(&["UNREAD"])).await.unwrap();
    let counts = world.mailbox.label_counts(&made.id).await.unwrap();
    assert_eq!((counts.total, counts.unread), (2, 1));

    assert_eq!(world.mailbox.rename_label(&made.id, "Won").await.unwrap().name, "Won");
    let labels = world.mailbox.labels().await.unwrap();
    assert!(labels.iter().any(|label| label.id == made.id && label.name == "Won" && !label.is_system));
    assert!(labels.iter().any(|label| label.id == "INBOX" && label.is_system));

    world.mailbox.delete_label(&made.id).await.unwrap();
    assert_eq!(world.mailbox.delete_label(&made.id).await.unwrap_err().kind, ProviderErrorKind::NotFound);
    assert_eq!(world.mailbox.create_label("INBOX").await.unwrap_err().kind, ProviderErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_to_send_from_tell_whether_they_may_be_used() {
    let world = World::start();
    let alias = |address: &str, status: &str| SendAs {
        send_as_email: address.to_owned(),
        display_name: "Sales".to_owned(),
        signature: "<b>Sales</b>".to_owned(),
        verification_status: Some(status.to_owned()),
        ..SendAs::default()
    };
    world.gmail.put_send_as(ANN, alias("sales@gmail.example", "accepted"));
    world.gmail.put_send_as(ANN, alias("new@gmail.example", "pending"));
    let found = world.mailbox.send_as().await.unwrap();
    let of = |address: &str| found.iter().find(|it| it.address == address).unwrap();
    assert!(of(ANN).is_primary && of(ANN).is_verified && of(ANN).is_default);
    assert!(of("sales@gmail.example").is_verified && !of("new@gmail.example").is_verified);
    assert_eq!(of("sales@gmail.example").signature_html.as_deref(), Some("<b>Sales</b>"));
    assert_eq!(of("sales@gmail.example").display_name.as_deref(), Some("Sales"));
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_ordered_renewed_and_ended() {
    let world = World::start();
    world.gmail.add_topic("projects/p/topics/mail", true);
    world.gmail.add_topic("projects/p/topics/other", true);
    world.gmail.add_topic("projects/p/topics/closed", false);
    for _ in 0..2 {
        let watch = world.mailbox.watch("projects/p/topics/mail", &[]).await.unwrap();
        assert_eq!(watch.history_id, world.mailbox.profile().await.unwrap().history_id);
        assert!(watch.expires_at.unwrap().timestamp_millis() > world.gmail.now() + 6 * 24 * 3_600_000);
    }
    let taken = world.mailbox.watch("projects/p/topics/other", &texts(&["INBOX"])).await.unwrap_err();
    assert_eq!((taken.kind, taken.code), (ProviderErrorKind::Conflict, "provider_watch_taken"));
    world.mailbox.stop_watch().await.unwrap();
    world.mailbox.watch("projects/p/topics/other", &texts(&["INBOX"])).await.unwrap();
    world.mailbox.stop_watch().await.unwrap();
    world.mailbox.watch("projects/p/topics/closed", &[]).await.unwrap_err();
}
