//! Fetches whole mails with several commands in flight.
//!
//! While the server reads one batch from its disk, the one before is on its way: a connection is
//! never idle. Commands that only fetch by UID cannot be mistaken for each other (RFC 3501 §5.5).

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::mpsc::Sender;

use super::command::Command;
use super::connection::refusal;
use super::fetch::merge;
use super::response::{Fetched, Response, Status, Verdict};
use super::{FetchedMail, ImapConnection, ImapError, UidSet};

/// The answer to one batch.
#[derive(Debug)]
pub struct FetchedBatch {
    /// What was asked for.
    pub asked: UidSet,
    /// The mails, by ascending UID.
    pub mails: Vec<FetchedMail>,
    /// What was asked for and did not come: expunged meanwhile, or the server cannot read it.
    pub missing: UidSet,
    /// The server refused the batch; what came before that is in `mails`. The connection is still
    /// good and the other batches go on.
    pub error: Option<ImapError>,
}

/// A batch on its way.
struct Flight {
    tag: String,
    asked: UidSet,
    found: BTreeMap<u32, Fetched>,
    held: usize,
    done: Option<Status>,
}

impl ImapConnection {
    /// Fetches batches of whole mails and hands them on in the order they were asked for.
    ///
    /// Up to `in_flight` commands are sent ahead. When the receiver is slow, reading waits; when it
    /// is gone, fetching stops and the connection must be dropped. `batches` should be cut by size
    /// so that those in flight together stay well below [`super::Limits::held`].
    ///
    /// # Errors
    /// [`ImapError`] with `batch` set to the one that was being read when the connection failed:
    /// fetch its mails one by one on a fresh connection to find the one to blame.
    pub async fn fetch_bodies(
        &mut self,
        batches: impl IntoIterator<Item = UidSet, IntoIter: Send> + Send,
        in_flight: usize,
        on_batch: Sender<FetchedBatch>,
    ) -> Result<(), ImapError> {
        let mut waiting = batches.into_iter().filter(|batch| !batch.is_empty());
        let mut flights: VecDeque<Flight> = VecDeque::new();
        loop {
            while flights.len() < in_flight.max(1) {
                let Some(batch) = waiting.next() else { break };
                flights.push_back(self.take_off(batch).await?);
            }
            let Some(first) = flights.front() else {
                self.wire.set_held(0);
                return Ok(());
            };
            let asked = first.asked.clone();
            if let Err(error) = self.receive(&mut flights).await {
                return Err(error.in_batch(&asked));
            }
            while let Some(landed) = take_landed(&mut flights) {
                if on_batch.send(landed).await.is_err() {
                    return Ok(());
                }
                // The time the receiver took is not the server's fault.
                self.wire.start_clock();
            }
        }
    }

    async fn take_off(&mut self, asked: UidSet) -> Result<Flight, ImapError> {
        let items = format!("UID FETCH {asked} (UID FLAGS INTERNALDATE RFC822.SIZE{} BODY.PEEK[])", self.id_items());
        let started = self.start(Command::new(&items)).await;
        Ok(Flight {
            tag: started.map_err(|error| error.in_batch(&asked))?,
            asked,
            found: BTreeMap::new(),
            held: 0,
            done: None,
        })
    }

    /// Reads until some batch is complete.
    async fn receive(&mut self, flights: &mut VecDeque<Flight>) -> Result<(), ImapError> {
        loop {
            self.wire.set_held(flights.iter().map(|flight| flight.held).sum());
            match self.read().await? {
                Response::Fetch(data) => {
                    let asked = data.uid.and_then(|uid| {
                        let flight = flights.iter_mut().find(|f| f.takes(uid))?;
                        Some((uid, flight))
                    });
                    match asked {
                        Some((uid, flight)) => flight.board(uid, *data)?,
                        None => self.note_unasked(&Response::Fetch(data))?,
                    }
                }
                Response::Status(status) if status.tag.is_some() => {
                    let flight = flights.iter_mut().find(|f| Some(&f.tag) == status.tag.as_ref());
                    let Some(flight) = flight else {
                        return Err(ImapError::protocol("the mail server answered a command that was not given"));
                    };
                    flight.done = Some(status);
                    return Ok(());
                }
                other => self.note_unasked(&other)?,
            }
        }
    }
}

impl Flight {
    fn takes(&self, uid: u32) -> bool {
        self.done.is_none() && self.asked.contains(uid)
    }

    fn board(&mut self, uid: u32, data: Fetched) -> Result<(), ImapError> {
        let size = |body: Option<&super::response::Body>| {
            body.and_then(|body| body.data.as_ref()).map_or(0, bytes::Bytes::len)
        };
        let mail = self.found.entry(uid).or_default();
        if mail.body.is_some() && data.body.is_some() {
            return Err(ImapError::protocol("the mail server sent a mail twice"));
        }
        self.held += size(data.body.as_ref());
        merge(mail, data);
        Ok(())
    }

    fn land(self, status: &Status) -> FetchedBatch {
        let mails: Vec<FetchedMail> = self.found.into_iter().filter_map(mail).collect();
        let came: UidSet = mails.iter().map(|mail| mail.uid).collect();
        FetchedBatch {
            missing: self.asked.difference(&came),
            error: (status.verdict != Verdict::Ok).then(|| refusal(status).in_batch(&self.asked)),
            asked: self.asked,
            mails,
        }
    }
}

/// The first batch, if it is complete.
fn take_landed(flights: &mut VecDeque<Flight>) -> Option<FetchedBatch> {
    let status = flights.front_mut()?.done.take()?;
    flights.pop_front().map(|flight| flight.land(&status))
}

fn mail((uid, data): (u32, Fetched)) -> Option<FetchedMail> {
    let raw = data.body?.data?;
    Some(FetchedMail {
        uid,
        flags: data.flags.unwrap_or_default(),
        internal_date: data.internal_date,
        size: data.size.unwrap_or(raw.len() as u64),
        email_id: data.email_id,
        mod_seq: data.mod_seq,
        raw,
    })
}
