//! People, clients and their tokens, as a test arranges them.

use crate::gmail::Gmail;
use crate::gmail::model::{Mailbox, SendAs};
use crate::gmail::oauth::{Access, Client, Code, Consent, Death, Publishing, ServiceAccount, Tokens};
use crate::shared::keys::TestKey;
use serde::Deserialize;
use serde_json::Value;

/// A user to be added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// The name beside it.
    #[serde(default)]
    pub name: String,
    /// Whether the mailbox belongs to a Workspace.
    #[serde(default)]
    pub workspace: bool,
}

impl Gmail {
    /// Adds a user with an empty mailbox; one that is there already starts anew.
    pub fn add_user(&self, user: NewUser) {
        let email = user.email.to_lowercase();
        let mut mailbox = Mailbox::new(&email, user.workspace);
        if let Some(primary) = mailbox.send_as.first_mut() {
            primary.display_name = user.name;
        }
        self.state().users.insert(email, mailbox);
    }

    /// Removes a user with everything that is theirs.
    pub fn remove_user(&self, email: &str) {
        let mut state = self.state();
        state.oauth.end_all(email, Death::Revoked);
        state.users.remove(email);
    }

    /// Switches Gmail off or on for a user.
    pub fn set_mail_enabled(&self, user: &str, enabled: bool) {
        if let Some(mailbox) = self.state().users.get_mut(user) {
            mailbox.disabled = !enabled;
        }
    }

    /// Adds an address to send from, or changes the one of the same name.
    pub fn put_send_as(&self, user: &str, address: SendAs) {
        if let Some(mailbox) = self.state().users.get_mut(user) {
            mailbox.send_as.retain(|known| !known.send_as_email.eq_ignore_ascii_case(&address.send_as_email));
            mailbox.send_as.push(address);
            mailbox.send_as.sort_by_key(|known| !known.is_primary);
        }
    }

    /// Registers a client.
    pub fn add_client(&self, client: Client) {
        self.state().oauth.clients.insert(client.id.clone(), client);
    }

    /// Lets a client have people sent back to this URI.
    pub fn allow_redirect(&self, client: &str, uri: &str) {
        if let Some(client) = self.state().oauth.clients.get_mut(client) {
            client.redirect_uris.push(uri.to_owned());
        }
    }

    /// Says how far a client has come; grants given before keep their end.
    pub fn set_publishing(&self, client: &str, publishing: Publishing) {
        if let Some(client) = self.state().oauth.clients.get_mut(client) {
            client.publishing = publishing;
        }
    }

    /// Decides what happens on the next page of consent that is not yet decided.
    pub fn script_consent(&self, consent: Consent) {
        self.state().oauth.script.push_back(consent);
    }

    /// Gives a client the tokens of a user, past the page of consent. None if the client is not known.
    pub fn grant(&self, user: &str, client: &str, scopes: &[&str]) -> Option<Tokens> {
        let mut guard = self.state();
        let state = &mut *guard;
        let now = state.clock.now();
        let project = state.oauth.clients.get(client)?.project.clone();
        let code = Code {
            client: client.to_owned(),
            redirect_uri: String::new(),
            user: user.to_lowercase(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            challenge: None,
            expires: now,
            gives_refresh_token: true,
            nonce: None,
            used: None,
        };
        let number = state.oauth.add_grant(&code, now, state.settings.most_refresh_tokens, &state.random);
        let access = Access {
            user: Some(code.user),
            scopes: code.scopes,
            project,
            is_delegated: false,
            grant: Some(number),
            expires: now + state.settings.access_token_seconds * 1000,
        };
        let access_token = state.oauth.give_access(access, &state.random);
        let grant = state.oauth.grants.iter().find(|grant| grant.number == number)?;
        Some(Tokens { access_token, refresh_token: grant.refresh_token.clone()? })
    }

    /// Ends a user's grants in this way; says how many there were.
    pub fn end_grants(&self, user: &str, death: Death) -> usize {
        self.state().oauth.end_all(user, death)
    }

    /// Ends a user's access tokens before their time; refresh tokens go on.
    pub fn forget_access_tokens(&self, user: &str) {
        self.state().oauth.access.retain(|_, access| access.user.as_deref() != Some(user));
    }

    /// Adds a service account and returns the file an operator would download.
    pub fn add_service_account(&self, account: ServiceAccount) -> Value {
        let mut state = self.state();
        let file = account.file(&state.url);
        state.oauth.service_accounts.insert(account.email.clone(), account);
        file
    }

    /// Changes the key that signs pushes and identity tokens; the old one stays published.
    pub fn rotate_signing_key(&self) {
        self.state().oauth.signing = TestKey::SecondSigning;
    }
}
