//! Labels.

use crate::support::{ANN, World, ids};
use serde_json::json;

#[tokio::test]
async fn the_list_has_names_and_no_counts() {
    let world = World::new();
    world.mail(1);
    let list = world.get("labels").await.ok();
    let inbox = list["labels"].as_array().unwrap().iter().find(|label| label["id"] == "INBOX").unwrap();
    assert_eq!(inbox, &json!({"id": "INBOX", "name": "INBOX", "type": "system"}));
    let inbox = world.get("labels/INBOX").await.ok();
    assert_eq!((&inbox["messagesTotal"], &inbox["messagesUnread"]), (&json!(1), &json!(1)));
    assert_eq!(inbox["threadsTotal"], 1);
}

#[tokio::test]
async fn a_label_is_made_renamed_and_removed() {
    let world = World::new();
    let made = world.post("labels", json!({"name": "Clients/North"})).await.ok();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("Label_") && made["type"] == "user");
    assert_eq!(world.patch(&format!("labels/{id}"), json!({"name": "South"})).await.ok()["name"], "South");
    let body = json!({"id": id, "name": "West", "labelListVisibility": "labelHide", "messageListVisibility": "hide"});
    assert_eq!(world.put(&format!("labels/{id}"), body).await.ok()["labelListVisibility"], "labelHide");
    assert_eq!(world.delete(&format!("labels/{id}")).await.status, 204);
    assert_eq!(world.get(&format!("labels/{id}")).await.reason(), (404, "notFound"));
    assert!(!ids(&world.get("labels").await.ok()["labels"]).contains(&id));
}

#[tokio::test]
async fn a_name_belongs_to_one_label_and_not_to_gmail() {
    let world = World::new();
    world.post("labels", json!({"name": "Clients"})).await.ok();
    let again = world.post("labels", json!({"name": "clients"})).await;
    assert_eq!(
        (again.status, again.json["error"]["message"].as_str().unwrap()),
        (409, "Label name exists or conflicts")
    );
    for body in [json!({"name": "inbox"}), json!({"name": " "}), json!({}), json!({"name": "x".repeat(226)})] {
        assert_eq!(world.post("labels", body).await.reason(), (400, "invalidArgument"));
    }
    let half = json!({"name": "x", "color": {"backgroundColor": "#000000"}});
    assert_eq!(world.post("labels", half).await.status, 400);
}

#[tokio::test]
async fn labels_of_the_system_stay_as_they_are() {
    let world = World::new();
    assert_eq!(world.delete("labels/INBOX").await.json["error"]["message"], "Invalid delete request");
    assert_eq!(
        world.patch("labels/INBOX", json!({"name": "x"})).await.json["error"]["message"],
        "Invalid update request"
    );
}

#[tokio::test]
async fn a_label_that_goes_leaves_its_mails_and_the_history_says_so() {
    let world = World::new();
    let id = world.mail(1).id;
    let label = world.gmail.create_label(ANN, "Clients").unwrap();
    world.gmail.relabel(ANN, std::slice::from_ref(&id), &[&label], &[]).unwrap();
    let start = world.history_id().await;
    world.delete(&format!("labels/{label}")).await.ok();
    let history = world.history(&start).await;
    assert_eq!(history["history"][0]["labelsRemoved"][0]["labelIds"], json!([label]));
    assert_eq!(world.get(&format!("messages/{id}")).await.ok()["labelIds"], json!(["INBOX", "UNREAD"]));
}
