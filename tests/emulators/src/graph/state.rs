//! Everything the emulator knows, behind one lock.

use super::delta::Rounds;
use super::directory::{Directory, MailboxState, User};
use super::errors::{ApiError, Trace};
use super::ids::guid;
use super::mailbox::{Journal, NewMail};
use super::model::{Change, Content, Mail, Mailbox, What};
use super::oauth::OAuth;
use super::subscriptions::Subscriptions;
use super::switches::Settings;
use super::throttle::Throttle;
use super::transport::{Sent, Transit};
use super::uploads::Upload;
use crate::shared::clock::Clock;
use crate::shared::http::Request;
use crate::shared::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything the emulator knows.
#[derive(Debug)]
pub struct State {
    /// Where the emulator listens.
    pub url: String,
    /// Who there is.
    pub directory: Directory,
    /// Mailboxes by the user's object id.
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// Applications, grants and tokens.
    pub oauth: OAuth,
    /// Delta queries under way.
    pub rounds: Rounds,
    /// Allowances.
    pub throttle: Throttle,
    /// Mails on their way.
    pub transit: Vec<Transit>,
    /// What left for the world, oldest first.
    pub sent: Vec<Sent>,
    /// Addresses that cannot be reached.
    pub bouncing: BTreeSet<String>,
    /// Uploads that go on, by token.
    pub uploads: BTreeMap<String, Upload>,
    /// Who is told of changes.
    pub subscriptions: Subscriptions,
    /// The switches.
    pub settings: Settings,
    /// How many refusals there were, for what takes turns.
    pub refusals: u64,
    /// The emulator's time.
    pub clock: Arc<Clock>,
    /// The emulator's source of chance.
    pub random: Random,
}

impl State {
    /// A world without users.
    pub fn new(url: &str, clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            url: url.to_owned(),
            directory: Directory::default(),
            mailboxes: BTreeMap::new(),
            oauth: OAuth::default(),
            rounds: Rounds::default(),
            throttle: Throttle::default(),
            transit: Vec::new(),
            sent: Vec::new(),
            bouncing: BTreeSet::new(),
            uploads: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            settings: Settings::default(),
            refusals: 0,
            clock,
            random: Random::new(seed),
        }
    }

    /// The time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A new GUID.
    pub fn guid(&self) -> String {
        guid(self.random.next(), self.random.next())
    }

    /// The base of the API.
    pub fn base(&self) -> String {
        format!("{}/v1.0", self.url)
    }

    /// What an answer needs to know of its request.
    pub fn trace(&mut self, request: &Request) -> Trace {
        self.refusals += 1;
        Trace {
            request_id: self.guid(),
            client_request_id: request.headers.get("client-request-id").map(str::to_owned),
            now: self.now(),
            lower_case: self.settings.inner_error_lower_case.applies(self.refusals),
        }
    }

    /// The mailbox of this user.
    pub fn mailbox(&mut self, user: &str) -> Result<&mut Mailbox, ApiError> {
        let state = self.directory.users.get(user).map(|user| user.mailbox);
        match state {
            Some(MailboxState::Enabled) => self.mailboxes.get_mut(user).ok_or_else(no_mailbox),
            Some(MailboxState::OnPremises) => Err(ApiError::new(
                404,
                "MailboxNotSupportedForRESTAPI",
                "REST API is not yet supported for this mailbox.",
            )),
            _ => Err(no_mailbox()),
        }
    }

    /// A user who is known to be there.
    pub fn user(&self, id: &str) -> Result<&User, ApiError> {
        self.directory.users.get(id).ok_or_else(no_user)
    }

    /// Numbers what happened and announces it to those who subscribed.
    pub fn commit(&mut self, user: &str, journal: Journal) {
        let now = self.now();
        let visible_from = now + self.settings.delta_lag_millis;
        self.announce(user, &journal);
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return;
        };
        for what in journal {
            mailbox.last_change += 1;
            if let What::Entered { mail, .. } | What::Changed { mail, .. } = &what
                && let Some(mail) = mailbox.mails.get_mut(mail)
            {
                mail.version += 1;
                mail.modified = now;
            }
            mailbox.changes.push(Change { number: mailbox.last_change, visible_from, what });
        }
    }

    /// Whether an equal subject is enough for the next conversation.
    pub fn subject_joins(&self, user: &str) -> bool {
        let given = self.mailboxes.get(user).map_or(0, |mailbox| mailbox.given.mails);
        self.settings.subject_joins.applies(given + 1)
    }

    /// A mail comes into a folder; its key.
    pub fn arrive(
        &mut self,
        user: &str,
        content: Content,
        folder: &str,
        received: i64,
        with: impl FnOnce(&mut Mail),
    ) -> Option<u64> {
        let now = self.now();
        let subject_joins = self.subject_joins(user);
        let mailbox = self.mailboxes.get_mut(user)?;
        let folder = mailbox.folder(folder).ok()?.number;
        let mut journal = Journal::new();
        let sent = content.date.unwrap_or(received);
        let new = NewMail { content, folder, received, sent, now, subject_joins, ..NewMail::default() };
        let key = mailbox.place(new, &mut journal);
        with(mailbox.mails.get_mut(&key)?);
        self.commit(user, journal);
        Some(key)
    }
}

fn no_mailbox() -> ApiError {
    let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
    ApiError::new(404, "MailboxNotEnabledForRESTAPI", text)
}

/// 404: nobody of that name.
pub fn no_user() -> ApiError {
    ApiError::new(
        404,
        "Request_ResourceNotFound",
        "Resource does not exist or one of its queried reference-property objects are not present.",
    )
}
