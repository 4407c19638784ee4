//! The control API over HTTP.

use crate::support::{ANN, Answer, CLIENT, MODIFY, World, raw};
use serde_json::{Value, json};

async fn act(world: &World, name: &str, arguments: Value) -> Answer {
    Answer::of(world.http.post(world.url(&format!("/_control/{name}"))).json(&arguments)).await
}

async fn read(world: &World, path: &str) -> Answer {
    Answer::of(world.http.get(world.url(&format!("/_control/{path}")))).await
}

#[tokio::test]
async fn a_whole_world_is_made_over_http() {
    let world = World::new();
    act(&world, "add_user", json!({"email": "Eve@example.com", "name": "Eve"})).await.ok();
    let raw = raw("carol@example.org", "eve@example.com", "Hello", "<h@x>", "");
    let seed =
        json!({"user": "eve@example.com", "raw": raw, "labels": ["INBOX"], "internal_date": 1_700_000_000_000_u64});
    let mail = act(&world, "add_mail", seed).await.ok();
    let tokens = json!({"user": "eve@example.com", "client": CLIENT, "scopes": [MODIFY]});
    let tokens = act(&world, "grant", tokens).await.ok();
    let url = world.url("/gmail/v1/users/me/messages");
    let list = Answer::of(world.http.get(url).bearer_auth(tokens["access_token"].as_str().unwrap())).await.ok();
    assert_eq!(list["messages"][0]["id"], mail["id"]);

    let ids = json!([mail["id"]]);
    act(&world, "relabel", json!({"user": "eve@example.com", "ids": ids, "add": ["STARRED"]})).await.ok();
    let dump = read(&world, "users/eve@example.com").await.ok();
    assert_eq!(dump["mails"][0]["labels"], json!(["INBOX", "STARRED"]));
    let path = format!("users/eve@example.com/mails/{}", mail["id"].as_str().unwrap());
    assert_eq!(read(&world, &path).await.text, raw);
    act(&world, "delete_mails", json!({"user": "eve@example.com", "ids": ids})).await.ok();
    assert_eq!(read(&world, "users/eve@example.com").await.ok()["mails"], json!([]));
}

#[tokio::test]
async fn conditions_are_set_and_read() {
    let world = World::new();
    let rule = json!({
        "calls": "labels.*", "when": {"percent": 100.0},
        "fault": {"kind": "too_many_requests", "retry_after": {"seconds": 3}},
    });
    act(&world, "add_fault", rule).await.ok();
    assert_eq!(world.get("labels").await.header("retry-after"), "3");
    let faults = read(&world, "faults").await.ok();
    assert_eq!((&faults[0]["seen"], &faults[0]["hit"]), (&json!(1), &json!(1)));
    act(&world, "clear_faults", json!({})).await.ok();
    let settings = act(&world, "settings", json!({"keeps_message_id": true, "quota_scale": null})).await.ok();
    assert_eq!((&settings["keeps_message_id"], &settings["quota_scale"]), (&json!(true), &Value::Null));
    assert_eq!(read(&world, "counts").await.ok()["by_name"]["labels.list"], 1);
    act(&world, "advance", json!({"seconds": 3600})).await.ok();
    assert_eq!(world.get("labels").await.status, 401);
}

#[tokio::test]
async fn a_slip_is_answered_at_once() {
    let world = World::new();
    for (name, arguments) in [
        ("add_usr", json!({})),
        ("add_user", json!({"email": "x@y", "nmae": "X"})),
        ("expire_history", json!({})),
        ("expire_history", json!({"user": ANN, "more": 1})),
        ("settings", json!({"keep_message_id": true})),
        ("purge", json!({"user": "nobody@example.com"})),
    ] {
        let answer = act(&world, name, arguments.clone()).await;
        assert_eq!(answer.status, 400, "{name} {arguments}");
        assert!(answer.json["error"].is_string());
    }
    assert_eq!(read(&world, "nothing").await.status, 404);
}
