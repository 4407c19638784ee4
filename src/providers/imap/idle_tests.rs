use std::future::pending;
use std::time::Duration;

use super::fake_server_tests::{Peer, selected};
use super::*;

const LONG: Duration = Duration::from_secs(600);

fn tight() -> Limits {
    Limits { stall: Duration::from_millis(300), command: Duration::from_secs(2), unsolicited: 500, ..Limits::default() }
}

/// How a wait ends when the server plays this after it was asked to tell news.
async fn waiting<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> Result<IdleEnd, ImapErrorKind>
where
    F: Future<Output = ()> + Send,
{
    let (mut connection, server) = selected("IDLE", tight(), |mut peer| async move {
        peer.answer("a5 IDLE", "+ idling\n").await;
        script(peer).await;
    })
    .await;
    let end = connection.idle(LONG, pending()).await;
    drop(connection);
    server.done().await;
    end.map_err(|error| error.kind)
}

#[tokio::test]
async fn every_kind_of_news_ends_the_wait() {
    for news in
        ["10 EXISTS", "3 EXPUNGE", "VANISHED 4:7", "2 FETCH (FLAGS (\\Seen))", "2 FETCH (UID 3 MODSEQ (9) FLAGS ())"]
    {
        let end = waiting(move |mut peer| async move {
            peer.send("* OK Still here\r\n* OK Still here\r\n").await;
            peer.send(format!("* {news}\r\n")).await;
            peer.answer("DONE", "* 11 EXISTS\na5 OK done\n").await;
        })
        .await;
        assert_eq!(end, Ok(IdleEnd::News), "{news}");
    }
}

#[tokio::test]
async fn a_wait_outlasts_the_limits_of_other_commands() {
    let limits = Limits { command: Duration::from_millis(500), ..tight() };
    let (mut connection, server) = selected("IDLE", limits, |mut peer| async move {
        peer.answer("a5 IDLE", "+ idling\n").await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        peer.send("* 10 EXISTS\r\n").await;
        peer.answer("DONE", "a5 OK done\n").await;
    })
    .await;
    assert_eq!(connection.idle(LONG, pending()).await.unwrap(), IdleEnd::News);
    server.done().await;
}

#[tokio::test]
async fn a_wait_ends_with_its_time_or_when_the_caller_has_something_to_do() {
    let (mut connection, server) = selected("IDLE", tight(), |mut peer| async move {
        for tag in ["a5", "a6", "a7"] {
            peer.answer(&format!("{tag} IDLE"), "+ idling\n").await;
            peer.answer("DONE", &format!("{tag} OK done\n")).await;
        }
        peer.answer("a8 IDLE", "+ idling\n").await;
        peer.answer("DONE", "* 10 EXISTS\na8 OK done\n").await;
        peer.answer("a9 NOOP", "a9 OK done\n").await;
    })
    .await;
    let no_time = Duration::from_millis(1);
    assert_eq!(connection.idle(no_time, pending()).await.unwrap(), IdleEnd::TimedOut);
    assert_eq!(connection.idle(LONG, async {}).await.unwrap(), IdleEnd::Woken);
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    tell.send(()).unwrap();
    assert_eq!(connection.idle(LONG, async { told.await.unwrap() }).await.unwrap(), IdleEnd::Woken);
    // News that come while the wait is being ended are not lost.
    assert_eq!(connection.idle(LONG, async {}).await.unwrap(), IdleEnd::Woken);
    assert_eq!(connection.idle(LONG, pending()).await.unwrap(), IdleEnd::News);
    connection.noop().await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn news_told_before_the_wait_or_at_its_start_are_not_missed() {
    let (mut connection, server) = selected("IDLE", tight(), |mut peer| async move {
        peer.answer("a5 NOOP", "* 10 EXISTS\na5 OK done\n").await;
        peer.answer("a6 IDLE", "* 11 EXISTS\n+ idling\n").await;
        peer.answer("DONE", "a6 OK done\n").await;
    })
    .await;
    connection.noop().await.unwrap();
    assert_eq!(connection.idle(LONG, pending()).await.unwrap(), IdleEnd::News);
    assert_eq!(connection.idle(LONG, pending()).await.unwrap(), IdleEnd::News);
    server.done().await;
}

#[tokio::test]
async fn half_a_response_is_kept_when_the_wait_ends() {
    let (mut connection, server) = selected("IDLE", tight(), |mut peer| async move {
        peer.answer("a5 IDLE", "+ idling\n").await;
        peer.send("* 1 FETCH (FLAGS (\\Se").await;
        peer.expect("DONE").await;
        peer.send("en))\r\na5 OK done\r\n").await;
    })
    .await;
    let end = connection.idle(Duration::from_millis(20), pending()).await.unwrap();
    assert_eq!(end, IdleEnd::News);
    server.done().await;
}

#[tokio::test]
async fn a_dead_connection_is_found_out_at_the_end_of_the_wait() {
    let (mut connection, server) = selected("IDLE", tight(), |mut peer| async move {
        peer.answer("a5 IDLE", "+ idling\n").await;
        peer.until_gone().await;
    })
    .await;
    let error = connection.idle(Duration::from_millis(1), pending()).await.unwrap_err();
    assert_eq!((error.kind, error.keeps_connection()), (ImapErrorKind::Timeout, false));
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_ends_the_wait() {
    let bye = waiting(|mut peer| async move { peer.send("* BYE idle for too long\r\n").await }).await;
    assert_eq!(bye, Err(ImapErrorKind::Unavailable));
    assert_eq!(waiting(|_peer| async {}).await, Err(ImapErrorKind::ConnectionLost));
}

#[tokio::test]
async fn a_server_that_will_not_wait_is_not_asked_in_circles() {
    let own_end = waiting(|mut peer| async move { peer.send("a5 OK enough\r\n").await }).await;
    assert_eq!(own_end, Err(ImapErrorKind::Protocol));
    let refused = waiting(|mut peer| async move { peer.send("a5 BAD what?\r\n").await }).await;
    assert_eq!(refused, Err(ImapErrorKind::NotUnderstood));
    let (mut connection, server) = selected("", tight(), |_peer| async {}).await;
    let error = connection.idle(LONG, pending()).await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::NotSupported);
    server.done().await;
}

#[tokio::test]
async fn a_flood_during_the_wait_is_left() {
    let flood = waiting(|mut peer| async move { while peer.try_send(&b"* OK here\r\n".repeat(100)).await {} }).await;
    assert_eq!(flood, Err(ImapErrorKind::Protocol));
    let line = waiting(|mut peer| async move { while peer.try_send(&[b'x'; 65536]).await {} }).await;
    assert_eq!(line, Err(ImapErrorKind::Protocol));
    let literal = waiting(|mut peer| async move {
        peer.send("* 1 FETCH (BODY[] {1000000}\r\n").await;
        peer.until_gone().await;
    })
    .await;
    assert_eq!(literal, Err(ImapErrorKind::TooLarge));
    let afterwards = waiting(|mut peer| async move {
        peer.send("* 10 EXISTS\r\n").await;
        while peer.try_send(&b"* 1 EXPUNGE\r\n".repeat(100)).await {}
    })
    .await;
    assert_eq!(afterwards, Err(ImapErrorKind::Protocol));
}

#[tokio::test]
async fn a_wait_costs_little_memory() {
    let (mut connection, server) = selected("IDLE", Limits::default(), |mut peer| async move {
        peer.answer("a5 IDLE", "+ idling\n").await;
        peer.expect("DONE").await;
        peer.send("a5 OK done\r\n").await;
    })
    .await;
    let wait = connection.idle(Duration::from_millis(1), pending());
    assert!(size_of_val(&wait) < 2048, "{} octets", size_of_val(&wait));
    wait.await.unwrap();
    assert!(size_of::<ImapConnection>() < 512, "{} octets", size_of::<ImapConnection>());
    server.done().await;
}
