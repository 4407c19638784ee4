//! Drafts: made from JSON and from MIME, edited, answered with, with attachments.

use crate::support::{ANN, Answer, IMMUTABLE, World, all, at, piece, raw, to};
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

const PROPERTY: &str = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name crm-outbox-id";

async fn mime(world: &World, path: &str, raw: &str) -> Answer {
    let request = world.request(Method::POST, path).header("Content-Type", "text/plain");
    Answer::of(request.body(BASE64.encode(raw.as_bytes()))).await
}

#[tokio::test]
async fn a_draft_is_made_from_json() {
    let world = World::calm();
    let body = json!({
        "subject": "Offer", "body": {"contentType": "HTML", "content": "<p>Hi</p>"}, "toRecipients": to("dora@example.net"),
        "internetMessageHeaders": [{"name": "x-crm-id", "value": "7"}],
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": "42"}],
    });
    let draft = world.post_with("me/messages", &[IMMUTABLE], body).await;
    assert_eq!(draft.status, 201);
    let draft = draft.ok();
    assert_eq!((&draft["isDraft"], &draft["isRead"]), (&json!(true), &json!(true)));
    assert_eq!(draft["from"]["emailAddress"]["address"], ANN);
    assert!(draft["internetMessageId"].as_str().unwrap().ends_with("example.com>"));
    assert_eq!(draft["parentFolderId"], json!(world.graph.folder_id(ANN, "drafts").unwrap()));
    let filter = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '42')");
    let found = world.get_with(&format!("me/messages?$filter={}", piece(&filter)), &[IMMUTABLE]).await.ok();
    assert_eq!(all(&found, "id"), [draft["id"].as_str().unwrap()]);
    let path = at(draft["id"].as_str().unwrap());
    let body =
        json!({"subject": "Better offer", "internetMessageId": "<ours@crm.example>", "ccRecipients": to("e@x.org")});
    let edited = world.patch(&path, body).await.ok();
    assert_eq!(
        (&edited["subject"], &edited["internetMessageId"]),
        (&json!("Better offer"), &json!("<ours@crm.example>"))
    );
    let mime = world.get(&format!("{path}/$value")).await.text;
    assert!(mime.contains("x-crm-id: 7") && mime.contains("Message-ID: <ours@crm.example>"));
}

#[tokio::test]
async fn headers_begin_with_x_and_are_few() {
    let world = World::calm();
    let header = |name: &str| json!({"name": name, "value": "1"});
    let six: Vec<Value> = (0..6).map(|number| header(&format!("x-{number}"))).collect();
    for (headers, expected) in [
        (json!([]), (400, "InvalidInternetMessageHeaderCollection")),
        (json!(six), (400, "InvalidInternetMessageHeaderCollection")),
        (json!([header("In-Reply-To")]), (400, "InvalidInternetMessageHeader")),
        (json!([header("x-1"), header("X-2")]), (201, "")),
    ] {
        let answer = world.post("me/messages", json!({"subject": "S", "internetMessageHeaders": headers})).await;
        assert_eq!(answer.code(), expected, "{headers}");
    }
}

#[tokio::test]
async fn a_draft_is_made_from_mime() {
    let world = World::calm();
    let more = "References: <a@x>\r\nIn-Reply-To: <a@x>\r\nX-Own: yes\r\nAuto-Submitted: auto-replied\r\n";
    let source = raw(ANN, "d@y.org", "From MIME", "<own@crm.example>", more);
    let draft = mime(&world, "me/messages", &source).await;
    assert_eq!(draft.status, 201);
    let draft = draft.ok();
    assert_eq!((&draft["isDraft"], &draft["internetMessageId"]), (&json!(true), &json!("<own@crm.example>")));
    let mime_again = world.get(&format!("{}/$value", at(draft["id"].as_str().unwrap()))).await.text;
    assert!(mime_again.contains("References: <a@x>") && mime_again.contains("X-Own: yes"));
    assert!(!mime_again.contains("Auto-Submitted"), "Exchange strips it");
    let request = world.request(Method::POST, "me/messages").header("Content-Type", "text/plain").body("no base64!");
    assert_eq!(Answer::of(request).await.code(), (400, "ErrorMimeContentInvalidBase64String"));
}

#[tokio::test]
async fn an_answer_has_what_ties_it_to_the_mail() {
    let world = World::calm();
    let more = format!("Cc: {ANN}, f@z.org\r\nReferences: <root@x>\r\nReply-To: desk@x.org\r\n");
    let mail = world.raw_mail(&raw("Carl <c@x.org>", &format!("{ANN}, e@y.org"), "Question", "<q@x>", &more));
    let people = |draft: &Value, name: &str| -> Vec<String> {
        let list = draft[name].as_array().unwrap().iter();
        list.map(|one| one["emailAddress"]["address"].as_str().unwrap().to_owned()).collect()
    };
    let reply = world.post_empty(&format!("{}/createReply", at(&mail.id))).await;
    assert_eq!(reply.status, 201);
    let reply = reply.ok();
    assert_eq!(
        (&reply["subject"], people(&reply, "toRecipients")),
        (&json!("RE: Question"), vec!["desk@x.org".to_owned()])
    );
    let mime = world.get(&format!("{}/$value", at(reply["id"].as_str().unwrap()))).await.text;
    assert!(mime.contains("In-Reply-To: <q@x>") && mime.contains("References: <root@x> <q@x>"), "{mime}");
    let original = world.get(&at(&mail.id)).await.ok();
    assert_eq!(reply["conversationId"], original["conversationId"]);

    let all_of_them =
        world.post(&format!("{}/createReplyAll", at(&mail.id)), json!({"comment": "Yes <ok>"})).await.ok();
    assert_eq!(people(&all_of_them, "toRecipients"), ["desk@x.org", "e@y.org"]);
    assert_eq!(people(&all_of_them, "ccRecipients"), ["f@z.org"]);
    let html = all_of_them["body"]["content"].as_str().unwrap();
    assert!(html.contains("Yes &lt;ok>") && html.contains("Text of Question."));

    let body = json!({"toRecipients": to("g@z.org"), "comment": "See below"});
    let forward = world.post(&format!("{}/createForward", at(&mail.id)), body).await.ok();
    assert_eq!(
        (&forward["subject"], people(&forward, "toRecipients")),
        (&json!("FW: Question"), vec!["g@z.org".to_owned()])
    );
}

#[tokio::test]
async fn a_comment_and_a_body_do_not_go_together() {
    let world = World::calm();
    let mail = world.mail(1);
    let path = format!("{}/createReply", at(&mail.id));
    let message = json!({"body": {"contentType": "html", "content": "<p>Own</p>"}});
    assert_eq!(world.post(&path, json!({"comment": "x", "message": message})).await.status, 400);
    let draft = world.post(&path, json!({"message": message})).await.ok();
    assert!(draft["body"]["content"].as_str().unwrap().contains("<p>Own</p>"));
    let draft = mime(&world, &path, &raw(ANN, "c@x.org", "Re: MIME", "<m@y>", "")).await.ok();
    let written = world.get(&format!("{}/$value", at(draft["id"].as_str().unwrap()))).await.text;
    assert!(written.contains("In-Reply-To: <1@example.org>") && draft["subject"] == "Re: MIME");
}

#[tokio::test]
async fn attachments_are_added_and_taken_away() {
    let world = World::calm();
    let draft = world.post("me/messages", json!({"subject": "With"})).await.ok();
    let path = format!("{}/attachments", at(draft["id"].as_str().unwrap()));
    let file = json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain",
                      "contentBytes": BASE64.encode(b"abc")});
    let added = world.post(&path, file.clone()).await;
    assert_eq!(added.status, 201);
    let added = added.ok();
    let item = json!({"@odata.type": "#microsoft.graph.itemAttachment", "name": "Inner", "item": {
        "@odata.type": "#microsoft.graph.message", "subject": "Inner"}});
    assert_eq!(world.post(&path, item).await.status, 201);
    assert_eq!(all(&world.get(&path).await.ok(), "name"), ["a.txt", "Inner"]);
    for body in [json!({"name": "a"}), json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a"})] {
        assert_eq!(world.post(&path, body).await.status, 400);
    }
    let one = format!("{path}/{}", piece(added["id"].as_str().unwrap()));
    assert_eq!(world.delete(&one).await.status, 204);
    assert_eq!(all(&world.get(&path).await.ok(), "name"), ["Inner"]);
    let received = world.mail(1);
    assert_eq!(world.post(&format!("{}/attachments", at(&received.id)), file).await.status, 403);
}

#[tokio::test]
async fn a_request_is_not_larger_than_four_megabytes() {
    let world = World::calm();
    let content = "x".repeat(4 * 1024 * 1024);
    let body = json!({"subject": "Big", "body": {"contentType": "text", "content": content}});
    assert_eq!(world.post("me/messages", body).await.code(), (413, "RequestEntityTooLarge"));
}
