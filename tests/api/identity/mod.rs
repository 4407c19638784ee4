//! Who may do what, from outside.

mod audit;
mod command_line;
mod invitations;
mod isolation;
mod keys;
mod limits;
mod passwords;
mod people;
mod repeated;
mod sessions;
mod setup;

use diesel_async::RunQueryDsl;
use duplex::clock::Clock;
use duplex::identity::Identity;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// A password that fits.
const PASSWORD: &str = "seven green bottles";

/// Adds a person to the caller's organization.
async fn add(admin: &Client, email: &str, role: &str) -> Value {
    let person = json!({ "email": email, "name": "Someone", "role": role, "password": PASSWORD });
    admin.post("/api/users", person).await.json(201)
}

/// Adds a person and signs the person in.
async fn join(admin: &Client, email: &str, role: &str) -> Client {
    add(admin, email, role).await;
    admin.signed_out().sign_in(email, PASSWORD).await
}

/// Makes a key with these scopes and gives a client that uses it.
async fn key(user: &Client, scopes: Value) -> Client {
    let made = user.post("/api/api-keys", json!({ "name": "a program", "scopes": scopes })).await.json(201);
    user.with_key(made["key"].as_str().unwrap())
}

/// The text of a field.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field} in {value}"))
}

/// The token that a link carries.
fn token(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

/// The command line's own view on the identities of an application.
async fn operator(app: &TestApp) -> Identity {
    Identity::new(app.database().await, Clock::system(), &app.base)
}

/// Changes rows behind the application's back.
async fn tamper(app: &TestApp, sql: &str) {
    let mut conn = app.database().await.write().await.unwrap();
    let conn = &mut conn;
    duplex::on_conn!(conn, |c| diesel::sql_query(sql).execute(c).await).unwrap();
}
