use std::time::Duration;

use super::fake_server_tests::{FakeServer, Peer};
use super::*;
use crate::net::support_tests::local_net;

/// Small limits, so that the tests are quick.
fn tight() -> Limits {
    Limits {
        stall: Duration::from_millis(300),
        command: Duration::from_secs(2),
        login: Duration::from_secs(2),
        unsolicited: 500,
        ..Limits::default()
    }
}

/// The error that a UID search ends with when the server answers it with this script.
async fn searching<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> ImapErrorKind
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(move |mut peer| async move {
        peer.log_in("").await;
        peer.open("a4").await;
        peer.line().await;
        script(peer).await;
    })
    .await;
    let connection = ImapConnection::connect_with(&local_net(), &server.settings, tight()).await;
    let mut connection = connection.unwrap();
    connection.examine("INBOX").await.unwrap();
    let error = connection.uid_search_all().await.unwrap_err();
    drop(connection);
    server.done().await;
    error.kind
}

/// The error that a login ends with when the server plays this script from the start.
async fn connecting<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> ImapErrorKind
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(script).await;
    let connected = ImapConnection::connect_with(&local_net(), &server.settings, tight()).await;
    connected.unwrap_err().kind
}

#[tokio::test]
async fn a_silent_server_is_left() {
    assert_eq!(connecting(|mut peer| async move { peer.until_gone().await }).await, ImapErrorKind::Timeout);
    let kind = searching(|mut peer| async move { peer.until_gone().await }).await;
    assert_eq!(kind, ImapErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_that_drips_bytes_is_left() {
    let kind = searching(|mut peer| async move {
        while peer.try_send(b"x").await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(kind, ImapErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_that_drips_responses_is_left_when_the_commands_time_is_over() {
    let kind = searching(|mut peer| async move {
        while peer.try_send(b"* OK still searching\r\n").await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(kind, ImapErrorKind::Timeout);
}

#[tokio::test]
async fn a_storm_of_news_is_left() {
    let kind = searching(|mut peer| async move { while peer.try_send(&b"* 1 EXPUNGE\r\n".repeat(100)).await {} }).await;
    assert_eq!(kind, ImapErrorKind::Protocol);
}

#[tokio::test]
async fn an_endless_line_is_left_before_it_takes_memory() {
    let kind = connecting(|mut peer| async move { while peer.try_send(&[b'x'; 65536]).await {} }).await;
    assert_eq!(kind, ImapErrorKind::Protocol);
}

#[tokio::test]
async fn an_announced_flood_is_refused_at_once() {
    let kind = searching(|mut peer| async move {
        peer.send("* 1 FETCH (UID 1 BODY[] {4294967296}\r\n").await;
        peer.until_gone().await;
    })
    .await;
    assert_eq!(kind, ImapErrorKind::TooLarge);
}

#[tokio::test]
async fn mails_held_together_have_a_limit() {
    let server = FakeServer::play(|mut peer| async move {
        peer.log_in("").await;
        peer.open("a4").await;
        peer.line().await;
        for uid in 1..=3 {
            let body = "x".repeat(400);
            let mail = format!("* {uid} FETCH (UID {uid} BODY[] {{400}}\r\n{body})\r\n");
            peer.try_send(mail.as_bytes()).await;
        }
        peer.until_gone().await;
    })
    .await;
    let limits = Limits { held: 1000, ..tight() };
    let connection = ImapConnection::connect_with(&local_net(), &server.settings, limits).await;
    let mut connection = connection.unwrap();
    connection.examine("INBOX").await.unwrap();
    let (sender, _receiver) = tokio::sync::mpsc::channel(1);
    let batch = UidSet::range(1..=9);
    let fetched = connection.fetch_bodies([batch.clone()], 1, sender).await;
    let error = fetched.unwrap_err();
    assert_eq!((error.kind, error.batch), (ImapErrorKind::TooLarge, Some(batch)));
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn an_index_without_end_is_left() {
    let server = FakeServer::play(|mut peer| async move {
        peer.log_in("").await;
        peer.open("a4").await;
        peer.line().await;
        for uid in 1..=200 {
            let line = format!("* {uid} FETCH (UID {uid} RFC822.SIZE 1)\r\n");
            peer.try_send(line.as_bytes()).await;
        }
        peer.until_gone().await;
    })
    .await;
    let limits = Limits { entries: 100, ..tight() };
    let connection = ImapConnection::connect_with(&local_net(), &server.settings, limits).await;
    let mut connection = connection.unwrap();
    connection.examine("INBOX").await.unwrap();
    let error = connection.fetch_index(&UidSet::from_uid(1)).await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::TooLarge);
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn endless_lists_in_lists_do_not_exhaust_the_stack() {
    let kind = searching(|mut peer| async move {
        peer.send(format!("* 1 FETCH {}\r\n", "(".repeat(500_000))).await;
        peer.until_gone().await;
    })
    .await;
    assert_eq!(kind, ImapErrorKind::Protocol);
}

#[tokio::test]
async fn a_verdict_on_something_else_is_not_taken_for_ours() {
    let kind = searching(|mut peer| async move {
        peer.send("a99 OK done\r\n").await;
        peer.until_gone().await;
    })
    .await;
    assert_eq!(kind, ImapErrorKind::Protocol);
}

#[tokio::test]
async fn a_server_that_says_goodbye_is_to_be_tried_later() {
    let kind = searching(|mut peer| async move { peer.send("* BYE shutting down\r\n").await }).await;
    assert_eq!(kind, ImapErrorKind::Unavailable);
    let kind = searching(|_peer| async {}).await;
    assert_eq!(kind, ImapErrorKind::ConnectionLost);
}

#[tokio::test]
async fn random_answers_never_panic() {
    let pieces: [&[u8]; 16] = [
        b"* ", b"a5 ", b"OK", b"FETCH ", b"(", b")", b"\"", b"{3}\r\n", b"\r\n", b"NIL ", b"1 ", b"BODY[", b"]",
        b"\0\xff", b"[", b"\\",
    ];
    let mut seed = 42u64;
    for _ in 0..3000 {
        let mut frame = b"* 1 FETCH (UID 1 ".to_vec();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            frame.extend_from_slice(pieces[usize::try_from(seed >> 60).unwrap()]);
        }
        drop(super::response::parse(&frame.split_off(usize::from(seed & 16 == 0) * 10).into()));
    }
}
