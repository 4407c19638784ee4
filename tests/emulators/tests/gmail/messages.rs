//! Single mails: formats, attachments, changes of labels.

use crate::support::{ANN, FULL, World, texts};
use duplex_emulators::gmail::control::Seed;
use serde_json::{Value, json};
use std::time::Duration;

const WITH_FILE: &str = "From: carol@example.org\r\nTo: ann@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
    Message-ID: <file@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello <Ann> & all\r\n\
    --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n";

fn with_file(world: &World) -> String {
    world.gmail.add_mail(ANN, Seed { raw: WITH_FILE.to_owned(), ..Seed::default() }).unwrap().id
}

#[tokio::test]
async fn numbers_of_64_bits_are_text_and_ids_are_hexadecimal() {
    let world = World::new();
    let id = world.mail(1).id;
    let mail = world.get(&format!("messages/{id}?format=minimal")).await.ok();
    assert_eq!(mail["internalDate"], "1700000001000");
    assert!(mail["historyId"].as_str().unwrap().parse::<u64>().is_ok());
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    assert_eq!(mail["threadId"], id.as_str());
    assert_eq!(texts(&mail["labelIds"]), ["INBOX", "UNREAD"]);
    assert!(mail.get("payload").is_none() && mail.get("raw").is_none());
}

#[tokio::test]
async fn an_archived_and_read_mail_has_no_list_of_labels() {
    let world = World::new();
    let id = world.mail_with(1, Some(&[])).id;
    assert!(world.get(&format!("messages/{id}")).await.ok().get("labelIds").is_none());
}

#[tokio::test]
async fn the_raw_form_is_the_mail_itself_in_padded_base64url() {
    let world = World::new();
    let id = with_file(&world);
    let mail = world.get(&format!("messages/{id}?format=raw")).await.ok();
    let raw = data_encoding::BASE64URL.decode(mail["raw"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(raw, WITH_FILE.as_bytes());
}

#[tokio::test]
async fn the_full_form_is_a_tree_of_decoded_parts() {
    let world = World::new();
    let id = with_file(&world);
    let mail = world.get(&format!("messages/{id}")).await.ok();
    assert_eq!(mail["snippet"], "Hello &lt;Ann&gt; &amp; all");
    let payload = &mail["payload"];
    let subject = payload["headers"].as_array().unwrap().iter().find(|header| header["name"] == "Subject").unwrap();
    assert_eq!(subject["value"], "Grüße");
    assert_eq!(payload["parts"][0]["partId"], "0");
    assert!(payload["parts"][0]["body"]["data"].is_string());
    assert_eq!(payload["parts"][1]["filename"], "a.pdf");
    assert_eq!(payload["parts"][1]["body"]["size"], 4);
}

#[tokio::test]
async fn the_metadata_form_has_the_fields_asked_for_and_no_body() {
    let world = World::new();
    let id = with_file(&world);
    let path = format!("messages/{id}?format=metadata&metadataHeaders=message-id&metadataHeaders=Subject");
    let payload = world.get(&path).await.ok()["payload"].clone();
    let names: Vec<&Value> = payload["headers"].as_array().unwrap().iter().map(|header| &header["name"]).collect();
    assert_eq!(names, ["Subject", "Message-ID"]);
    assert!(payload.get("parts").is_none() && payload.get("body").is_none());
}

#[tokio::test]
async fn the_id_of_an_attachment_is_new_each_time_and_does_not_last() {
    let world = World::new();
    let id = with_file(&world);
    let mut found = Vec::new();
    for _ in 0..2 {
        let mail = world.get(&format!("messages/{id}")).await.ok();
        found.push(mail["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap().to_owned());
    }
    assert_ne!(found[0], found[1]);
    let content = world.get(&format!("messages/{id}/attachments/{}", found[0])).await.ok();
    assert_eq!(content, json!({"size": 4, "data": "JVBERg=="}));

    let other = world.mail(2).id;
    assert_eq!(world.get(&format!("messages/{other}/attachments/{}", found[0])).await.status, 400);
    world.gmail.advance(Duration::from_secs(3601));
    // The token has expired as well.
    let token = world.gmail.grant(ANN, crate::support::CLIENT, &[FULL]).unwrap().access_token;
    let url = world.url(&format!("/gmail/v1/users/me/messages/{id}/attachments/{}", found[1]));
    assert_eq!(world.http.get(url).bearer_auth(token).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn ids_that_are_forgotten_work_no_more() {
    let world = World::new();
    let id = with_file(&world);
    let mail = world.get(&format!("messages/{id}")).await.ok();
    let attachment = mail["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap();
    world.gmail.forget_ids();
    let answer = world.get(&format!("messages/{id}/attachments/{attachment}")).await;
    assert_eq!(answer.reason(), (400, "invalidArgument"));
}

#[tokio::test]
async fn a_mail_that_is_gone_is_not_found_and_a_strange_id_is_refused() {
    let world = World::new();
    let gone = world.get("messages/18c0000000000001").await;
    assert_eq!(gone.reason(), (404, "notFound"));
    assert_eq!(gone.json["error"]["status"], "NOT_FOUND");
    assert_eq!(gone.json["error"]["message"], "Requested entity was not found.");
    let strange = world.get("messages/not-an-id").await;
    assert_eq!(strange.json["error"]["message"], "Invalid id value");
}

#[tokio::test]
async fn labels_are_added_and_removed() {
    let world = World::new();
    let id = world.mail(1).id;
    let path = format!("messages/{id}/modify");
    let mail = world.post(&path, json!({"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]})).await.ok();
    assert_eq!(texts(&mail["labelIds"]), ["INBOX", "STARRED"]);
    for (body, words) in [
        (json!({"addLabelIds": ["SENT"]}), "Invalid label: SENT"),
        (json!({"removeLabelIds": ["DRAFT"]}), "Invalid label: DRAFT"),
        (json!({"addLabelIds": ["Label_99"]}), "Invalid label: Label_99"),
        (json!({"addLabelIds": ["INBOX"], "removeLabelIds": ["INBOX"]}), "Cannot both add and remove the same label"),
        (json!({}), "No label add or removes specified"),
        (json!({"addLabelIds": vec!["INBOX"; 101]}), "Too many labels"),
    ] {
        let answer = world.post(&path, body).await;
        assert_eq!((answer.status, answer.json["error"]["message"].as_str().unwrap()), (400, words));
    }
}

#[tokio::test]
async fn trash_is_a_label_that_takes_the_mail_from_the_inbox() {
    let world = World::new();
    let id = world.mail(1).id;
    let mail = world.post_empty(&format!("messages/{id}/trash")).await.ok();
    assert_eq!(texts(&mail["labelIds"]), ["TRASH", "UNREAD"]);
    let mail = world.post_empty(&format!("messages/{id}/untrash")).await.ok();
    assert_eq!(texts(&mail["labelIds"]), ["UNREAD"]);
}

#[tokio::test]
async fn many_mails_are_changed_at_once_and_answered_with_nothing() {
    let world = World::new();
    let ids: Vec<String> = (0..12).map(|number| world.mail(number).id).collect();
    let body = json!({"ids": ids, "addLabelIds": ["STARRED"], "removeLabelIds": ["INBOX"]});
    assert_eq!(world.post("messages/batchModify", body).await.status, 204);
    let mail = world.get(&format!("messages/{}", ids[11])).await.ok();
    assert_eq!(texts(&mail["labelIds"]), ["STARRED", "UNREAD"]);
    let many: Vec<String> = vec!["18c0000000000001".to_owned(); 1001];
    let answer = world.post("messages/batchModify", json!({"ids": many, "addLabelIds": ["STARRED"]})).await;
    assert_eq!(answer.reason(), (400, "invalidArgument"));
    assert_eq!(world.post("messages/batchModify", json!({"addLabelIds": ["STARRED"]})).await.status, 400);
}

#[tokio::test]
async fn deleting_for_good_needs_the_whole_scope() {
    let world = World::new();
    let id = world.mail(1).id;
    let refused = world.delete(&format!("messages/{id}")).await;
    assert_eq!(refused.reason(), (403, "insufficientPermissions"));
    assert_eq!(refused.json["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");

    let world = World::with_scopes(&[FULL]);
    let (first, second) = (world.mail(1).id, world.mail(2).id);
    assert_eq!(world.delete(&format!("messages/{first}")).await.status, 204);
    assert_eq!(world.post("messages/batchDelete", json!({"ids": [second]})).await.status, 204);
    assert_eq!(world.get("messages").await.ok(), json!({"resultSizeEstimate": 0}));
}
