//! What the operator makes on the command line.

use std::io::Write;
use std::process::Stdio;

use duplex::access::{Role, Scope};
use duplex::identity::{KeyOrder, UserOrder};
use duplex::secret::Secret;
use serde_json::json;

use super::{PASSWORD, operator, text};
use crate::support::{Backend, TestApp, TestProcess};

pub(super) fn user(email: &str, role: Role, organization: Option<&str>) -> UserOrder {
    let organization = organization.map(str::to_owned);
    UserOrder { email: email.into(), name: "Ann".into(), role, password: Secret::new(PASSWORD), organization }
}

on_both! {
    async fn an_operator_makes_the_first_user_and_the_printed_link_dies(app: TestApp) {
        let order = user("ann@acme.example", Role::Owner, None);
        let id = operator(&app).await.provision_user(order).await.unwrap();
        let ann = app.nobody().sign_in("ann@acme.example", PASSWORD).await;
        assert_eq!(text(&ann.get("/api/me").await.json(200), "id"), id.to_string());
        let late = json!({ "token": app.setup_token(), "organization": "Evil", "name": "Eve",
                           "email": "eve@evil.example", "password": PASSWORD });
        app.nobody().post("/api/setup", late).await.problem(409, "setup_done");
    }
}

on_both! {
    async fn a_named_organization_is_found_or_made(app: TestApp) {
        let owner = app.owner().await;
        let identity = operator(&app).await;
        for (email, organization) in
            [("a@x.example", None), ("b@x.example", Some("Acme")), ("c@x.example", Some("Globex")), ("d@x.example", Some("Globex"))]
        {
            identity.provision_user(user(email, Role::Member, organization)).await.unwrap();
        }
        assert_eq!(owner.all("/api/users").await.len(), 3);
        let again = identity.provision_user(user("A@x.example", Role::Member, None)).await;
        assert!(again.unwrap_err().to_string().contains("exists already"));
        let weak = UserOrder { password: Secret::new("short"), ..user("e@x.example", Role::Member, None) };
        assert!(identity.provision_user(weak).await.unwrap_err().to_string().contains("8 characters"));
    }
}

on_both! {
    async fn an_operator_makes_a_key(app: TestApp) {
        let owner = app.owner().await;
        let identity = operator(&app).await;
        let order = |email: &str, scopes| KeyOrder { email: email.into(), name: "CRM".into(), scopes };
        let secret = identity.provision_key(order("olga@acme.example", Some(vec![Scope::Read]))).await.unwrap();
        let program = owner.with_key(secret.expose());
        assert_eq!(program.get("/api/me").await.json(200)["scopes"], json!(["read"]));
        assert!(identity.provision_key(order("eve@acme.example", None)).await.is_err());
        identity.provision_user(user("mia@acme.example", Role::Member, None)).await.unwrap();
        assert!(identity.provision_key(order("mia@acme.example", Some(vec![Scope::ActAs]))).await.is_err());
    }
}

/// Runs the binary beside the server; gives whether it succeeded, and the last line of its output.
fn duplex(process: &TestProcess, arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = process.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(if output.status.success() { output.stdout } else { output.stderr }).unwrap();
    (output.status.success(), text.lines().last().unwrap_or_default().to_owned())
}

on_both! {
    async fn users_and_keys_are_made_while_the_server_runs(backend: Backend) {
        let process = TestProcess::start(backend).await;
        let create = ["admin", "create-user", "--email", "ann@acme.example", "--name", "Ann", "--role", "owner", "--password-stdin"];
        let (made, id) = duplex(&process, &create, &format!("{PASSWORD}\n"));
        assert!(made, "{id}");
        let (again, said) = duplex(&process, &create, PASSWORD);
        assert!(!again && said.contains("exists already"), "{said}");
        let ann = process.nobody().sign_in("ann@acme.example", PASSWORD).await;
        assert_eq!(text(&ann.get("/api/me").await.json(200), "id"), id);

        let create = ["admin", "create-key", "--email", "ann@acme.example", "--name", "CRM", "--scopes", "read,write"];
        let (made, key) = duplex(&process, &create, "");
        assert!(made, "{key}");
        assert_eq!(ann.with_key(&key).get("/api/me").await.json(200)["scopes"], json!(["read", "write"]));
    }
}
