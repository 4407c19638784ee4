//! Mails that leave: drafts, mails without one, and what comes back.

use crate::support::{ANN, Answer, BOB, IMMUTABLE, World, all, at, raw, to, until};
use data_encoding::BASE64;
use duplex_emulators::graph::switches::Often;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn message(address: &str) -> Value {
    json!({"subject": "Hello", "body": {"contentType": "text", "content": "Hi"}, "toRecipients": to(address)})
}

async fn draft(world: &World, message: Value) -> Value {
    world.post_with("me/messages", &[IMMUTABLE], message).await.ok()
}

#[tokio::test]
async fn a_draft_leaves_later_and_keeps_its_lasting_id() {
    let world = World::calm();
    world.graph.change_settings(|settings| {
        settings.send_delay_millis = 60_000;
        settings.send_gap_millis = 60_000;
    });
    let round = async |folder: &str, link: Option<&str>| {
        let start = format!("me/mailFolders/{folder}/messages/delta?$select=subject");
        world.round(link.unwrap_or(&start), &[IMMUTABLE]).await
    };
    let (_, drafts) = round("drafts", None).await;
    let (_, sent) = round("sentitems", None).await;
    let draft = draft(&world, message("dora@example.net")).await;
    let id = draft["id"].as_str().unwrap();
    let (items, drafts) = round("drafts", Some(&drafts)).await;
    assert_eq!(all(&json!(items), "id"), [id]);
    let answer = world.post_empty(&format!("{}/send", at(id))).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(world.get(&at(id)).await.ok()["isDraft"], true, "accepted is not delivered");
    assert_eq!(world.post_empty(&format!("{}/send", at(id))).await.status, 409);
    assert_eq!(world.patch(&at(id), json!({"subject": "No"})).await.status, 409);
    world.graph.advance(Duration::from_secs(61));
    assert_eq!(world.get(&at(id)).await.code(), (404, "ErrorItemNotFound"), "it is on its way");
    let (items, _) = round("drafts", Some(&drafts)).await;
    assert_eq!(items[0]["@removed"]["reason"], "deleted");
    assert_eq!(world.graph.sent().len(), 0);
    world.graph.advance(Duration::from_secs(61));
    let copy = world.get_with(&at(id), &[IMMUTABLE]).await.ok();
    assert_eq!((&copy["id"], &copy["isDraft"], &copy["isRead"]), (&json!(id), &json!(false), &json!(true)));
    assert_eq!(copy["internetMessageId"], draft["internetMessageId"]);
    assert_eq!(copy["parentFolderId"], json!(world.graph.folder_id(ANN, "sentitems").unwrap()));
    assert_eq!(all(&json!(round("sentitems", Some(&sent)).await.0), "id"), [id]);
    let sent = world.graph.sent();
    assert_eq!((sent.len(), sent[0].immutable_id.as_str()), (1, id));
}

#[tokio::test]
async fn a_mail_reaches_the_users_here_without_bcc() {
    let world = World::calm();
    let mut message = message("dora@example.net");
    message["bccRecipients"] = to(BOB);
    message["internetMessageHeaders"] = json!([{"name": "X-Crm", "value": "7"}]);
    message["singleValueExtendedProperties"] = json!([{"id": "String 0x1042", "value": "<before@x>"}]);
    let answer = world.post("me/sendMail", json!({"message": message, "saveToSentItems": true})).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    until("the mail leaves", || world.graph.sent().len() == 1).await;
    let sent = &world.graph.sent()[0];
    assert_eq!(sent.recipients, [BOB, "dora@example.net"]);
    let raw = String::from_utf8_lossy(&sent.raw).into_owned();
    assert!(!raw.contains("BCC") && raw.contains("X-Crm: 7") && raw.contains("In-Reply-To: <before@x>"), "{raw}");
    let bob = world.graph.dump(BOB).unwrap();
    assert_eq!((&bob["mails"][0]["well_known"], &bob["mails"][0]["is_read"]), (&json!("inbox"), &json!(false)));
    let own = world.graph.dump(ANN).unwrap();
    assert_eq!((own["mails"].as_array().unwrap().len(), &own["mails"][0]["well_known"]), (1, &json!("sentitems")));
    let id = own["mails"][0]["id"].as_str().unwrap();
    let copy = world.get(&format!("{}?$select=internetMessageHeaders,bccRecipients", at(id))).await.ok();
    assert!(copy.get("internetMessageHeaders").is_none());
    assert_eq!(copy["bccRecipients"][0]["emailAddress"]["address"], BOB);
    assert!(world.get(&format!("{}/$value", at(id))).await.text.contains("BCC"));
}

#[tokio::test]
async fn mime_is_sent_in_base64() {
    let world = World::calm();
    let source = raw(ANN, "dora@example.net", "MIME", "<m@crm.example>", "References: <a@x>\r\n");
    let request = world.request(Method::POST, "me/sendMail").header("Content-Type", "text/plain");
    assert_eq!(Answer::of(request.body(BASE64.encode(source.as_bytes()))).await.status, 202);
    until("the mail leaves", || world.graph.sent().len() == 1).await;
    assert_eq!(world.graph.sent()[0].message_id, "<m@crm.example>");
    let no_copy = json!({"message": message("dora@example.net"), "saveToSentItems": false});
    world.post("me/sendMail", no_copy).await;
    until("the other mail leaves", || world.graph.sent().len() == 2).await;
    assert_eq!(world.graph.dump(ANN).unwrap()["mails"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_is_sent_at_once() {
    let world = World::calm();
    let mail = world.mail(1);
    assert_eq!(world.post(&format!("{}/reply", at(&mail.id)), json!({"comment": "Yes"})).await.status, 202);
    let body = json!({"toRecipients": to(BOB), "comment": "Look"});
    assert_eq!(world.post(&format!("{}/forward", at(&mail.id)), body).await.status, 202);
    until("both leave", || world.graph.sent().len() == 2).await;
    let sent = world.graph.sent();
    let mut subjects: Vec<&str> = sent.iter().map(|sent| sent.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["FW: Mail 1", "RE: Mail 1"]);
    assert_eq!(
        world.post(&format!("{}/forward", at(&mail.id)), json!({})).await.code(),
        (400, "ErrorInvalidRecipients")
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let world = World::calm();
    let send = async |message: Value| world.post("me/sendMail", json!({"message": message})).await;
    assert_eq!(send(json!({"subject": "Nobody"})).await.code(), (400, "ErrorInvalidRecipients"));
    assert_eq!(send(message("no address")).await.code(), (400, "ErrorInvalidRecipients"));
    let mut other = message("dora@example.net");
    other["from"] = to(BOB)[0].clone();
    assert_eq!(send(other.clone()).await.code(), (403, "ErrorSendAsDenied"));
    world.graph.allow_send_as(ANN, BOB).unwrap();
    assert_eq!(send(other).await.status, 202);
    assert_eq!(world.post_empty(&format!("{}/send", at(&world.mail(1).id))).await.status, 403);
    assert_eq!(world.post("me/sendMail", json!({})).await.status, 400);
    let reader = World::with_scopes(&["Mail.ReadWrite"]);
    assert_eq!(reader.post("me/sendMail", json!({"message": message(BOB)})).await.status, 403);
}

#[tokio::test]
async fn thirty_mails_a_minute_and_no_more() {
    let world = World::calm();
    let send = async || world.post("me/sendMail", json!({"message": message("dora@example.net")})).await;
    for _ in 0..30 {
        assert_eq!(send().await.status, 202);
    }
    let refused = send().await;
    assert!(refused.status == 429 && refused.header("retry-after").parse::<u64>().unwrap() <= 60);
    world.graph.advance(Duration::from_secs(61));
    assert_eq!(send().await.status, 202);
}

#[tokio::test]
async fn what_cannot_be_delivered_comes_back_as_a_mail() {
    let world = World::calm();
    world.graph.bounce("gone@example.net");
    let mut message = message("nobody@example.com");
    message["ccRecipients"] = to("gone@example.net");
    assert_eq!(world.post("me/sendMail", json!({"message": message})).await.status, 202);
    until("the reports arrive", || world.graph.dump(ANN).unwrap()["mails"].as_array().unwrap().len() == 3).await;
    let id = world.graph.sent()[0].message_id.clone();
    let list = world.get("me/mailFolders/inbox/messages?$select=subject,from,body").await.ok();
    assert_eq!(all(&list, "subject"), ["Undeliverable: Hello", "Undeliverable: Hello"]);
    let report = list["value"][0]["id"].as_str().unwrap();
    let mime = world.get(&format!("{}/$value", at(report))).await.text;
    assert!(mime.contains("report-type=delivery-status") && mime.contains("Status: 5.1.10") && mime.contains(&id));
}

#[tokio::test]
async fn transport_may_give_another_message_id() {
    let world = World::calm();
    world.graph.change_settings(|settings| settings.changes_message_id = Often::Always);
    let draft = draft(&world, message("dora@example.net")).await;
    let id = draft["id"].as_str().unwrap();
    world.post_empty(&format!("{}/send", at(id))).await;
    until("the mail leaves", || world.graph.sent().len() == 1).await;
    let copy = world.get_with(&at(id), &[IMMUTABLE]).await.ok();
    assert_ne!(copy["internetMessageId"], draft["internetMessageId"]);
}

#[tokio::test]
async fn another_client_sends_and_drafts() {
    let world = World::calm();
    let draft = world.graph.add_draft(ANN, &raw(ANN, BOB, "Draft", "<d@x>", "")).unwrap();
    world.graph.edit_draft(ANN, &draft.id, &raw(ANN, BOB, "Edited", "<other@x>", "")).unwrap();
    let shown = world.get(&at(&draft.id)).await.ok();
    assert_eq!((&shown["subject"], &shown["internetMessageId"]), (&json!("Edited"), &json!("<d@x>")));
    world.graph.send_elsewhere(ANN, &raw(ANN, BOB, "From Outlook", "<o@x>", "")).unwrap();
    until("it arrives", || world.graph.dump(BOB).unwrap()["mails"].as_array().unwrap().len() == 1).await;
    assert_eq!(world.graph.leaving(), 0);
}
