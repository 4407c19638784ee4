//! Many mails at once: in batches where Gmail takes them, one by one where it does not. What fails is asked for again alone,
//! while the rest goes on.

use std::collections::VecDeque;

use futures_util::future::join_all;
use google_gmail1::api;
use tokio::time::Instant;

use super::answer;
use super::call::{Method, Next, Trial};
use super::client::GmailMailbox;
use super::error::{Failed, nonsense};
use super::multipart;
use super::transport::{Answer, Request};
use crate::providers::{ProviderError, ProviderErrorKind};

/// Mails that are asked for side by side where there are no batches.
const SIDE_BY_SIDE: usize = 8;

/// What comes of each mail, with its id.
pub(super) type Outcomes<T> = Vec<(String, Result<T, ProviderError>)>;

/// A mail that is asked for.
struct Item {
    /// Its place among those that were asked for.
    number: usize,
    id: String,
    tries: u32,
    due: Instant,
}

/// How to ask for one mail, and what to make of the answer.
pub(super) struct Wanted<T> {
    pub(super) method: Method,
    pub(super) request: fn(&str) -> Request,
    pub(super) read: fn(api::Message) -> Result<T, ProviderError>,
}

/// Mails on their way.
pub(super) struct Fetch<'a, T> {
    mailbox: &'a GmailMailbox,
    wanted: Wanted<T>,
    trial: Trial<'a>,
    open: VecDeque<Item>,
    done: Vec<(usize, String, Result<T, ProviderError>)>,
    /// Whole batches that failed one after another.
    failures: u32,
    /// Mails of one batch, fewer when their answer was too long.
    most: usize,
}

impl<'a, T> Fetch<'a, T> {
    pub(super) fn new(mailbox: &'a GmailMailbox, ids: &[String], wanted: Wanted<T>) -> Self {
        let due = Instant::now();
        let items = ids.iter().cloned().enumerate().map(|(number, id)| Item { number, id, tries: 0, due });
        Self {
            mailbox,
            trial: Trial::new(mailbox, wanted.method),
            wanted,
            open: items.collect(),
            done: Vec::with_capacity(ids.len()),
            failures: 0,
            most: usize::MAX,
        }
    }

    /// Fetches all of them, and gives them back in the order in which they were asked for.
    pub(super) async fn all(mut self) -> Outcomes<T> {
        while let Some(items) = self.due().await {
            match self.round(&items).await {
                Ok(outcomes) => {
                    self.failures = 0;
                    for (item, outcome) in items.into_iter().zip(outcomes) {
                        self.settle(item, outcome).await;
                    }
                }
                Err(failed) => self.whole_failed(items, failed).await,
            }
        }
        self.done.sort_by_key(|(number, ..)| *number);
        self.done.into_iter().map(|(_, id, outcome)| (id, outcome)).collect()
    }

    /// The next mails to ask for together, when it is time.
    async fn due(&mut self) -> Option<Vec<Item>> {
        let first = self.open.iter().map(|item| item.due).min()?;
        tokio::time::sleep_until(first).await;
        let now = Instant::now();
        let size = match self.mailbox.gmail.has_batches() {
            true => self.trial.user.batch(self.wanted.method.units).min(self.most),
            false => SIDE_BY_SIDE,
        };
        let mut items = Vec::with_capacity(size);
        for _ in 0..self.open.len() {
            let Some(item) = self.open.pop_front() else { break };
            if item.due <= now && items.len() < size {
                items.push(item);
            } else {
                self.open.push_back(item);
            }
        }
        Some(items)
    }

    /// Asks for mails; the outcomes are in their order. An error is one of all of them.
    async fn round(&self, items: &[Item]) -> Result<Vec<Result<T, Failed>>, Failed> {
        if items.len() > 1 && self.mailbox.gmail.has_batches() {
            return self.batch(items).await;
        }
        Ok(join_all(items.iter().map(|item| self.single(item))).await)
    }

    async fn single(&self, item: &Item) -> Result<T, Failed> {
        let answer = self.trial.send(&(self.wanted.request)(&item.id), 1).await?;
        self.read(item, &answer)
    }

    async fn batch(&self, items: &[Item]) -> Result<Vec<Result<T, Failed>>, Failed> {
        let requests: Vec<Request> = items.iter().map(|item| (self.wanted.request)(&item.id)).collect();
        let calls = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let (answer, token) = self.trial.send_with_token(&multipart::joined(requests.iter()), calls).await?;
        let mut parts: Vec<Option<Answer>> = vec![None; items.len()];
        for (number, part) in multipart::parted(&answer).ok_or_else(nonsense)? {
            if let Some(place) = parts.get_mut(number) {
                *place = Some(part);
            }
        }
        let read = |(item, part): (&Item, Option<Answer>)| match part {
            Some(part) if part.is_success() => self.read(item, &part),
            Some(part) => Err(Failed { token: Some(token.clone()), ..self.trial.refused(&part) }),
            None => Err(nonsense().into()),
        };
        Ok(items.iter().zip(parts).map(read).collect())
    }

    fn read(&self, item: &Item, answer: &Answer) -> Result<T, Failed> {
        let message: api::Message = answer::read(&answer.body)?;
        // An answer about another mail must never be taken for this one.
        if message.id.as_ref() != Some(&item.id) {
            return Err(nonsense().into());
        }
        Ok((self.wanted.read)(message)?)
    }

    async fn settle(&mut self, mut item: Item, outcome: Result<T, Failed>) {
        let failed = match outcome {
            Ok(found) => return self.done.push((item.number, item.id, Ok(found))),
            Err(failed) => failed,
        };
        item.tries += 1;
        match self.trial.next(failed, item.tries).await {
            Next::After(wait) => {
                item.due = Instant::now() + wait;
                self.open.push_back(item);
            }
            Next::GiveUp(error) => {
                if is_of_the_mailbox(&error) {
                    self.give_up(&error);
                }
                self.done.push((item.number, item.id, Err(error)));
            }
        }
    }

    async fn whole_failed(&mut self, items: Vec<Item>, failed: Failed) {
        let size = items.len();
        // They keep their places before those that were not asked for yet.
        items.into_iter().rev().for_each(|item| self.open.push_front(item));
        if failed.error.kind == ProviderErrorKind::TooLarge {
            self.most = (size / 2).max(1);
            return;
        }
        if size > 1 && matches!(failed.status, Some(400 | 404 | 405 | 501)) {
            self.mailbox.gmail.do_without_batches();
            return;
        }
        self.failures += 1;
        match self.trial.next(failed, self.failures).await {
            Next::After(wait) => tokio::time::sleep(wait).await,
            Next::GiveUp(error) => self.give_up(&error),
        }
    }

    /// None of those that are open will fare better.
    fn give_up(&mut self, error: &ProviderError) {
        let open = std::mem::take(&mut self.open);
        self.done.extend(open.into_iter().map(|item| (item.number, item.id, Err(error.clone()))));
    }
}

/// Whether an error is not one of a single mail.
fn is_of_the_mailbox(error: &ProviderError) -> bool {
    use ProviderErrorKind::{NeedsOperator, NeedsPerson, Throttled};
    matches!(error.kind, NeedsPerson | NeedsOperator | Throttled)
}
