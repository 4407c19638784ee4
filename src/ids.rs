//! Typed identifiers: one newtype over UUIDv7 for every kind of object.
//!
//! A function that wants an account cannot be handed an e-mail. UUIDv7 (RFC 9562 §5.7) starts with the time, so ids made
//! one after another lie side by side in every index.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[schema(value_type = Uuid)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new identifier (UUIDv7).
            #[expect(clippy::new_without_default, reason = "a default identifier would be a different one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// Wraps an identifier that was read from somewhere.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Gives the bare UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+

        // Calls a macro with the names of all identifiers; the database layer teaches them their SQL type this way.
        macro_rules! for_each_id {
            ($call:ident) => { $call! { $($name)+ } };
        }
    };
}

typed_ids! {
    /// An organization: the tenant that owns everything else.
    OrgId
    /// A person who signs in.
    UserId
    /// A signed-in browser.
    SessionId
    /// An API key.
    ApiKeyId
    /// An invitation to join an organization.
    InvitationId
    /// A link that lets a person set a new password.
    PasswordResetId
    /// A row of the audit log.
    AuditId
    /// A mailbox.
    AccountId
    /// A folder or label of a mailbox.
    FolderId
    /// A mail.
    EmailId
    /// A place where a mail lies in a mailbox.
    LocationId
    /// A recipient row of a mail.
    RecipientId
    /// An attachment of a mail.
    AttachmentId
    /// A file that was brought in for a mail to be written.
    UploadId
    /// An address that nothing is sent to.
    SuppressionId
    /// A conversation.
    ThreadId
    /// A mail that was not stored, with the reason.
    SkipId
    /// A proof that a folder is stored completely.
    ProofId
    /// A change carried to a provider.
    OperationId
    /// A contact of the CRM.
    ContactId
    /// A deal of the CRM.
    DealId
    /// A fact told to webhooks and streams.
    EventId
}
