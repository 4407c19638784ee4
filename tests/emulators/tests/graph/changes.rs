//! Messages as they are changed, moved, copied and deleted.

use crate::support::{ANN, IMMUTABLE, SCOPES, World, all, at, piece};
use duplex_emulators::graph::switches::Often;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn what_a_reader_may_change_is_changed() {
    let world = World::calm();
    let mail = world.mail(1);
    let before = world.get(&at(&mail.id)).await.ok();
    let body = json!({"isRead": true, "flag": {"flagStatus": "flagged"}, "categories": ["Red", "Blue"],
                      "importance": "high", "inferenceClassification": "other"});
    let after = world.patch(&at(&mail.id), body).await.ok();
    assert_eq!((&after["isRead"], &after["flag"]["flagStatus"]), (&json!(true), &json!("flagged")));
    assert_eq!((&after["categories"], &after["importance"]), (&json!(["Red", "Blue"]), &json!("high")));
    assert_ne!(after["changeKey"], before["changeKey"]);
    assert_eq!(after["id"], before["id"]);
}

#[tokio::test]
async fn what_was_received_is_not_rewritten() {
    let world = World::calm();
    let mail = world.mail(1);
    for body in [
        json!({"subject": "Other"}),
        json!({"body": {"contentType": "text", "content": "x"}}),
        json!({"toRecipients": []}),
        json!({"isRead": true, "internetMessageId": "<x@y>"}),
    ] {
        assert_eq!(world.patch(&at(&mail.id), body.clone()).await.code(), (403, "ErrorAccessDenied"), "{body}");
    }
    assert_eq!(world.get(&at(&mail.id)).await.ok()["isRead"], false);
    let allowed = World::with_scopes(&[&SCOPES[..], &["Mail-Advanced.ReadWrite"]].concat());
    let mail = allowed.mail(1);
    assert_eq!(allowed.patch(&at(&mail.id), json!({"subject": "Other"})).await.ok()["subject"], "Other");
}

#[tokio::test]
async fn nonsense_is_refused() {
    let world = World::calm();
    let mail = world.mail(1);
    for (body, code) in [
        (json!({"isRaed": true}), "RequestBodyRead"),
        (json!({"isRead": "yes"}), "RequestBodyRead"),
        (json!({"flag": {"flagStatus": "waved"}}), "RequestBodyRead"),
        (json!([]), "RequestBodyRead"),
        (json!({"singleValueExtendedProperties": [{"id": "String x", "value": "1"}]}), "ErrorInvalidExtendedProperty"),
    ] {
        assert_eq!(world.patch(&at(&mail.id), body.clone()).await.code(), (400, code), "{body}");
    }
    let draft = world.post("me/messages", json!({"subject": "D"})).await.ok();
    let path = at(draft["id"].as_str().unwrap());
    assert_eq!(world.patch(&path, json!({"bodyPreview": "x"})).await.code(), (400, "ErrorInvalidPropertySet"));
    let text = world.request(Method::PATCH, &at(&mail.id)).header("Content-Type", "text/csv").body("x");
    assert_eq!(crate::support::Answer::of(text).await.status, 415);
    let bare = world.request(Method::PATCH, &at(&mail.id)).body("{}");
    assert_eq!(crate::support::Answer::of(bare).await.code(), (400, "BadRequest"));
}

#[tokio::test]
async fn a_change_may_insist_on_what_it_knows() {
    let world = World::calm();
    let mail = world.mail(1);
    let etag = world.get(&at(&mail.id)).await.ok()["@odata.etag"].as_str().unwrap().to_owned();
    let patch = async |read: bool| {
        world.call(Method::PATCH, &at(&mail.id), &[("If-Match", &etag)], Some(json!({"isRead": read}))).await
    };
    assert_eq!(patch(true).await.status, 200);
    assert_eq!(patch(false).await.code(), (412, "ErrorIrresolvableConflict"));
}

#[tokio::test]
async fn a_move_answers_with_another_mail() {
    let world = World::calm();
    let mail = world.mail(1);
    let moved = world.post(&format!("{}/move", at(&mail.id)), json!({"destinationId": "deleteditems"})).await;
    assert_eq!(moved.status, 201);
    let moved = moved.ok();
    assert_ne!(moved["id"], json!(mail.id));
    let bin = world.graph.folder_id(ANN, "deleteditems").unwrap();
    assert_eq!(moved["parentFolderId"], json!(bin));
    assert_eq!(world.get(&at(&mail.id)).await.status, 404);
    let path = format!("{}/move", at(&mail.immutable_id));
    let back = world.post_with(&path, &[IMMUTABLE], json!({"DestinationId": "inbox"})).await.ok();
    assert_eq!(back["id"], json!(mail.immutable_id));
    let nowhere = world.post(&path, json!({"destinationId": "nowhere"})).await;
    assert_eq!(nowhere.code(), (400, "ErrorInvalidIdMalformed"));
    assert_eq!(world.post(&path, json!({})).await.status, 400);
    assert_eq!(world.post(&path, json!({"destination": "inbox"})).await.code(), (400, "RequestBodyRead"));
}

#[tokio::test]
async fn a_copy_is_a_mail_of_its_own() {
    let world = World::calm();
    let mail = world.mail(1);
    let copy =
        world.post_with(&format!("{}/copy", at(&mail.id)), &[IMMUTABLE], json!({"destinationId": "archive"})).await;
    assert_eq!(copy.status, 201);
    let copy = copy.ok();
    assert_ne!(copy["id"], json!(mail.immutable_id));
    assert_eq!(copy["internetMessageId"], "<1@example.org>");
    assert_eq!(world.get(&at(&mail.id)).await.status, 200);
}

#[tokio::test]
async fn where_delete_puts_a_mail_is_not_to_be_relied_on() {
    let world = World::calm();
    let mails: Vec<_> = (1..=2).map(|number| world.mail(number)).collect();
    for mail in &mails {
        assert_eq!(world.delete(&at(&mail.id)).await.status, 204);
    }
    assert_eq!(all(&world.get("me/mailFolders/deleteditems/messages").await.ok(), "subject").len(), 1);
    assert_eq!(all(&world.get("me/mailFolders/recoverableitemsdeletions/messages").await.ok(), "subject").len(), 1);
    world.graph.change_settings(|settings| settings.delete_hides = Often::Never);
    let mail = world.mail(3);
    world.delete(&at(&mail.id)).await;
    assert_eq!(all(&world.get("me/mailFolders/deleteditems/messages").await.ok(), "subject").len(), 2);
}

#[tokio::test]
async fn what_is_deleted_for_good_is_nowhere() {
    let world = World::calm();
    let mail = world.mail(1);
    let (_, link) = world.round("me/mailFolders/inbox/messages/delta?$select=id", &[IMMUTABLE]).await;
    assert_eq!(world.post_empty(&format!("{}/permanentDelete", at(&mail.id))).await.status, 204);
    assert_eq!(world.get(&at(&mail.immutable_id)).await.code(), (404, "ErrorItemNotFound"));
    let (items, _) = world.round(&link, &[IMMUTABLE]).await;
    assert_eq!(items[0]["@removed"]["reason"], "deleted");
}

#[tokio::test]
async fn a_mail_is_found_in_its_folder_and_in_no_other() {
    let world = World::calm();
    let mail = world.mail(1);
    let within = |folder: &str| format!("me/mailFolders/{folder}/messages/{}", piece(&mail.id));
    assert_eq!(world.get(&within("inbox")).await.status, 200);
    assert_eq!(world.get(&within("archive")).await.status, 404);
    assert_eq!(world.patch(&within("inbox"), json!({"isRead": true})).await.status, 200);
    let moved = world.post(&format!("{}/move", within("inbox")), json!({"destinationId": "archive"})).await;
    assert_eq!(moved.status, 201);
}
