//! The client against servers that keep to the protocol in their own way, or not at all.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Gmail, GmailMailbox, GmailSettings, Lane};
use crate::net::{Net, NetOptions};
use crate::providers::oauth::AccessTokens;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

struct OneToken;

impl AccessTokens for OneToken {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { Ok(Secret::new("token")) })
    }

    fn renewed<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        self.current()
    }
}

/// What the server was asked, as one text each.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers each request by a function of its number and text, and a client of it.
async fn served(script: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> (GmailMailbox, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_url = format!("http://{}/at/google/", listener.local_addr().unwrap()).parse().unwrap();
    let (asked, script) = (Asked::default(), Arc::new(script));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
            tokio::spawn(async move { serve(stream, &heard, &*script).await });
        }
    });
    let net = Net::new(NetOptions { allow_private_networks: true, ..NetOptions::default() }).unwrap();
    let gmail = Gmail::new(&net, &GmailSettings { api_url, units_per_minute: 60_000_000 });
    (gmail.mailbox("u", Arc::new(OneToken), Lane::Interactive), asked)
}

async fn serve(stream: TcpStream, heard: &Asked, script: &(dyn Fn(usize, &str) -> String + Send + Sync)) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut request, mut length) = (String::new(), 0);
        while !request.ends_with("\r\n\r\n") {
            let start = request.len();
            if stream.read_line(&mut request).await.ok()? == 0 {
                return None;
            }
            let line = request[start..].to_ascii_lowercase();
            length = line.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        request.push_str(&String::from_utf8_lossy(&body));
        let number = {
            let mut heard = heard.lock().unwrap();
            heard.push(request.clone());
            heard.len()
        };
        stream.get_mut().write_all(script(number, &request).as_bytes()).await.ok()?;
    }
}

fn json(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn mail(id: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"historyId\":7,\"internalDate\":1700000000000,\"raw\":\"{}\"}}",
        ["YQ", "YQ=="][id.len() % 2]
    )
}

/// The answer to a batch, with these parts.
fn batch(parts: &[(&str, String)]) -> String {
    let mut body = String::new();
    for (id, part) in parts {
        body += &format!(
            "--x\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{part}\r\n"
        );
    }
    body += "--x--";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=\"x\"";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// The id in the first line of a request for one mail.
fn id_of(request: &str) -> &str {
    request.split("/messages/").nth(1).unwrap().split('?').next().unwrap()
}

#[tokio::test]
async fn numbers_and_base64_may_come_in_any_form_and_the_api_below_a_path() {
    let (mailbox, asked) = served(|_, request| json("200 OK", &mail(id_of(request)))).await;
    for id in ["a", "bb"] {
        let got = mailbox.raw(&ids(&[id])).await;
        let mail = got[0].1.as_ref().unwrap();
        assert_eq!((&mail.raw[..], mail.history_id, mail.label_ids.len()), (&b"a"[..], Some(7), 0));
    }
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].starts_with("GET /at/google/gmail/v1/users/me/messages/a?format=raw HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    assert!(asked[0].contains("authorization: Bearer token\r\n"));
}

#[tokio::test]
async fn a_service_without_batches_is_asked_one_by_one_from_then_on() {
    for refusal in ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented", "400 Bad Request"] {
        let (mailbox, asked) = served(move |_, request| match request.starts_with("POST /at/google/batch/gmail/v1 ") {
            true => format!("HTTP/1.1 {refusal}\r\nContent-Length: 4\r\n\r\nnone"),
            false => json("200 OK", &mail(id_of(request))),
        })
        .await;
        for _ in 0..2 {
            assert!(
                mailbox.raw(&ids(&["a", "b", "c"])).await.iter().all(|(id, mail)| mail.as_ref().unwrap().id == *id)
            );
        }
        assert_eq!(asked.lock().unwrap().len(), 1 + 3 + 3, "{refusal}");
    }
}

#[tokio::test]
async fn an_answer_about_another_mail_is_never_taken_for_the_one_asked_for() {
    let (mailbox, asked) = served(|number, _| match number {
        // One part about another mail, one twice, one unknown, one missing.
        1 => batch(&[
            ("<response-part-1>", mail("a")),
            ("<response-part-0>", mail("a")),
            ("<response-part-9>", mail("c")),
            ("<response-x>", mail("c")),
        ]),
        _ => batch(&[("<response-part-1>", mail("c")), ("<response-part-0>", mail("b"))]),
    })
    .await;
    let got = mailbox.raw(&ids(&["a", "b", "c"])).await;
    assert!(got.iter().all(|(id, mail)| mail.as_ref().unwrap().id == *id), "{got:?}");
    let asked = asked.lock().unwrap();
    assert!(asked.len() >= 2 && asked[1..].iter().all(|it| !it.contains("/messages/a?")));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_asked_for_in_smaller_pieces_and_then_given_up() {
    let (mailbox, asked) = served(|_, request| {
        let wanted = request.matches("/messages/").count();
        if wanted > 1 || request.contains("/messages/large?") {
            return "HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=x\r\nContent-Length: 99999999999\r\n\r\n-"
                .to_owned();
        }
        json("200 OK", &mail(id_of(request)))
    })
    .await;
    let got = mailbox.raw(&ids(&["a", "large", "c", "d"])).await;
    for (id, mail) in &got {
        match mail {
            Ok(mail) => assert_eq!(mail.id, *id),
            Err(error) => assert_eq!((&**id, error.kind), ("large", ProviderErrorKind::TooLarge)),
        }
    }
    assert_eq!(got.iter().filter(|(_, mail)| mail.is_ok()).count(), 3);
    assert_eq!(asked.lock().unwrap().len(), 2 + 4, "a batch of four, one of two, and each alone");
}

#[tokio::test]
async fn lists_with_something_odd_in_them_keep_the_rest() {
    let (mailbox, _) = served(|_, request| {
        let body = match request.split(['?', ' ']).nth(1).unwrap() {
            "/at/google/gmail/v1/users/me/labels" => r#"{"labels":[{"id":"INBOX"},{"name":"x"},{}]}"#,
            "/at/google/gmail/v1/users/me/messages" => {
                r#"{"messages":[{"id":"a"},{"threadId":"t"}],"nextPageToken":""}"#
            }
            "/at/google/gmail/v1/users/me/drafts" => r#"{"drafts":[{"id":"r1"},{"id":"r2","message":{"id":"m"}}]}"#,
            "/at/google/gmail/v1/users/me/settings/sendAs" => r#"{"sendAs":[{"displayName":"x"}]}"#,
            "/at/google/gmail/v1/users/me/history" => {
                r#"{"historyId":9,"history":[{"messages":[{"id":"a"}],"messagesAdded":[{},{"message":{}},
                {"message":{"id":"a"}}],"labelsAdded":[{"message":{"id":"b"}}]}]}"#
            }
            other => panic!("{other}"),
        };
        json("200 OK", body)
    })
    .await;
    assert_eq!(mailbox.labels().await.unwrap().len(), 1);
    let page = mailbox.list(&super::ListQuery::default()).await.unwrap();
    assert_eq!((page.messages.len(), page.next_page_token), (1, None));
    assert_eq!(mailbox.drafts(None, None).await.unwrap().drafts.len(), 1);
    assert!(mailbox.send_as().await.unwrap().is_empty());
    let history = mailbox.history(1, None).await.unwrap();
    assert_eq!((history.history_id, history.records.len()), (9, 1));
    assert_eq!((history.records[0].added.len(), history.records[0].labels_added.len()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_lacks_what_is_needed_is_an_error_that_may_pass() {
    let (mailbox, _) = served(|_, _| json("200 OK", "{}")).await;
    let errors = [
        mailbox.profile().await.err(),
        mailbox.labels().await.err(),
        mailbox.history(1, None).await.err(),
        mailbox.metadata("a", &[]).await.err(),
        mailbox.modify("a", &[], &[]).await.err(),
        mailbox.create_label("x").await.err(),
        mailbox.create_draft(Vec::new(), None).await.err(),
        mailbox.send_draft("r").await.err(),
        mailbox.watch("t", &[]).await.err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert_eq!((error.kind, error.may_be_done), (ProviderErrorKind::Unavailable, true), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_breaks_nothing() {
    struct Broken;
    impl AccessTokens for Broken {
        fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
            Box::pin(async { Ok(Secret::new("a\r\nb")) })
        }
        fn renewed<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
            self.current()
        }
    }
    let (mailbox, asked) = served(|_, _| json("200 OK", "{}")).await;
    let mailbox = mailbox.gmail.mailbox("u", Arc::new(Broken), Lane::Interactive);
    mailbox.send_draft("r").await.unwrap_err();
    assert!(asked.lock().unwrap().is_empty());
}
