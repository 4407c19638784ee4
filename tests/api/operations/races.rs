//! What happens between the look at the differences and the outcome: a person changes their mind, the sync is faster.

use duplex::ids::EmailId;
use duplex::messages::{
    self, Flag,
    FolderRole::{self, Archive, Inbox},
    Number, PlaceRow,
};
use serde_json::json;

use super::World;
use super::later;
use crate::messages::ground::{incoming, parsed};
use crate::support::Backend;

const NEW: Number = Number { uid_validity: 1, uid: 70 };

/// A mail in the inbox that was archived here; with the place that it is to leave.
async fn leaving(world: &World) -> (EmailId, PlaceRow) {
    let id = world.mail(Inbox, 1, "m").await;
    world.patch(id, json!({ "is_archived": true })).await;
    let from = world.diffs(&[id]).await[&id].departures[0].clone();
    (id, from)
}

async fn moved(world: &World, from: &PlaceRow, to: Option<Number>) {
    let mut conn = world.api.ground.write().await;
    let archive = world.folder(Archive);
    conn.transaction(async |tx| messages::moved(tx, from, archive, to, later()).await).await.unwrap();
}

/// The sync finds a copy of the mail.
async fn found(world: &World, role: FolderRole, uid: u32) {
    world.api.ground.apply(role, vec![incoming(world.folder(role), uid, parsed("m", &[]))]).await;
}

/// What stands in the tables: folders of places with their numbers, and of departures.
async fn rows(world: &World, id: EmailId) -> (Vec<(String, Option<u32>)>, Vec<(String, u32)>) {
    let names = world.names().await;
    let diffs = world.diffs(&[id]).await;
    let Some(diff) = diffs.get(&id) else { return (Vec::new(), Vec::new()) };
    let mut here: Vec<_> =
        diff.locations.iter().map(|row| (names[&row.folder].clone(), row.number.map(|number| number.uid))).collect();
    let mut leaving: Vec<_> =
        diff.departures.iter().map(|row| (names[&row.folder].clone(), row.number.unwrap().uid)).collect();
    here.sort();
    leaving.sort();
    (here, leaving)
}

fn at(name: &str, uid: impl Into<Option<u32>>) -> (String, Option<u32>) {
    (name.to_owned(), uid.into())
}

fn from(name: &str, uid: u32) -> (String, u32) {
    (name.to_owned(), uid)
}

on_both! {
    async fn a_moved_mail_gets_its_number(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        moved(&world, &place, Some(NEW)).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70)], vec![]));
        // The outcome written twice changes nothing.
        moved(&world, &place, Some(NEW)).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70)], vec![]));
    }
}

on_both! {
    async fn a_move_without_a_number_waits_for_the_sync(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        moved(&world, &place, None).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", None)], vec![]));
        assert!(world.diffs(&[id]).await[&id].locations[0].settled_at.is_some());
        found(&world, Archive, 70).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70)], vec![]));
    }
}

on_both! {
    async fn a_move_that_the_sync_saw_first_is_not_doubled(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        found(&world, Archive, 70).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70)], vec![from("inbox", 1)]));
        moved(&world, &place, Some(NEW)).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70)], vec![]));
    }
}

on_both! {
    async fn a_mail_that_was_called_back_while_it_moved_is_brought_back(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        world.patch(id, json!({ "is_archived": false })).await;
        assert_eq!(rows(&world, id).await, (vec![at("inbox", 1)], vec![]));
        moved(&world, &place, Some(NEW)).await;
        assert_eq!(rows(&world, id).await, (vec![at("inbox", None)], vec![from("archive", 70)]));
    }
}

on_both! {
    async fn a_mail_that_was_sent_elsewhere_while_it_moved_goes_on_from_there(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        world.trash(id).await;
        assert_eq!(rows(&world, id).await, (vec![at("trash", None)], vec![from("inbox", 1)]));
        moved(&world, &place, Some(NEW)).await;
        assert_eq!(rows(&world, id).await, (vec![at("trash", None)], vec![from("archive", 70)]));
    }
}

on_both! {
    async fn a_mail_that_was_called_back_is_found_by_the_sync_when_the_number_is_not_told(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        world.patch(id, json!({ "is_archived": false })).await;
        moved(&world, &place, None).await;
        assert_eq!(rows(&world, id).await, (vec![at("inbox", None)], vec![]));
        found(&world, Archive, 70).await;
        assert_eq!(rows(&world, id).await, (vec![at("archive", 70), at("inbox", None)], vec![]));
    }
}

on_both! {
    async fn flags_meet_a_mail_where_it_arrives(backend: Backend) {
        let world = World::new(backend).await;
        let (id, place) = leaving(&world).await;
        // Read while it was on its way: the provider does not know.
        world.patch(id, json!({ "is_read": true })).await;
        moved(&world, &place, Some(NEW)).await;
        let row = world.diffs(&[id]).await[&id].locations[0].clone();
        assert_eq!((row.is_read, row.server_read, row.server_starred), (true, Some(false), None));
    }
}

on_both! {
    async fn flags_that_are_stored_late_stand_beside_what_is_wanted_now(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        world.patch(id, json!({ "is_read": true })).await;
        let row = world.diffs(&[id]).await[&id].locations[0].clone();
        world.patch(id, json!({ "is_read": false })).await;
        let stored = async || {
            let mut conn = world.api.ground.write().await;
            conn.transaction(async |tx| messages::flags_stored(tx, &[(row.id, Some(20))], Flag::Read, true, later()).await).await.unwrap();
        };
        stored().await;
        let now = world.diffs(&[id]).await[&id].locations[0].clone();
        assert_eq!((now.is_read, now.server_read, now.mod_seq), (false, Some(true), Some(20)));
        // The place keeps its identity when it becomes a departure, and with it what the provider has.
        world.patch(id, json!({ "is_archived": true })).await;
        stored().await;
        let leaving = world.diffs(&[id]).await[&id].departures[0].clone();
        assert_eq!((leaving.id, leaving.is_read), (row.id, true));
    }
}

on_both! {
    async fn a_copy_that_is_not_wanted_any_more_is_to_leave_again(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        world.label(id, &["L"], &[]).await;
        let folder = world.folder_named("L").await;
        let source = world.diffs(&[id]).await[&id].locations.iter().find(|row| row.number.is_some()).unwrap().clone();
        let copied = async |number| {
            let mut conn = world.api.ground.write().await;
            conn.transaction(async |tx| messages::copied(tx, &source, folder, Some(number), later()).await).await.unwrap();
        };
        copied(NEW).await;
        assert_eq!(rows(&world, id).await, (vec![at("L", 70), at("inbox", 1)], vec![]));
        world.label(id, &[], &["L"]).await;
        assert_eq!(rows(&world, id).await, (vec![at("inbox", 1)], vec![from("L", 70)]));
        copied(Number { uid: 71, ..NEW }).await;
        assert_eq!(rows(&world, id).await, (vec![at("inbox", 1)], vec![from("L", 70), from("L", 71)]));
        // Wanted once more before it left, it simply stays.
        world.label(id, &["L"], &[]).await;
        assert_eq!(rows(&world, id).await.0.len(), 2);
        assert_eq!(rows(&world, id).await.1.len(), 1);
    }
}

on_both! {
    async fn a_departure_that_was_called_back_while_it_was_removed_is_expected_again(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        found(&world, Archive, 5).await;
        world.patch(id, json!({ "is_archived": true })).await;
        let place = world.diffs(&[id]).await[&id].departures[0].clone();
        world.move_to(id, world.folder(Inbox)).await;
        let mut conn = world.api.ground.write().await;
        conn.transaction(async |tx| messages::removed(tx, &place, later()).await).await.unwrap();
        drop(conn);
        assert_eq!(rows(&world, id).await, (vec![at("inbox", None)], vec![from("archive", 5)]));
    }
}
