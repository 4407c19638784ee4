//! Upload sessions.

use crate::support::{Answer, World, all, at};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

const SIZE: usize = 3_500_000;

async fn session(world: &World, draft: &str, size: usize) -> Answer {
    let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "big.bin", "size": size}});
    world.post(&format!("{}/attachments/createUploadSession", at(draft)), item).await
}

fn put(world: &World, url: &str, from: usize, length: usize, total: usize) -> RequestBuilder {
    let range = format!("bytes {from}-{}/{total}", from + length - 1);
    world.http.put(url).header("Content-Range", range).body(vec![7_u8; length])
}

async fn draft(world: &World) -> String {
    world.post("me/messages", json!({"subject": "Big"})).await.ok()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_large_file_comes_in_pieces() {
    let world = World::calm();
    let draft = draft(&world).await;
    let session = session(&world, &draft, SIZE).await;
    assert_eq!(session.status, 201);
    let session = session.ok();
    assert_eq!(session["nextExpectedRanges"], json!(["0-"]));
    let url = session["uploadUrl"].as_str().unwrap();
    let first = Answer::of(put(&world, url, 0, 2_000_000, SIZE)).await;
    assert_eq!((first.status, &first.json["nextExpectedRanges"]), (200, &json!(["2000000"])));
    assert_eq!(Answer::of(world.http.get(url)).await.ok()["nextExpectedRanges"], json!(["2000000-"]));
    let last = Answer::of(put(&world, url, 2_000_000, SIZE - 2_000_000, SIZE)).await;
    assert_eq!((last.status, last.text.as_str()), (201, ""));
    assert!(last.header("location").contains("/Attachments('"));
    let list: Value = world.get(&format!("{}/attachments?$select=name,size", at(&draft))).await.ok();
    assert_eq!(all(&list, "name"), ["big.bin"]);
    assert!(list["value"][0]["size"].as_u64().unwrap() > SIZE as u64);
    assert_eq!(Answer::of(put(&world, url, 0, 10, SIZE)).await.status, 404, "the session is over");
}

#[tokio::test]
async fn pieces_out_of_order_are_refused() {
    let world = World::calm();
    let draft = draft(&world).await;
    let session = session(&world, &draft, 8_000_000).await.ok();
    let url = session["uploadUrl"].as_str().unwrap();
    for (request, status) in [
        (put(&world, url, 100, 100, 8_000_000), 416),
        (put(&world, url, 0, 100, 7_000_000), 400),
        (world.http.put(url).body("x"), 400),
        (put(&world, url, 0, 4 * 1024 * 1024, 8_000_000), 413),
        (put(&world, url, 0, 100, 8_000_000).bearer_auth(&world.token), 401),
        (put(&world, url, 0, 100, 8_000_000), 200),
        (put(&world, url, 0, 100, 8_000_000), 416),
        (world.http.delete(url), 204),
        (put(&world, url, 100, 100, 8_000_000), 404),
    ] {
        assert_eq!(Answer::of(request).await.status, status);
    }
}

#[tokio::test]
async fn only_large_files_of_drafts_are_uploaded() {
    let world = World::calm();
    let draft = draft(&world).await;
    let small = session(&world, &draft, 1_000_000).await;
    assert_eq!(small.code(), (400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"));
    assert_eq!(session(&world, &draft, 200_000_000).await.status, 413);
    assert_eq!(session(&world, &world.mail(1).id, SIZE).await.status, 400);
}
