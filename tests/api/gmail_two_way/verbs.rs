//! Every verb, here and at Gmail.

use serde_json::json;

use super::{Stage, label_id, labels, set};
use crate::support::Backend;
use crate::support::gmail::{ANN, states, sync};

on_both! {
    async fn every_verb_reaches_gmail_and_comes_back_as_no_news(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| {
            world.gmail.create_label(ANN, "Customers");
            mails.extend((1..=14).map(|number| world.mail(number, None).id));
        })
        .await;
        let (verbs, world) = (stage.verbs(), &stage.world);
        let customers = label_id(world, "Customers");
        let folder = verbs.folder("Customers").await;
        let ids = super::ids(&stage.owner, &stage.account).await;
        let id = |place: usize| ids[&mails[place]].as_str();
        let some: Vec<String> = (6..12).map(|place| id(place).to_owned()).collect();
        for operation in [
            verbs.patch(id(0), json!({"is_read": true})).await,
            verbs.patch(id(1), json!({"is_starred": true})).await,
            verbs.patch(id(2), json!({"is_archived": true})).await,
            verbs.post(id(3), "move", json!({"folder_id": folder})).await,
            verbs.post(id(4), "labels", json!({"add": ["customers", "Wichtig & neu/東"], "remove": []})).await,
            verbs.trash(id(5)).await,
            verbs.batch(&some, json!({"is_read": true, "is_starred": true, "is_archived": true})).await,
        ] {
            stage.confirmed(&operation).await;
        }
        let new = label_id(world, "Wichtig & neu/東");
        assert_eq!(labels(world, &mails[0]), set(&["INBOX"]));
        assert_eq!(labels(world, &mails[1]), set(&["INBOX", "STARRED", "UNREAD"]));
        assert_eq!(labels(world, &mails[2]), set(&["UNREAD"]));
        assert_eq!(labels(world, &mails[3]), set(&["UNREAD", &customers]));
        assert_eq!(labels(world, &mails[4]), set(&["INBOX", "UNREAD", &customers, &new]));
        assert_eq!(labels(world, &mails[5]), set(&["TRASH", "UNREAD"]));
        (6..12).for_each(|place| assert_eq!(labels(world, &mails[place]), set(&["STARRED"])));
        stage.converged().await;

        for operation in [
            verbs.patch(id(0), json!({"is_read": false})).await,
            verbs.patch(id(1), json!({"is_starred": false})).await,
            verbs.patch(id(2), json!({"is_archived": false})).await,
            verbs.post(id(4), "labels", json!({"add": [], "remove": ["Customers", "Wichtig & neu/東"]})).await,
            verbs.batch(&[id(5).to_owned()], json!({"trash": false})).await,
            verbs.batch(&some, json!({"is_read": false, "is_starred": false, "is_archived": false})).await,
        ] {
            stage.confirmed(&operation).await;
        }
        for place in [0, 1, 2, 4, 5, 6, 11] {
            assert_eq!(labels(world, &mails[place]), set(&["INBOX", "UNREAD"]), "mail {place}");
        }
        stage.converged().await;

        // What comes back from Gmail is what was done here: nobody is told of it again.
        let told = stage.told().await;
        sync(&stage.owner, &stage.account).await;
        sync(&stage.owner, &stage.account).await;
        assert_eq!(stage.told().await, told, "our own changes do not echo");
        assert_eq!(super::ids(&stage.owner, &stage.account).await, ids, "ids survive");
    }
}

on_both! {
    async fn a_conversation_is_changed_as_a_whole(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| {
            let raw = |number: u32| format!(
                "From: carl@customer.example\r\nTo: {ANN}\r\nSubject: Offer\r\nMessage-ID: <{number}@thread.example>\r\n\
                 References: <1@thread.example>\r\n\r\nText {number}\r\n"
            );
            for number in 1..=3 {
                let labels = if number == 3 { vec!["SENT".to_owned()] } else { vec!["INBOX".to_owned(), "UNREAD".to_owned()] };
                let seed = duplex_emulators::gmail::control::Seed { raw: raw(number), labels: Some(labels), ..Default::default() };
                mails.push(world.gmail.add_mail(ANN, seed).unwrap().id);
            }
        })
        .await;
        let id = stage.id(&mails[0]).await;
        let thread = stage.owner.get(&format!("/api/email/messages/{id}")).await.json(200)["thread_id"].clone();
        let path = format!("/api/email/threads/{}", thread.as_str().unwrap());
        let change = async |change| {
            let answer = stage.owner.patch(&path, change).await;
            answer.json(200);
            stage.confirmed(answer.header("duplex-operation-id").unwrap()).await;
        };
        change(json!({"is_archived": true, "is_read": true})).await;
        assert_eq!(labels(&stage.world, &mails[0]), set(&[]));
        assert_eq!(labels(&stage.world, &mails[2]), set(&["SENT"]), "sent mail stays where it is");
        change(json!({"trash": true})).await;
        assert_eq!(labels(&stage.world, &mails[2]), set(&["SENT", "TRASH"]));
        stage.converged().await;
        change(json!({"trash": false})).await;
        assert_eq!(labels(&stage.world, &mails[2]), set(&["SENT"]));
        stage.converged().await;
    }
}

on_both! {
    async fn labels_that_the_trash_hid_show_again_whoever_takes_the_mail_out(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| {
            let label = world.gmail.create_label(ANN, "Kept").unwrap();
            let hidden: [&str; 3] = ["SENT", "TRASH", &label];
            mails.extend((1..=2).map(|number| world.mail(number, Some(&hidden)).id));
        })
        .await;
        let id = stage.id(&mails[0]).await;
        assert_eq!(states(&stage.owner, &stage.account).await[&mails[0]].0, set(&["Trash"]));
        let operation = stage.verbs().batch(&[id], json!({"trash": false})).await;
        stage.confirmed(&operation).await;
        // Whether it lay in the inbox before nobody knows, so there it can be found.
        assert_eq!(states(&stage.owner, &stage.account).await[&mails[0]].0, set(&["Inbox", "Kept", "Sent"]));
        stage.world.gmail.relabel(ANN, &mails[1..], &[], &["TRASH"]).unwrap();
        sync(&stage.owner, &stage.account).await;
        stage.converged().await;
        assert_eq!(states(&stage.owner, &stage.account).await[&mails[1]].0, set(&["Kept", "Sent"]));
    }
}

on_both! {
    async fn nobody_takes_a_mail_away_from_the_sent_ones(backend: Backend) {
        let mut sent = String::new();
        let stage = Stage::start(backend, |world| {
            world.gmail.create_label(ANN, "Work");
            sent = world.mail(1, Some(&["SENT"])).id;
        })
        .await;
        let verbs = stage.verbs();
        let (work, from) = (verbs.folder("Work").await, verbs.folder("Sent").await);
        let id = stage.id(&sent).await;
        let operation = verbs.post(&id, "move", json!({"folder_id": work, "from_folder_id": from})).await;
        stage.failed(&operation, "label_fixed").await;
        stage.converged().await;
        assert_eq!(labels(&stage.world, &sent), set(&["SENT"]));
        // Without a word about where from, it gets the label and stays.
        let operation = verbs.post(&id, "move", json!({"folder_id": work})).await;
        stage.confirmed(&operation).await;
        assert_eq!(states(&stage.owner, &stage.account).await[&sent].0, set(&["Sent", "Work"]));
        stage.converged().await;
    }
}

on_both! {
    async fn a_label_that_somebody_else_made_meanwhile_is_the_one(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| mails.extend((1..=2).map(|number| world.mail(number, None).id))).await;
        let verbs = stage.verbs();
        let theirs = stage.world.gmail.create_label(ANN, "customers").unwrap();
        let id = stage.id(&mails[0]).await;
        let operation = verbs.post(&id, "labels", json!({"add": ["Customers"], "remove": []})).await;
        stage.confirmed(&operation).await;
        assert_eq!(labels(&stage.world, &mails[0]), set(&["INBOX", "UNREAD", &theirs]));
        stage.world.gmail.relabel(ANN, &mails[1..], &[&theirs], &[]).unwrap();
        sync(&stage.owner, &stage.account).await;
        let here = states(&stage.owner, &stage.account).await;
        assert_eq!(here[&mails[0]].0, here[&mails[1]].0, "it is one folder");
        let refused = stage.owner.post(&format!("/api/email/messages/{id}/labels"), json!({"add": ["Starred"], "remove": []})).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
    }
}
