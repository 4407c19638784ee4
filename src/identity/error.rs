//! What can go wrong with identities, in their own words, and how it is told to a client.

use thiserror::Error;

use crate::error::{ApiError, ErrorCode};

/// Why something about identities could not be done.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A field does not fit: its name and what is wrong with it.
    #[error("{0}: {1}")]
    Invalid(&'static str, String),
    /// The address belongs to a user already.
    #[error("a user with this e-mail address exists already")]
    EmailTaken,
    /// The external id belongs to another user of the organization.
    #[error("another user has this external_id")]
    ExternalIdTaken,
    /// Wrong address or password; which of them is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many tries; the seconds to wait.
    #[error("too many attempts; wait {0} seconds")]
    TooManyAttempts(u64),
    /// A key calls too often; the seconds to wait.
    #[error("too many requests; wait {0} seconds")]
    TooManyRequests(u64),
    /// All places for hashing passwords are taken.
    #[error("too many people sign in at once")]
    Busy,
    /// The token of a link is unknown, used or expired.
    #[error("the link is not valid (any more)")]
    InvalidToken,
    /// The first user exists already.
    #[error("the set-up has been done")]
    SetupDone,
    /// Nobody would be left who can administer the organization.
    #[error("an organization needs an owner who can sign in")]
    LastOwner,
    /// The caller's role or scopes do not allow it; what to do instead.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No such thing, or another organization's.
    #[error("there is no such thing")]
    NotFound,
    /// The operating system gives no random bits.
    #[error("the operating system gives no random bits")]
    Randomness,
    /// A task of ours ended early.
    #[error("a task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        use IdentityError as E;
        match error {
            E::Invalid(field, message) => Self::invalid(field, message),
            E::EmailTaken => Self::new(
                ErrorCode::EmailTaken,
                "A user with this e-mail address exists already. Use another address, or reset that user's password.",
            ),
            E::ExternalIdTaken => Self::new(
                ErrorCode::Conflict,
                "Another user of the organization has this external_id. Take it away there first.",
            ),
            E::WrongCredentials => Self::new(
                ErrorCode::InvalidCredentials,
                "The e-mail address or the password is wrong. An admin can make a link to set a new password.",
            ),
            E::TooManyAttempts(seconds) => Self::rate_limited(
                format!("Too many failed attempts. Wait {seconds} seconds, then try again."),
                seconds,
            ),
            E::TooManyRequests(seconds) => {
                Self::rate_limited("An API key may make 100 requests a second. Slow down and try again.", seconds)
            }
            E::Busy => Self::rate_limited("Too many people sign in at this moment. Try again in a second.", 1),
            E::InvalidToken => {
                Self::new(ErrorCode::InvalidToken, "The link is unknown, was used or has expired. Ask for a new one.")
            }
            E::SetupDone => Self::new(ErrorCode::SetupDone, "The set-up has been done. Sign in instead."),
            E::LastOwner => Self::new(
                ErrorCode::LastOwner,
                "This is the last owner who can sign in. Make somebody else an owner first.",
            ),
            E::Forbidden(detail) => Self::forbidden(detail),
            E::NotFound => Self::not_found(),
            E::Database(error) => error.into(),
            E::Randomness | E::Task(_) | E::Hash(_) => Self::internal(error),
        }
    }
}
