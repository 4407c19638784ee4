//! Lists: pages, filters, orders, searches, and what is refused.

use crate::support::{ANN, World, all, at, piece, raw};
use duplex_emulators::graph::control::Change;
use serde_json::json;

const PROPERTY: &str = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name crm-outbox-id";

#[tokio::test]
async fn pages_hold_ten_and_name_the_next_one() {
    let world = World::calm();
    (1..=25).for_each(|number| drop(world.mail(number)));
    let (mut link, mut seen, mut pages) = ("me/messages?$select=subject&$count=true".to_owned(), Vec::new(), 0);
    loop {
        let page = world.get(&link).await.ok();
        assert_eq!(page["@odata.count"], 25);
        seen.extend(all(&page, "subject").into_iter().map(str::to_owned));
        pages += 1;
        match page["@odata.nextLink"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, seen.len()), (3, 25));
    assert_eq!((seen[0].as_str(), seen[24].as_str()), ("Mail 25", "Mail 1"), "the newest come first");
    assert_eq!(world.get("me/messages?$top=25").await.ok()["value"].as_array().unwrap().len(), 25);
    assert_eq!(world.get("me/mailFolders/inbox/messages/$count").await.text, "25");
}

#[tokio::test]
async fn the_whole_mailbox_has_what_was_deleted_but_not_what_can_be_recovered() {
    let world = World::calm();
    for (number, folder) in ["inbox", "deleteditems", "drafts", "recoverableitemsdeletions"].iter().enumerate() {
        world.mail_in(u32::try_from(number).unwrap(), folder);
    }
    let list = world.get("me/messages").await.ok();
    let mut subjects = all(&list, "subject");
    subjects.sort_unstable();
    assert_eq!(subjects, ["Mail 0", "Mail 1", "Mail 2"]);
    assert_eq!(all(&world.get("me/mailFolders/deleteditems/messages").await.ok(), "subject"), ["Mail 1"]);
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let world = World::calm();
    let mails: Vec<_> = (1..=4).map(|number| world.mail(number)).collect();
    let change = Change { is_read: Some(true), categories: Some(vec!["Red".to_owned()]), ..Change::default() };
    world.graph.change_mail(ANN, &mails[0].id, change).unwrap();
    world.graph.set_single_value(ANN, &mails[1].id, PROPERTY, "42").unwrap();
    for (filter, found) in [
        ("isRead eq false", 3),
        ("categories/any(c:c eq 'Red')", 1),
        ("internetMessageId eq '<3@example.org>'", 1),
        ("from/emailAddress/address eq 'carol@example.org' and isRead eq true", 1),
        ("receivedDateTime ge 2023-11-14T22:13:23Z", 2),
        ("flag/flagStatus eq 'notFlagged'", 4),
        (&format!("singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '42')"), 1),
        (&format!("singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '43')"), 0),
        (
            "singleValueExtendedProperties/Any(ep: ep/id eq 'String {66F5A359-4659-4830-9070-00040EC6AC6E} Name \
             CRM-outbox-id' and ep/value eq '42')",
            0,
        ),
    ] {
        let list = world.get(&format!("me/messages?$filter={}", piece(filter))).await.ok();
        assert_eq!(list["value"].as_array().unwrap().len(), found, "{filter}");
    }
}

#[tokio::test]
async fn own_properties_are_shown_when_they_are_expanded() {
    let world = World::calm();
    let mail = world.mail(1);
    world.graph.set_single_value(ANN, &mail.id, PROPERTY, "42").unwrap();
    let expand = format!("singleValueExtendedProperties($filter=id eq '{PROPERTY}')");
    let shown = world.get(&format!("{}?$select=id&$expand={}", at(&mail.id), piece(&expand))).await.ok();
    assert_eq!(shown["singleValueExtendedProperties"], json!([{"id": PROPERTY, "value": "42"}]));
    let bare = world.get(&format!("{}?$expand=singleValueExtendedProperties", at(&mail.id))).await;
    assert_eq!(bare.code(), (400, "BadRequest"));
}

#[tokio::test]
async fn an_order_has_to_be_filtered_by_as_well() {
    let world = World::calm();
    (1..=3).for_each(|number| drop(world.mail(number)));
    let list = world.get("me/messages?$orderby=subject").await.ok();
    assert_eq!(all(&list, "subject"), ["Mail 1", "Mail 2", "Mail 3"]);
    let refused = world.get("me/messages?$filter=isRead eq false&$orderby=receivedDateTime desc").await;
    assert_eq!(refused.code(), (400, "InefficientFilter"));
    let filter = "receivedDateTime ge 2020-01-01T00:00:00Z and isRead eq false";
    let list = world.get(&format!("me/messages?$filter={filter}&$orderby=receivedDateTime desc")).await.ok();
    assert_eq!(list["value"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn searches_find_words() {
    let world = World::calm();
    world.raw_mail(&raw("dora@example.net", ANN, "Invoice", "<i@x>", ""));
    world.mail(1);
    for (search, found) in [("invoice", 1), ("subject:invoice", 1), ("from:dora", 1), ("text mail", 1), ("nothing", 0)]
    {
        let list = world.get(&format!("me/messages?$search=\"{search}\"")).await.ok();
        assert_eq!(list["value"].as_array().unwrap().len(), found, "{search}");
    }
    for (query, code) in [
        ("$search=invoice", "BadRequest"),
        ("$search=\"x\"&$filter=isRead eq true", "SearchWithFilter"),
        ("$search=\"x\"&$orderby=subject", "SearchWithOrderBy"),
    ] {
        assert_eq!(world.get(&format!("me/messages?{query}")).await.code(), (400, code));
    }
}

#[tokio::test]
async fn what_is_not_documented_is_refused() {
    let world = World::calm();
    let mail = world.mail(1);
    for query in [
        "$top=0",
        "$top=1001",
        "$top=x",
        "$filter=isRead",
        "$filter=body/content eq 'x'",
        "$filter=isRead eq 'true'",
        "$orderby=body",
        "$orderby=receivedDateTime down",
        "$select=everything",
        "$expand=conversation",
        "$format=json",
        "fields=id",
        "$top=1&$top=2",
    ] {
        assert_eq!(world.get(&format!("me/messages?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(world.get(&format!("{}?$filter=isRead eq true", at(&mail.id))).await.status, 400);
    assert_eq!(world.get("me/mesages").await.code(), (400, "BadRequest"));
    assert_eq!(world.call(reqwest::Method::PUT, "me/messages", &[], Some(json!({}))).await.status, 405);
    assert_eq!(world.get(&world.url("/beta/me/messages")).await.status, 400);
}

#[tokio::test]
async fn a_page_that_is_too_big_never_comes() {
    let world = World::calm();
    (1..=9).for_each(|number| drop(world.mail(number)));
    world.graph.change_settings(|settings| settings.most_page_bytes = Some(9_000));
    assert_eq!(world.get("me/messages?$top=9").await.status, 504);
    assert_eq!(world.get("me/messages?$top=2").await.status, 200);
}
