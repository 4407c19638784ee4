//! Stands in front of a mail server and spoils what it says, at the very place that a test chooses.

use super::dovecot::{Mailbox, PASSWORD};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens where a mark passes by.
#[derive(Clone, Debug)]
pub enum Fault {
    /// These bytes are slipped in behind it.
    Insert(Vec<u8>),
    /// These bytes go in its place.
    Replace(Vec<u8>),
    /// The connection ends before it.
    HangUp,
    /// Nothing comes any more, though the connection stays.
    FallSilent,
    /// Nothing comes until the proxy behaves; then all goes on.
    Wait,
}

/// Where and how to spoil.
#[derive(Clone, Debug)]
struct Plan {
    mark: Vec<u8>,
    fault: Fault,
}

/// The proxy; it ends with this value, and its connections with it.
pub struct ImapProxy {
    /// Its loopback port, for IMAP without encryption.
    pub port: u16,
    plan: watch::Sender<Option<Plan>>,
    met: watch::Sender<usize>,
    task: JoinHandle<()>,
    _alive: Arc<watch::Sender<()>>,
}

impl ImapProxy {
    /// Listens on a free port and passes everything on to the server of this mailbox, unspoilt at first.
    pub async fn start(mailbox: &Mailbox<'_>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = mailbox.server.imap_port;
        let (plan, spoil) = watch::channel(None);
        let met = watch::Sender::new(0);
        let count = met.clone();
        let alive = Arc::new(watch::Sender::new(()));
        let end = alive.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (spoil, count, mut end) = (spoil.clone(), count.clone(), end.clone());
                tokio::spawn(async move {
                    // A connection that breaks is what this proxy is for.
                    tokio::select! {
                        _ = pass(client, behind, spoil, count) => {}
                        _ = end.changed() => {}
                    }
                });
            }
        });
        Self { port, plan, met, task, _alive: alive }
    }

    /// From now on, does this at every mark in what the server says.
    pub fn spoil(&self, mark: &str, fault: Fault) {
        self.plan.send_replace(Some(Plan { mark: mark.as_bytes().to_vec(), fault }));
    }

    /// Passes everything on from now on.
    pub fn behave(&self) {
        self.plan.send_replace(None);
    }

    /// How many marks have passed.
    pub fn met(&self) -> usize {
        *self.met.borrow()
    }

    /// Waits until this many marks have passed.
    pub async fn until_met(&self, marks: usize) {
        let mut met = self.met.subscribe();
        let reached = tokio::time::timeout(super::wait::PATIENCE, met.wait_for(|met| *met >= marks));
        reached.await.expect("the mark never passed").unwrap();
    }

    /// The `imap` part of a request that connects the mailbox through the proxy.
    pub fn imap(&self, mailbox: &Mailbox<'_>) -> Value {
        json!({
            "host": "localhost", "port": self.port, "security": "none", "username": mailbox.user, "password": PASSWORD,
        })
    }
}

impl Drop for ImapProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    client: TcpStream,
    behind: u16,
    spoil: watch::Receiver<Option<Plan>>,
    met: watch::Sender<usize>,
) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", behind)).await?;
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        done = tokio::io::copy(&mut from_client, &mut to_server) => done.map(drop),
        done = answers(from_server, to_client, spoil, met) => done,
    }
}

/// Carries what the server says, and does at the marks what the plan wants.
async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut spoil: watch::Receiver<Option<Plan>>,
    met: watch::Sender<usize>,
) -> io::Result<()> {
    let mut held: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return to.write_all(&held).await;
        }
        held.extend_from_slice(&chunk[..count]);
        loop {
            // The borrow must end here: it is a lock, and the work below waits.
            let plan = spoil.borrow_and_update().clone();
            let Some(plan) = plan else { break };
            let Some(at) = find(&held, &plan.mark) else { break };
            met.send_modify(|met| *met += 1);
            let behind = at + plan.mark.len();
            match plan.fault {
                Fault::Insert(bytes) => to.write_all(&[&held[..behind], &bytes].concat()).await?,
                Fault::Replace(bytes) => to.write_all(&[&held[..at], &bytes].concat()).await?,
                Fault::HangUp => return to.write_all(&held[..at]).await,
                Fault::FallSilent => {
                    to.write_all(&held[..at]).await?;
                    std::future::pending::<()>().await;
                }
                Fault::Wait => {
                    to.write_all(&held[..at]).await?;
                    let behaves = spoil.wait_for(Option::is_none).await;
                    drop(behaves.map_err(io::Error::other)?);
                    to.write_all(&held[at..behind]).await?;
                }
            }
            held.drain(..behind);
        }
        // The beginning of a mark may stand at the end; the rest of it is on its way.
        let kept = spoil.borrow().as_ref().map_or(0, |plan| beginning(&held, &plan.mark));
        let ready = held.len() - kept;
        to.write_all(&held[..ready]).await?;
        held.drain(..ready);
    }
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    let mut from = 0;
    while let Some(found) = text[from..].iter().position(|byte| *byte == first) {
        if text[from + found..].starts_with(mark) {
            return Some(from + found);
        }
        from += found + 1;
    }
    None
}

/// How many bytes at the end are the beginning of the mark.
fn beginning(text: &[u8], mark: &[u8]) -> usize {
    (1..mark.len().min(text.len() + 1)).rev().find(|count| text.ends_with(&mark[..*count])).unwrap_or(0)
}
