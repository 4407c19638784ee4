//! The mail API, asked by two people.

use super::ground::{at, folders, incoming, mailbox, parsed};
use super::served::{Api, html_mail};
use crate::support::Backend;
use actix_web::http::header;
use actix_web::test::TestRequest;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use duplex::access::{Access, Scope};
use duplex::mail;
use duplex::messages::{self, FolderRole, IncomingMail, Intake, Mailbox, Skip};
use duplex::on_conn;
use serde_json::Value;

on_both! {
    async fn a_list_is_paged_newest_first_and_stable_while_mail_arrives(backend: Backend) {
        let api = Api::new(backend).await;
        api.apply((1..=7).map(|uid| incoming(api.ground.inbox, uid, parsed(&format!("p{uid}"), &[]))).collect()).await;
        let first = api.get("/api/email/messages?limit=3").await;
        assert_eq!(first.items("message_id"), ["p7@mail.example", "p6@mail.example", "p5@mail.example"]);
        api.apply(vec![incoming(api.ground.inbox, 8, parsed("p8", &[]))]).await;
        let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
        let second = api.get(&format!("/api/email/messages?limit=3&cursor={cursor}")).await;
        assert_eq!(second.items("message_id"), ["p4@mail.example", "p3@mail.example", "p2@mail.example"]);
        let cursor = second.json()["next_cursor"].as_str().unwrap().to_owned();
        let third = api.get(&format!("/api/email/messages?limit=3&cursor={cursor}")).await;
        assert_eq!(third.items("message_id"), ["p1@mail.example"]);
        assert_eq!(third.json()["next_cursor"], Value::Null);
    }
}

on_both! {
    async fn filters_choose_and_unknown_ones_are_refused(backend: Backend) {
        let api = Api::new(backend).await;
        let read = IncomingMail { is_read: true, is_starred: true, ..incoming(api.ground.inbox, 1, parsed("read", &["root"])) };
        api.apply(vec![read.clone(), incoming(api.ground.inbox, 2, parsed("unread", &["root"])), incoming(api.ground.inbox, 3, html_mail("x"))]).await;
        api.ground.apply(FolderRole::Archive, vec![IncomingMail { uid: 4, ..incoming(api.ground.archive, 4, parsed("old", &[])) }]).await;
        // A second copy in the same folder is still one item.
        api.apply(vec![IncomingMail { uid: 9, ..read }]).await;
        let account = api.ground.owner.account;
        let thread = api.get("/api/email/messages?is_read=true").await.json()["items"][0]["thread_id"].as_str().unwrap().to_owned();
        for (query, expected) in [
            ("is_read=true".to_owned(), vec!["read@mail.example"]),
            ("is_read=false".to_owned(), vec!["old@mail.example", "pictures@mail.example", "unread@mail.example"]),
            ("is_starred=true".to_owned(), vec!["read@mail.example"]),
            ("is_archived=true".to_owned(), vec!["old@mail.example"]),
            ("folder=archive".to_owned(), vec!["old@mail.example"]),
            ("folder=inbox".to_owned(), vec!["pictures@mail.example", "unread@mail.example", "read@mail.example"]),
            (format!("folder={}&is_read=false", api.ground.inbox), vec!["pictures@mail.example", "unread@mail.example"]),
            (format!("thread_id={thread}"), vec!["unread@mail.example", "read@mail.example"]),
            (format!("thread_id={thread}&folder=archive"), vec![]),
            (format!("account_id={account}&direction=inbound&has_attachments=true"), vec!["pictures@mail.example"]),
            ("direction=outbound".to_owned(), vec![]),
            ("status=delivered&from=BOB@b.example&to=cy@c.example".to_owned(), vec!["pictures@mail.example"]),
            (format!("after={}&before={}", at(2), at(4)), vec!["pictures@mail.example", "unread@mail.example"]),
            (format!("account_id={}", duplex::ids::AccountId::new()), vec![]),
        ] {
            assert_eq!(api.get(&format!("/api/email/messages?{query}")).await.items("message_id"), expected, "{query}");
        }
        for query in ["folder=nonsense", "is_read=maybe", "limit=0", "limit=201", "cursor=x", "unknown=1", "direction=up", "account_id=7", "after=now"] {
            let refused = api.get(&format!("/api/email/messages?{query}")).await;
            assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("validation_failed")), "{query}");
        }
    }
}

on_both! {
    async fn a_message_tells_what_the_contract_promises(backend: Backend) {
        let api = Api::new(backend).await;
        let id = api.with_pictures().await;
        let shown = api.get(&format!("/api/email/messages/{id}")).await.json();
        assert_eq!(shown["from"], serde_json::json!({"email": "Bob@b.example", "name": "Bob"}));
        assert_eq!(shown["to"][0]["email"], "ann@acme.example");
        assert_eq!(shown["cc"][0]["email"], "cy@c.example");
        assert_eq!(shown["folders"][0]["role"], "inbox");
        assert_eq!((shown["direction"].as_str(), shown["status"].as_str(), shown["kind"].as_str()), (Some("inbound"), Some("delivered"), Some("person")));
        assert_eq!(shown["received_at"], "2026-11-01T08:50:00Z");
        let files = shown["attachments"].as_array().unwrap();
        assert_eq!((files.len(), files[0]["is_inline"].as_bool(), files[1]["file_name"].as_str()), (2, Some(true), Some("rés.html")));
        let html = shown["body_html"].as_str().unwrap();
        assert!(html.contains("/mail-img/cid/") && !html.contains("script") && !html.contains("evil.example"), "{html}");
        assert!(shown["headers"].is_array() && shown["references"].is_array());
        for field in ["external_id", "in_reply_to", "bcc", "reply_to", "subject", "snippet", "error_message", "sent_at", "scheduled_at", "is_read",
            "is_starred", "is_archived", "has_attachments", "opened", "opened_at", "open_count", "click_count", "replied_at", "bounced",
            "contact_ids", "deal_ids", "activity_id", "created_at", "updated_at", "body_text", "visible_text"] {
            assert!(shown.get(field).is_some(), "{field} is missing");
        }
        let listed = api.get("/api/email/messages").await.json();
        assert!(listed["items"][0].get("body_html").is_none());
    }
}

on_both! {
    async fn a_body_is_a_page_that_can_do_nothing(backend: Backend) {
        let api = Api::new(backend).await;
        let id = api.with_pictures().await;
        let page = api.get(&format!("/api/email/messages/{id}/body?images=blocked")).await;
        assert_eq!(page.header("content-security-policy"),
            "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http://duplex.test/mail-img/ data:; \
             style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'");
        assert_eq!((page.header("referrer-policy"), page.header("x-content-type-options"), page.header("cache-control")), ("no-referrer", "nosniff", "private"));
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(text.contains("<p>Hi</p>") && !text.contains("alert(1)") && !text.contains("evil.example"));
        assert_eq!(api.get(&format!("/api/email/messages/{id}/body?images=proxied")).await.status, 422);
        let image = text.split("/mail-img/cid/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let shown = api.get(&format!("/mail-img/cid/{image}")).await;
        assert_eq!((shown.status, shown.header("content-type"), &shown.body[..]), (200, "image/png", &b"PNGDATA"[..]));
        let plain = api.apply(vec![incoming(api.ground.inbox, 60, parsed("plain", &[]))]).await.new[0].0;
        let text = api.get(&format!("/api/email/messages/{plain}/body")).await;
        assert!(String::from_utf8(text.body.to_vec()).unwrap().contains("Text of plain."));
    }
}

on_both! {
    async fn a_file_is_downloaded_whole_in_part_or_not_again(backend: Backend) {
        let api = Api::new(backend).await;
        let id = api.with_pictures().await;
        let shown = api.get(&format!("/api/email/messages/{id}")).await.json();
        let file = format!("/api/email/attachments/{}", shown["attachments"][1]["id"].as_str().unwrap());
        let whole = api.get(&file).await;
        assert_eq!((whole.status, &whole.body[..17], whole.header("content-type")), (200, &b"<b>0123456789</b>"[..], "application/octet-stream"));
        assert_eq!(whole.header("content-disposition"), "attachment; filename=\"r_s.html\"; filename*=UTF-8''r%C3%A9s.html");
        assert_eq!((whole.header("x-content-type-options"), whole.header("accept-ranges")), ("nosniff", "bytes"));
        let access = || Some(Api::access(&api.ground.owner));
        let part = api.ask(access(), TestRequest::get().uri(&file).insert_header((header::RANGE, "bytes=3-6"))).await;
        assert_eq!((part.status, &part.body[..], part.header("content-range")), (206, &b"0123"[..], format!("bytes 3-6/{}", whole.body.len()).as_str()));
        let beyond = api.ask(access(), TestRequest::get().uri(&file).insert_header((header::RANGE, "bytes=999-"))).await;
        assert_eq!(beyond.status, 416);
        let etag = whole.header("etag").to_owned();
        let known = api.ask(access(), TestRequest::get().uri(&file).insert_header((header::IF_NONE_MATCH, etag))).await;
        assert_eq!(known.status, 304);
        let raw = api.get(&format!("/api/email/messages/{id}/raw")).await;
        assert_eq!((raw.status, raw.header("content-type"), &raw.body[..]), (200, "message/rfc822", &b"From: Bob\r\n\r\nraw"[..]));
        let bare = api.apply(vec![incoming(api.ground.inbox, 61, parsed("bare", &[]))]).await.new[0].0;
        let gone = api.get(&format!("/api/email/messages/{bare}/raw")).await;
        assert_eq!((gone.status, gone.json()["code"].as_str()), (410, Some("raw_not_kept")));
    }
}

on_both! {
    async fn somebody_elses_mail_does_not_exist(backend: Backend) {
        let api = Api::new(backend).await;
        let id = api.with_pictures().await;
        let shown = api.get(&format!("/api/email/messages/{id}")).await.json();
        let thread = shown["thread_id"].as_str().unwrap().to_owned();
        let file = shown["attachments"][0]["id"].as_str().unwrap().to_owned();
        let account = api.ground.owner.account;
        let (colleague, foreigner) = api.stranger().await;
        let paths = [
            format!("/api/email/messages/{id}"), format!("/api/email/messages/{id}/body"), format!("/api/email/messages/{id}/raw"),
            format!("/api/email/threads/{thread}"), format!("/api/email/attachments/{file}"), format!("/mail-img/cid/{file}"),
            format!("/api/email/accounts/{account}/folders"), "/api/email/messages/lookup?message_id=pictures@mail.example".to_owned(),
        ];
        for path in &paths {
            assert_eq!(api.get(path).await.status, 200, "{path}");
            for other in [&colleague, &foreigner] {
                assert_eq!(api.get_as(other, path).await.status, 404, "{path}");
            }
            assert_eq!(api.ask(None, TestRequest::get().uri(path)).await.status, 401, "{path}");
            let blind = Access { scopes: Some(vec![Scope::Send]), ..Api::access(&api.ground.owner) };
            assert_eq!(api.ask(Some(blind), TestRequest::get().uri(path)).await.status, 403, "{path}");
        }
        for path in ["/api/email/messages/nonsense", "/api/email/threads/7", "/api/email/attachments/x"] {
            assert_eq!(api.get(path).await.status, 404, "{path}");
        }
        for path in ["/api/email/messages".to_owned(), "/api/email/threads".to_owned(), format!("/api/email/messages?folder={}", api.ground.inbox),
            format!("/api/email/messages?thread_id={thread}"), format!("/api/email/threads?folder={}", api.ground.inbox)] {
            for other in [&colleague, &foreigner] {
                assert!(api.get_as(other, &path).await.items("id").is_empty(), "{path}");
            }
        }
    }
}

on_both! {
    async fn a_thread_shows_each_person_their_own_mails_alone(backend: Backend) {
        let api = Api::new(backend).await;
        let (colleague, _) = api.stranger().await;
        let mut conn = api.ground.write().await;
        let [inbox, ..] = folders(&mut conn, &colleague).await;
        drop(conn);
        api.apply(vec![incoming(api.ground.inbox, 1, parsed("secret", &[])), incoming(api.ground.inbox, 5, parsed("latest", &["secret"]))]).await;
        let seen = mail::parse(b"From: Eve <eve@e.example>\r\nTo: cy@acme.example\r\nSubject: Hello\r\nMessage-ID: <probe@e.example>\r\n\
            In-Reply-To: <secret@mail.example>\r\n\r\nA probe.\r\n");
        api.ground.apply_to(&colleague, FolderRole::Inbox, vec![incoming(inbox, 3, seen)]).await;
        let mine = api.get("/api/email/threads").await.json()["items"][0].clone();
        let theirs = api.get_as(&colleague, "/api/email/threads").await.json()["items"][0].clone();
        assert_eq!(mine["id"], theirs["id"]);
        assert_eq!((mine["subject"].as_str(), mine["message_count"].as_i64(), mine["unread_count"].as_i64()), (Some("About secret"), Some(2), Some(2)));
        assert_eq!((theirs["subject"].as_str(), theirs["message_count"].as_i64(), theirs["snippet"].as_str()), (Some("Hello"), Some(1), Some("A probe.")));
        assert_eq!(theirs["participants"], serde_json::json!([{"email": "cy@acme.example", "name": null}, {"email": "eve@e.example", "name": "Eve"}]));
        assert_eq!(theirs["last_message_at"], "2026-11-01T08:03:00Z");
        let whole = api.get_as(&colleague, &format!("/api/email/threads/{}", theirs["id"].as_str().unwrap())).await.json();
        assert_eq!(whole["messages"].as_array().unwrap().len(), 1);
        let whole = api.get(&format!("/api/email/threads/{}", mine["id"].as_str().unwrap())).await.json();
        let ids: Vec<_> = whole["messages"].as_array().unwrap().iter().map(|m| m["message_id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["secret@mail.example", "latest@mail.example"]);
    }
}

on_both! {
    async fn threads_are_listed_once_by_their_newest_mail(backend: Backend) {
        let api = Api::new(backend).await;
        let mut conn = api.ground.write().await;
        let second = second_mailbox(&mut conn, &api.ground.owner).await;
        let [inbox, ..] = folders(&mut conn, &second).await;
        drop(conn);
        let mails = [(1, "a1", ""), (2, "b1", ""), (3, "c1", ""), (4, "a2", "a1"), (5, "d1", "")];
        let of = |(uid, id, parent): (u32, &str, &str)| incoming(api.ground.inbox, uid, parsed(id, if parent.is_empty() { &[] } else { std::slice::from_ref(&parent) }));
        api.apply(mails.map(of).to_vec()).await;
        // The same conversation continues in the other mailbox of the same person.
        api.ground.apply_to(&second, FolderRole::Inbox, vec![incoming(inbox, 6, parsed("b2", &["b1"]))]).await;
        api.ground.apply(FolderRole::Archive, vec![incoming(api.ground.archive, 7, parsed("c2", &["c1"]))]).await;
        for (path, expected) in [
            ("/api/email/threads?limit=2".to_owned(), vec!["About c1", "About b1", "About d1", "About a1"]),
            ("/api/email/threads?limit=1&folder=inbox".to_owned(), vec!["About b1", "About d1", "About a1", "About c1"]),
            (format!("/api/email/threads?limit=3&account_id={}", second.account), vec!["About b1"]),
            ("/api/email/threads?limit=200&is_read=false&folder=archive".to_owned(), vec!["About c1"]),
        ] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = api.get(&format!("{path}{cursor}")).await;
                assert_eq!(page.status, 200, "{path}: {:?}", page.body);
                found.extend(page.items("subject"));
                match page.json()["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(found, expected, "{path}");
        }
    }
}

/// Another mailbox of the same person.
async fn second_mailbox(conn: &mut duplex::db::DbConn, owner: &Mailbox) -> Mailbox {
    use duplex::db::schema::email_accounts;
    let other = mailbox(conn, owner.org, "second@acme.example").await;
    let query = diesel::update(email_accounts::table.find(other.account)).set(email_accounts::user_id.eq(owner.user));
    on_conn!(conn, |c| query.execute(c).await).unwrap();
    Mailbox { user: owner.user, ..other }
}

async fn set_phase(api: &Api, phase: &str) {
    use duplex::db::schema::email_accounts;
    let query =
        diesel::update(email_accounts::table.find(api.ground.owner.account)).set(email_accounts::phase.eq(phase));
    on_conn!(&mut api.ground.write().await, |c| query.execute(c).await).unwrap();
}

on_both! {
    async fn a_lookup_finds_a_mail_or_the_reason_why_it_is_not_here(backend: Backend) {
        let api = Api::new(backend).await;
        let applied = api.apply(vec![incoming(api.ground.inbox, 1, parsed("here", &[]))]).await;
        let mut conn = api.ground.write().await;
        let skip = Skip {
            account: api.ground.owner.account, folder: api.ground.inbox, uid: 5, uid_validity: 1, external_id: None,
            message_id: Some("big@mail.example".to_owned()), reason: "too_large".to_owned(), detail: Some("It is too large.".to_owned()),
            size: Some(10), next_attempt_at: None,
        };
        messages::record_skips(&mut conn, vec![skip], at(1)).await.unwrap();
        drop(conn);
        let here = api.get("/api/email/messages/lookup?message_id=%3Chere@mail.example%3E").await.json();
        assert_eq!(here["email_id"], applied.new[0].0.to_string());
        let skipped = api.get("/api/email/messages/lookup?message_id=big@mail.example").await.json();
        assert_eq!((skipped["reason"].as_str(), skipped["email_id"].as_str()), (Some("too_large"), None));
        assert_eq!(api.get("/api/email/messages/lookup?message_id=nowhere@x").await.status, 404);
        set_phase(&api, "backfill").await;
        let coming = api.get("/api/email/messages/lookup?message_id=nowhere@x").await.json();
        assert_eq!(coming["reason"], "not_reached", "while the first import runs nobody can say that it is not there");
        set_phase(&api, "live").await;
        let copy = IncomingMail { external_id: "m-again".to_owned(), ..incoming(api.ground.inbox, 2, parsed("here", &[])) };
        api.apply(vec![copy]).await;
        let both = api.get("/api/email/messages/lookup?message_id=here@mail.example").await.json();
        assert_eq!(both["items"].as_array().unwrap().len(), 2);
        messages::remove_locations(&mut api.ground.write().await, &api.ground.owner, api.ground.inbox, 1, &[1, 2], &Intake::silent(at(9))).await.unwrap();
        let gone = api.get("/api/email/messages/lookup?message_id=here@mail.example").await.json();
        assert_eq!(gone["items"][0]["reason"], "deleted");
    }
}

on_both! {
    async fn folders_are_shown_with_counts_and_switched_on_and_off(backend: Backend) {
        let api = Api::new(backend).await;
        let read = IncomingMail { is_read: true, ..incoming(api.ground.inbox, 1, parsed("r", &[])) };
        api.apply(vec![read, incoming(api.ground.inbox, 2, parsed("u", &[]))]).await;
        let path = format!("/api/email/accounts/{}/folders", api.ground.owner.account);
        let listed = api.get(&path).await;
        assert_eq!(listed.items("name"), ["archive", "inbox", "sent", "trash"]);
        let inbox = listed.json()["items"][1].clone();
        assert_eq!((inbox["stored_count"].as_i64(), inbox["unread_count"].as_i64(), inbox["included"].as_bool()), (Some(2), Some(1), Some(true)));
        let one = format!("{path}/{}", api.ground.inbox);
        let patch = |path: &str, body: Value| TestRequest::patch().uri(path).set_json(body);
        let access = || Some(Api::access(&api.ground.owner));
        let off = api.ask(access(), patch(&one, serde_json::json!({"included": false}))).await;
        assert_eq!((off.status, off.json()["included"].as_bool()), (200, Some(false)));
        assert_eq!(api.ask(access(), patch(&one, serde_json::json!({"include": false}))).await.status, 422);
        assert_eq!(api.ask(access(), patch(&format!("{path}/nonsense"), serde_json::json!({}))).await.status, 404);
        let reader = Access { scopes: Some(vec![Scope::Read]), ..Api::access(&api.ground.owner) };
        assert_eq!(api.ask(Some(reader), patch(&one, serde_json::json!({"included": true}))).await.status, 403);
        let (colleague, _) = api.stranger().await;
        assert_eq!(api.ask(Some(Api::access(&colleague)), patch(&one, serde_json::json!({"included": true}))).await.status, 404);
    }
}
