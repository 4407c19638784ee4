use tokio::sync::mpsc;

use super::fake_server_tests::{FakeServer, Peer};
use super::*;
use crate::net::support_tests::local_net;

const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";

/// A connection with an open folder to a server which then follows the script.
async fn opened<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> (ImapConnection, FakeServer)
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(move |mut peer| async move {
        peer.log_in("").await;
        peer.open("a4").await;
        script(peer).await;
    })
    .await;
    let mut connection = ImapConnection::connect(&local_net(), &server.settings).await.unwrap();
    connection.examine("INBOX").await.unwrap();
    (connection, server)
}

fn mail(seq: u32, uid: u32, body: &str) -> String {
    format!("* {seq} FETCH (UID {uid} FLAGS () RFC822.SIZE 1 BODY[] {{{}}}\r\n{body})\r\n", body.len())
}

fn sets(texts: &[&str]) -> Vec<UidSet> {
    texts.iter().map(|text| UidSet::parse(text).unwrap()).collect()
}

async fn fetch(
    connection: &mut ImapConnection,
    batches: &[&str],
    in_flight: usize,
) -> (Result<(), ImapError>, Vec<FetchedBatch>) {
    let (sender, mut receiver) = mpsc::channel(1);
    let collect = async {
        let mut batches = Vec::new();
        while let Some(batch) = receiver.recv().await {
            batches.push(batch);
        }
        batches
    };
    tokio::join!(connection.fetch_bodies(sets(batches), in_flight, sender), collect)
}

#[tokio::test]
async fn batches_are_asked_for_ahead_and_handed_on_in_order() {
    let (mut connection, server) = opened(|mut peer| async move {
        // Two are in flight before anything is answered, the third when one is done.
        peer.expect(&format!("a5 UID FETCH 8:9 {ITEMS}")).await;
        peer.expect(&format!("a6 UID FETCH 4,6 {ITEMS}")).await;
        peer.send(mail(9, 9, "nine") + "* 10 EXISTS\r\n" + &mail(8, 8, "eight")).await;
        peer.send(mail(6, 6, "six") + "a6 OK done\r\n* 3 FETCH (FLAGS (\\Seen))\r\na5 OK done\r\n").await;
        peer.expect(&format!("a7 UID FETCH 1 {ITEMS}")).await;
        peer.send(mail(1, 1, "") + "a7 OK done\r\n").await;
    })
    .await;
    let (result, batches) = fetch(&mut connection, &["8:9", "4,6", "1"], 2).await;
    result.unwrap();
    server.done().await;
    let told: Vec<_> = batches
        .iter()
        .map(|batch| {
            let mails: Vec<_> = batch.mails.iter().map(|m| (m.uid, m.raw.as_ref())).collect();
            (batch.asked.to_string(), mails, batch.missing.to_string())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("8:9".to_owned(), vec![(8, &b"eight"[..]), (9, b"nine")], String::new()),
            ("4,6".to_owned(), vec![(6, b"six")], "4".to_owned()),
            ("1".to_owned(), vec![(1, b"")], String::new()),
        ]
    );
}

#[tokio::test]
async fn a_refused_batch_does_not_stop_the_others() {
    let (mut connection, server) = opened(|mut peer| async move {
        peer.line().await;
        peer.line().await;
        peer.send(mail(1, 1, "one") + "a5 NO [SERVERBUG] cannot read 2\r\n").await;
        peer.send(mail(3, 3, "three") + "* 4 FETCH (UID 4 BODY[] NIL)\r\na6 OK done\r\n").await;
    })
    .await;
    let (result, batches) = fetch(&mut connection, &["1:2", "3:4"], 4).await;
    result.unwrap();
    server.done().await;
    let error = batches[0].error.clone().unwrap();
    assert_eq!(error.kind, ImapErrorKind::Unavailable);
    assert_eq!(error.batch, Some(UidSet::range(1..=2)));
    assert_eq!(batches[0].mails.len(), 1);
    assert!(batches[1].error.is_none());
    assert_eq!(batches[1].missing.to_string(), "4");
}

#[tokio::test]
async fn a_broken_mail_is_an_error_that_names_its_batch() {
    for poison in [
        "* 3 FETCH (UID 3 BODY[] {3}\r\nabcdef)\r\n",
        "* 3 FETCH (UID 3 BODY[] {4294967296}\r\n",
        "* 3 FETCH (UID 3 BODY[] {999}\r\n",
        "garbage\r\n",
    ] {
        let (mut connection, server) = opened(move |mut peer| async move {
            peer.line().await;
            peer.line().await;
            peer.send(mail(1, 1, "one") + "a5 OK done\r\n" + poison).await;
        })
        .await;
        let (result, batches) = fetch(&mut connection, &["1:2", "3:4"], 2).await;
        assert_eq!(result.unwrap_err().batch, Some(UidSet::range(3..=4)), "{poison}");
        assert_eq!(batches.len(), 1, "{poison}");
        server.done().await;
    }
}

#[tokio::test]
async fn a_slow_receiver_slows_the_reading_and_a_gone_one_ends_it() {
    let (mut connection, server) = opened(|mut peer| async move {
        for tag in ["a5", "a6"] {
            peer.line().await;
            peer.send(mail(1, 1, "one") + tag + " OK done\r\n").await;
        }
        peer.until_gone().await;
    })
    .await;
    let (sender, mut receiver) = mpsc::channel(1);
    let fetching = connection.fetch_bodies(sets(&["1", "1", "1", "1"]), 1, sender);
    let reading = async {
        receiver.recv().await.unwrap();
        drop(receiver);
    };
    let (result, ()) = tokio::join!(fetching, reading);
    result.unwrap();
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn a_large_mail_comes_in_pieces_whatever_size_was_claimed() {
    const MIB: usize = 1024 * 1024;
    for claimed in [1u64, 1_500_000, 9_000_000] {
        let (mut connection, server) = opened(move |mut peer| async move {
            let mut offset = 0;
            loop {
                let line = peer.line().await;
                if line.is_empty() {
                    return;
                }
                assert!(line.contains(&format!("BODY.PEEK[]<{offset}.1048576>")), "{line}");
                let tag = line.split(' ').next().unwrap_or_default();
                let length = (1_500_000usize - offset).min(MIB);
                let piece = "x".repeat(length);
                let answer = format!(
                    "* 3 FETCH (UID 3 FLAGS (\\Seen) BODY[]<{offset}> {{{length}}}\r\n{piece})\r\n{tag} OK done\r\n"
                );
                peer.send(answer).await;
                offset += length;
            }
        })
        .await;
        let mut sink = Vec::new();
        let fetched = connection.fetch_large(3, claimed, 10_000_000, &mut sink).await;
        let large = fetched.unwrap().unwrap();
        assert_eq!((large.written, sink.len()), (1_500_000, 1_500_000));
        assert!(large.flags.seen);
        drop(connection);
        server.done().await;
    }
}

#[tokio::test]
async fn a_mail_beyond_the_limit_and_a_missing_one_are_given_up() {
    let (mut connection, server) = opened(|mut peer| async move {
        peer.line().await;
        peer.send("* 3 FETCH (UID 3 BODY[]<0> {5}\r\nhello)\r\na5 OK done\r\n").await;
        peer.line().await;
        peer.send("a6 OK done\r\n").await;
    })
    .await;
    let error = connection.fetch_large(3, 5, 4, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::TooLarge);
    let gone = connection.fetch_large(4, 5, 100, &mut Vec::new()).await;
    assert_eq!(gone.unwrap(), None);
    server.done().await;
}

#[tokio::test]
async fn a_server_that_ignores_pieces_is_believed_once() {
    let (mut connection, server) = opened(|mut peer| async move {
        peer.line().await;
        peer.send("* 3 FETCH (UID 3 BODY[] {5}\r\nhello)\r\na5 OK done\r\n").await;
    })
    .await;
    let mut sink = Vec::new();
    let large = connection.fetch_large(3, 500, 1000, &mut sink).await.unwrap().unwrap();
    assert_eq!((large.written, sink.as_slice()), (5, &b"hello"[..]));
    server.done().await;
}
