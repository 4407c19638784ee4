//! Sending, and mails that are put into the mailbox.

use crate::support::{ANN, BOB, World, ids, message, raw, texts};
use duplex_emulators::gmail::model::SendAs;
use serde_json::{Value, json};

fn mail(subject: &str, more: &str) -> String {
    raw(ANN, "dave@example.org", subject, "<mine@crm.example>", more)
}

async fn header(world: &World, id: &Value, name: &str) -> String {
    let path = format!("messages/{}?format=metadata&metadataHeaders={name}", id.as_str().unwrap());
    let mail = world.get(&path).await.ok();
    mail["payload"]["headers"][0]["value"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn gmail_gives_the_mail_its_own_message_id_unless_it_is_told_to_keep_ours() {
    let world = World::new();
    let sent = world.post("messages/send", message(&mail("One", "X-Marker: 7\r\n"))).await.ok();
    assert_eq!(texts(&sent["labelIds"]), ["SENT"]);
    assert!(header(&world, &sent["id"], "Message-ID").await.ends_with("@mail.gmail.com>"));
    assert_eq!(header(&world, &sent["id"], "X-Marker").await, "7");
    assert!(header(&world, &sent["id"], "X-Google-Original-Message-ID").await.is_empty());

    world.gmail.change_settings(|settings| settings.keeps_message_id = true);
    let kept = world.post("messages/send", message(&mail("Two", ""))).await.ok();
    assert_eq!(header(&world, &kept["id"], "Message-ID").await, "<mine@crm.example>");
    assert_eq!(world.gmail.sent().len(), 2);
}

#[tokio::test]
async fn a_thread_is_joined_when_id_references_and_subject_fit_together() {
    let world = World::new();
    let first = world.mail(1);
    let references = "References: <1@example.org>\r\nIn-Reply-To: <1@example.org>\r\n";
    for (subject, more, thread, joins) in [
        ("Re: Mail 1", references, true, true),
        ("Re: Mail 1", references, false, false),
        ("Re: Mail 1", "", true, false),
        ("Something else", references, true, false),
    ] {
        let mut body = message(&mail(subject, more));
        if thread {
            body["threadId"] = json!(first.thread_id);
        }
        let sent = world.post("messages/send", body).await.ok();
        assert_eq!(sent["threadId"] == first.thread_id.as_str(), joins, "{subject} {more} {thread}");
    }
    let mut body = message(&mail("Re: Mail 1", references));
    body["threadId"] = json!("18c0000000000001");
    assert_eq!(world.post("messages/send", body).await.reason(), (404, "notFound"));
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_replaced() {
    let world = World::new();
    let alias = |status: &str, address: &str| SendAs {
        send_as_email: address.to_owned(),
        verification_status: Some(status.to_owned()),
        ..SendAs::default()
    };
    world.gmail.put_send_as(ANN, alias("accepted", "sales@example.com"));
    world.gmail.put_send_as(ANN, alias("pending", "boss@example.com"));
    for (from, expected) in [
        ("Sales <sales@example.com>", "Sales <sales@example.com>"),
        ("boss@example.com", "Ann <ann@example.com>"),
        ("stranger@elsewhere.org", "Ann <ann@example.com>"),
    ] {
        let body = message(&raw(from, "dave@example.org", "One", "<x@y>", ""));
        let sent = world.post("messages/send", body).await.ok();
        assert_eq!(header(&world, &sent["id"], "From").await, expected);
    }
}

#[tokio::test]
async fn blind_copies_stay_in_our_copy_alone() {
    let world = World::new();
    let sent = world.post("messages/send", message(&mail("One", "Bcc: bob@example.com\r\n"))).await.ok();
    assert_eq!(header(&world, &sent["id"], "Bcc").await, BOB);
    let dump = world.gmail.dump(BOB).unwrap();
    let arrived = dump["mails"][0]["id"].as_str().unwrap();
    assert!(!world.gmail.has_field(BOB, arrived, "Bcc"));
    assert_eq!(dump["mails"][0]["labels"], json!(["INBOX", "UNREAD"]));
    assert_eq!(world.gmail.sent()[0].recipients, [BOB, "dave@example.org"]);
}

#[tokio::test]
async fn a_mail_to_oneself_is_one_mail() {
    let world = World::new();
    let sent = world.post("messages/send", message(&raw(ANN, ANN, "Note", "<n@x>", ""))).await.ok();
    assert_eq!(texts(&sent["labelIds"]), ["INBOX", "SENT", "UNREAD"]);
    assert_eq!(ids(&world.get("messages").await.ok()["messages"]).len(), 1);
}

#[tokio::test]
async fn raw_letters_beyond_ascii_are_garbled_in_the_head() {
    let world = World::new();
    let sent = world.post("messages/send", message(&mail("Grüße", ""))).await.ok();
    assert_eq!(header(&world, &sent["id"], "Subject").await, "GrÃ¼Ã\u{9f}e");
    let sent = world.post("messages/send", message(&mail("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", ""))).await.ok();
    assert_eq!(header(&world, &sent["id"], "Subject").await, "Grüße");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let world = World::new();
    let many: Vec<String> = (0..501).map(|number| format!("p{number}@example.org")).collect();
    for (body, words) in [
        (message("From: ann@example.com\r\n\r\nx"), "Recipient address required"),
        (message(&raw(ANN, &many.join(", "), "x", "<x@y>", "")), "Too many recipients"),
        (message(&raw(ANN, "not-an-address", "x", "<x@y>", "")), "Invalid To header: not-an-address"),
    ] {
        let answer = world.post("messages/send", body).await;
        assert_eq!((answer.status, answer.json["error"]["message"].as_str().unwrap()), (400, words));
    }
    assert_eq!(world.post("messages/send", json!({})).await.status, 400);
    assert!(world.gmail.sent().is_empty());
}

#[tokio::test]
async fn too_many_mails_a_day_are_refused_with_a_time_to_come_back() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.daily_sends = Some(1));
    world.post("messages/send", message(&mail("One", ""))).await.ok();
    let answer = world.post("messages/send", message(&mail("Two", ""))).await;
    assert_eq!(answer.reason(), (429, "rateLimitExceeded"));
    let words = answer.json["error"]["message"].as_str().unwrap();
    let moment = words.strip_prefix("User-rate limit exceeded.  Retry after ").unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(moment).is_ok());
    assert_eq!(world.gmail.sent().len(), 1);
}

#[tokio::test]
async fn a_mail_can_be_put_into_the_mailbox_without_being_sent() {
    let world = World::new();
    let mut body = message(&raw("carol@example.org", ANN, "Old", "<old@x>", ""));
    body["labelIds"] = json!(["INBOX"]);
    let put = world.post("messages?internalDateSource=dateHeader", body.clone()).await.ok();
    let read = world.get(&format!("messages/{}?format=minimal", put["id"].as_str().unwrap())).await.ok();
    assert_eq!(read["internalDate"], "1795168800000");
    let put = world.post("messages", body.clone()).await.ok();
    let read = world.get(&format!("messages/{}?format=minimal", put["id"].as_str().unwrap())).await.ok();
    assert_ne!(read["internalDate"], "1795168800000");
    let put = world.post("messages/import?neverMarkSpam=true", body.clone()).await.ok();
    let read = world.get(&format!("messages/{}?format=minimal", put["id"].as_str().unwrap())).await.ok();
    assert_eq!(read["internalDate"], "1795168800000");
    body["labelIds"] = json!(["DRAFT"]);
    assert_eq!(world.post("messages", body).await.status, 400);
    assert!(world.gmail.sent().is_empty());
}
