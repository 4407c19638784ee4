//! Delta queries of messages and of folders.

use crate::support::{ANN, IMMUTABLE, World, all, piece};
use duplex_emulators::graph::control::Change;
use duplex_emulators::graph::switches::{DeltaLoss, Often};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const START: &str = "me/mailFolders/inbox/messages/delta?$select=subject,isRead,flag,categories,parentFolderId";

fn ids(items: &[Value]) -> BTreeSet<&str> {
    items.iter().filter_map(|item| item["id"].as_str()).collect()
}

#[tokio::test]
async fn a_round_gives_everything_in_pages_and_a_link_to_the_next() {
    let world = World::calm();
    let mails: Vec<_> = (1..=25).map(|number| world.mail(number)).collect();
    let first = world.get_with(START, &[("Prefer", "odata.maxpagesize=7"), IMMUTABLE]).await.ok();
    assert_eq!(first["value"].as_array().unwrap().len(), 7);
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(world.graph.url()) && !next.contains("select"), "{next}");
    let (items, link) = world.round(START, &[("Prefer", "odata.maxpagesize=7, IdType=\"ImmutableId\"")]).await;
    assert_eq!(ids(&items), mails.iter().map(|mail| mail.immutable_id.as_str()).collect());
    assert!(items.iter().all(|item| item.get("subject").is_some() && item.get("body").is_none()));
    let (items, link) = world.round(&link, &[IMMUTABLE]).await;
    assert!(items.is_empty());
    let late = world.mail(26);
    let (items, _) = world.round(&link, &[IMMUTABLE]).await;
    assert_eq!(ids(&items), [late.immutable_id.as_str()].into());
    assert_eq!(items[0]["subject"], "Mail 26");
    let (items, _) = world.round(&link, &[IMMUTABLE]).await;
    assert_eq!(items.len(), 1, "a link may be followed again");
}

#[tokio::test]
async fn a_toggle_of_read_is_told_alone_and_only_if_it_was_selected() {
    let world = World::calm();
    let mail = world.mail(1);
    let (_, link) = world.round(START, &[]).await;
    let (_, blind) = world.round("me/mailFolders/inbox/messages/delta?$select=subject,flag", &[]).await;
    world.graph.change_mail(ANN, &mail.id, Change { is_read: Some(true), ..Change::default() }).unwrap();
    let (items, link) = world.round(&link, &[]).await;
    assert_eq!(
        items,
        [
            json!({"@odata.type": "#microsoft.graph.message", "id": mail.id, "isRead": true, "parentFolderId": mail.folder})
        ]
    );
    assert!(world.round(&blind, &[]).await.0.is_empty());

    world.graph.change_settings(|settings| settings.delta_partial = Often::Always);
    let change = Change { flag: Some("flagged".to_owned()), ..Change::default() };
    world.graph.change_mail(ANN, &mail.id, change).unwrap();
    let (items, _) = world.round(&link, &[]).await;
    assert_eq!(items[0]["flag"]["flagStatus"], "flagged");
    assert!(items[0].get("subject").is_none());
}

#[tokio::test]
async fn a_move_is_removed_here_and_new_there() {
    let world = World::calm();
    let mail = world.mail(1);
    let archive = "me/mailFolders('archive')/messages/delta()?$select=subject";
    let ((_, inbox), (_, archive)) = (world.round(START, &[]).await, world.round(archive, &[]).await);
    let moved = world.graph.move_mails(ANN, &[&mail.id], "archive").unwrap().remove(0);
    assert_ne!(moved.id, mail.id);
    assert_eq!(moved.immutable_id, mail.immutable_id);
    let (items, _) = world.round(&inbox, &[]).await;
    assert_eq!((&items[0]["id"], &items[0]["@removed"]["reason"]), (&json!(mail.id), &json!("deleted")));
    let (items, _) = world.round(&inbox, &[IMMUTABLE]).await;
    assert_eq!(items[0]["id"], json!(mail.immutable_id), "a link works with ids of either kind");
    let (items, _) = world.round(&archive, &[]).await;
    assert_eq!((items.len(), &items[0]["id"]), (1, &json!(moved.id)));

    world.graph.move_mails(ANN, &[&mail.immutable_id], "inbox").unwrap();
    let (items, _) = world.round(&inbox, &[IMMUTABLE]).await;
    assert!(items.len() == 1 && items[0].get("@removed").is_none(), "it is back: {items:?}");
    let (items, _) = world.round(&inbox, &[]).await;
    assert_eq!(items.len(), 2, "by its place it is another one: {items:?}");
}

#[tokio::test]
async fn what_happens_sometimes_happens_often() {
    let world = World::new();
    for number in 1..=20 {
        world.mail(number);
    }
    world.graph.delete_mails(ANN, &[&world.mail(21).id]).unwrap();
    let (mut empty, mut repeated, mut removed) = (0, 0, 0);
    for _ in 0..4 {
        let (mut link, mut seen) = (START.to_owned(), Vec::new());
        loop {
            let page = world.get_with(&link, &[("Prefer", "odata.maxpagesize=6")]).await.ok();
            empty += u32::from(page["value"] == json!([]) && page.get("@odata.nextLink").is_some());
            removed += page["value"].as_array().unwrap().iter().filter(|item| item.get("@removed").is_some()).count();
            seen.extend(all(&page, "id").into_iter().map(str::to_owned));
            match page["@odata.nextLink"].as_str() {
                Some(next) => link = next.to_owned(),
                None => break,
            }
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert!(distinct.len() >= 20);
        repeated += seen.len() - distinct.len();
    }
    assert!(empty > 0 && repeated > 0 && removed > 0, "{empty} {repeated} {removed}");
}

#[tokio::test]
async fn forgotten_links_are_refused_in_every_form() {
    let world = World::calm();
    world.mail(1);
    let (_, link) = world.round(START, &[]).await;
    world.graph.expire_delta(ANN).unwrap();
    for (form, code, located) in [
        (DeltaLoss::Gone, (410, "resyncRequired"), true),
        (DeltaLoss::GoneNotFound, (410, "syncStateNotFound"), true),
        (DeltaLoss::BadRequest, (400, "SyncStateNotFound"), false),
        (DeltaLoss::NotFound, (404, "SYNCSTATENOTFOUND"), false),
    ] {
        world.graph.change_settings(|settings| settings.delta_loss = Some(form));
        let answer = world.get(&link).await;
        assert_eq!(answer.code(), code);
        let location = answer.header("location");
        assert_eq!(!location.is_empty(), located);
        if located {
            assert!(location.ends_with("delta?$deltatoken="), "{location}");
            assert_eq!(world.round(location, &[]).await.0.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_round_breaks_off_when_its_next_link_ends() {
    let world = World::calm();
    (1..=9).for_each(|number| drop(world.mail(number)));
    let page = world.get_with(START, &[("Prefer", "odata.maxpagesize=4")]).await.ok();
    let next = page["@odata.nextLink"].as_str().unwrap();
    assert_eq!(world.get(next).await.status, 200);
    world.graph.expire_next_links(ANN).unwrap();
    assert_eq!(world.get(next).await.status, 410);
    let page = world.get(START).await.ok();
    let link = page["@odata.deltaLink"].as_str().or(page["@odata.nextLink"].as_str()).unwrap();
    world.graph.advance(Duration::from_secs(3000));
    assert_eq!(world.get(link).await.status, 200);
}

#[tokio::test]
async fn a_deleted_folder_has_no_delta_any_more() {
    let world = World::calm();
    let folder = world.graph.create_folder(ANN, "Project", None, false).unwrap();
    let start = format!("me/mailFolders/{}/messages/delta", piece(&folder));
    let (_, link) = world.round(&start, &[]).await;
    world.graph.delete_folder(ANN, &folder).unwrap();
    assert_eq!(world.get(&link).await.code(), (404, "ErrorItemNotFound"));
}

#[tokio::test]
async fn changes_show_when_the_lag_has_passed() {
    let world = World::calm();
    let (_, link) = world.round(START, &[]).await;
    world.graph.change_settings(|settings| settings.delta_lag_millis = 60_000);
    world.mail(1);
    let (items, link) = world.round(&link, &[]).await;
    assert!(items.is_empty());
    assert!(world.round(START, &[]).await.0.is_empty());
    world.graph.advance(Duration::from_secs(61));
    assert_eq!(world.round(&link, &[]).await.0.len(), 1);
}

#[tokio::test]
async fn what_delta_cannot_do_is_refused() {
    let world = World::calm();
    world.mail(1);
    let base = "me/mailFolders/inbox/messages/delta";
    for (query, status) in [
        ("$select=id,@removed", 400),
        ("$filter=isRead eq false", 400),
        ("$filter=receivedDateTime le 2026-01-01T00:00:00Z", 400),
        ("$orderby=subject", 400),
        ("$search=\"x\"", 400),
        ("$skip=1", 400),
        ("changeType=moved", 400),
        ("$filter=receivedDateTime ge 2020-01-01T00:00:00Z&$orderby=receivedDateTime desc", 200),
        ("changeType=created", 200),
        ("$top=1", 200),
    ] {
        assert_eq!(world.get(&format!("{base}?{query}")).await.status, status, "{query}");
    }
    assert_eq!(world.get("me/messages/delta").await.status, 400, "only folders have changes");
    let (_, link) = world.round(base, &[]).await;
    assert_eq!(world.get(&format!("{link}&$select=id")).await.status, 400);
}

#[tokio::test]
async fn latest_leaves_changes_out() {
    let world = World::calm();
    let (items, link) = world.round(&format!("{START}&$deltatoken=latest"), &[]).await;
    assert!(items.is_empty());
    (1..=4).for_each(|number| drop(world.mail(number)));
    assert!(world.round(&link, &[]).await.0.len() < 4);
}

#[tokio::test]
async fn folders_of_all_levels_are_told_flat() {
    let world = World::calm();
    let parent = world.graph.create_folder(ANN, "Clients", None, false).unwrap();
    let child = world.graph.create_folder(ANN, "Acme", Some(&parent), false).unwrap();
    world.graph.create_folder(ANN, "Secret", None, true).unwrap();
    let (items, link) = world.round("me/mailFolders/delta", &[("Prefer", "odata.maxpagesize=3")]).await;
    let named = |name: &str| items.iter().find(|item| item["displayName"] == name);
    assert_eq!(named("Acme").unwrap()["parentFolderId"], json!(parent));
    assert!(named("Inbox").is_some() && named("Secret").is_none() && named("Top of Information Store").is_none());
    world.mail(1);
    world.graph.rename_folder(ANN, &parent, "Customers").unwrap();
    world.graph.delete_folder(ANN, &child).unwrap();
    let (items, _) = world.round(&link, &[]).await;
    let told = |id: &str| items.iter().find(|item| item["id"] == id).unwrap();
    assert_eq!(told(&parent)["displayName"], "Customers");
    assert_eq!(told(&child)["@removed"]["reason"], "deleted");
    let inbox = world.graph.folder_id(ANN, "inbox").unwrap();
    assert_eq!(told(&inbox)["unreadItemCount"], 1);
}
