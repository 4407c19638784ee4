//! A mailbox as the API shows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::connect::{ImapServer, SmtpServer};
use super::model::{Account, AccountSettings, Phase, Provider, Server, Status};
use super::store::FolderProgress;
use crate::clock::Timestamp;
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, FolderId, UserId};
use crate::providers::Security;
use crate::providers::discover::Source;
use crate::secret::Secret;

/// A mailbox. Secrets never appear.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountDto {
    /// Its id.
    pub id: AccountId,
    /// The owner.
    pub user_id: UserId,
    /// Who keeps it.
    pub provider: Provider,
    /// Its address.
    pub email_address: String,
    /// The name shown beside the address.
    pub display_name: Option<String>,
    /// Further addresses of the owner.
    pub aliases: Vec<String>,
    /// The IMAP server.
    pub imap: Option<ServerDto>,
    /// The SMTP server.
    pub smtp: Option<ServerDto>,
    /// How it is.
    pub status: Status,
    /// The code of the last error.
    pub error_code: Option<String>,
    /// What happened and what to do.
    pub error_message: Option<String>,
    /// How far it is.
    pub phase: Phase,
    /// The first import.
    pub progress: Progress,
    /// When a pass last ended well.
    pub last_sync_at: Option<Timestamp>,
    /// When the next is due.
    pub next_sync_at: Option<Timestamp>,
    /// How news arrives: `none`, `idle`, `webhook` or `pull`.
    pub push: String,
    /// When the provider's notifications end.
    pub webhook_expires_at: Option<Timestamp>,
    /// What a person set.
    pub settings: AccountSettings,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A server of a mailbox.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServerDto {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub security: Security,
    /// The name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl ServerDto {
    fn new(server: Server, username: Option<String>) -> Self {
        Self { host: server.host, port: server.port, security: server.security, username }
    }
}

/// How far the first import is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// Mails stored or set aside with a reason.
    pub synced: i64,
    /// Mails found at the provider.
    pub total: i64,
    /// Mails a second at present; null when no import runs here.
    pub per_second: Option<f64>,
    /// Seconds to the end at this rate; null when it cannot be said.
    pub eta_seconds: Option<i64>,
    /// The same for each folder.
    pub folders: Vec<FolderProgressDto>,
}

/// How far the import of a folder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FolderProgressDto {
    /// The folder.
    pub id: FolderId,
    /// Its path.
    pub name: String,
    /// Its role.
    pub role: Option<String>,
    /// Mails stored or set aside.
    pub synced: i64,
    /// Mails found.
    pub total: i64,
}

impl Progress {
    /// Sums up the folders of one mailbox.
    pub(super) fn new(folders: Vec<FolderProgress>, per_second: Option<f64>) -> Self {
        let synced: i64 = folders.iter().map(|folder| folder.backfill_synced).sum();
        let total: i64 = folders.iter().map(|folder| folder.backfill_total).sum();
        let left = (total - synced).max(0);
        let per_second = per_second.map(|rate| (rate * 10.0).round() / 10.0);
        let eta_seconds = per_second.filter(|rate| *rate > 0.0).map(|rate| (left as f64 / rate).ceil() as i64);
        let folders = folders
            .into_iter()
            .map(|folder| FolderProgressDto {
                id: folder.id,
                name: folder.name,
                role: folder.role,
                synced: folder.backfill_synced,
                total: folder.backfill_total,
            })
            .collect();
        Self { synced, total, per_second, eta_seconds, folders }
    }
}

impl AccountDto {
    /// Shows a mailbox with its progress.
    pub(super) fn new(account: Account, progress: Progress) -> Self {
        Self {
            id: account.id,
            user_id: account.user,
            provider: account.provider,
            email_address: account.email_address,
            display_name: account.display_name,
            aliases: account.aliases,
            imap: account.imap.map(|(server, username)| ServerDto::new(server, Some(username))),
            smtp: account.smtp.map(|server| ServerDto::new(server, None)),
            status: account.status,
            error_code: account.error_code,
            error_message: account.error_message,
            phase: account.phase,
            progress,
            last_sync_at: account.last_sync_at,
            next_sync_at: account.next_sync_at,
            push: account.push,
            webhook_expires_at: account.webhook_expires_at,
            settings: account.settings,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// Which mailboxes to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// All of the organization (admins).
    #[serde(default)]
    pub all: bool,
    /// How many, 1–200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    pub limit: Limit,
    /// Where the page before ended.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
}

/// How to disconnect.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteParams {
    /// Keep its mail, read-only, instead of erasing it.
    #[serde(default)]
    pub keep_mail: bool,
}

/// The address to find settings for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoverRequest {
    /// The address of the mailbox.
    pub email_address: String,
}

/// Settings found for an address.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiscoverResponse {
    /// Who keeps the mailbox.
    pub provider: Provider,
    /// Where mail is read.
    pub imap: ServerDto,
    /// Where mail is sent.
    pub smtp: ServerDto,
    /// Where this is known from.
    #[schema(value_type = String, example = "table")]
    pub source: Source,
    /// Whether the settings are known or were tried; a mere guess should be looked at.
    pub confirmed: bool,
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRequest {
    /// The name shown beside the address; null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub display_name: Option<Option<String>>,
    /// Further addresses of the owner.
    pub aliases: Option<Vec<String>>,
    /// The settings to change, merged into the present ones.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Value>,
}

/// Tells an explicit null from an absent field.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// New servers and credentials.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconnectRequest {
    /// Where mail is read.
    pub imap: Option<ImapServer>,
    /// Where mail is sent.
    pub smtp: Option<SmtpServer>,
    /// A new password for the servers as they are.
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret>,
}
