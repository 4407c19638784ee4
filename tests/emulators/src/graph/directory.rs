//! Who there is: organisations, and people with their addresses.

use super::ids::guid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The organisation of users who are given none.
pub const HOME_TENANT: &str = "8f2c6a51-3d0e-4b7a-9c41-5e7d12ab34cd";
/// The organisation behind personal accounts.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whether a user has a mailbox that Graph can open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxState {
    /// It can be opened.
    #[default]
    Enabled,
    /// There is none: `MailboxNotEnabledForRESTAPI`.
    NotEnabled,
    /// It lies on the organisation's own machines: `MailboxNotSupportedForRESTAPI`.
    OnPremises,
}

/// A person, or a shared mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// The object id, a GUID.
    pub id: String,
    /// The address, as written.
    pub mail: String,
    /// The name to sign in with.
    pub user_principal_name: String,
    /// The name that people see.
    pub display_name: String,
    /// Further addresses of the same mailbox.
    pub aliases: Vec<String>,
    /// The organisation.
    pub tenant: String,
    /// Whether the mailbox can be opened.
    pub mailbox: MailboxState,
    /// Addresses of those who may open it with a shared scope.
    pub delegates: BTreeSet<String>,
    /// Addresses of others that this user may send as.
    pub sends_as: BTreeSet<String>,
    /// Whether the account is switched off.
    pub is_disabled: bool,
}

impl User {
    /// Whether this is an address of the mailbox.
    pub fn owns(&self, address: &str) -> bool {
        let own = [&self.mail, &self.user_principal_name];
        own.into_iter().chain(&self.aliases).any(|known| known.eq_ignore_ascii_case(address))
    }

    /// Whether it is a personal account.
    pub fn is_personal(&self) -> bool {
        self.tenant == PERSONAL_TENANT
    }

    /// All addresses as the directory lists them.
    pub fn proxy_addresses(&self) -> Vec<String> {
        let mut addresses = vec![format!("SMTP:{}", self.mail)];
        addresses.extend(self.aliases.iter().map(|alias| format!("smtp:{alias}")));
        addresses
    }
}

/// An organisation.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// Whether its people may allow applications something themselves.
    pub forbids_user_consent: bool,
    /// What an administrator allowed applications for everybody: delegated scopes by client.
    pub admin_scopes: BTreeMap<String, BTreeSet<String>>,
    /// What an administrator allowed applications by themselves: roles by client.
    pub roles: BTreeMap<String, BTreeSet<String>>,
}

/// Everybody.
#[derive(Debug, Default)]
pub struct Directory {
    /// Users by object id.
    pub users: BTreeMap<String, User>,
    /// Organisations by id.
    pub tenants: BTreeMap<String, Tenant>,
}

impl Directory {
    /// A user by object id, name to sign in with, or address.
    pub fn find(&self, name: &str) -> Option<&User> {
        self.users.get(&name.to_ascii_lowercase()).or_else(|| self.users.values().find(|user| user.owns(name)))
    }

    /// The same, to be changed.
    pub fn find_mut(&mut self, name: &str) -> Option<&mut User> {
        let id = self.find(name)?.id.clone();
        self.users.get_mut(&id)
    }

    /// Whether mail for this domain is delivered here.
    pub fn hosts(&self, address: &str) -> bool {
        let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        domain(address)
            .is_some_and(|wanted| self.users.values().any(|user| domain(&user.mail).as_ref() == Some(&wanted)))
    }

    /// The organisation that a path names, by id or by a domain of its users.
    pub fn tenant_of(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if name == PERSONAL_TENANT || self.tenants.contains_key(&name) {
            return Some(name);
        }
        let of_domain = |user: &&User| user.mail.to_ascii_lowercase().ends_with(&format!("@{name}"));
        self.users.values().find(of_domain).map(|user| user.tenant.clone())
    }
}

/// The object id of a user with this address.
pub fn object_id(address: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, address.to_lowercase().as_bytes());
    let (high, rest) = digest.as_ref().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    let low = rest.first_chunk::<8>().copied().unwrap_or_default();
    guid(u64::from_be_bytes(*high), u64::from_be_bytes(low))
}
