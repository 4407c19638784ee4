//! What is refused, and that nothing is changed then.

use actix_web::test::TestRequest;
use duplex::access::{Access, Scope};
use duplex::ids::{EmailId, FolderId, ThreadId};
use duplex::messages::FolderRole::Inbox;
use serde_json::{Value, json};

use super::{World, operation, refused};
use crate::messages::ground::folders;
use crate::messages::served::Api;
use crate::support::{Backend, TestApp};

on_both! {
    async fn bodies_that_make_no_sense_are_refused_by_field(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let folder = world.folder(Inbox);
        let long = "x".repeat(201);
        for (body, field) in [
            (json!({}), "body"),
            (json!({ "trash": true, "folder_id": folder }), "trash"),
            (json!({ "is_archived": true, "folder_id": folder }), "is_archived"),
            (json!({ "trash": true, "is_archived": true }), "trash"),
            (json!({ "from_folder_id": folder, "is_read": true }), "from_folder_id"),
            (json!({ "add_labels": [""] }), "add_labels"),
            (json!({ "add_labels": ["a\u{1}b"] }), "add_labels"),
            (json!({ "add_labels": [long] }), "add_labels"),
            (json!({ "add_labels": ["INBOX"] }), "add_labels"),
            (json!({ "remove_labels": ["archive"] }), "remove_labels"),
            (json!({ "add_labels": ["A"], "remove_labels": ["A"] }), "remove_labels"),
        ] {
            refused(&world.batch(&[id], body.clone()).await, 422, "validation_failed", Some(field));
        }
        let many: Vec<EmailId> = (0..1_001).map(|_| EmailId::new()).collect();
        refused(&world.batch(&many, json!({ "is_read": true })).await, 422, "validation_failed", Some("ids"));
        refused(&world.batch(&[], json!({ "is_read": true })).await, 422, "validation_failed", Some("ids"));
        for body in [json!({ "read": true }), json!({ "is_read": "yes" })] {
            assert_eq!(world.batch(&[id], body.clone()).await.status, 422, "{body}");
            assert_eq!(world.patch(id, body.clone()).await.status, 422, "{body}");
        }
        refused(&world.patch(id, json!({})).await, 422, "validation_failed", Some("body"));
        refused(&world.patch(id, json!({ "trash": true })).await, 422, "validation_failed", None);
        assert_eq!(world.label(id, &[], &[]).await.status, 422);
        let path = format!("/api/email/messages/{id}");
        assert_eq!(world.ask(TestRequest::patch().uri(&path).set_payload("{}")).await.status, 415);
        let broken = TestRequest::patch().uri(&path).insert_header(("content-type", "application/json")).set_payload("{");
        assert_eq!(world.ask(broken).await.status, 400);
        assert!(world.api.get("/api/email/operations").await.items("id").is_empty());
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, false)]);
        // The same mail twice counts once.
        let op = operation(&world.batch(&[id, id], json!({ "is_read": true })).await);
        assert_eq!(world.operation(&op).await["email_ids"], json!([id]));
    }
}

on_both! {
    async fn what_is_not_ones_own_does_not_exist_and_a_batch_is_all_or_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let (colleague, foreigner) = world.api.stranger().await;
        let mut conn = world.api.ground.write().await;
        let [theirs, ..] = folders(&mut conn, &colleague).await;
        drop(conn);
        let read = || json!({ "is_read": true });
        let thread = world.api.get("/api/email/threads").await.items("id").remove(0);
        let op = operation(&world.patch(id, json!({ "is_starred": true })).await);
        let requests = || [
            ("PATCH", format!("/api/email/messages/{id}"), read()),
            ("POST", format!("/api/email/messages/{id}/move"), json!({ "folder_id": world.folder(Inbox) })),
            ("POST", format!("/api/email/messages/{id}/labels"), json!({ "add": ["A"] })),
            ("DELETE", format!("/api/email/messages/{id}"), Value::Null),
            ("POST", "/api/email/messages/batch".to_owned(), json!({ "ids": [id], "is_read": true })),
            ("PATCH", format!("/api/email/threads/{thread}"), read()),
            ("POST", format!("/api/email/operations/{op}/undo"), Value::Null),
        ];
        let request = |method: &str, path: &str, body: &Value| {
            let request = TestRequest::default().uri(path).method(method.parse().unwrap());
            if body.is_null() { request } else { request.set_json(body) }
        };
        for (method, path, body) in requests() {
            for other in [&colleague, &foreigner] {
                let answer = world.api.ask(Some(Api::access(other)), request(method, &path, &body)).await;
                refused(&answer, 404, "not_found", None);
            }
            assert_eq!(world.api.ask(None, request(method, &path, &body)).await.status, 401, "{path}");
            let reader = Access { scopes: Some(vec![Scope::Read]), ..world.me() };
            assert_eq!(world.api.ask(Some(reader), request(method, &path, &body)).await.status, 403, "{path}");
        }
        assert_eq!(world.api.get_as(&colleague, &format!("/api/email/operations/{op}")).await.status, 404);
        assert!(world.api.get_as(&colleague, "/api/email/operations").await.items("id").is_empty());
        refused(&world.batch(&[id, EmailId::new()], read()).await, 404, "not_found", None);
        refused(&world.patch(EmailId::new(), read()).await, 404, "not_found", None);
        for folder in [FolderId::new(), theirs] {
            refused(&world.move_to(id, folder).await, 404, "not_found", None);
        }
        let path = format!("/api/email/threads/{}", ThreadId::new());
        assert_eq!(world.ask(TestRequest::patch().uri(&path).set_json(read())).await.status, 404);
        for path in ["/api/email/messages/nonsense", "/api/email/threads/nonsense"] {
            assert_eq!(world.ask(TestRequest::patch().uri(path).set_json(read())).await.status, 404);
        }
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, true)]);
        // A key that may only change sees what it changed.
        let writer = Access { scopes: Some(vec![Scope::Write]), ..world.me() };
        let answer = world.api.ask(Some(writer), request("PATCH", &format!("/api/email/messages/{id}"), &read())).await;
        assert_eq!((answer.status, answer.json()["is_read"].as_bool()), (200, Some(true)));
    }
}

on_both! {
    async fn mail_of_a_removed_mailbox_is_only_read(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let op = operation(&world.patch(id, json!({ "is_starred": true })).await);
        world.alter_account("removed_at = created_at").await;
        refused(&world.patch(id, json!({ "is_read": true })).await, 409, "account_not_active", None);
        refused(&world.undo(&op).await, 409, "account_not_active", None);
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, true)]);
    }
}

/// Puts a paused mailbox with a mail under the owner of an application; gives the mail.
async fn seeded(app: &TestApp, me: &Value) -> EmailId {
    use diesel::ExpressionMethods;
    use diesel_async::RunQueryDsl;
    use duplex::db::schema::email_accounts;
    use duplex::db::{DatabaseUrl, Db, DbOptions};
    use duplex::ids::AccountId;
    use duplex::messages::{self, Intake, Mailbox};
    let url = match app.database_url() {
        Some(url) => DatabaseUrl::Postgres(duplex::secret::Secret::new(url)),
        None => DatabaseUrl::Sqlite(app.data_dir().join("duplex.db")),
    };
    let db = Db::open(&DbOptions { url, tls: None }).await.unwrap();
    let mut conn = db.write().await.unwrap();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let owner = Mailbox {
        org: id(&me["organization"]["id"]).parse().unwrap(),
        user: id(&me["id"]).parse().unwrap(),
        account: AccountId::new(),
        addresses: ["olga@acme.example".to_owned()].into(),
    };
    let now = duplex::clock::Clock::system().now();
    let row = diesel::insert_into(email_accounts::table).values((
        email_accounts::id.eq(owner.account),
        email_accounts::organization_id.eq(owner.org),
        email_accounts::user_id.eq(owner.user),
        email_accounts::provider.eq("imap"),
        email_accounts::email_address.eq("olga@acme.example"),
        email_accounts::aliases.eq(duplex::db::types::Json(json!([]))),
        email_accounts::phase.eq("paused"),
        email_accounts::created_at.eq(now),
        email_accounts::updated_at.eq(now),
    ));
    duplex::on_conn!(&mut conn, |c| row.execute(c).await).unwrap();
    let [inbox, ..] = folders(&mut conn, &owner).await;
    let mail = crate::messages::ground::incoming(inbox, 1, crate::messages::ground::parsed("m", &[]));
    let applied = conn
        .transaction(async |tx| messages::apply_batch(tx, &owner, Some(Inbox), vec![mail], &Intake::silent(now)).await)
        .await
        .unwrap();
    applied.new[0].0
}

fn sent(body: &Value) -> (&'static str, Vec<u8>) {
    ("application/json", serde_json::to_vec(body).unwrap())
}

on_both! {
    async fn a_repeated_batch_is_one_operation(app: TestApp) {
        let owner = app.owner().await;
        let me = owner.get("/api/me").await.json(200);
        let id = seeded(&app, &me).await;
        let body = json!({ "ids": [id], "is_starred": true });
        let key = [("idempotency-key", "once")];
        let first = owner.request("POST", "/api/email/messages/batch", &key, Some(sent(&body))).await;
        let second = owner.request("POST", "/api/email/messages/batch", &key, Some(sent(&body))).await;
        assert_eq!(first.json(200), second.json(200));
        assert!(first.header("duplex-operation-id").is_some());
        assert_eq!(first.header("duplex-operation-id"), second.header("duplex-operation-id"));
        assert_eq!(owner.all("/api/email/operations").await.len(), 1);
        let other = json!({ "ids": [id], "is_starred": false });
        owner.request("POST", "/api/email/messages/batch", &key, Some(sent(&other))).await.problem(409, "idempotency_key_reused");
    }
}
