//! What Google remembers about clients, grants and tokens.

use super::service_account::ServiceAccount;
use crate::gmail::scopes;
use crate::shared::keys::TestKey;
use crate::shared::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const DAY: i64 = 24 * 60 * 60 * 1000;
const TESTING_LIFE: i64 = 7 * DAY;
const UNUSED_LIFE: i64 = 183 * DAY;

/// How far a client has come with Google.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publishing {
    /// External, in production.
    #[default]
    Production,
    /// External, in testing: refresh tokens live seven days.
    Testing,
    /// For the users of one Workspace.
    Internal,
}

/// An application that was registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its `client_secret`.
    pub secret: String,
    /// The cloud project it belongs to.
    pub project: String,
    /// Where people may be sent back to, to the letter.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// How far it has come.
    #[serde(default)]
    pub publishing: Publishing,
}

/// What a person does on the page of consent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consent {
    /// Who signs in; the one hinted at, or the only user, if not set.
    pub user: Option<String>,
    /// The scopes left ticked; all that were asked for if not set.
    pub scopes: Option<Vec<String>>,
    /// The error the person is sent back with, such as `access_denied`.
    pub error: Option<String>,
}

/// A code on its way to the client.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whose it is.
    pub client: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Who agreed.
    pub user: String,
    /// To what.
    pub scopes: BTreeSet<String>,
    /// The challenge, and whether it is a SHA-256.
    pub challenge: Option<(String, bool)>,
    /// When it ends, in milliseconds.
    pub expires: i64,
    /// Whether a refresh token comes with it.
    pub gives_refresh_token: bool,
    /// For the identity token.
    pub nonce: Option<String>,
    /// The grant it was used for.
    pub used: Option<u64>,
}

/// Why a grant is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// The person or the client took it back.
    Revoked,
    /// The password was changed; grants without Gmail's scopes outlive that.
    PasswordChanged,
    /// The administrator forbids the client.
    AdminPolicy,
    /// Its time is over.
    Expired,
}

/// What a person allowed a client.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its number.
    pub number: u64,
    /// The client.
    pub client: String,
    /// The person.
    pub user: String,
    /// What is allowed.
    pub scopes: BTreeSet<String>,
    /// The refresh token, if one was given.
    pub refresh_token: Option<String>,
    /// When it was last used, in milliseconds.
    pub used: i64,
    /// When it ends, in milliseconds.
    pub expires: Option<i64>,
    /// Why it ended before.
    pub death: Option<Death>,
}

/// What an access token opens.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The mailbox; a service account by itself has none.
    pub user: Option<String>,
    /// What may be done.
    pub scopes: BTreeSet<String>,
    /// The cloud project that pays.
    pub project: String,
    /// Whether a service account acts for the user.
    pub is_delegated: bool,
    /// The grant it comes from.
    pub grant: Option<u64>,
    /// When it ends, in milliseconds.
    pub expires: i64,
}

impl Access {
    /// Whether it bears this scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}

/// Tokens as they are given to a test directly.
#[derive(Clone, Debug, Serialize)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

/// Everything of this kind.
#[derive(Debug)]
pub struct OAuth {
    /// Clients by id.
    pub clients: BTreeMap<String, Client>,
    /// Codes that were sent.
    pub codes: BTreeMap<String, Code>,
    /// Grants, oldest first.
    pub grants: Vec<Grant>,
    /// Access tokens.
    pub access: BTreeMap<String, Access>,
    /// What people will do on the next pages of consent.
    pub script: VecDeque<Consent>,
    /// Service accounts by address.
    pub service_accounts: BTreeMap<String, ServiceAccount>,
    /// The key that signs now.
    pub signing: TestKey,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            clients: BTreeMap::new(),
            codes: BTreeMap::new(),
            grants: Vec::new(),
            access: BTreeMap::new(),
            script: VecDeque::new(),
            service_accounts: BTreeMap::new(),
            signing: TestKey::FirstSigning,
        }
    }
}

impl OAuth {
    /// What this token opens now.
    pub fn access(&self, token: &str, now: i64) -> Option<&Access> {
        self.access.get(token).filter(|access| access.expires > now)
    }

    /// Makes an access token.
    pub fn give_access(&mut self, access: Access, random: &Random) -> String {
        let token = format!("ya29.{}", random.token(60));
        self.access.insert(token.clone(), access);
        token
    }

    /// Writes a grant down. The oldest of too many refresh tokens die without a word.
    pub fn add_grant(&mut self, code: &Code, now: i64, most: usize, random: &Random) -> u64 {
        let testing = self.clients.get(&code.client).is_some_and(|client| client.publishing == Publishing::Testing);
        let number = u64::try_from(self.grants.len()).unwrap_or(u64::MAX) + 1;
        self.grants.push(Grant {
            number,
            client: code.client.clone(),
            user: code.user.clone(),
            scopes: code.scopes.clone(),
            refresh_token: code.gives_refresh_token.then(|| format!("1//{}", random.token(64))),
            used: now,
            expires: testing.then_some(now + TESTING_LIFE),
            death: None,
        });
        let mut live: Vec<&mut Grant> = self
            .grants
            .iter_mut()
            .filter(|grant| grant.client == code.client && grant.user == code.user)
            .filter(|grant| grant.death.is_none() && grant.refresh_token.is_some())
            .collect();
        let surplus = live.len().saturating_sub(most);
        for grant in live.iter_mut().take(surplus) {
            grant.death = Some(Death::Expired);
        }
        number
    }

    /// The grant of a refresh token, with the reason if it is dead.
    pub fn by_refresh_token(&mut self, token: &str, now: i64) -> Option<&mut Grant> {
        let grant = self.grants.iter_mut().find(|grant| grant.refresh_token.as_deref() == Some(token))?;
        let is_over = grant.expires.is_some_and(|end| end <= now) || grant.used + UNUSED_LIFE <= now;
        if is_over && grant.death.is_none() {
            grant.death = Some(Death::Expired);
        }
        Some(grant)
    }

    /// Ends a grant with all its access tokens.
    pub fn end(&mut self, number: u64, death: Death) {
        if let Some(grant) = self.grants.iter_mut().find(|grant| grant.number == number) {
            grant.death.get_or_insert(death);
        }
        self.access.retain(|_, access| access.grant != Some(number));
    }

    /// Ends the grants of a user, as far as this death reaches.
    pub fn end_all(&mut self, user: &str, death: Death) -> usize {
        let hit: Vec<u64> = self
            .grants
            .iter()
            .filter(|grant| grant.user == user && grant.death.is_none())
            .filter(|grant| {
                death != Death::PasswordChanged || grant.scopes.iter().any(|scope| scopes::is_of_gmail(scope))
            })
            .map(|grant| grant.number)
            .collect();
        for number in &hit {
            self.end(*number, death);
        }
        hit.len()
    }

    /// What a user allows a client already.
    pub fn allowed(&self, user: &str, client: &str) -> BTreeSet<String> {
        let live =
            self.grants.iter().filter(|grant| grant.user == user && grant.client == client && grant.death.is_none());
        live.flat_map(|grant| grant.scopes.iter().cloned()).collect()
    }
}
