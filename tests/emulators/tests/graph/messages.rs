//! Messages as they are read: ids, properties, bodies, MIME.

use crate::support::{ANN, IMMUTABLE, World, all, at, piece, raw};
use duplex_emulators::graph::control::Seed;
use duplex_emulators::graph::switches::Often;
use serde_json::{Value, json};

#[tokio::test]
async fn ids_change_with_a_move_unless_the_lasting_ones_are_wanted() {
    let world = World::calm();
    let mail = world.mail(1);
    let usual = world.get(&at(&mail.id)).await.ok();
    assert_eq!(usual["id"], json!(mail.id));
    let lasting = world.get_with(&at(&mail.id), &[IMMUTABLE]).await;
    assert_eq!(lasting.header("preference-applied"), "IdType=\"ImmutableId\"");
    assert_eq!(lasting.ok()["id"], json!(mail.immutable_id));
    let moved = world.graph.move_mails(ANN, &[&mail.id], "archive").unwrap().remove(0);
    assert_eq!(world.get(&at(&mail.id)).await.code(), (404, "ErrorItemNotFound"));
    assert_eq!(world.get(&at(&moved.id)).await.status, 200);
    assert_eq!(world.get(&at(&mail.immutable_id)).await.ok()["id"], json!(moved.id));
    assert_eq!(world.get("me/messages/nonsense").await.code(), (400, "ErrorInvalidIdMalformed"));
}

#[tokio::test]
async fn ids_are_case_sensitive_and_have_to_be_encoded() {
    let world = World::calm();
    world.mail(1);
    let (second, third) = (world.mail(2), world.mail(3));
    assert!(second.id.eq_ignore_ascii_case(&third.id));
    assert_eq!(world.get(&at(&second.id)).await.ok()["subject"], "Mail 2");
    assert_eq!(world.get(&at(&third.id)).await.ok()["subject"], "Mail 3");
    assert!(world.get(&format!("me/messages/{}", second.id)).await.status >= 400, "a slash ends a piece of the path");
    assert_eq!(world.get(&format!("me/messages('{}')", piece(&second.id))).await.status, 200);
}

#[tokio::test]
async fn a_new_mail_may_not_be_found_at_once() {
    let world = World::calm();
    world.graph.change_settings(|settings| settings.find_lag_millis = 60_000);
    let mail = world.mail(1);
    assert_eq!(world.get(&at(&mail.id)).await.code(), (404, "ErrorItemNotFound"));
    world.graph.advance(std::time::Duration::from_secs(61));
    assert_eq!(world.get(&at(&mail.id)).await.status, 200);
}

#[tokio::test]
async fn ids_are_translated_both_ways() {
    let world = World::calm();
    let mail = world.mail(1);
    let body = json!({"inputIds": [mail.id, "x"], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"});
    let answer = world.post("me/translateExchangeIds", body).await.ok();
    assert_eq!(answer["value"][0], json!({"sourceId": mail.id, "targetId": mail.immutable_id}));
    assert!(answer["value"][1]["errorDetails"]["code"].is_string());
    let body =
        json!({"inputIds": [mail.immutable_id], "sourceIdType": "restImmutableEntryId", "targetIdType": "restId"});
    assert_eq!(world.post("me/translateExchangeIds", body).await.ok()["value"][0]["targetId"], json!(mail.id));
}

#[tokio::test]
async fn properties_are_those_that_were_selected() {
    let world = World::calm();
    let mail = world.mail(1);
    let whole = world.get(&at(&mail.id)).await.ok();
    for name in ["body", "conversationId", "changeKey", "@odata.etag", "flag", "isRead", "toRecipients", "webLink"] {
        assert!(whole.get(name).is_some(), "{name}");
    }
    assert!(whole.get("internetMessageHeaders").is_none() && whole.get("uniqueBody").is_none());
    assert_eq!(whole["from"]["emailAddress"], json!({"name": "Carol", "address": "carol@example.org"}));
    let some = world.get(&format!("{}?$select=subject,internetMessageHeaders", at(&mail.id))).await.ok();
    let names: Vec<&String> = some.as_object().unwrap().keys().filter(|name| !name.starts_with('@')).collect();
    assert_eq!(names, ["id", "internetMessageHeaders", "subject"]);
    let headers = all(&some["internetMessageHeaders"], "name");
    assert!(headers.contains(&"Received") && headers.contains(&"Message-ID") && !headers.contains(&"From"));
    let answer = world.get(&format!("{}?$select=sujet", at(&mail.id))).await;
    assert_eq!(answer.code(), (400, "RequestBroker--ParseUri"));
}

#[tokio::test]
async fn what_was_sent_has_no_headers() {
    let world = World::calm();
    let mail = world.mail_in(1, "sentitems");
    let path = format!("{}?$select=internetMessageHeaders,isRead", at(&mail.id));
    let sent = world.get(&path).await.ok();
    assert!(sent.get("internetMessageHeaders").is_none() && sent["isRead"] == true);
    let mime = world.get(&format!("{}/$value", at(&mail.id))).await.text;
    assert!(mime.contains("Message-ID: <1@example.org>"));
}

const HTML: &str = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n";

#[tokio::test]
async fn bodies_come_as_they_are_wanted() {
    let world = World::calm();
    let plain = world.mail(1);
    let html = world.raw_mail(&raw("c@x.org", ANN, "<b>H</b><script>x()</script>", "<h@x>", HTML));
    let body = async |id: &str, prefer: &str| {
        world.get_with(&format!("{}?$select=body", at(id)), &[("Prefer", prefer)]).await.ok()["body"].clone()
    };
    assert_eq!(body(&plain.id, "").await, json!({"contentType": "text", "content": "Text of Mail 1.\r\n"}));
    let wanted = body(&plain.id, "outlook.body-content-type=\"html\"").await;
    assert!(wanted["contentType"] == "html" && wanted["content"].as_str().unwrap().contains("Text of Mail 1."));
    let safe = body(&html.id, "").await;
    assert!(safe["contentType"] == "html" && !safe["content"].as_str().unwrap().contains("script"));
    let unsafe_html = body(&html.id, "outlook.allow-unsafe-html, IdType=\"ImmutableId\"").await;
    assert!(unsafe_html["content"].as_str().unwrap().contains("script"));
    let text = body(&html.id, "outlook.body-content-type=\"text\"").await;
    assert_eq!(text, json!({"contentType": "text", "content": "Text of H."}));
    world.graph.change_settings(|settings| settings.text_becomes_html = Often::Always);
    assert_eq!(body(&plain.id, "").await["contentType"], "html");
}

#[tokio::test]
async fn what_is_new_in_an_answer_is_unique() {
    let world = World::calm();
    let quoted = "<p>New</p><blockquote>Old</blockquote>";
    let mail = world.raw_mail(&raw("c@x.org", ANN, quoted, "<u@x>", HTML));
    let shown = world.get(&format!("{}?$select=uniqueBody,bodyPreview", at(&mail.id))).await.ok();
    let unique = shown["uniqueBody"]["content"].as_str().unwrap();
    assert!(unique.contains("New") && !unique.contains("Old"));
    assert!(shown["bodyPreview"].as_str().unwrap().contains("Old"));
}

#[tokio::test]
async fn mime_is_put_together_anew_each_time() {
    let world = World::calm();
    let more = "References: <a@x> <b@x>\r\nX-Own: kept\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; \
                boundary=\"ours\"\r\n";
    let body = "--ours\r\nContent-Type: text/plain\r\n\r\nHi\r\n--ours\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--ours--\r\n";
    let original = format!("{}{body}", raw("c@x.org", ANN, "Mixed", "<m@x>", more));
    let mail = world.raw_mail(&original);
    let first = world.get(&format!("{}/$value", at(&mail.id))).await;
    assert!(first.header("content-type").starts_with("text/plain"));
    let second = world.get(&format!("{}/$value", at(&mail.id))).await;
    assert_ne!(first.text, second.text, "boundaries vary");
    assert!(first.text.contains("References: <a@x> <b@x>") && first.text.contains("X-Own: kept"));
    assert!(!first.text.contains("boundary=\"ours\""));
    let parsed = mailparse::parse_mail(first.text.as_bytes()).unwrap();
    assert_eq!(parsed.subparts.len(), 2);
    assert_eq!(parsed.subparts[1].get_body().unwrap().trim(), "<p>Hi</p>");
}

#[tokio::test]
async fn signed_mails_keep_their_structure_in_the_mime_alone() {
    let world = World::calm();
    let more = "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; \
                boundary=\"s\"\r\n";
    let body = "--s\r\nContent-Type: text/plain\r\n\r\nSigned words\r\n--s\r\nContent-Type: application/pkcs7-signature; \
                name=smime.p7s\r\n\r\nMIIB\r\n--s--\r\n";
    let original = raw("c@x.org", ANN, "Signed", "<s@x>", more).replace("Text of Signed.\r\n", body);
    let mail = world.raw_mail(&original);
    let shown = world.get(&format!("{}?$select=body,hasAttachments&$expand=attachments", at(&mail.id))).await.ok();
    assert_eq!(shown["body"]["content"].as_str().unwrap().trim(), "Signed words");
    assert_eq!((&shown["hasAttachments"], &shown["attachments"][0]["name"]), (&json!(true), &json!("smime.p7m")));
    let mime = world.get(&format!("{}/$value", at(&mail.id))).await.text;
    assert!(mime.contains(body), "what is signed stays as it was");
}

#[tokio::test]
async fn conversations_go_by_references_and_sometimes_by_subject() {
    let world = World::calm();
    let conversation = async |mail: &str| -> Value { world.get(&at(mail)).await.ok()["conversationId"].clone() };
    let first = world.raw_mail(&raw("c@x.org", ANN, "Offer", "<1@x>", ""));
    let answer = world.raw_mail(&raw("c@x.org", ANN, "Other words", "<2@x>", "In-Reply-To: <1@x>\r\n"));
    let alike = world.raw_mail(&raw("d@y.org", ANN, "Offer", "<3@y>", ""));
    assert_eq!(conversation(&answer.id).await, conversation(&first.id).await);
    assert_ne!(conversation(&alike.id).await, conversation(&first.id).await);
    world.graph.change_settings(|settings| settings.subject_joins = Often::Always);
    let joined = world.raw_mail(&raw("d@y.org", ANN, "Re: Offer", "<4@y>", ""));
    assert_eq!(conversation(&joined.id).await, conversation(&alike.id).await);
}

#[tokio::test]
async fn a_mail_that_is_no_text_is_taken_all_the_same() {
    let world = World::calm();
    let bytes = Some(b"Subject: \xff\xfe\r\n\r\n\xff\x00body".to_vec());
    let mail = world.graph.add_mail(ANN, Seed { bytes, ..Seed::default() }).unwrap();
    assert_eq!(world.get(&at(&mail.id)).await.status, 200);
    let invite = "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n";
    let invite = world.raw_mail(&raw("c@x.org", ANN, "Meet", "<i@x>", invite));
    assert_eq!(world.get(&at(&invite.id)).await.ok()["@odata.type"], "#microsoft.graph.eventMessage");
}
