//! The control API over HTTP.

use crate::support::{ANN, Answer, CLIENT, World, at, raw};
use serde_json::{Value, json};

async fn act(world: &World, name: &str, arguments: Value) -> Answer {
    Answer::of(world.http.post(world.url(&format!("/_control/{name}"))).json(&arguments)).await
}

async fn read(world: &World, path: &str) -> Answer {
    Answer::of(world.http.get(world.url(&format!("/_control/{path}")))).await
}

#[tokio::test]
async fn a_whole_world_is_made_over_http() {
    let world = World::calm();
    act(&world, "add_user", json!({"email": "eve@example.com", "name": "Eve"})).await.ok();
    let raw = raw("carol@example.org", "eve@example.com", "Hello", "<h@x>", "");
    let seed = json!({"user": "eve@example.com", "raw": raw, "received": 1_700_000_000_000_u64, "is_read": true});
    let mail = act(&world, "add_mail", seed).await.ok();
    let (id, lasting) = (mail["id"].as_str().unwrap(), mail["immutable_id"].as_str().unwrap());
    let tokens = json!({"user": "eve@example.com", "client": CLIENT, "scopes": ["Mail.ReadWrite"]});
    let tokens = act(&world, "grant", tokens).await.ok();
    let url = world.url(&format!("/v1.0/{}", at(id)));
    let shown = Answer::of(world.http.get(url).bearer_auth(tokens["access_token"].as_str().unwrap())).await.ok();
    assert_eq!((&shown["subject"], &shown["isRead"]), (&json!("Hello"), &json!(true)));

    act(&world, "change_mail", json!({"user": "eve@example.com", "id": id, "flag": "flagged"})).await.ok();
    let moved =
        act(&world, "move_mails", json!({"user": "eve@example.com", "ids": [id], "folder": "archive"})).await.ok();
    assert_eq!(moved[0]["immutable_id"], json!(lasting));
    let dump = read(&world, "users/eve@example.com").await.ok();
    assert_eq!((&dump["mails"][0]["well_known"], &dump["mails"][0]["flag"]), (&json!("archive"), &json!("flagged")));
    let path = format!("users/eve@example.com/mails/{}", crate::support::piece(lasting));
    assert!(read(&world, &path).await.text.contains("Subject: Hello"));
    act(&world, "delete_mails", json!({"user": "eve@example.com", "ids": [lasting]})).await.ok();
    assert_eq!(read(&world, "users/eve@example.com").await.ok()["mails"], json!([]));
}

#[tokio::test]
async fn conditions_are_set_and_read() {
    let world = World::new();
    let rule = json!({
        "calls": "folders.*", "when": {"percent": 100.0},
        "fault": {"kind": "busy", "status": 503, "retry_after": {"seconds": 3}},
    });
    act(&world, "add_fault", rule).await.ok();
    assert_eq!(world.get("me/mailFolders").await.header("retry-after"), "3");
    act(&world, "clear_faults", json!({})).await.ok();
    let settings = act(&world, "settings", json!({"delta_lag_millis": 5, "quota_scale": null})).await.ok();
    assert_eq!((&settings["delta_lag_millis"], &settings["quota_scale"]), (&json!(5), &Value::Null));
    let counts = read(&world, "counts").await.ok();
    assert_eq!(
        (&counts["by_name"]["folders.list"], counts["most_in_flight"].as_object().unwrap().len()),
        (&json!(1), 1)
    );
    act(&world, "advance", json!({"seconds": 7200})).await.ok();
    assert_eq!(world.get("me/mailFolders").await.status, 401);
}

#[tokio::test]
async fn a_slip_is_answered_at_once() {
    let world = World::new();
    for (name, arguments) in [
        ("add_usr", json!({})),
        ("add_user", json!({"email": "x@y", "nmae": "X"})),
        ("add_mail", json!({"user": ANN, "raw": "", "labels": []})),
        ("expire_delta", json!({})),
        ("expire_delta", json!({"user": ANN, "more": 1})),
        ("expire_delta", json!({"user": "nobody@example.com"})),
        ("change_mail", json!({"user": ANN, "id": "x", "is_raed": true})),
        ("settings", json!({"delta_lag": 1})),
    ] {
        let answer = act(&world, name, arguments.clone()).await;
        assert_eq!(answer.status, 400, "{name} {arguments}");
        assert!(answer.json["error"].is_string());
    }
    assert_eq!(read(&world, "nothing").await.status, 404);
}
