//! Attachments as they are read.

use crate::support::{ANN, World, all, at, piece, raw};
use data_encoding::BASE64;
use serde_json::json;

const MIXED: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n";

fn part(head: &str, body: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{body}\r\n")
}

fn with(parts: &[String]) -> String {
    raw("c@x.org", ANN, "With", "<w@x>", MIXED).replace("Text of With.\r\n", &format!("{}--b--\r\n", parts.concat()))
}

fn text() -> String {
    part("Content-Type: text/html", "<img src=\"cid:logo\">")
}

fn file() -> String {
    part("Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf", "%PDF")
}

fn inline() -> String {
    part("Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline; filename=l.png", "PNG")
}

fn mail() -> String {
    let inner = "From: d@y.org\r\nSubject: Inner\r\nMessage-ID: <inner@y>\r\n\r\nInner text";
    part("Content-Type: message/rfc822\r\nContent-Disposition: attachment", inner)
}

#[tokio::test]
async fn only_inline_ones_do_not_count() {
    let world = World::calm();
    let has = async |parts: &[String]| {
        let mail = world.raw_mail(&with(parts));
        let shown = world.get(&format!("{}?$select=hasAttachments&$expand=attachments", at(&mail.id))).await.ok();
        (shown["hasAttachments"].as_bool().unwrap(), shown["attachments"].as_array().unwrap().len())
    };
    assert_eq!(has(&[text(), inline()]).await, (false, 1));
    assert_eq!(has(&[text(), inline(), file()]).await, (true, 2));
    assert_eq!(has(&[text()]).await, (false, 0));
}

#[tokio::test]
async fn bytes_come_unless_they_are_selected_away() {
    let world = World::calm();
    let id = world.raw_mail(&with(&[text(), inline(), file()])).id;
    let list = world.get(&format!("{}/attachments", at(&id))).await.ok();
    assert_eq!(all(&list, "name"), ["l.png", "a.pdf"]);
    assert_eq!(list["value"][1]["contentBytes"], json!(BASE64.encode(b"%PDF")));
    assert_eq!((&list["value"][0]["isInline"], &list["value"][0]["contentId"]), (&json!(true), &json!("logo")));
    assert!(list["value"][1]["size"].as_u64().unwrap() > 4, "what travels is larger");
    let select = "id,name,contentType,size,isInline,lastModifiedDateTime,microsoft.graph.fileAttachment/contentId";
    let list = world.get(&format!("{}/attachments?$select={select}", at(&id))).await.ok();
    assert!(list["value"][0].get("contentBytes").is_none() && list["value"][0]["contentId"] == "logo");
    assert_eq!(world.get(&format!("{}/attachments?$select=id,contentId", at(&id))).await.status, 400);
    let one = list["value"][1]["id"].as_str().unwrap();
    let path = format!("{}/attachments/{}", at(&id), piece(one));
    assert_eq!(world.get(&path).await.ok()["name"], "a.pdf");
    let value = world.get(&format!("{path}/$value")).await;
    assert_eq!((value.header("content-type"), value.text.as_str()), ("application/pdf", "%PDF"));
}

#[tokio::test]
async fn an_attached_mail_is_an_item() {
    let world = World::calm();
    let id = world.raw_mail(&with(&[text(), mail()])).id;
    let path = format!("{}/attachments?$expand=microsoft.graph.itemattachment/item", at(&id));
    let list = world.get(&path).await.ok();
    let one = &list["value"][0];
    assert_eq!(one["@odata.type"], "#microsoft.graph.itemAttachment");
    assert_eq!((&one["name"], &one["item"]["internetMessageId"]), (&json!("Inner"), &json!("<inner@y>")));
    assert!(one.get("contentBytes").is_none());
    let path = format!("{}/attachments/{}/$value", at(&id), piece(one["id"].as_str().unwrap()));
    assert!(world.get(&path).await.text.contains("Message-ID: <inner@y>"));
}

#[tokio::test]
async fn a_link_has_no_content() {
    let world = World::calm();
    let id = world.mail(1).id;
    world.graph.attach_link(ANN, &id, "Plan.docx", "https://files.example/plan").unwrap();
    let list = world.get(&format!("{}/attachments", at(&id))).await.ok();
    assert_eq!(list["value"][0]["@odata.type"], "#microsoft.graph.referenceAttachment");
    let path = format!("{}/attachments/{}/$value", at(&id), piece(list["value"][0]["id"].as_str().unwrap()));
    assert_eq!(world.get(&path).await.status, 405);
}

#[tokio::test]
async fn pages_of_attachments_are_not_known() {
    let world = World::calm();
    let id = world.raw_mail(&with(&[text(), file()])).id;
    for query in ["$top=1", "$skip=1"] {
        assert_eq!(world.get(&format!("{}/attachments?{query}", at(&id))).await.status, 400);
    }
}
