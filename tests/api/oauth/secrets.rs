//! Where secrets must not be: the database, the logs, answers.

use diesel::sql_types::Binary;
use diesel_async::RunQueryDsl;
use duplex::on_conn;
use duplex_emulators::GmailEmulator;
use duplex_emulators::gmail::control::NewUser;
use duplex_emulators::gmail::oauth::{Client as GoogleClient, Publishing};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ANN, GOOGLE_CLIENT, GOOGLE_SECRET, World, google_settings, query};
use crate::support::{Backend, TestProcess, wait_until};

/// A server that gives every request the same answer; gives its address.
pub async fn answering(status: u16, body: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            tokio::spawn(async move {
                let mut seen = vec![0; 16 * 1024];
                let _ = stream.read(&mut seen).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    url
}

#[derive(diesel::QueryableByName)]
struct Sealed {
    #[diesel(sql_type = Binary)]
    access_token: Vec<u8>,
    #[diesel(sql_type = Binary)]
    refresh_token: Vec<u8>,
}

/// Whether these bytes stand in any file of the folder.
fn stands_in(dir: &std::path::Path, secret: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return stands_in(&path, secret);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

on_both! {
    async fn tokens_are_sealed_and_bound_to_their_place(backend: Backend) {
        let world = World::start(backend).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let state = query(&url)["state"].clone();
        let back = world.way_back(&url).await;
        let code = query(&format!("{}{back}", world.app.base))["code"].clone();
        world.owner.get(&back).await;
        let accounts = world.accounts("other").await;
        let listed = world.owner.all("/api/email/accounts").await;
        let account = world.account(&accounts, listed[0]["id"].as_str().unwrap()).await;
        let token = accounts.tokens(&account).current().await.unwrap();
        if backend == Backend::Sqlite {
            for secret in [state.as_str(), &code, token.expose(), GOOGLE_SECRET] {
                assert!(!stands_in(world.app.data_dir(), secret), "a secret stands in the folder of the data");
            }
        }
        let mut conn = world.app.database().await.write().await.unwrap();
        let read = "SELECT access_token, refresh_token FROM email_accounts";
        let rows: Vec<Sealed> = on_conn!(&mut conn, |c| diesel::sql_query(read).load(c).await).unwrap();
        for sealed in [&rows[0].access_token, &rows[0].refresh_token] {
            let text = String::from_utf8_lossy(sealed);
            assert!(!text.contains("ya29") && !text.contains("1//"));
        }
        // Two that changed places do not open.
        let swap = "UPDATE email_accounts SET access_token = refresh_token, refresh_token = access_token";
        on_conn!(&mut conn, |c| diesel::sql_query(swap).execute(c).await).unwrap();
        drop(conn);
        let error = world.accounts("third").await.tokens(&account).current().await.unwrap_err();
        assert_eq!(error.code, "credentials_unreadable");
    }
}

on_both! {
    async fn nothing_secret_is_logged_at_the_finest_level(backend: Backend) {
        let gmail = GmailEmulator::start().unwrap();
        gmail.add_user(NewUser { email: ANN.to_owned(), workspace: true, ..NewUser::default() });
        gmail.add_client(GoogleClient {
            id: GOOGLE_CLIENT.to_owned(),
            secret: GOOGLE_SECRET.to_owned(),
            project: "tests".to_owned(),
            redirect_uris: Vec::new(),
            publishing: Publishing::Production,
        });
        let process = TestProcess::start_with(backend, |settings| {
            google_settings(settings, gmail.url());
            settings.set("RUST_LOG", "trace");
        })
        .await;
        let base = process.base();
        gmail.allow_redirect(GOOGLE_CLIENT, &format!("{base}/email/callback"));
        let owner = process.owner().await;
        let body = json!({ "provider": "gmail", "login_hint": ANN });
        let begun = owner.post("/api/email/accounts/connect", body).await.json(200);
        let url = begun["authorization_url"].as_str().unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let sent = http.get(url).send().await.unwrap();
        let location = sent.headers()["location"].to_str().unwrap().to_owned();
        let answer = owner.get(location.strip_prefix(&base).unwrap()).await;
        assert!(answer.header("location").unwrap().contains("account_id="), "{answer:?}");
        let id = owner.all("/api/email/accounts").await[0]["id"].as_str().unwrap().to_owned();
        owner.delete(&format!("/api/email/accounts/{id}?keep_mail=true")).await.json(204);
        wait_until("the access is given back", async || gmail.counts().by_name.contains_key("oauth.revoke")).await;
        let words = process.words();
        let (asked, back) = (query(url), query(&location));
        for secret in [asked["state"].as_str(), &back["code"], GOOGLE_SECRET, "ya29.", "1//", ANN] {
            assert!(!words.contains(secret), "{secret} was logged: {}", words.lines().find(|line| line.contains(secret)).unwrap());
        }
    }
}
