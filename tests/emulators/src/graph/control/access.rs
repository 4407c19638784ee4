//! People, applications and their tokens, as a test arranges them.

use crate::graph::Graph;
use crate::graph::directory::{HOME_TENANT, MailboxState, PERSONAL_TENANT, User, object_id};
use crate::graph::mailbox::Journal;
use crate::graph::model::Mailbox;
use crate::graph::oauth::{self, Access, Client, Consent, Death, Secret, Tokens};
use crate::shared::keys::TestKey;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A user to be added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// The name beside it.
    pub name: String,
    /// The name to sign in with; the address if not set.
    pub user_principal_name: Option<String>,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// The organisation; the emulator's own if not set.
    pub tenant: Option<String>,
    /// Whether it is a personal account.
    pub personal: bool,
    /// Whether its folders have German names.
    pub german: bool,
}

impl Graph {
    /// Adds a user with an empty mailbox, and returns the object id; one that is there already starts anew.
    pub fn add_user(&self, user: NewUser) -> String {
        let mut guard = self.state();
        let state = &mut *guard;
        let tenant = match (&user.tenant, user.personal) {
            (_, true) => PERSONAL_TENANT.to_owned(),
            (Some(tenant), false) => tenant.to_lowercase(),
            (None, false) => HOME_TENANT.to_owned(),
        };
        let id = object_id(&user.email);
        state.directory.tenants.entry(tenant.clone()).or_default();
        let display_name = if user.name.is_empty() { user.email.clone() } else { user.name };
        state.directory.users.insert(
            id.clone(),
            User {
                id: id.clone(),
                user_principal_name: user.user_principal_name.unwrap_or_else(|| user.email.clone()),
                mail: user.email,
                display_name,
                aliases: user.aliases,
                tenant,
                mailbox: MailboxState::Enabled,
                delegates: BTreeSet::new(),
                sends_as: BTreeSet::new(),
                is_disabled: false,
            },
        );
        state.mailboxes.insert(id.clone(), Mailbox::new(&id, user.german));
        id
    }

    /// The object id of a user.
    pub fn user_id(&self, user: &str) -> Option<String> {
        self.state().directory.find(user).map(|user| user.id.clone())
    }

    fn change_user(&self, user: &str, change: impl FnOnce(&mut User)) -> Option<()> {
        self.state().directory.find_mut(user).map(change)
    }

    /// Removes a user with everything that is theirs.
    pub fn remove_user(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        state.oauth.end_all(&id, Death::UserDisabled);
        state.directory.users.remove(&id);
        state.mailboxes.remove(&id).map(|_| ())
    }

    /// Says whether a user's mailbox can be opened.
    pub fn set_mailbox(&self, user: &str, state: MailboxState) -> Option<()> {
        self.change_user(user, |user| user.mailbox = state)
    }

    /// Lets a user open another one's mailbox with a shared scope.
    pub fn share(&self, mailbox: &str, with: &str) -> Option<()> {
        self.change_user(mailbox, |user| {
            user.delegates.insert(with.to_lowercase());
        })
    }

    /// Lets a user send as another address.
    pub fn allow_send_as(&self, user: &str, address: &str) -> Option<()> {
        self.change_user(user, |user| {
            user.sends_as.insert(address.to_lowercase());
        })
    }

    /// Registers an application.
    pub fn add_client(&self, client: Client) {
        self.state().oauth.clients.insert(client.id.clone(), client);
    }

    /// Lets an application have people sent back to this URI.
    pub fn allow_redirect(&self, client: &str, uri: &str) -> Option<()> {
        self.state().oauth.clients.get_mut(client).map(|client| client.redirect_uris.push(uri.to_owned()))
    }

    /// Ends all secrets of an application, and gives it this one if there is one.
    pub fn expire_secrets(&self, client: &str, new: Option<&str>) -> Option<()> {
        let mut state = self.state();
        let client = state.oauth.clients.get_mut(client)?;
        for secret in &mut client.secrets {
            secret.is_expired = true;
        }
        client.secrets.extend(new.map(|value| Secret { value: value.to_owned(), is_expired: false }));
        Some(())
    }

    /// Says whether the people of an organisation may allow applications something themselves.
    pub fn set_user_consent(&self, tenant: &str, allowed: bool) {
        self.state().directory.tenants.entry(tenant.to_lowercase()).or_default().forbids_user_consent = !allowed;
    }

    /// An administrator allows an application these roles by itself.
    pub fn allow_roles(&self, tenant: &str, client: &str, roles: &[&str]) {
        let mut state = self.state();
        let tenant = state.directory.tenants.entry(tenant.to_lowercase()).or_default();
        let roles = roles.iter().map(|role| (*role).to_owned());
        tenant.roles.entry(client.to_owned()).or_default().extend(roles);
    }

    /// Limits an application to these mailboxes.
    pub fn limit_mailboxes(&self, client: &str, mailboxes: Option<Vec<String>>) -> Option<()> {
        self.state().oauth.clients.get_mut(client).map(|client| client.mailboxes = mailboxes)
    }

    /// Decides what happens on the next page of consent that is not yet decided.
    pub fn script_consent(&self, consent: Consent) {
        self.state().oauth.script.push_back(consent);
    }

    /// Gives an application the tokens of a user, past the page of consent. None if either is not known.
    pub fn grant(&self, user: &str, client: &str, scopes: &[&str]) -> Option<Tokens> {
        let id = self.user_id(user)?;
        let mut guard = self.state();
        let state = &mut *guard;
        state.oauth.clients.get(client)?;
        let scopes: BTreeSet<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        state.oauth.consents.entry((id.clone(), client.to_owned())).or_default().extend(scopes.iter().cloned());
        let number = oauth::start_grant(state, client, &id, scopes.clone());
        let grant = state.oauth.grants.iter().find(|grant| grant.number == number).cloned()?;
        Some(oauth::issue(state, &grant, scopes, true))
    }

    /// An access token of an application by itself, as far as its roles go.
    pub fn app_token(&self, tenant: &str, client: &str) -> Option<String> {
        let mut guard = self.state();
        let state = &mut *guard;
        let tenant = tenant.to_lowercase();
        let scopes = state.directory.tenants.get(&tenant)?.roles.get(client)?.clone();
        let expires = state.clock.now() + 3599 * 1000;
        let client = client.to_owned();
        let access = Access { client, tenant, scopes, is_for_graph: true, expires, ..Access::default() };
        Some(state.oauth.give_access(access, false, &state.random))
    }

    /// Refuses a user's refresh tokens in this way from now on; says how many grants there were.
    pub fn end_grants(&self, user: &str, death: Death) -> usize {
        let Some(id) = self.user_id(user) else {
            return 0;
        };
        let mut state = self.state();
        if matches!(death, Death::Revoked | Death::UserDisabled | Death::ConsentWithdrawn) {
            state.remove_subscriptions(&id);
        }
        state.oauth.end_all(&id, death)
    }

    /// Takes what `end_grants` did back, as when a person satisfied what was asked for.
    pub fn mend_grants(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        for grant in self.state().oauth.grants.iter_mut().filter(|grant| grant.user == id) {
            grant.death = None;
        }
        Some(())
    }

    /// Ends a user's access tokens before their time; refresh tokens go on.
    pub fn forget_access_tokens(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        self.state().oauth.access.retain(|_, access| access.user.as_ref() != Some(&id));
        Some(())
    }

    /// Refuses a user's access tokens until new ones with new claims are there.
    pub fn challenge_access_tokens(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        for access in self.state().oauth.access.values_mut().filter(|access| access.user.as_ref() == Some(&id)) {
            access.is_challenged = true;
        }
        Some(())
    }

    /// Refresh tokens given to a user's grants so far, and how many of them were used.
    pub fn refresh_tokens(&self, user: &str) -> (usize, usize) {
        let Some(id) = self.user_id(user) else {
            return (0, 0);
        };
        let state = self.state();
        let numbers: Vec<u64> =
            state.oauth.grants.iter().filter(|grant| grant.user == id).map(|grant| grant.number).collect();
        let own: Vec<bool> = state
            .oauth
            .refresh
            .values()
            .filter(|token| numbers.contains(&token.grant))
            .map(|token| token.used)
            .collect();
        (own.len(), own.iter().filter(|used| **used).count())
    }

    /// Signs identity tokens with another key from now on.
    pub fn rotate_signing_key(&self) {
        self.state().oauth.signing = TestKey::SecondSigning;
    }

    /// Changes a mailbox and commits what the journal says. None if there is no such user or it failed.
    pub(super) fn change<T>(
        &self,
        user: &str,
        change: impl FnOnce(&mut Mailbox, &mut Journal) -> Option<T>,
    ) -> Option<T> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        let mut journal = Journal::new();
        let result = change(state.mailboxes.get_mut(&id)?, &mut journal);
        state.commit(&id, journal);
        drop(state);
        self.bell.notify_waiters();
        result
    }
}
