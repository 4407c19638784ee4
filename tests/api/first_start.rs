//! The first minutes with the program: it starts with no setting, prints its link, and stops in good order.

use crate::support::{Backend, Client, TestProcess};
use serde_json::json;
use std::process::{Command, Stdio};

on_both! {
    async fn the_printed_link_sets_up_once(backend: Backend) {
        let duplex = TestProcess::start(backend).await;
        let nobody = duplex.nobody();
        assert_eq!(nobody.get("/api/setup").await.json(200)["needed"], true);
        let token = duplex.setup_token();
        assert!(token.len() >= 20, "{token}");
        let wrong = json!({
            "token": "a-token-that-nobody-printed", "organization": "X", "name": "X", "email": "x@x.example",
            "password": "correct horse battery staple",
        });
        assert!((400..500).contains(&nobody.post("/api/setup", wrong.clone()).await.status));
        let owner = duplex.owner().await;
        assert_eq!(owner.get("/api/me").await.json(200)["email"], crate::support::app::OWNER_EMAIL);
        assert_eq!(nobody.get("/api/setup").await.json(200)["needed"], false);
        let mut again = wrong;
        again["token"] = json!(token);
        assert!((400..500).contains(&nobody.post("/api/setup", again).await.status), "the token counts once");
    }
}

on_both! {
    async fn what_was_set_up_survives_kills_and_stops(backend: Backend) {
        let mut duplex = TestProcess::start(backend).await;
        duplex.owner().await;
        duplex.kill();
        duplex.start_again().await;
        assert!(!duplex.words().contains("/setup?token="), "nothing is left to set up");
        duplex.owner_again().await;
        assert!(duplex.terminate().await.success(), "{}", duplex.words());
        duplex.start_again().await;
        duplex.owner_again().await;
    }
}

on_both! {
    async fn it_says_that_it_is_well(backend: Backend) {
        let duplex = TestProcess::start(backend).await;
        assert_eq!(duplex.nobody().get("/healthz").await.status, 200);
        assert_eq!(duplex.nobody().get("/readyz").await.status, 200);
        assert!(duplex.nobody().get("/metrics").await.text().contains("# TYPE"));
        let api = duplex.nobody().get("/api/openapi.json").await.json(200);
        assert!(api["paths"]["/api/email/accounts"].is_object());
        let operations = api["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let mut names: Vec<&str> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "an operation's id is its own: {names:?}");
        let phases = &api["components"]["schemas"]["Phase"]["enum"];
        assert_eq!(phases, &serde_json::json!(["backfill", "live", "paused"]), "the words that answers hold");
        let docs = duplex.nobody().get("/api/docs").await;
        assert_eq!(docs.header("content-type"), Some("text/html"));
        assert!(docs.header("content-security-policy").is_some_and(|policy| policy.contains("script-src 'self'")));
        assert!(docs.text().contains("/assets/docs.js"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_with_no_setting_at_all() {
    let mut duplex = TestProcess::start_with(Backend::Sqlite, |settings| {
        let port = settings.0.remove("BIND_ADDR").unwrap();
        settings.0.clear();
        // Only so that tests side by side do not meet on one port.
        settings.set("BIND_ADDR", &port);
    })
    .await;
    let data = duplex.data_dir().join("data");
    assert!(data.join("duplex.db").is_file());
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.join("secrets.toml").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    duplex.owner().await;
    assert!(duplex.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_does_not_exist_is_named_and_not_made() {
    let dir = tempfile::TempDir::new().unwrap();
    let missing = dir.path().join("dtaa");
    let done = Command::new(env!("CARGO_BIN_EXE_duplex"))
        .env_clear()
        .env("DATA_DIR", &missing)
        .env("BIND_ADDR", "127.0.0.1:0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(words.contains("dtaa") && words.trim().lines().count() == 1, "{words}");
    assert!(!missing.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_in_no_log() {
    let mut duplex = TestProcess::start_with(Backend::Sqlite, |settings| {
        settings.set("RUST_LOG", "trace");
    })
    .await;
    let owner: Client = duplex.owner().await;
    owner.get("/api/me").await.json(200);
    duplex.terminate().await;
    let words = duplex.words();
    assert!(!words.contains(crate::support::app::OWNER_PASSWORD));
    assert!(!words.contains(&"5a".repeat(32)));
    assert!(!words.contains("a secret for the tests alone"));
}
