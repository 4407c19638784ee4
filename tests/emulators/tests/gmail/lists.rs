//! Lists: order, pages, filters and the search language.

use crate::support::{ANN, World, ids, raw};
use duplex_emulators::gmail::control::Seed;
use serde_json::json;

#[tokio::test]
async fn an_empty_list_has_no_key_for_its_items() {
    let world = World::new();
    assert_eq!(world.get("messages").await.ok(), json!({"resultSizeEstimate": 0}));
    assert_eq!(world.get("threads").await.ok(), json!({"resultSizeEstimate": 0}));
    assert_eq!(world.get("drafts").await.ok(), json!({"resultSizeEstimate": 0}));
}

#[tokio::test]
async fn mails_are_listed_newest_first_with_nothing_but_their_ids() {
    let world = World::new();
    let (old, new) = (world.mail(1), world.mail(5));
    let between = world.mail(3);
    let list = world.get("messages").await.ok();
    assert_eq!(ids(&list["messages"]), [&new.id, &between.id, &old.id]);
    assert_eq!(list["messages"][0].as_object().unwrap().len(), 2);
    assert!(list.get("nextPageToken").is_none());
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_mail_arrives() {
    let world = World::new();
    let mut expected: Vec<String> = (0..7).map(|number| world.mail(number).id).collect();
    expected.reverse();
    let mut found: Vec<String> = Vec::new();
    let mut path = "messages?maxResults=3".to_owned();
    loop {
        let list = world.get(&path).await.ok();
        found.extend(ids(&list["messages"]).into_iter().map(str::to_owned));
        world.mail(100 + u32::try_from(found.len()).unwrap());
        let Some(token) = list["nextPageToken"].as_str() else {
            break;
        };
        path = format!("messages?maxResults=3&pageToken={token}");
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_token_of_a_page_belongs_to_its_list() {
    let world = World::new();
    (0..3).for_each(|number| drop(world.mail(number)));
    let list = world.get("messages?maxResults=1").await.ok();
    let token = list["nextPageToken"].as_str().unwrap();
    assert_eq!(world.get(&format!("messages?labelIds=INBOX&pageToken={token}")).await.status, 400);
    assert_eq!(world.get("messages?pageToken=made-up").await.status, 400);
    world.gmail.forget_ids();
    assert_eq!(world.get(&format!("messages?maxResults=1&pageToken={token}")).await.status, 400);
}

#[tokio::test]
async fn a_page_has_500_mails_at_most() {
    let world = World::new();
    (0..501).for_each(|number| drop(world.mail(number)));
    assert_eq!(ids(&world.get("messages?maxResults=1000").await.ok()["messages"]).len(), 500);
    assert_eq!(ids(&world.get("messages").await.ok()["messages"]).len(), 100);
    assert_eq!(world.get("messages?maxResults=0").await.status, 400);
}

#[tokio::test]
async fn all_labels_named_must_be_there() {
    let world = World::new();
    let both = world.mail_with(1, Some(&["INBOX", "STARRED"]));
    world.mail_with(2, Some(&["INBOX"]));
    world.mail_with(3, Some(&["STARRED"]));
    let list = world.get("messages?labelIds=INBOX&labelIds=STARRED").await.ok();
    assert_eq!(ids(&list["messages"]), [&both.id]);
    assert_eq!(world.get("messages?labelIds=Label_404").await.reason(), (400, "invalidArgument"));
}

#[tokio::test]
async fn spam_and_trash_are_hidden_unless_asked_for() {
    let world = World::new();
    let kept = world.mail_with(1, Some(&["INBOX"]));
    let spam = world.mail_with(2, Some(&["SPAM"]));
    let trash = world.mail_with(3, Some(&["TRASH"]));
    let world = &world;
    let list = |path: &'static str| async move { world.get(path).await.ok()["messages"].clone() };
    assert_eq!(ids(&list("messages").await), [&kept.id]);
    assert_eq!(ids(&list("messages?includeSpamTrash=true").await), [&trash.id, &spam.id, &kept.id]);
    assert_eq!(ids(&list("messages?labelIds=SPAM").await), [&spam.id]);
    assert_eq!(ids(&list("messages?q=in:trash").await), [&trash.id]);
    assert_eq!(ids(&list("messages?q=in:anywhere").await), [&trash.id, &spam.id, &kept.id]);
}

#[tokio::test]
async fn the_search_language_is_understood_as_far_as_it_goes() {
    let world = World::new();
    let first = world.mail_with(1, Some(&["INBOX", "UNREAD"]));
    let second = world.mail_with(2, Some(&["SENT"]));
    let chat = world.mail_with(3, Some(&["CHAT"]));
    let label = world.gmail.create_label(ANN, "My clients").unwrap();
    world.gmail.relabel(ANN, std::slice::from_ref(&second.id), &[&label], &[]).unwrap();
    for (query, expected) in [
        ("rfc822msgid:1@example.org", vec![&first.id]),
        ("rfc822msgid:<2@example.org>", vec![&second.id]),
        ("after:1700000002 -in:chats", vec![&second.id]),
        ("before:1700000002", vec![&first.id]),
        ("after:2023/11/14 before:2023/11/15", vec![&chat.id, &second.id, &first.id]),
        ("in:sent", vec![&second.id]),
        ("is:unread", vec![&first.id]),
        ("is:read -is:chat", vec![&second.id]),
        ("from:carol@ subject:\"mail 1\"", vec![&first.id]),
        ("to:nobody@example.com", vec![]),
        ("label:my-clients", vec![&second.id]),
        ("has:attachment", vec![]),
        ("\"Mail 2\"", vec![&second.id]),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let list = world.get(&format!("messages?q={query}")).await.ok();
        assert_eq!(ids(&list["messages"]), expected, "{query}");
    }
}

#[tokio::test]
async fn there_is_no_search_for_fields_of_the_head() {
    let world = World::new();
    for query in ["x-marker:abc", "header:x-marker=abc", "message-id:<1@example.org>", "{a b}", "a OR b"] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = world.get(&format!("messages?q={query}")).await;
        assert_eq!(answer.reason(), (400, "invalidArgument"), "{query}");
    }
}

#[tokio::test]
async fn a_new_mail_is_listed_once_the_lag_has_passed() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.list_lag_millis = 60_000);
    let id = world.mail(1).id;
    assert!(world.get("messages").await.ok().get("messages").is_none());
    assert_eq!(world.get(&format!("messages/{id}")).await.status, 200);
    world.gmail.advance(std::time::Duration::from_secs(61));
    assert_eq!(ids(&world.get("messages").await.ok()["messages"]), [&id]);
}

#[tokio::test]
async fn ids_are_unique_within_one_mailbox_only() {
    let world = World::new();
    let ann = world.mail(1).id;
    let seed = Seed { raw: raw("a@x.org", "bob@example.com", "Other", "<o@x.org>", ""), ..Seed::default() };
    assert_eq!(world.gmail.add_mail(crate::support::BOB, seed).unwrap().id, ann);
}
