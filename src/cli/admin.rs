//! `duplex admin …`: users and keys made by the operator, before the first start or while the server runs.

use std::io::Read;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::access::{Role, Scope};
use crate::accounts;
use crate::identity::{Identity, KeyOrder, UserOrder};
use crate::ids::UserId;
use crate::secret::Secret;
use crate::startup::Ground;

/// What the operator can do.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Makes a user and prints the id.
    CreateUser(CreateUser),
    /// Makes an API key for a user and prints it, once.
    CreateKey(CreateKey),
    /// Seals all stored credentials anew with the first ENCRYPTION_KEY; safe while the server runs.
    RotateEncryptionKey,
}

impl AdminCommand {
    /// Does it and prints what came of it; an id or key is the last line.
    ///
    /// # Errors
    /// One line that says why not.
    pub(super) async fn run(self, ground: &Ground) -> anyhow::Result<()> {
        let url = ground.config.public_url(ground.config.bind_addr);
        let identity = Identity::new(ground.db.clone(), ground.clock.clone(), &url);
        match self {
            Self::CreateUser(order) => println!("{}", create_user(&identity, order, std::io::stdin()).await?),
            Self::CreateKey(order) => println!("{}", create_key(&identity, order).await?.expose()),
            Self::RotateEncryptionKey => {
                let changed = accounts::rotate_keys(&ground.db, &ground.vault, &ground.clock).await?;
                println!(
                    "Sealed the credentials of {changed} mailboxes anew. Former keys can be taken out of ENCRYPTION_KEY now."
                );
            }
        }
        Ok(())
    }
}

/// A user to be made.
#[derive(Debug, Args)]
pub struct CreateUser {
    /// The address to sign in with.
    #[arg(long)]
    pub email: String,
    /// The person's name.
    #[arg(long)]
    pub name: String,
    /// owner, admin or member.
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// Reads the password from standard input: on a command line everybody could see it.
    #[arg(long, required = true)]
    pub password_stdin: bool,
    /// The organization, made when there is none of this name [default: the only or first one].
    #[arg(long)]
    pub organization: Option<String>,
}

/// A key to be made.
#[derive(Debug, Args)]
pub struct CreateKey {
    /// The address of the user whose key it will be.
    #[arg(long)]
    pub email: String,
    /// What the key is for.
    #[arg(long)]
    pub name: String,
    /// Of read, write, send, admin, act_as, with commas [default: all that the user may].
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    pub scopes: Option<Vec<Scope>>,
}

/// The longest password that is read, in bytes; more would be a mistaken file.
const LONGEST_PASSWORD: u64 = 4096;

/// Makes a user with the password from `input`.
///
/// # Errors
/// When the input cannot be read, the address is in use, or something does not fit.
pub async fn create_user(identity: &Identity, command: CreateUser, input: impl Read) -> anyhow::Result<UserId> {
    let CreateUser { email, name, role, organization, password_stdin: _ } = command;
    let order = UserOrder { email, name, role, password: password(input)?, organization };
    Ok(identity.provision_user(order).await?)
}

/// Makes an API key.
///
/// # Errors
/// When there is no such user, or the user's role cannot have these scopes.
pub async fn create_key(identity: &Identity, command: CreateKey) -> anyhow::Result<Secret> {
    let CreateKey { email, name, scopes } = command;
    Ok(identity.provision_key(KeyOrder { email, name, scopes }).await?)
}

/// Reads a password that `echo` may have ended with a line break.
fn password(input: impl Read) -> anyhow::Result<Secret> {
    let mut text = String::new();
    input.take(LONGEST_PASSWORD).read_to_string(&mut text).context("cannot read the password from standard input")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        bail!("standard input holds no password; try: printf '%s' \"$PASSWORD\" | duplex admin create-user …");
    }
    Ok(Secret::new(text))
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "must be owner, admin or member".into())
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text.trim()).ok_or_else(|| "must be read, write, send, admin or act_as".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: AdminCommand,
    }

    #[test]
    fn a_password_is_read_without_its_line_break() {
        assert_eq!(password("correct horse\n".as_bytes()).unwrap().expose(), "correct horse");
        assert_eq!(password("a b \r\n".as_bytes()).unwrap().expose(), "a b ");
        assert!(password("\n".as_bytes()).is_err());
    }

    #[test]
    fn scopes_are_given_with_commas() {
        let line = ["duplex", "create-key", "--email", "a@b.c", "--name", "crm", "--scopes", "read,act_as"];
        let AdminCommand::CreateKey(key) = Line::try_parse_from(line).ok().unwrap().command else { panic!() };
        assert_eq!(key.scopes, Some(vec![Scope::Read, Scope::ActAs]));
        let wrong = ["duplex", "create-key", "--email", "a@b.c", "--name", "crm", "--scopes", "fly"];
        assert!(Line::try_parse_from(wrong).is_err());
    }
}
