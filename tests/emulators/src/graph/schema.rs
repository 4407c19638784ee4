//! The shapes of requests: what a body may hold. Anything else is refused.

use super::errors::ApiError;
use chrono::DateTime;
use data_encoding::BASE64;
use serde_json::Value;

/// The kind of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// Base64.
    Bytes,
    /// `true` or `false`.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A moment with an offset.
    Moment,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of these.
    List(&'static Kind),
    /// An object of this type.
    Object(&'static Type),
}

/// A type: its name and its properties.
#[derive(Debug)]
pub struct Type {
    /// The name below `microsoft.graph`.
    pub name: &'static str,
    /// The properties that a request may hold.
    pub properties: &'static [(&'static str, Kind)],
    /// Whether names are taken in any case, as parameters of actions are.
    pub any_case: bool,
}

const fn entity(name: &'static str, properties: &'static [(&'static str, Kind)]) -> Type {
    Type { name, properties, any_case: false }
}

const fn action(name: &'static str, properties: &'static [(&'static str, Kind)]) -> Type {
    Type { name, properties, any_case: true }
}

/// A person's address.
pub static EMAIL_ADDRESS: Type = entity("emailAddress", &[("address", Kind::Text), ("name", Kind::Text)]);
/// One person.
pub static RECIPIENT: Type = entity("recipient", &[("emailAddress", Kind::Object(&EMAIL_ADDRESS))]);
const PEOPLE: Kind = Kind::List(&Kind::Object(&RECIPIENT));
/// A body.
pub static ITEM_BODY: Type =
    entity("itemBody", &[("content", Kind::Text), ("contentType", Kind::OneOf(&["text", "html"]))]);
/// A moment in a zone.
pub static DATE_TIME_ZONE: Type = entity("dateTimeTimeZone", &[("dateTime", Kind::Text), ("timeZone", Kind::Text)]);
/// A flag.
pub static FLAG: Type = entity(
    "followupFlag",
    &[
        ("completedDateTime", Kind::Object(&DATE_TIME_ZONE)),
        ("dueDateTime", Kind::Object(&DATE_TIME_ZONE)),
        ("flagStatus", Kind::OneOf(&["notFlagged", "complete", "flagged"])),
        ("startDateTime", Kind::Object(&DATE_TIME_ZONE)),
    ],
);
/// A field of the head.
pub static HEADER: Type = entity("internetMessageHeader", &[("name", Kind::Text), ("value", Kind::Text)]);
/// One value of a client's own.
pub static SINGLE_VALUE: Type =
    entity("singleValueLegacyExtendedProperty", &[("id", Kind::Text), ("value", Kind::Text)]);
/// Several of them.
pub static MULTI_VALUE: Type =
    entity("multiValueLegacyExtendedProperty", &[("id", Kind::Text), ("value", Kind::List(&Kind::Text))]);

/// An attachment of any kind; which one it is, `@odata.type` says.
pub static ATTACHMENT: Type = entity(
    "attachment",
    &[
        ("id", Kind::Text),
        ("contentType", Kind::Text),
        ("isInline", Kind::Bool),
        ("lastModifiedDateTime", Kind::Moment),
        ("name", Kind::Text),
        ("size", Kind::Int32),
        ("contentBytes", Kind::Bytes),
        ("contentId", Kind::Text),
        ("contentLocation", Kind::Text),
        ("item", Kind::Object(&MESSAGE)),
    ],
);

/// A message.
pub static MESSAGE: Type = entity(
    "message",
    &[
        ("id", Kind::Text),
        ("bccRecipients", PEOPLE),
        ("body", Kind::Object(&ITEM_BODY)),
        ("bodyPreview", Kind::Text),
        ("categories", Kind::List(&Kind::Text)),
        ("ccRecipients", PEOPLE),
        ("changeKey", Kind::Text),
        ("conversationId", Kind::Text),
        ("conversationIndex", Kind::Bytes),
        ("createdDateTime", Kind::Moment),
        ("flag", Kind::Object(&FLAG)),
        ("from", Kind::Object(&RECIPIENT)),
        ("hasAttachments", Kind::Bool),
        ("importance", Kind::OneOf(&["low", "normal", "high"])),
        ("inferenceClassification", Kind::OneOf(&["focused", "other"])),
        ("internetMessageHeaders", Kind::List(&Kind::Object(&HEADER))),
        ("internetMessageId", Kind::Text),
        ("isDeliveryReceiptRequested", Kind::Bool),
        ("isDraft", Kind::Bool),
        ("isRead", Kind::Bool),
        ("isReadReceiptRequested", Kind::Bool),
        ("lastModifiedDateTime", Kind::Moment),
        ("parentFolderId", Kind::Text),
        ("receivedDateTime", Kind::Moment),
        ("replyTo", PEOPLE),
        ("sender", Kind::Object(&RECIPIENT)),
        ("sentDateTime", Kind::Moment),
        ("subject", Kind::Text),
        ("toRecipients", PEOPLE),
        ("uniqueBody", Kind::Object(&ITEM_BODY)),
        ("webLink", Kind::Text),
        ("attachments", Kind::List(&Kind::Object(&ATTACHMENT))),
        ("singleValueExtendedProperties", Kind::List(&Kind::Object(&SINGLE_VALUE))),
        ("multiValueExtendedProperties", Kind::List(&Kind::Object(&MULTI_VALUE))),
    ],
);

/// A folder.
pub static MAIL_FOLDER: Type = entity(
    "mailFolder",
    &[
        ("id", Kind::Text),
        ("childFolderCount", Kind::Int32),
        ("displayName", Kind::Text),
        ("isHidden", Kind::Bool),
        ("parentFolderId", Kind::Text),
        ("totalItemCount", Kind::Int32),
        ("unreadItemCount", Kind::Int32),
    ],
);

/// A subscription.
pub static SUBSCRIPTION: Type = entity(
    "subscription",
    &[
        ("id", Kind::Text),
        ("applicationId", Kind::Text),
        ("changeType", Kind::Text),
        ("clientState", Kind::Text),
        ("creatorId", Kind::Text),
        ("encryptionCertificate", Kind::Text),
        ("encryptionCertificateId", Kind::Text),
        ("expirationDateTime", Kind::Moment),
        ("includeResourceData", Kind::Bool),
        ("latestSupportedTlsVersion", Kind::Text),
        ("lifecycleNotificationUrl", Kind::Text),
        ("notificationQueryOptions", Kind::Text),
        ("notificationUrl", Kind::Text),
        ("notificationUrlAppId", Kind::Text),
        ("resource", Kind::Text),
    ],
);

/// What is about to be uploaded.
pub static ATTACHMENT_ITEM: Type = entity(
    "attachmentItem",
    &[
        ("attachmentType", Kind::OneOf(&["file", "item", "reference"])),
        ("contentId", Kind::Text),
        ("contentType", Kind::Text),
        ("isInline", Kind::Bool),
        ("name", Kind::Text),
        ("size", Kind::Int64),
    ],
);

/// Where a mail or a folder goes.
pub static MOVE: Type = action("move", &[("DestinationId", Kind::Text)]);
/// An answer.
pub static REPLY: Type = action("createReply", &[("Message", Kind::Object(&MESSAGE)), ("Comment", Kind::Text)]);
/// A mail passed on.
pub static FORWARD: Type =
    action("createForward", &[("ToRecipients", PEOPLE), ("Message", Kind::Object(&MESSAGE)), ("Comment", Kind::Text)]);
/// A mail that is sent without a draft.
pub static SEND_MAIL: Type =
    action("sendMail", &[("Message", Kind::Object(&MESSAGE)), ("SaveToSentItems", Kind::Bool)]);
/// The beginning of an upload.
pub static UPLOAD_SESSION: Type = action("createUploadSession", &[("AttachmentItem", Kind::Object(&ATTACHMENT_ITEM))]);
/// Ids in one form and the other.
pub static TRANSLATE: Type = action(
    "translateExchangeIds",
    &[("InputIds", Kind::List(&Kind::Text)), ("TargetIdType", Kind::Text), ("SourceIdType", Kind::Text)],
);

/// Refuses a body that holds what the type does not name, or a value of another kind.
pub fn check(value: &Value, of: &'static Type) -> Result<(), ApiError> {
    let Some(object) = value.as_object() else {
        return Err(ApiError::bad_body(format!("An object of the type 'microsoft.graph.{}' is expected.", of.name)));
    };
    for (name, inner) in object.iter().filter(|(name, _)| !name.starts_with('@')) {
        let known =
            of.properties.iter().find(|(known, _)| known == name || (of.any_case && known.eq_ignore_ascii_case(name)));
        let Some((_, kind)) = known else {
            let text = format!(
                "The property '{name}' does not exist on type 'microsoft.graph.{}'. Make sure to only use property \
                 names that are defined by the type.",
                of.name
            );
            return Err(ApiError::bad_body(text));
        };
        check_value(name, inner, *kind)?;
    }
    Ok(())
}

fn check_value(name: &str, value: &Value, kind: Kind) -> Result<(), ApiError> {
    if value.is_null() {
        return Ok(());
    }
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Bytes => value.as_str().is_some_and(|text| BASE64.decode(text.as_bytes()).is_ok()),
        Kind::Bool => value.is_boolean(),
        Kind::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Int64 => value.is_i64(),
        Kind::Moment => value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
        // Names of choices are taken in capitals as well.
        Kind::OneOf(words) => {
            value.as_str().is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(text)))
        }
        Kind::List(inner) => {
            let Some(items) = value.as_array() else {
                return Err(mismatch(name, value));
            };
            return items.iter().try_for_each(|item| check_value(name, item, *inner));
        }
        Kind::Object(of) => return check(value, of),
    };
    if fits { Ok(()) } else { Err(mismatch(name, value)) }
}

fn mismatch(name: &str, value: &Value) -> ApiError {
    ApiError::bad_body(format!("Cannot convert the value '{value}' of the property '{name}' to its expected type."))
}
