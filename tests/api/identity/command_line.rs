//! What the operator makes on the command line.

use duplex::access::{Role, Scope};
use duplex::cli::admin::{CreateKey, CreateUser, create_key, create_user};
use serde_json::json;

use super::{PASSWORD, operator, text};
use crate::support::TestApp;

fn user(email: &str, role: Role, organization: Option<&str>) -> CreateUser {
    let organization = organization.map(str::to_owned);
    CreateUser { email: email.into(), name: "Ann".into(), role, password_stdin: true, organization }
}

on_both! {
    async fn an_operator_makes_the_first_user_and_the_printed_link_dies(app: TestApp) {
        let identity = operator(&app).await;
        let id = create_user(&identity, user("ann@acme.example", Role::Owner, None), PASSWORD.as_bytes()).await.unwrap();
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
            create_user(&identity, user(email, Role::Member, organization), PASSWORD.as_bytes()).await.unwrap();
        }
        assert_eq!(owner.all("/api/users").await.len(), 3);
        let again = create_user(&identity, user("A@x.example", Role::Member, None), PASSWORD.as_bytes()).await;
        assert!(again.unwrap_err().to_string().contains("exists already"));
        let weak = create_user(&identity, user("e@x.example", Role::Member, None), "short".as_bytes()).await;
        assert!(weak.unwrap_err().to_string().contains("8 characters"));
    }
}

on_both! {
    async fn an_operator_makes_a_key(app: TestApp) {
        let owner = app.owner().await;
        let identity = operator(&app).await;
        let order = |email: &str, scopes| CreateKey { email: email.into(), name: "CRM".into(), scopes };
        let secret = create_key(&identity, order("olga@acme.example", Some(vec![Scope::Read]))).await.unwrap();
        let program = owner.with_key(secret.expose());
        assert_eq!(program.get("/api/me").await.json(200)["scopes"], json!(["read"]));
        assert!(create_key(&identity, order("eve@acme.example", None)).await.is_err());
        create_user(&identity, user("mia@acme.example", Role::Member, None), PASSWORD.as_bytes()).await.unwrap();
        assert!(create_key(&identity, order("mia@acme.example", Some(vec![Scope::ActAs]))).await.is_err());
    }
}
