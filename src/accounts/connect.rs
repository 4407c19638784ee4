//! Connecting an IMAP mailbox: the settings a person gives, checked by signing in to both servers.

use serde::Deserialize;
use utoipa::ToSchema;

use super::dto::ReconnectRequest;
use super::model::{Account, Provider};
use super::store::Endpoints;
use super::vault::{SealError, Vault};
use crate::error::{ApiError, ErrorCode, FieldError};
use crate::ids::AccountId;
use crate::net::Net;
use crate::providers::Security;
use crate::providers::imap::{ImapConnection, ImapError, ImapSettings};
use crate::providers::smtp::{SmtpError, SmtpSettings};
use crate::secret::Secret;

/// Column names; sealed values are bound to them.
pub(super) const IMAP_PASSWORD: &str = "imap_password";
pub(super) const SMTP_USERNAME: &str = "smtp_username";
pub(super) const SMTP_PASSWORD: &str = "smtp_password";

/// The IMAP server of a mailbox, as a person gives it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImapServer {
    /// Host name or address.
    pub host: String,
    /// Port, mostly 993.
    pub port: u16,
    /// Encryption.
    pub security: Security,
    /// The name to sign in with, mostly the whole address.
    pub username: String,
    /// The password or app password.
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// The SMTP server of a mailbox, as a person gives it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpServer {
    /// Host name or address.
    pub host: String,
    /// Port, mostly 465 or 587.
    pub port: u16,
    /// Encryption.
    pub security: Security,
    /// The name to sign in with. When absent, the IMAP name and password are used if the server offers a login at all.
    pub username: Option<String>,
    /// The password; the IMAP password when absent.
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret>,
}

/// A mailbox to connect.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImapAccount {
    /// `imap`; the others are connected in the browser.
    pub provider: Provider,
    /// The address of the mailbox.
    pub email_address: String,
    /// The name shown beside it.
    pub display_name: Option<String>,
    /// Where mail is read.
    pub imap: ImapServer,
    /// Where mail is sent.
    pub smtp: SmtpServer,
}

/// Checks the texts and gives the address in its kept form.
pub(super) fn checked_address(text: &str) -> Result<String, ApiError> {
    let address = text.trim().to_lowercase();
    let valid = address.len() <= 254
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
        && address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 1 && !domain.starts_with('.'));
    if valid { Ok(address) } else { Err(ApiError::invalid("email_address", "this is not an e-mail address")) }
}

/// Refuses hosts, names and passwords that no server could take.
pub(super) fn check_fields(imap: &ImapServer, smtp: &SmtpServer) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    let mut check = |field: &str, bad: bool, message: &str| {
        if bad {
            errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
    };
    let bad_host = |host: &str| {
        host.is_empty()
            || host.len() > 253
            || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#".contains(c))
    };
    let breaks = |text: &str| text.len() > 1000 || text.contains(['\r', '\n', '\0']);
    check("imap.host", bad_host(&imap.host), "give a host name such as imap.example.com, without a scheme");
    check("smtp.host", bad_host(&smtp.host), "give a host name such as smtp.example.com, without a scheme");
    check("imap.port", imap.port == 0, "give a port such as 993");
    check("smtp.port", smtp.port == 0, "give a port such as 465 or 587");
    check(
        "imap.username",
        imap.username.is_empty() || breaks(&imap.username),
        "give the name to sign in with, on one line",
    );
    check(
        "imap.password",
        imap.password.is_empty() || breaks(imap.password.expose()),
        "give the password, on one line",
    );
    check("smtp.username", smtp.username.as_deref().is_some_and(breaks), "give the name on one line");
    check("smtp.password", smtp.password.as_ref().is_some_and(|p| breaks(p.expose())), "give the password on one line");
    let Some(first) = errors.first() else { return Ok(()) };
    let detail = format!("{}: {}", first.field, first.message);
    Err(ApiError { errors, ..ApiError::new(ErrorCode::ValidationFailed, detail) })
}

/// Fills in what a reconnect leaves out: with a new password alone, the servers stay as they are.
pub(super) fn completed(account: &Account, request: ReconnectRequest) -> Result<(ImapServer, SmtpServer), ApiError> {
    let imap = match (request.imap, request.password, account.imap.clone()) {
        (Some(imap), _, _) => imap,
        (None, Some(password), Some((server, username))) => {
            ImapServer { host: server.host, port: server.port, security: server.security, username, password }
        }
        (None, None, _) => {
            return Err(ApiError::invalid("password", "give the new password, or the servers with theirs"));
        }
        (None, Some(_), None) => return Err(ApiError::invalid("imap", "give the IMAP server")),
    };
    let smtp = match (request.smtp, account.smtp.clone()) {
        (Some(smtp), _) => smtp,
        (None, Some(server)) => SmtpServer {
            host: server.host,
            port: server.port,
            security: server.security,
            username: None,
            password: None,
        },
        (None, None) => return Err(ApiError::invalid("smtp", "give the SMTP server")),
    };
    Ok((imap, smtp))
}

/// Signs in to both servers.
///
/// # Errors
/// What the first server that refuses answered, as a code with the next step; IMAP goes first.
pub(super) async fn check_login(net: &Net, imap: &ImapServer, smtp: &SmtpServer) -> Result<(), ApiError> {
    let imap_settings = imap_settings(imap);
    let smtp_settings = smtp_settings(imap, smtp);
    let reading = async {
        let connection = ImapConnection::connect(net, &imap_settings).await?;
        connection.logout().await;
        Ok::<_, ImapError>(())
    };
    let sending = crate::providers::smtp::check(net, &smtp_settings);
    let (reading, sending) = tokio::join!(reading, sending);
    reading.map_err(imap_refusal)?;
    sending.map_err(smtp_refusal)?;
    Ok(())
}

fn imap_settings(imap: &ImapServer) -> ImapSettings {
    ImapSettings {
        host: imap.host.clone(),
        port: imap.port,
        security: imap.security,
        username: imap.username.clone(),
        password: imap.password.clone(),
    }
}

fn smtp_settings(imap: &ImapServer, smtp: &SmtpServer) -> SmtpSettings {
    SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        security: smtp.security,
        username: Some(smtp.username.clone().unwrap_or_else(|| imap.username.clone())),
        password: Some(smtp.password.clone().unwrap_or_else(|| imap.password.clone())),
        only_if_offered: smtp.username.is_none(),
    }
}

fn imap_refusal(error: ImapError) -> ApiError {
    refusal(error.code(), &error.detail, "imap", ErrorCode::ImapProtocolError)
}

fn smtp_refusal(error: SmtpError) -> ApiError {
    refusal(error.code(), &error.detail, "smtp", ErrorCode::SmtpProtocolError)
}

/// What a server answered, as a public code; answers that make no sense before a folder was opened are `nonsense`.
fn refusal(code: &str, detail: &str, server: &str, nonsense: ErrorCode) -> ApiError {
    let code = ErrorCode::from_code(code).unwrap_or(nonsense);
    let part = match code {
        ErrorCode::ImapLoginFailed | ErrorCode::SmtpLoginFailed => "password",
        ErrorCode::ImapTlsFailed
        | ErrorCode::SmtpTlsFailed
        | ErrorCode::ImapLoginDisabled
        | ErrorCode::SmtpLoginDisabled => "security",
        _ => "host",
    };
    let errors = vec![FieldError { field: format!("{server}.{part}"), message: detail.to_owned() }];
    ApiError { errors, ..ApiError::new(code, detail) }
}

/// Seals the settings for the row of one account.
pub(super) fn endpoints(
    vault: &Vault,
    id: AccountId,
    imap: &ImapServer,
    smtp: &SmtpServer,
) -> Result<Endpoints, SealError> {
    let seal = |column, secret: &Secret| vault.seal(id, column, secret);
    Ok(Endpoints {
        imap_host: imap.host.clone(),
        imap_port: i32::from(imap.port),
        imap_security: imap.security.as_str().to_owned(),
        imap_username: imap.username.clone(),
        imap_password: seal(IMAP_PASSWORD, &imap.password)?,
        smtp_host: smtp.host.clone(),
        smtp_port: i32::from(smtp.port),
        smtp_security: smtp.security.as_str().to_owned(),
        smtp_username: smtp.username.as_ref().map(|name| seal(SMTP_USERNAME, &Secret::new(name))).transpose()?,
        smtp_password: smtp.password.as_ref().map(|password| seal(SMTP_PASSWORD, password)).transpose()?,
    })
}
