//! Mailboxes over the API: connecting, changing, pausing, disconnecting, their keys.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::mailbox::{account, backfilled, connect, fill, stored_mails, sync};
use crate::support::{Backend, Dovecot, SmtpSecurity, SmtpSink, TestApp, TestProcess, wait_until};

on_both! {
    async fn a_mailbox_is_connected_once_and_shows_no_secret(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let request = mailbox.connect_request(smtp.settings(&mailbox.user));
        let created = owner.post("/api/email/accounts", request.clone()).await.json(201);
        assert_eq!(created["status"], "active");
        assert_eq!(created["settings"]["track_opens"], false);
        let shown = created.to_string();
        assert!(!shown.contains("\"pw\"") && !shown.contains("password"), "{shown}");
        owner.post("/api/email/accounts", request).await.problem(409, "account_exists");
        let listed = owner.all("/api/email/accounts").await;
        assert_eq!(listed.len(), 1);
    }
}

on_both! {
    async fn one_idempotency_key_connects_one_mailbox(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let request = mailbox.connect_request(smtp.settings(&mailbox.user));
        let send = |body: Value| {
            let owner = owner.clone();
            async move {
                let body = body.to_string().into_bytes();
                let headers = [("Idempotency-Key", "k-1")];
                owner.request("POST", "/api/email/accounts", &headers, Some(("application/json", body))).await
            }
        };
        let (one, two) = tokio::join!(send(request.clone()), send(request.clone()));
        assert_eq!(one.json(201)["id"], two.json(201)["id"]);
        assert_eq!(send(request.clone()).await.json(201)["id"], one.json(201)["id"]);
        let mut other = request;
        other["display_name"] = json!("Somebody else");
        send(other).await.problem(409, "idempotency_key_reused");
    }
}

on_both! {
    async fn settings_are_merged_and_bad_ones_are_refused(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        let path = format!("/api/email/accounts/{id}");
        let change = json!({ "display_name": "Sales", "aliases": ["Sales@Acme.example"], "settings": { "undo_send_seconds": 30 } });
        let changed = owner.patch(&path, change).await.json(200);
        assert_eq!(changed["display_name"], "Sales");
        assert_eq!(changed["aliases"], json!(["sales@acme.example"]));
        assert_eq!(changed["settings"]["undo_send_seconds"], 30);
        assert_eq!(changed["settings"]["visibility"], "private");
        for bad in [
            json!({ "settings": { "undo_send_seconds": 9999 } }),
            json!({ "settings": { "visibilty": "full" } }),
            json!({ "aliases": ["not an address"] }),
            json!({ "provider": "gmail" }),
        ] {
            owner.patch(&path, bad).await.problem(422, "validation_failed");
        }
        owner.patch(&path, json!({ "display_name": null })).await.json(200);
        assert_eq!(account(&owner, &id).await["display_name"], Value::Null);
    }
}

on_both! {
    async fn a_paused_mailbox_rests_until_it_is_resumed(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 21, 100);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;
        let paused = owner.post(&format!("/api/email/accounts/{id}/pause"), Value::Null).await.json(200);
        assert_eq!((&paused["phase"], &paused["next_sync_at"]), (&json!("paused"), &Value::Null));
        owner.post(&format!("/api/email/accounts/{id}/sync"), Value::Null).await.problem(409, "account_not_active");
        let resumed = owner.post(&format!("/api/email/accounts/{id}/resume"), Value::Null).await.json(200);
        assert_eq!(resumed["phase"], "live");
        sync(&owner, &id).await;
    }
}

on_both! {
    async fn disconnecting_erases_the_mail_or_keeps_it_to_read(app: TestApp) {
        let dovecot = Dovecot::shared();
        let (kept, erased) = (dovecot.mailbox(), dovecot.mailbox());
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let mut ids = Vec::new();
        for mailbox in [&kept, &erased] {
            fill(mailbox, 22, 100);
            let id = connect(&owner, mailbox, &smtp).await;
            backfilled(&owner, &id).await;
            ids.push(id);
        }
        let before = stored_mails(&owner, &ids[0]).await;
        assert_eq!(owner.delete(&format!("/api/email/accounts/{}?keep_mail=true", ids[0])).await.status, 204);
        assert_eq!(owner.delete(&format!("/api/email/accounts/{}", ids[1])).await.status, 204);
        owner.get(&format!("/api/email/accounts/{}", ids[1])).await.problem(404, "not_found");
        assert_eq!(account(&owner, &ids[0]).await["status"], "disconnected");
        wait_until("the mail is erased", async || {
            owner.all("/api/email/messages").await.len() == before.values().flat_map(|mails| mails.values()).sum::<usize>()
        })
        .await;
        assert_eq!(stored_mails(&owner, &ids[0]).await, before);
        // What was kept comes back to life, and the address that was erased is free again.
        let again = owner.post("/api/email/accounts", kept.connect_request(smtp.settings(&kept.user))).await.json(201);
        assert_eq!(again["id"], ids[0]);
        wait_until("the erased mailbox can be connected anew", async || {
            owner.post("/api/email/accounts", erased.connect_request(smtp.settings(&erased.user))).await.status == 201
        })
        .await;
    }
}

on_both! {
    async fn keys_rotate_while_the_server_runs_and_a_wrong_key_is_refused(backend: Backend) {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox, 23, 20);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let mut duplex = TestProcess::start_with(backend, |settings| {
            settings.set("ENCRYPTION_KEY", &old);
        }).await;
        let owner = duplex.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;

        let rotate = |keys: String| {
            let mut command = duplex.command(&["admin", "rotate-encryption-key"]);
            command.env("ENCRYPTION_KEY", keys).stdin(Stdio::null());
            command.output().unwrap()
        };
        let wrong = rotate(new.clone());
        let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert_eq!(wrong.status.code(), Some(1), "{said}");
        assert!(said.contains("ENCRYPTION_KEY") && !said.contains(&new), "{said}");

        // The server gets both keys first, so that it reads what either sealed; then the rows follow.
        assert!(duplex.terminate().await.success());
        duplex.set("ENCRYPTION_KEY", &format!("b:{new},a:{old}"));
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        let rotated = duplex.command(&["admin", "rotate-encryption-key"]).output().unwrap();
        assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
        sync(&owner, &id).await;
        let nothing = duplex.command(&["admin", "rotate-encryption-key"]).output().unwrap();
        assert!(nothing.status.success(), "nothing to do is no error");

        assert!(duplex.terminate().await.success());
        duplex.set("ENCRYPTION_KEY", &new);
        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        sync(&owner, &id).await;
        assert_eq!(account(&owner, &id).await["status"], "active");
    }
}
