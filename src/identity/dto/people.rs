//! Users and invitations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::present;
use crate::access::Role;
use crate::clock::Timestamp;
use crate::identity::model;
use crate::ids::{InvitationId, UserId};
use crate::secret::Secret;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address to sign in with.
    pub email: String,
    /// The name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The CRM's id of this person.
    pub external_id: Option<String>,
    /// Whether the user may not sign in.
    pub disabled: bool,
    /// When the user signed in last.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl From<model::User> for User {
    fn from(user: model::User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role,
            external_id: user.external_id,
            disabled: user.disabled_at.is_some(),
            last_sign_in_at: user.last_sign_in_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCreate {
    /// The address to sign in with.
    pub email: String,
    /// The name.
    pub name: String,
    /// What the user may do.
    #[serde(default = "member")]
    pub role: Role,
    /// Eight characters or more; without it the user needs a password link.
    pub password: Option<Secret>,
    /// The CRM's id of this person.
    pub external_id: Option<String>,
}

fn member() -> Role {
    Role::Member
}

/// What changes of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// The address to sign in with.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// What the user may do.
    pub role: Option<Role>,
    /// The CRM's id of this person; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub external_id: Option<Option<String>>,
    /// True: the user may not sign in any more.
    pub disabled: Option<bool>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Whom it is for.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person will be allowed to do.
    pub role: Role,
    /// Who invited.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// The link, told once, to whoever made the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Invitation {
    /// An invitation as an admin sees it.
    pub fn of(invitation: model::Invitation, link: Option<String>) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            name: invitation.name,
            role: invitation.role,
            created_by: invitation.created_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            link,
        }
    }
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCreate {
    /// The person's address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person will be allowed to do.
    #[serde(default = "member")]
    pub role: Role,
}

/// An invitation as the invited person sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    /// The name of the organization.
    pub organization: String,
    /// The person's address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person will be allowed to do.
    pub role: Role,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// How the invited person joins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationAccept {
    /// Eight characters or more.
    pub password: Secret,
    /// Another name than the one in the invitation.
    pub name: Option<String>,
}
