//! What the identity platform remembers about applications, grants and tokens.

use crate::shared::keys::TestKey;
use crate::shared::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A secret of an application.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The secret.
    pub value: String,
    /// Whether its time is over.
    #[serde(default)]
    pub is_expired: bool,
}

/// An application that was registered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`, a GUID.
    pub id: String,
    /// Its secrets; without any, and without a certificate, it is a public client.
    pub secrets: Vec<Secret>,
    /// Whether it may prove itself by assertions signed with the service account's test key.
    pub has_certificate: bool,
    /// Where people may be sent back to, to the letter.
    pub redirect_uris: Vec<String>,
    /// The one organisation it is for; for everybody if not set.
    pub tenant: Option<String>,
    /// Whether personal accounts may use it.
    pub refuses_personal: bool,
    /// Mailboxes it may open by itself, by address; all of the organisation if not set.
    pub mailboxes: Option<Vec<String>>,
}

/// What a person does on the page of consent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consent {
    /// Who signs in; the one hinted at, or the only user, if not set.
    pub user: Option<String>,
    /// The error the person is sent back with, such as `access_denied`.
    pub error: Option<String>,
    /// Whether the person decides as an administrator for everybody.
    pub as_admin: bool,
}

/// A code on its way to the application.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whose it is.
    pub client: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Who agreed, by object id.
    pub user: String,
    /// What was asked for.
    pub scopes: BTreeSet<String>,
    /// The challenge, and whether it is a SHA-256.
    pub challenge: Option<(String, bool)>,
    /// When it ends, in milliseconds.
    pub expires: i64,
    /// For the identity token.
    pub nonce: Option<String>,
    /// Whether it was used.
    pub used: bool,
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// An administrator or a reset of the password ended all sessions: AADSTS50173.
    Revoked,
    /// It was not used for too long: AADSTS700082.
    Inactive,
    /// The account was switched off: AADSTS50057.
    UserDisabled,
    /// The consent was taken back: AADSTS65001.
    ConsentWithdrawn,
    /// A second factor is wanted: `interaction_required`, AADSTS50076.
    SecondFactor,
    /// Conditional access wants the person: `interaction_required`, AADSTS50158.
    ExternalChallenge,
    /// More consent is wanted: `consent_required`, AADSTS65001.
    ConsentRequired,
    /// The service is busy: `temporarily_unavailable`, AADSTS90033.
    Unavailable,
}

/// What a person allowed an application.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its number.
    pub number: u64,
    /// The application.
    pub client: String,
    /// The person, by object id.
    pub user: String,
    /// What was asked for when it began, and since.
    pub scopes: BTreeSet<String>,
    /// Why it is refused.
    pub death: Option<Death>,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The grant it belongs to.
    pub grant: u64,
    /// When it ends, in milliseconds.
    pub expires: i64,
    /// Whether it was used at least once.
    pub used: bool,
}

/// What an access token opens.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The application.
    pub client: String,
    /// The organisation.
    pub tenant: String,
    /// The person, by object id; none where the application acts by itself.
    pub user: Option<String>,
    /// Scopes of the person, or roles of the application.
    pub scopes: BTreeSet<String>,
    /// Whether it is for this resource and no other.
    pub is_for_graph: bool,
    /// The grant it comes from.
    pub grant: Option<u64>,
    /// When it ends, in milliseconds.
    pub expires: i64,
    /// Whether the service wants new claims before it takes the token again.
    pub is_challenged: bool,
}

impl Access {
    /// Whether it bears this scope or role.
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
    /// Applications by id.
    pub clients: BTreeMap<String, Client>,
    /// Codes that were sent.
    pub codes: BTreeMap<String, Code>,
    /// Grants, oldest first.
    pub grants: Vec<Grant>,
    /// Refresh tokens, the used ones as well.
    pub refresh: BTreeMap<String, RefreshToken>,
    /// Access tokens.
    pub access: BTreeMap<String, Access>,
    /// What people allowed applications: scopes by user and client.
    pub consents: BTreeMap<(String, String), BTreeSet<String>>,
    /// What people will do on the next pages of consent.
    pub script: VecDeque<Consent>,
    /// The key that signs now.
    pub signing: TestKey,
    /// How many tokens were given out.
    pub given: u64,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            clients: BTreeMap::new(),
            codes: BTreeMap::new(),
            grants: Vec::new(),
            refresh: BTreeMap::new(),
            access: BTreeMap::new(),
            consents: BTreeMap::new(),
            script: VecDeque::new(),
            signing: TestKey::FirstSigning,
            given: 0,
        }
    }
}

impl OAuth {
    /// What this token opens now.
    pub fn access(&self, token: &str, now: i64) -> Option<&Access> {
        self.access.get(token).filter(|access| access.expires > now)
    }

    /// Makes an access token. Nobody but the resource can read one.
    pub fn give_access(&mut self, access: Access, is_personal: bool, random: &Random) -> String {
        let start = if is_personal { "EwB4A8l6BAAU" } else { "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ik" };
        let token = format!("{start}{}", random.token(180));
        self.access.insert(token.clone(), access);
        token
    }

    /// Makes a refresh token.
    pub fn give_refresh(&mut self, grant: u64, expires: i64, random: &Random) -> String {
        let token = format!("1.AV0A{}", random.token(160));
        self.refresh.insert(token.clone(), RefreshToken { grant, expires, used: false });
        token
    }

    /// Ends the grants of a user in this way, and access tokens with them if they cannot be renewed.
    pub fn end_all(&mut self, user: &str, death: Death) -> usize {
        let mut ended = 0;
        for grant in self.grants.iter_mut().filter(|grant| grant.user == user) {
            grant.death = Some(death);
            ended += 1;
        }
        if death == Death::ConsentWithdrawn {
            self.consents.retain(|(known, _), _| known != user);
        }
        if matches!(death, Death::Revoked | Death::UserDisabled | Death::ConsentWithdrawn) {
            self.access.retain(|_, access| access.user.as_deref() != Some(user));
        }
        ended
    }
}
