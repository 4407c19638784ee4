use super::fake_server_tests::selected;
use super::*;
use crate::mail;

const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.262145>)";

#[tokio::test]
async fn a_header_identifies_a_mail_as_the_whole_mail_does() {
    let whole = "Subject: a\r\n folded\r\nTo: b\r\n\r\nbody\r\n\r\nmore";
    let head = "Subject: a\r\n folded\r\nTo: b\r\n\r\n";
    let (mut connection, server) = selected("", Limits::default(), move |mut peer| async move {
        let one = format!(
            "* 1 FETCH (UID 3 FLAGS (\\Seen) RFC822.SIZE {} BODY[HEADER]<0> {{{}}}\n{head})\n",
            whole.len(),
            head.len()
        );
        let two = "* 2 FETCH (UID 4 RFC822.SIZE 8)\n* 2 FETCH (UID 4 BODY[HEADER]<0> {8}\nA: b\r\n\r\n)\n";
        let answer = format!("{one}{two}* 3 FETCH (UID 5 RFC822.SIZE 8 BODY[HEADER] NIL)\na5 OK done\n");
        peer.expect(&format!("a5 UID FETCH 3:6 {ITEMS}")).await;
        peer.send(answer.replace("\r\n", "\n").replace('\n', "\r\n")).await;
    })
    .await;
    let heads = connection.fetch_heads(&UidSet::range(3..=6)).await.unwrap();
    server.done().await;
    let uids: Vec<_> = heads.iter().map(|(entry, _)| entry.uid).collect();
    assert_eq!(uids, [3, 4]);
    let (entry, head) = &heads[0];
    assert!(entry.flags.seen);
    let identity = mail::identity(mail::header_block(head), entry.size);
    assert_eq!(identity, mail::identity(mail::header_block(whole.as_bytes()), whole.len() as u64));
}

#[tokio::test]
async fn a_header_that_is_too_long_is_left_out() {
    let (mut connection, server) = selected("OBJECTID CONDSTORE", Limits::default(), |mut peer| async move {
        peer.line().await;
        for (uid, length) in [(1, 256 * 1024), (2, 256 * 1024 + 1), (3, 300_000)] {
            let head = "x".repeat(length);
            peer.send(format!("* 1 FETCH (UID {uid} RFC822.SIZE 9 BODY[HEADER]<0> {{{length}}}\r\n{head})\r\n")).await;
        }
        peer.send("a5 OK done\r\n").await;
    })
    .await;
    let heads = connection.fetch_heads(&UidSet::range(1..=3)).await.unwrap();
    assert_eq!(heads.iter().map(|(entry, head)| (entry.uid, head.len())).collect::<Vec<_>>(), [(1, 256 * 1024)]);
    server.done().await;
}

#[tokio::test]
async fn headers_held_together_have_a_limit() {
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        peer.line().await;
        let head = "x".repeat(256 * 1024);
        for uid in 1..=100 {
            let mail = format!("* 1 FETCH (UID {uid} RFC822.SIZE 9 BODY[HEADER]<0> {{262144}}\r\n{head})\r\n");
            peer.send(mail).await;
        }
        peer.send("a5 OK done\r\n").await;
    })
    .await;
    let heads = connection.fetch_heads(&UidSet::range(1..=100)).await.unwrap();
    assert_eq!(heads.len(), 64);
    server.done().await;
}
