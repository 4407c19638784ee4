//! The shapes of requests: what a body may hold and what a query may name. Anything else is refused.

use super::errors::ApiError;
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use serde_json::Value;

/// The kind of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// base64url, padded or not.
    Bytes,
    /// `true` or `false`.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// The same without a sign.
    Uint32,
    /// A whole number of 64 bits, usually as text.
    Int64,
    /// The same without a sign.
    Uint64,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of these.
    List(&'static Kind),
    /// An object with these fields and no others.
    Object(&'static [Field]),
}

/// A named value of a body, or a parameter of a query.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its kind; a list may be repeated in a query.
    pub kind: Kind,
}

/// A field in short.
pub const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// A list of text.
pub const TEXTS: Kind = Kind::List(&Kind::Text);

static LABEL_FIELD: [Field; 2] = [field("fieldId", Kind::Text), field("selection", Kind::Text)];
static CLASSIFICATION: [Field; 2] =
    [field("labelId", Kind::Text), field("fields", Kind::List(&Kind::Object(&LABEL_FIELD)))];
static PART_HEADER: [Field; 2] = [field("name", Kind::Text), field("value", Kind::Text)];
static PART_BODY: [Field; 3] =
    [field("attachmentId", Kind::Text), field("data", Kind::Bytes), field("size", Kind::Int32)];
static PART: [Field; 6] = [
    field("body", Kind::Object(&PART_BODY)),
    field("filename", Kind::Text),
    field("headers", Kind::List(&Kind::Object(&PART_HEADER))),
    field("mimeType", Kind::Text),
    field("partId", Kind::Text),
    field("parts", Kind::List(&Kind::Object(&PART))),
];

/// A message as a request holds it.
pub static MESSAGE: [Field; 10] = [
    field("classificationLabelValues", Kind::List(&Kind::Object(&CLASSIFICATION))),
    field("historyId", Kind::Uint64),
    field("id", Kind::Text),
    field("internalDate", Kind::Int64),
    field("labelIds", TEXTS),
    field("payload", Kind::Object(&PART)),
    field("raw", Kind::Bytes),
    field("sizeEstimate", Kind::Int32),
    field("snippet", Kind::Text),
    field("threadId", Kind::Text),
];

/// A draft.
pub static DRAFT: [Field; 2] = [field("id", Kind::Text), field("message", Kind::Object(&MESSAGE))];

/// A change of one message's labels.
pub static MODIFY_MESSAGE: [Field; 4] = [
    field("addClassificationLabels", Kind::List(&Kind::Object(&CLASSIFICATION))),
    field("addLabelIds", TEXTS),
    field("removeClassificationLabelIds", TEXTS),
    field("removeLabelIds", TEXTS),
];

/// A change of many messages' labels.
pub static BATCH_MODIFY: [Field; 5] = [
    field("addClassificationLabels", Kind::List(&Kind::Object(&CLASSIFICATION))),
    field("addLabelIds", TEXTS),
    field("ids", TEXTS),
    field("removeClassificationLabelIds", TEXTS),
    field("removeLabelIds", TEXTS),
];

/// A change of a thread's labels.
pub static MODIFY_THREAD: [Field; 2] = [field("addLabelIds", TEXTS), field("removeLabelIds", TEXTS)];

/// Messages to delete.
pub static BATCH_DELETE: [Field; 1] = [field("ids", TEXTS)];

static COLOR: [Field; 2] = [field("backgroundColor", Kind::Text), field("textColor", Kind::Text)];

/// A label.
pub static LABEL: [Field; 10] = [
    field("color", Kind::Object(&COLOR)),
    field("id", Kind::Text),
    field("labelListVisibility", Kind::OneOf(&["labelShow", "labelShowIfUnread", "labelHide"])),
    field("messageListVisibility", Kind::OneOf(&["show", "hide"])),
    field("messagesTotal", Kind::Int32),
    field("messagesUnread", Kind::Int32),
    field("name", Kind::Text),
    field("threadsTotal", Kind::Int32),
    field("threadsUnread", Kind::Int32),
    field("type", Kind::OneOf(&["system", "user"])),
];

/// A standing order to announce changes.
pub static WATCH: [Field; 4] = [
    field("labelFilterAction", Kind::OneOf(&["include", "exclude"])),
    field("labelFilterBehavior", Kind::OneOf(&["include", "exclude"])),
    field("labelIds", TEXTS),
    field("topicName", Kind::Text),
];

static SMTP_MSA: [Field; 5] = [
    field("host", Kind::Text),
    field("password", Kind::Text),
    field("port", Kind::Int32),
    field("securityMode", Kind::OneOf(&["securityModeUnspecified", "none", "ssl", "starttls"])),
    field("username", Kind::Text),
];

/// An address to send from.
pub static SEND_AS: [Field; 9] = [
    field("displayName", Kind::Text),
    field("isDefault", Kind::Bool),
    field("isPrimary", Kind::Bool),
    field("replyToAddress", Kind::Text),
    field("sendAsEmail", Kind::Text),
    field("signature", Kind::Text),
    field("smtpMsa", Kind::Object(&SMTP_MSA)),
    field("treatAsAlias", Kind::Bool),
    field("verificationStatus", Kind::OneOf(&["verificationStatusUnspecified", "accepted", "pending"])),
];

/// Parameters that every method takes.
pub static COMMON: [Field; 11] = [
    field("$.xgafv", Kind::OneOf(&["1", "2"])),
    field("access_token", Kind::Text),
    field("alt", Kind::OneOf(&["json"])),
    field("callback", Kind::Text),
    field("fields", Kind::Text),
    field("key", Kind::Text),
    field("oauth_token", Kind::Text),
    field("prettyPrint", Kind::Bool),
    field("quotaUser", Kind::Text),
    field("uploadType", Kind::Text),
    field("upload_protocol", Kind::Text),
];

/// Refuses a body that holds what the fields do not name, or a value of another kind.
pub fn check_body(value: &Value, fields: &'static [Field], place: &str) -> Result<(), ApiError> {
    let Some(object) = value.as_object() else {
        return Err(ApiError::badly_formed("Invalid JSON payload received. Root element must be a message."));
    };
    for (name, inner) in object {
        let Some(known) = fields.iter().find(|field| field.name == name) else {
            return Err(ApiError::unknown_name(name, place));
        };
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        check_value(inner, known.kind, &place)?;
    }
    Ok(())
}

fn check_value(value: &Value, kind: Kind, place: &str) -> Result<(), ApiError> {
    // A null is a field left out.
    if value.is_null() {
        return Ok(());
    }
    let refuse = |kind: &str| Err(ApiError::bad_value(place, kind, &value.to_string()));
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Bytes => match value.as_str() {
            Some(text) if base64url(text).is_none() => {
                return Err(ApiError::bad_value(place, "TYPE_BYTES", "Base64 decoding failed for the value"));
            }
            found => found.is_some(),
        },
        Kind::Bool => value.is_boolean(),
        Kind::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Uint32 => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        Kind::Int64 => value.is_i64() || value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
        Kind::Uint64 => value.is_u64() || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        Kind::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        Kind::List(inner) => {
            let Some(items) = value.as_array() else {
                return refuse(type_name(kind));
            };
            for (number, item) in items.iter().enumerate() {
                check_value(item, *inner, &format!("{place}[{number}]"))?;
            }
            true
        }
        Kind::Object(fields) => {
            if !value.is_object() {
                return refuse(type_name(kind));
            }
            check_body(value, fields, place)?;
            true
        }
    };
    if fits { Ok(()) } else { refuse(type_name(kind)) }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "TYPE_STRING",
        Kind::Bytes => "TYPE_BYTES",
        Kind::Bool => "TYPE_BOOL",
        Kind::Int32 => "TYPE_INT32",
        Kind::Uint32 => "TYPE_UINT32",
        Kind::Int64 => "TYPE_INT64",
        Kind::Uint64 => "TYPE_UINT64",
        Kind::OneOf(_) => "TYPE_ENUM",
        Kind::List(_) => "TYPE_LIST",
        Kind::Object(_) => "TYPE_MESSAGE",
    }
}

/// Decodes base64url, padded or not; the standard alphabet is none.
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    let unpadded = BASE64URL_NOPAD.decode(text.as_bytes());
    unpadded.or_else(|_| BASE64URL.decode(text.as_bytes())).ok()
}

/// The checked parameters of a query.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Refuses names that the method does not know, repeated ones that are no lists, and wrong values.
    pub fn check(pairs: Vec<(String, String)>, own: &'static [Field]) -> Result<Self, ApiError> {
        for (number, (name, value)) in pairs.iter().enumerate() {
            let known = own.iter().chain(&COMMON).find(|field| field.name == name);
            let Some(known) = known else {
                return Err(ApiError::unknown_parameter(name));
            };
            let (kind, repeats) = match known.kind {
                Kind::List(inner) => (*inner, true),
                kind => (kind, false),
            };
            let again = pairs.iter().take(number).any(|(earlier, _)| earlier == name);
            if again && !repeats {
                return Err(ApiError::badly_formed(format!("Parameter '{name}' must not be repeated")));
            }
            check_parameter(name, value, kind)?;
        }
        Ok(Self(pairs))
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether it is set and true.
    pub fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `maxResults`: 100 if it is not there, at most 500.
    pub fn page_size(&self) -> Result<usize, ApiError> {
        match self.get("maxResults").map(str::parse::<usize>) {
            None => Ok(100),
            Some(Ok(0) | Err(_)) => Err(ApiError::invalid("Invalid value for maxResults")),
            Some(Ok(number)) => Ok(number.min(500)),
        }
    }
}

fn check_parameter(name: &str, value: &str, kind: Kind) -> Result<(), ApiError> {
    let fits = match kind {
        Kind::Bool => ["true", "false"].contains(&value.to_ascii_lowercase().as_str()),
        Kind::Int32 => value.parse::<i32>().is_ok(),
        Kind::Uint32 => value.parse::<u32>().is_ok(),
        Kind::Int64 => value.parse::<i64>().is_ok(),
        Kind::Uint64 => value.parse::<u64>().is_ok(),
        // Names of choices are taken in capitals as well.
        Kind::OneOf(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
        Kind::Text if name == "quotaUser" => value.len() <= 40,
        Kind::Text | Kind::Bytes | Kind::List(_) | Kind::Object(_) => true,
    };
    if fits { Ok(()) } else { Err(ApiError::bad_value(name, type_name(kind), &format!("\"{value}\""))) }
}
