//! Folders: the known ones, nested ones, and what may be done to them.

use crate::support::{ANN, World, all, piece};
use duplex_emulators::graph::control::NewUser;
use duplex_emulators::graph::switches::Often;
use serde_json::json;

#[tokio::test]
async fn lists_show_the_first_level_and_ten_at_once() {
    let world = World::calm();
    (1..=4).for_each(|number| drop(world.graph.create_folder(ANN, &format!("Z{number}"), None, false)));
    let first = world.get("me/mailFolders").await.ok();
    assert_eq!(first["value"].as_array().unwrap().len(), 10);
    let second = world.get(first["@odata.nextLink"].as_str().unwrap()).await.ok();
    let names: Vec<&str> = [all(&first, "displayName"), all(&second, "displayName")].concat();
    assert!(names.contains(&"Inbox") && names.contains(&"Z4") && !names.contains(&"Sync Issues"));
    assert!(second.get("@odata.nextLink").is_none());
    let all_of_them = world.get("me/mailFolders?$top=100&includeHiddenFolders=true&$count=true").await.ok();
    assert!(all(&all_of_them, "displayName").contains(&"Sync Issues"));
    assert_eq!(all_of_them["@odata.count"], all_of_them["value"].as_array().unwrap().len());
}

#[tokio::test]
async fn a_known_name_is_an_id_in_any_language() {
    let world = World::calm();
    world.graph.add_user(NewUser { email: ANN.to_owned(), german: true, ..NewUser::default() });
    world.mail(1);
    let inbox = world.get("me/mailFolders/inbox").await.ok();
    assert_eq!((&inbox["displayName"], &inbox["unreadItemCount"]), (&json!("Posteingang"), &json!(1)));
    assert!(inbox.get("wellKnownName").is_none());
    let by_id = world.get(&format!("me/mailFolders/{}", piece(inbox["id"].as_str().unwrap()))).await.ok();
    assert_eq!(by_id["displayName"], "Posteingang");
    for name in ["drafts", "SentItems", "deleteditems", "junkemail", "archive", "outbox", "msgfolderroot"] {
        assert_eq!(world.get(&format!("me/mailFolders/{name}")).await.status, 200, "{name}");
    }
    assert_eq!(world.get("me/mailFolders/starred").await.code(), (400, "ErrorInvalidIdMalformed"));
}

#[tokio::test]
async fn folders_are_nested() {
    let world = World::calm();
    let parent = world.post("me/mailFolders", json!({"displayName": "Clients"})).await;
    assert_eq!(parent.status, 201);
    let parent = parent.ok()["id"].as_str().unwrap().to_owned();
    let below = format!("me/mailFolders/{}/childFolders", piece(&parent));
    let child = world.post(&below, json!({"displayName": "Acme"})).await.ok();
    assert_eq!(child["parentFolderId"], json!(parent));
    assert_eq!(world.post(&below, json!({"displayName": "acme"})).await.code(), (409, "ErrorFolderExists"));
    assert_eq!(all(&world.get(&below).await.ok(), "displayName"), ["Acme"]);
    let listed = world.get("me/mailFolders?$filter=displayName eq 'Clients'&$expand=childFolders").await.ok();
    assert_eq!(listed["value"][0]["childFolderCount"], 1);
    assert_eq!(listed["value"][0]["childFolders"][0]["displayName"], "Acme");
    let single = world.get(&format!("me/mailFolders/{}?$expand=childFolders", piece(&parent))).await.ok();
    assert_eq!(single["childFolders"][0]["displayName"], "Acme");
    let path = format!("{below}/{}/messages", piece(child["id"].as_str().unwrap()));
    assert_eq!(world.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_folder_keeps_its_id_when_it_moves() {
    let world = World::calm();
    let folder = world.graph.create_folder(ANN, "Old", None, false).unwrap();
    let path = format!("me/mailFolders/{}", piece(&folder));
    assert_eq!(world.patch(&path, json!({"displayName": "New"})).await.ok()["displayName"], "New");
    let moved = world.post(&format!("{path}/move"), json!({"destinationId": "archive"})).await;
    assert_eq!(moved.status, 200);
    assert_eq!(moved.ok()["id"], json!(folder));
    let into_itself = world.post(&format!("{path}/move"), json!({"DestinationId": folder})).await;
    assert_eq!(into_itself.code(), (400, "ErrorMoveCopyFailed"));
}

#[tokio::test]
async fn where_a_deleted_folder_goes_is_not_to_be_relied_on() {
    let world = World::calm();
    let mut found = Vec::new();
    for name in ["One", "Two"] {
        let folder = world.graph.create_folder(ANN, name, None, false).unwrap();
        let path = format!("me/mailFolders/{}", piece(&folder));
        assert_eq!(world.delete(&path).await.status, 204);
        found.push(world.get(&path).await.status);
    }
    found.sort_unstable();
    assert_eq!(found, [200, 404]);
    world.graph.change_settings(|settings| settings.delete_hides = Often::Never);
    let folder = world.graph.create_folder(ANN, "Three", None, false).unwrap();
    let path = format!("me/mailFolders/{}", piece(&folder));
    assert_eq!(world.call(reqwest::Method::POST, &format!("{path}/permanentDelete"), &[], None).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
}

#[tokio::test]
async fn folders_that_everybody_has_stay() {
    let world = World::calm();
    assert_eq!(world.delete("me/mailFolders/inbox").await.code(), (400, "ErrorDeleteDistinguishedFolder"));
    assert_eq!(world.patch("me/mailFolders/inbox", json!({"displayName": "X"})).await.status, 403);
    assert_eq!(world.post("me/mailFolders/inbox/move", json!({"destinationId": "archive"})).await.status, 400);
    assert_eq!(world.post("me/mailFolders", json!({"displayName": ""})).await.code(), (400, "ErrorInvalidFolderName"));
    assert_eq!(world.post("me/mailFolders", json!({"name": "X"})).await.code(), (400, "RequestBodyRead"));
}

#[tokio::test]
async fn a_search_folder_says_so() {
    let world = World::calm();
    world.graph.create_search_folder(ANN, "Big ones", "size gt 1000").unwrap();
    let list = world.get("me/mailFolders/searchfolders/childFolders").await.ok();
    assert_eq!(list["value"][0]["@odata.type"], "#microsoft.graph.mailSearchFolder");
}
