//! Addresses to send from.

use crate::support::{ANN, World};
use duplex_emulators::gmail::model::SendAs;
use duplex_emulators::gmail::scopes::names::{SETTINGS, SHARING};
use serde_json::json;

fn alias() -> SendAs {
    SendAs {
        send_as_email: "sales@example.com".to_owned(),
        display_name: "Sales".to_owned(),
        signature: "<b>Sales</b>".to_owned(),
        treat_as_alias: true,
        verification_status: Some("accepted".to_owned()),
        ..SendAs::default()
    }
}

#[tokio::test]
async fn addresses_and_signatures_are_read_with_the_modify_scope() {
    let world = World::new();
    world.gmail.put_send_as(ANN, alias());
    let list = world.get("settings/sendAs").await.ok();
    assert_eq!(list["sendAs"][0]["sendAsEmail"], ANN);
    assert_eq!(list["sendAs"][0]["isPrimary"], true);
    assert!(list["sendAs"][0].get("verificationStatus").is_none());
    let one = world.get("settings/sendAs/sales@example.com").await.ok();
    assert_eq!((&one["signature"], &one["verificationStatus"]), (&json!("<b>Sales</b>"), &json!("accepted")));
    assert_eq!(world.get("settings/sendAs/other@example.com").await.reason(), (404, "notFound"));
}

#[tokio::test]
async fn changing_them_needs_the_scope_of_settings() {
    let world = World::new();
    let path = "settings/sendAs/ann@example.com";
    assert_eq!(world.patch(path, json!({"signature": "x"})).await.reason(), (403, "insufficientPermissions"));
    let world = World::with_scopes(&[SETTINGS]);
    assert_eq!(world.patch(path, json!({"signature": "x"})).await.ok()["signature"], "x");
    assert_eq!(world.put(path, json!({"displayName": "Ann B."})).await.ok()["displayName"], "Ann B.");
}

#[tokio::test]
async fn new_addresses_are_for_service_accounts_alone() {
    let world = World::with_scopes(&[SHARING]);
    let answer = world.post("settings/sendAs", json!({"sendAsEmail": "new@example.com"})).await;
    assert_eq!(answer.reason(), (403, "forbidden"));
    assert_eq!(world.delete("settings/sendAs/ann@example.com").await.status, 403);
    assert_eq!(world.post_empty("settings/sendAs/ann@example.com/verify").await.status, 403);
}
