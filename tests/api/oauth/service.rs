//! Mailboxes of a whole Workspace by a service account.

use duplex::clock::Clock;
use duplex::providers::ProviderErrorKind as Kind;
use duplex_emulators::gmail::oauth::ServiceAccount;
use serde_json::json;

use super::{ANN, BOB, GmailEmulator, MODIFY, World, quiet};
use crate::support::Backend;

const ROBOT: &str = "robot@tests.iam.gserviceaccount.com";

fn robot(scopes: &[&str]) -> ServiceAccount {
    ServiceAccount {
        email: ROBOT.to_owned(),
        client_id: "1234567890".to_owned(),
        project: "tests".to_owned(),
        delegated_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

/// A world whose key file was made by its own emulator: the file must be there before the application starts.
async fn world(backend: Backend) -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.json");
    let file = |gmail: &GmailEmulator| gmail.add_service_account(robot(&[MODIFY])).to_string();
    let first = GmailEmulator::start().unwrap();
    std::fs::write(&path, file(&first)).unwrap();
    let world = World::start_at(backend, Clock::system(), |settings| {
        let url = settings.0["GOOGLE_API_URL"].clone();
        let text = std::fs::read_to_string(&path).unwrap().replace(first.url(), &url);
        std::fs::write(&path, text).unwrap();
        settings.set("GOOGLE_SERVICE_ACCOUNT_FILE", &path.to_string_lossy());
    })
    .await;
    world.gmail.add_service_account(robot(&[MODIFY]));
    (world, dir)
}

on_both! {
    async fn an_admin_connects_a_mailbox_of_the_workspace(backend: Backend) {
        let (world, _dir) = world(backend).await;
        let path = "/api/email/accounts";
        let order = json!({ "provider": "gmail", "email_address": ANN, "credentials": "service", "display_name": "Ann" });
        let made = world.owner.post(path, order.clone()).await.json(201);
        assert_eq!((&made["credentials"], &made["email_address"], &made["display_name"]), (&json!("service"), &json!(ANN), &json!("Ann")));
        world.owner.post(path, order.clone()).await.problem(409, "account_exists");
        let id = made["id"].as_str().unwrap();
        quiet(&world.app, &world.owner, id).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, id).await;
        let before = world.token_calls();
        let handles: Vec<_> = (0..50).map(|_| accounts.tokens(&account)).collect();
        let tokens = futures_util::future::join_all(handles.iter().map(|handle| handle.current())).await;
        assert!(tokens.iter().all(|token| token.is_ok()));
        assert_eq!(world.token_calls() - before, 1);
        world.owner.post(&format!("{path}/{id}/reconnect"), json!({})).await.problem(422, "provider_not_available");
        // The administrator takes it back: that is for an operator to mend, and nobody is asked to sign in.
        world.gmail.add_service_account(robot(&[]));
        let token = tokens[0].as_ref().unwrap();
        let error = accounts.tokens(&account).renewed(token).await.unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::NeedsOperator, "service_delegation_missing"));
        assert_eq!(world.account(&accounts, id).await.status.as_str(), "error");
        world.gmail.add_service_account(robot(&[MODIFY]));
        accounts.tokens(&account).renewed(token).await.unwrap();
    }
}

on_both! {
    async fn mailboxes_outside_the_workspace_and_people_without_the_role_are_refused(backend: Backend) {
        let (world, _dir) = world(backend).await;
        let order = |address: &str| json!({ "provider": "gmail", "email_address": address, "credentials": "service" });
        let path = "/api/email/accounts";
        world.owner.post(path, order(BOB)).await.problem(422, "service_delegation_missing");
        world.owner.post(path, order("nobody@example.com")).await.problem(422, "service_account_refused");
        world.owner.post(path, order("no address")).await.problem(422, "validation_failed");
        let mut both = order(ANN);
        both["shared_via"] = json!(duplex::ids::AccountId::new());
        world.owner.post(path, both).await.problem(422, "validation_failed");
        world.owner.post(path, json!({ "provider": "gmail", "email_address": ANN })).await.problem(422, "provider_not_available");
        let person = json!({ "email": "mia@acme.example", "name": "Mia", "role": "member", "password": "seven green bottles" });
        world.owner.post("/api/users", person).await.json(201);
        let mia = world.app.nobody().sign_in("mia@acme.example", "seven green bottles").await;
        mia.post(path, order(ANN)).await.problem(403, "forbidden");
    }
}

on_both! {
    async fn without_a_key_file_it_is_said_what_to_set(backend: Backend) {
        let world = World::start(backend).await;
        let order = json!({ "provider": "gmail", "email_address": ANN, "credentials": "service" });
        let refused = world.owner.post("/api/email/accounts", order).await.problem(422, "provider_not_configured");
        assert!(refused["detail"].as_str().unwrap().contains("GOOGLE_SERVICE_ACCOUNT_FILE"));
    }
}
