//! Many who need a token at once, several copies of the process, and being killed in the middle.

use std::time::Duration;

use duplex_emulators::shared::faults::{Fault, When};

use super::{ANN, World, alter, line};
use crate::support::{Backend, wait_until};

async fn expire(world: &World) {
    alter(&world.app, "UPDATE email_accounts SET token_expires_at = created_at").await;
}

on_both! {
    async fn fifty_who_meet_an_expired_token_cause_one_refresh(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        expire(&world).await;
        let before = world.token_calls();
        let handles: Vec<_> = (0..50).map(|_| accounts.tokens(&account)).collect();
        let tokens = futures_util::future::join_all(handles.iter().map(|handle| handle.current())).await;
        let first = tokens[0].as_ref().unwrap();
        assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
        assert_eq!(world.token_calls() - before, 1);
        // The same for one that Google refuses before its time.
        let again = futures_util::future::join_all(handles.iter().map(|handle| handle.renewed(first))).await;
        assert!(again.iter().all(|token| token.as_ref().unwrap() == again[0].as_ref().unwrap()));
        assert_ne!(again[0].as_ref().unwrap(), first);
        assert_eq!(world.token_calls() - before, 2);
    }
}

on_both! {
    async fn several_copies_of_the_process_cause_one_refresh(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let mut copies = Vec::new();
        for number in 0..5 {
            copies.push(world.accounts(&format!("copy-{number}")).await);
        }
        let account = world.account(&copies[0], &id).await;
        expire(&world).await;
        world.gmail.set_latency(Duration::from_millis(300));
        let before = world.token_calls();
        let handles: Vec<_> = copies.iter().flat_map(|copy| (0..10).map(|_| copy.tokens(&account))).collect();
        let tokens = futures_util::future::join_all(handles.iter().map(|handle| handle.current())).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap() == tokens[0].as_ref().unwrap()));
        assert_eq!(world.token_calls() - before, 1);
    }
}

on_both! {
    async fn a_copy_that_was_killed_in_the_middle_is_not_waited_for_when_it_comes_back(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let copy = world.accounts("killed").await;
        let account = world.account(&copy, &id).await;
        expire(&world).await;
        // Its request hangs when it is killed: what it would have answered is lost, and the claim stays.
        world.gmail.add_fault("oauth.token", When::Next(1), Fault::Timeout { millis: 600_000, done: true }).unwrap();
        let tokens = copy.tokens(&account);
        let hanging = tokio::spawn(async move { tokens.current().await });
        let claimed = || line(&world.app, "SELECT refreshed_by AS line FROM oauth_grants");
        wait_until("the copy is at it", async || claimed().await.is_some()).await;
        hanging.abort();
        let reborn = world.accounts("killed").await;
        assert_eq!(reborn.release_own_refreshes().await.unwrap(), 1);
        reborn.tokens(&account).current().await.unwrap();
        assert_eq!(claimed().await, None);
    }
}

on_both! {
    async fn who_stops_waiting_does_not_stop_the_refresh(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        expire(&world).await;
        world.gmail.set_latency(Duration::from_millis(200));
        let before = world.token_calls();
        let impatient = accounts.tokens(&account);
        let _ = tokio::time::timeout(Duration::from_millis(20), impatient.current()).await;
        accounts.tokens(&account).current().await.unwrap();
        assert!(world.token_calls() - before <= 1);
    }
}
