//! Who is asking: an extractor that yields the organization and the user.
//!
//! Identity's middleware finds out and puts an [`Access`] into the request; a route that takes it as an argument cannot be
//! reached by anybody else. Every query of a tenant's table starts from its `org`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::ids::{ApiKeyId, OrgId, SessionId, UserId};

/// What a person is in an organization; each role may do what the ones after it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works with mail.
    Member,
    /// Also manages people, keys and mailboxes.
    Admin,
    /// Also manages owners.
    Owner,
}

impl Role {
    /// The role as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads a stored role.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.as_str() == text)
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no role"))
    }
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read.
    Read,
    /// Change.
    Write,
    /// Send mail.
    Send,
    /// Administer.
    Admin,
    /// Act for another user of the organization.
    ActAs,
}

impl Scope {
    /// The scope as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
            Self::Admin => "admin",
            Self::ActAs => "act_as",
        }
    }

    /// Reads a scope.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Send, Self::Admin, Self::ActAs].into_iter().find(|scope| scope.as_str() == text)
    }
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The organization: every query starts from it.
    pub org: OrgId,
    /// The user.
    pub user: UserId,
    /// The user's role.
    pub role: Role,
    /// The scopes of the API key; nothing means all the user's rights.
    pub scopes: Option<Vec<Scope>>,
    /// The session, when a browser asks.
    pub session: Option<SessionId>,
    /// The API key, when a program asks.
    pub key: Option<ApiKeyId>,
}

impl Access {
    /// Whether the caller's scopes allow this.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
    }

    /// Whether the caller is an admin or owner, with a key that may administer.
    pub fn is_admin(&self) -> bool {
        self.role >= Role::Admin && self.allows(Scope::Admin)
    }

    /// Refuses a caller whose key lacks a scope.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.allows(scope) {
            return Ok(());
        }
        Err(ApiError::forbidden(format!(
            "This API key lacks the scope \"{}\". Use another key, or make one with it.",
            scope.as_str()
        )))
    }

    /// Refuses a caller who is no admin.
    pub fn require_admin(&self) -> Result<(), ApiError> {
        self.require(Scope::Admin)?;
        if self.role >= Role::Admin {
            return Ok(());
        }
        Err(ApiError::forbidden("Only an owner or admin may do this. Ask one of them."))
    }
}

impl FromRequest for Access {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let access = request.extensions().get::<Self>().cloned();
        ready(access.ok_or_else(ApiError::unauthenticated))
    }
}
