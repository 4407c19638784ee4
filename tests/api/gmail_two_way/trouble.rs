//! What may come in between: other people, deleted labels and mails, answers that are lost, a provider that is busy.

use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use serde_json::json;

use super::{Stage, label_id, labels, set};
use crate::support::gmail::{ANN, states, sync};
use crate::support::{Backend, wait_until};

on_both! {
    async fn a_label_deleted_meanwhile_fails_the_change_and_the_mail_is_as_it_was(backend: Backend) {
        let mut mail = String::new();
        let stage = Stage::start(backend, |world| {
            world.gmail.create_label(ANN, "Going");
            mail = world.mail(1, None).id;
        })
        .await;
        let verbs = stage.verbs();
        let (id, going) = (stage.id(&mail).await, verbs.folder("Going").await);
        stage.world.gmail.delete_label(ANN, &label_id(&stage.world, "Going")).unwrap();
        let change = json!({"folder_id": going, "is_starred": true});
        let operation = verbs.batch(&[id], change).await;
        stage.failed(&operation, "label_gone").await;
        assert_eq!(labels(&stage.world, &mail), set(&["INBOX", "STARRED", "UNREAD"]), "what could be done was done");
        stage.converged().await;
        wait_until("the folder is gone", async || {
            let path = format!("/api/email/accounts/{}/folders", stage.account);
            stage.owner.all(&path).await.iter().all(|folder| folder["name"] != "Going")
        })
        .await;
    }
}

on_both! {
    async fn a_mail_gone_meanwhile_fails_alone_and_vanishes(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| mails.extend((1..=40).map(|number| world.mail(number, None).id))).await;
        let verbs = stage.verbs();
        let ids = super::ids(&stage.owner, &stage.account).await;
        stage.world.gmail.delete_mails(ANN, &mails[..2]).unwrap();
        let operation = verbs.patch(&ids[&mails[0]], json!({"is_read": true})).await;
        stage.failed(&operation, "message_gone").await;
        stage.converged().await;
        // In a batch that Gmail refuses because of one of its mails, the others go on.
        let refusal = Fault::Refusal { status: 404, reason: "notFound".to_owned() };
        stage.world.gmail.add_fault("messages.batchModify", When::Next(2), refusal).unwrap();
        stage.world.gmail.delete_mails(ANN, &mails[2..3]).unwrap();
        let all: Vec<String> = mails[3..].iter().map(|mail| ids[mail].clone()).collect();
        let operation = verbs.batch(&all, json!({"is_archived": true})).await;
        stage.confirmed(&operation).await;
        mails[3..].iter().for_each(|mail| assert_eq!(labels(&stage.world, mail), set(&["UNREAD"])));
        stage.converged().await;
    }
}

on_both! {
    async fn a_busy_gmail_and_lost_answers_cost_time_and_nothing_else(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| mails.extend((1..=30).map(|number| world.mail(number, None).id))).await;
        let verbs = stage.verbs();
        let ids = super::ids(&stage.owner, &stage.account).await;
        let told = stage.told().await;
        let gmail = &stage.world.gmail;
        let seconds = RetryAfter::Seconds(1);
        for (call, fault) in [
            ("messages.modify", Fault::TooManyRequests { retry_after: seconds }),
            ("messages.modify", Fault::LostAnswer),
            ("messages.batchModify", Fault::RateForbidden { retry_after: seconds }),
            ("messages.batchModify", Fault::LostAnswer),
            ("labels.create", Fault::LostAnswer),
        ] {
            gmail.add_fault(call, When::Next(1), fault).unwrap();
        }
        let most: Vec<String> = mails[1..].iter().map(|mail| ids[mail].clone()).collect();
        for operation in [
            verbs.patch(&ids[&mails[0]], json!({"is_read": true})).await,
            verbs.batch(&most, json!({"is_archived": true, "add_labels": ["New"]})).await,
        ] {
            stage.confirmed(&operation).await;
        }
        let new = label_id(&stage.world, "New");
        assert_eq!(labels(&stage.world, &mails[0]), set(&["INBOX"]));
        mails[1..].iter().for_each(|mail| assert_eq!(labels(&stage.world, mail), set(&["UNREAD", &new])));
        stage.converged().await;
        sync(&stage.owner, &stage.account).await;
        assert_eq!(stage.told().await, told + 30, "each mail is told of once");
    }
}

on_both! {
    async fn where_the_label_of_the_trash_is_refused_the_trash_has_calls_of_its_own(backend: Backend) {
        let mut mail = String::new();
        let stage = Stage::start(backend, |world| mail = world.mail(1, None).id).await;
        let verbs = stage.verbs();
        let id = stage.id(&mail).await;
        let refusal = Fault::Refusal { status: 400, reason: "invalidArgument".to_owned() };
        stage.world.gmail.add_fault("messages.modify", When::Always, refusal).unwrap();
        stage.confirmed(&verbs.trash(&id).await).await;
        assert_eq!(labels(&stage.world, &mail), set(&["TRASH", "UNREAD"]));
        stage.world.gmail.clear_faults();
        stage.confirmed(&verbs.batch(&[id], json!({"trash": false})).await).await;
        assert_eq!(labels(&stage.world, &mail), set(&["INBOX", "UNREAD"]));
        stage.converged().await;
    }
}

on_both! {
    async fn two_people_at_one_mail_both_get_what_they_want(backend: Backend) {
        let mut mails = Vec::new();
        let stage = Stage::start(backend, |world| mails.extend((1..=6).map(|number| world.mail(number, None).id))).await;
        let (verbs, gmail) = (stage.verbs(), &stage.world.gmail);
        let ids = super::ids(&stage.owner, &stage.account).await;
        // Ours waits while theirs is done and comes in.
        gmail.add_fault("messages.modify", When::Next(3), Fault::ServerError { status: 503 }).unwrap();
        let read = verbs.patch(&ids[&mails[0]], json!({"is_read": true})).await;
        gmail.relabel(ANN, &mails[..1], &["STARRED"], &["INBOX"]).unwrap();
        sync(&stage.owner, &stage.account).await;
        stage.confirmed(&read).await;
        stage.converged().await;
        assert_eq!(labels(&stage.world, &mails[0]), set(&["STARRED"]));
        // The same field on both sides, and other fields at the same time, many times over.
        for round in 0..5 {
            let theirs = &mails[round + 1..round + 2];
            let mine = &ids[&theirs[0]];
            gmail.relabel(ANN, theirs, &["STARRED"], &["UNREAD"]).unwrap();
            let (change, _) = tokio::join!(
                verbs.batch(std::slice::from_ref(mine), json!({"is_read": true, "is_archived": true})),
                sync(&stage.owner, &stage.account),
            );
            stage.confirmed(&change).await;
            sync(&stage.owner, &stage.account).await;
            stage.converged().await;
            assert_eq!(labels(&stage.world, &theirs[0]), set(&["STARRED"]));
        }
        let here = states(&stage.owner, &stage.account).await;
        assert!(here.values().all(|(folders, read, starred)| folders.is_empty() && *read && *starred), "{here:?}");
    }
}
