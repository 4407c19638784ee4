//! Taking changes back, exactly.

use std::collections::BTreeMap;

use duplex::ids::EmailId;
use duplex::messages::{
    FolderRole::{Archive, Inbox, Sent},
    IncomingMail,
};
use serde_json::json;

use super::provider::Provider;
use super::{World, operation, refused};
use crate::messages::ground::{incoming, parsed};
use crate::support::Backend;

type View = BTreeMap<EmailId, Vec<(String, bool, bool)>>;

async fn view(world: &World, ids: &[EmailId]) -> View {
    let names = world.names().await;
    let mut view = View::new();
    for (id, diff) in world.diffs(ids).await {
        let mut places: Vec<_> =
            diff.locations.iter().map(|row| (names[&row.folder].clone(), row.is_read, row.is_starred)).collect();
        places.sort();
        view.insert(id, places);
    }
    view
}

/// A thousand mails with all kinds of flags; every third one lies in Sent too, every seventh twice in the inbox.
async fn thousand(world: &World) -> Vec<EmailId> {
    let mail = |uid: u32| IncomingMail {
        is_read: uid.is_multiple_of(2),
        is_starred: uid.is_multiple_of(5),
        ..incoming(world.folder(Inbox), uid, parsed(&format!("m{uid}"), &[]))
    };
    let mails: Vec<IncomingMail> = (1..=1_000).map(mail).collect();
    let applied = world.api.ground.apply(Inbox, mails).await;
    let twice = (1..=1_000).filter(|uid| uid % 7 == 0).map(|uid| IncomingMail {
        uid: uid + 2_000,
        is_read: uid % 2 != 0,
        ..mail(uid)
    });
    world.api.ground.apply(Inbox, twice.collect()).await;
    let also = (1..=1_000).filter(|uid| uid % 3 == 0).map(|uid| IncomingMail {
        folder: world.folder(Sent),
        is_starred: true,
        ..mail(uid)
    });
    world.api.ground.apply(Sent, also.collect()).await;
    applied.new.into_iter().map(|(id, _)| id).collect()
}

on_both! {
    async fn a_thousand_archived_mails_come_back_exactly_before_they_were_carried(backend: Backend) {
        let world = World::new(backend).await;
        let ids = thousand(&world).await;
        let mut provider = Provider::mirror(&world, &ids).await;
        let (before, unread) = (view(&world, &ids).await, world.counts("inbox").await);
        let op = operation(&world.batch(&ids, json!({ "is_archived": true, "is_read": true })).await);
        assert_eq!(world.counts("inbox").await, (0, 0));
        assert_eq!(world.api.get("/api/email/messages?is_read=false").await.items("id").len(), 0);
        let undo = world.undo(&op).await;
        assert_eq!((undo.status, undo.json()["kind"].as_str(), undo.json()["undoes"].as_str()), (200, Some("undo"), Some(op.as_str())));
        assert_eq!(view(&world, &ids).await, before);
        assert_eq!(world.counts("inbox").await, unread);
        assert_eq!(world.state(&op).await, "undone");
        provider.settle(&world, &ids).await;
        assert_eq!(view(&world, &ids).await, before);
    }
}

on_both! {
    async fn mails_that_were_carried_away_come_back_exactly(backend: Backend) {
        let world = World::new(backend).await;
        let ids: Vec<EmailId> = thousand(&world).await.into_iter().take(60).collect();
        let mut provider = Provider::mirror(&world, &ids).await;
        let before = view(&world, &ids).await;
        for body in [json!({ "is_archived": true, "is_starred": false }), json!({ "trash": true }), json!({ "add_labels": ["L"], "is_read": false }),
            json!({ "folder_id": world.folder(Archive) })] {
            let op = operation(&world.batch(&ids, body.clone()).await);
            let after = view(&world, &ids).await;
            assert_ne!(after, before, "{body}");
            provider.settle(&world, &ids).await;
            let undo = operation(&world.undo(&op).await);
            assert_eq!(view(&world, &ids).await, before, "{body}");
            provider.settle(&world, &ids).await;
            // Once more, and back again: an undo can be taken back too.
            let redo = operation(&world.undo(&undo).await);
            assert_eq!(view(&world, &ids).await, after, "{body}");
            provider.settle(&world, &ids).await;
            operation(&world.undo(&redo).await);
            provider.settle(&world, &ids).await;
            assert_eq!(view(&world, &ids).await, before, "{body}");
            assert_eq!((world.state(&op).await.as_str(), world.state(&redo).await.as_str()), ("undone", "undone"));
        }
    }
}

on_both! {
    async fn what_cannot_be_taken_back_says_why(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let nothing = operation(&world.patch(id, json!({ "is_read": false })).await);
        refused(&world.undo(&nothing).await, 409, "conflict", None);
        let read = operation(&world.patch(id, json!({ "is_read": true })).await);
        let unread = operation(&world.patch(id, json!({ "is_read": false })).await);
        // A later change of the same field stands in the way, one of another field does not.
        refused(&world.undo(&read).await, 409, "conflict", None);
        let star = operation(&world.patch(id, json!({ "is_starred": true })).await);
        assert_eq!(world.undo(&unread).await.status, 200);
        refused(&world.undo(&unread).await, 409, "conflict", None);
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), true, true)]);
        // Now that the later one is gone, the first one can be taken back.
        assert_eq!(world.undo(&read).await.status, 200);
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, true)]);
        world.patch(id, json!({ "is_archived": true })).await;
        assert_eq!(world.undo(&star).await.status, 200);
        assert_eq!(world.lies(id).await, [("archive".to_owned(), false, false)]);
        for unknown in ["nonsense".to_owned(), duplex::ids::OperationId::new().to_string()] {
            refused(&world.undo(&unknown).await, 404, "not_found", None);
        }
    }
}

on_both! {
    async fn mails_that_were_changed_since_are_left_out_of_an_undo(backend: Backend) {
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Inbox, 2, "b").await];
        let archive = operation(&world.batch(&ids, json!({ "is_archived": true })).await);
        world.trash(ids[1]).await;
        let undo = world.undo(&archive).await.json();
        assert_eq!(world.folders(ids[0]).await, ["inbox"]);
        assert_eq!(world.folders(ids[1]).await, ["trash"]);
        let items: BTreeMap<&str, &str> = undo["items"].as_array().unwrap().iter().map(|item| (item["email_id"].as_str().unwrap(), item["state"].as_str().unwrap())).collect();
        assert_eq!((items[ids[0].to_string().as_str()], items[ids[1].to_string().as_str()]), ("pending", "superseded"));
        assert_eq!(world.state(&archive).await, "undone");
    }
}

on_both! {
    async fn an_undo_keeps_what_was_changed_since_beside_it(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let archive = operation(&world.patch(id, json!({ "is_archived": true })).await);
        world.patch(id, json!({ "is_read": true })).await;
        world.undo(&archive).await;
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), true, false)]);
    }
}
