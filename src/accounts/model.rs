//! What a mailbox is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::events::AccountRef;
use crate::ids::{AccountId, OrgId, UserId};
use crate::providers::Security;

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        // The description of the API does not see a `rename` that comes out of a macro.
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// The word in the database and the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the word.
            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|value| value.as_str() == text)
            }
        }
    };
}

text_enum! {
    /// Who keeps the mailbox.
    Provider {
        /// Google, over the Gmail API.
        Gmail = "gmail",
        /// Microsoft, over Graph.
        Outlook = "outlook",
        /// Any server that speaks IMAP and SMTP.
        Imap = "imap",
    }
}

text_enum! {
    /// How a mailbox is.
    Status {
        /// It works.
        Active = "active",
        /// It met an error that heals by itself; it is still tried.
        Error = "error",
        /// It waits for a person and is not tried.
        Disconnected = "disconnected",
    }
}

text_enum! {
    /// How far a mailbox is.
    Phase {
        /// The first import runs.
        Backfill = "backfill",
        /// The first import is done; news is fetched.
        Live = "live",
        /// A person has stopped it.
        Paused = "paused",
    }
}

text_enum! {
    /// What colleagues see of a mailbox.
    Visibility {
        /// Nothing.
        Private = "private",
        /// People and times.
        Metadata = "metadata",
        /// The subject too.
        Subject = "subject",
        /// Everything.
        Full = "full",
    }
}

text_enum! {
    /// When a contact is made for an unknown address.
    AutoCreate {
        /// Never.
        None = "none",
        /// When it was written to.
        Sent = "sent",
        /// When it wrote, too.
        Both = "both",
    }
}

/// What a person can set on a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// Import mail from this day on; everything when absent.
    pub sync_since: Option<Timestamp>,
    /// What colleagues see.
    pub visibility: Visibility,
    /// When contacts are made.
    pub auto_create_contacts: AutoCreate,
    /// Store only mail with known contacts.
    pub store_only_contacts: bool,
    /// Track opens of mail sent from here.
    pub track_opens: bool,
    /// Track clicks in mail sent from here.
    pub track_clicks: bool,
    /// The signature, as HTML.
    pub signature_html: Option<String>,
    /// Seconds in which a sent mail can be called back, 0–120.
    pub undo_send_seconds: u16,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            sync_since: None,
            visibility: Visibility::Private,
            auto_create_contacts: AutoCreate::Sent,
            store_only_contacts: false,
            track_opens: false,
            track_clicks: false,
            signature_html: None,
            undo_send_seconds: 10,
        }
    }
}

/// A server of a mailbox, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub security: Security,
}

/// A mailbox, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The organization.
    pub org: OrgId,
    /// The owner.
    pub user: UserId,
    /// Who keeps it.
    pub provider: Provider,
    /// Its address.
    pub email_address: String,
    /// The name shown beside the address.
    pub display_name: Option<String>,
    /// Further addresses that are the owner's own.
    pub aliases: Vec<String>,
    /// The IMAP server, with the login name.
    pub imap: Option<(Server, String)>,
    /// The SMTP server.
    pub smtp: Option<Server>,
    /// How it is.
    pub status: Status,
    /// The code of the last error.
    pub error_code: Option<String>,
    /// What to do about it.
    pub error_message: Option<String>,
    /// How often in a row it failed.
    pub consecutive_failures: i32,
    /// How far it is.
    pub phase: Phase,
    /// When the first import was finished.
    pub backfill_finished_at: Option<Timestamp>,
    /// When a pass last ended well.
    pub last_sync_at: Option<Timestamp>,
    /// When the next is due.
    pub next_sync_at: Option<Timestamp>,
    /// How news arrives.
    pub push: String,
    /// When the provider's notifications end.
    pub webhook_expires_at: Option<Timestamp>,
    /// What a person set.
    pub settings: AccountSettings,
    /// The largest mail that its server takes, in octets, where it told (RFC 1870).
    pub smtp_max_size: Option<u64>,
    /// When a person removed it but kept its mail.
    pub removed_at: Option<Timestamp>,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Account {
    /// How events name it.
    pub fn reference(&self) -> AccountRef {
        AccountRef { org: self.org, user: self.user, account: self.id }
    }

    /// The owner's own addresses, in lower case.
    pub fn own_addresses(&self) -> Vec<String> {
        let all = std::iter::once(&self.email_address).chain(&self.aliases);
        all.map(|address| address.trim().to_lowercase()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_the_database_and_in_json() {
        let same = |word: &str, json: serde_json::Result<serde_json::Value>| assert_eq!(json.unwrap(), word);
        for word in ["gmail", "outlook", "imap"] {
            same(word, serde_json::to_value(Provider::parse(word)));
        }
        for word in ["active", "error", "disconnected"] {
            same(word, serde_json::to_value(Status::parse(word)));
        }
        for word in ["private", "metadata", "subject", "full"] {
            same(word, serde_json::to_value(Visibility::parse(word)));
        }
    }
}
