//! Uploads: in one piece, beside metadata, resumable.

use crate::support::{ANN, Answer, World, raw};
use serde_json::json;

fn mail() -> String {
    raw(ANN, "dave@example.org", "Uploaded", "<up@x>", "")
}

fn request(world: &World, path: &str) -> reqwest::RequestBuilder {
    world.http.post(world.url(path)).bearer_auth(&world.token)
}

const SEND: &str = "/upload/gmail/v1/users/me/messages/send";

#[tokio::test]
async fn a_mail_is_sent_in_one_piece() {
    let world = World::new();
    let upload = request(&world, &format!("{SEND}?uploadType=media")).header("Content-Type", "message/rfc822");
    let sent = Answer::of(upload.body(mail())).await.ok();
    assert_eq!(sent["labelIds"], json!(["SENT"]));
    assert_eq!(world.gmail.sent()[0].subject, "Uploaded");
}

#[tokio::test]
async fn a_mail_comes_beside_its_metadata() {
    let world = World::new();
    let first = world.mail(1);
    let mail = raw(ANN, "carol@example.org", "Re: Mail 1", "<up@x>", "References: <1@example.org>\r\n");
    let body = format!(
        "--b\r\nContent-Type: application/json\r\n\r\n{{\"threadId\":\"{}\"}}\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{mail}\r\n--b--\r\n",
        first.thread_id
    );
    let upload = request(&world, &format!("{SEND}?uploadType=multipart"));
    let upload = upload.header("Content-Type", "multipart/related; boundary=b").body(body.clone());
    assert_eq!(Answer::of(upload).await.ok()["threadId"], first.thread_id.as_str());

    let draft = request(&world, "/upload/gmail/v1/users/me/drafts?uploadType=multipart");
    let draft = draft.header("Content-Type", "multipart/related; boundary=b");
    let body = body.replace(&format!("{{\"threadId\":\"{}\"}}", first.thread_id), "{\"message\":{\"thread\":\"x\"}}");
    assert_eq!(Answer::of(draft.body(body)).await.status, 400, "metadata has its schema");
}

#[tokio::test]
async fn what_is_no_mail_is_refused() {
    let world = World::new();
    let send = |query: &str, kind: &'static str| {
        let upload = request(&world, &format!("{SEND}{query}")).header("Content-Type", kind);
        Answer::of(upload.body(mail()))
    };
    assert_eq!(send("?uploadType=media", "text/plain").await.reason(), (400, "badContent"));
    assert_eq!(send("", "message/rfc822").await.status, 400);
    assert_eq!(send("?uploadType=multipart", "message/rfc822").await.status, 400);
    assert_eq!(send("?uploadType=media&labels=x", "message/rfc822").await.status, 400);
    let other = request(&world, "/upload/gmail/v1/users/me/labels?uploadType=media");
    assert_eq!(Answer::of(other.body("x")).await.status, 404);
    assert!(world.gmail.sent().is_empty());
}

#[tokio::test]
async fn a_mail_above_the_limit_is_refused() {
    let world = World::new();
    let mut large = mail();
    large.push_str(&"x".repeat(36_700_161 - large.len()));
    let upload = request(&world, &format!("{SEND}?uploadType=media")).header("Content-Type", "message/rfc822");
    assert_eq!(Answer::of(upload.body(large)).await.reason(), (413, "uploadTooLarge"));
}

#[tokio::test]
async fn a_resumable_upload_goes_on_where_it_broke_off() {
    let world = World::new();
    let mut mail = mail();
    mail.push_str(&"line\r\n".repeat(60_000));
    let start = request(&world, "/resumable/upload/gmail/v1/users/me/messages/send?uploadType=resumable")
        .header("X-Upload-Content-Type", "message/rfc822")
        .header("X-Upload-Content-Length", mail.len())
        .json(&json!({}));
    let started = Answer::of(start).await;
    assert_eq!((started.status, started.text.as_str()), (200, ""));
    let place = started.header("location").to_owned();
    let piece = |range: String, body: String| {
        let length = body.len();
        let request = world.http.put(&place).header("Content-Range", range).header("Content-Length", length);
        Answer::of(request.body(body))
    };
    let (total, cut) = (mail.len(), 256 * 1024);
    assert_eq!(piece(format!("bytes 0-99/{total}"), mail[..100].to_owned()).await.status, 400);
    let first = piece(format!("bytes 0-{}/{total}", cut - 1), mail[..cut].to_owned()).await;
    assert_eq!((first.status, first.header("range")), (308, "bytes=0-262143"));
    let asked = piece(format!("bytes */{total}"), String::new()).await;
    assert_eq!((asked.status, asked.header("range")), (308, "bytes=0-262143"));
    assert!(world.gmail.sent().is_empty());
    let last = piece(format!("bytes {cut}-{}/{total}", total - 1), mail[cut..].to_owned()).await;
    assert_eq!(last.ok()["labelIds"], json!(["SENT"]));
    assert_eq!(world.gmail.sent()[0].subject, "Uploaded");
}

#[tokio::test]
async fn a_resumable_draft_is_changed_by_put() {
    let world = World::new();
    let made = world.post("drafts", json!({"message": crate::support::message(&mail())})).await.ok();
    let path = format!("/upload/gmail/v1/users/me/drafts/{}?uploadType=resumable", made["id"].as_str().unwrap());
    let start = world.http.put(world.url(&path)).bearer_auth(&world.token);
    let started = Answer::of(start.header("X-Upload-Content-Type", "message/rfc822").header("Content-Length", 0)).await;
    let place = started.header("location").to_owned();
    let changed = Answer::of(world.http.put(place).body(mail().replace("Uploaded", "Changed"))).await.ok();
    assert_eq!(changed["id"], made["id"]);
    assert_ne!(changed["message"]["id"], made["message"]["id"]);
}
