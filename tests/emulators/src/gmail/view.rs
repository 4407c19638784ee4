//! A message as an answer shows it.

use super::call::Call;
use super::errors::ApiError;
use super::mime::{self, Detail};
use super::model::{Mail, Mention};
use super::pages::AttachmentId;
use data_encoding::BASE64URL;
use serde_json::{Value, json};

/// How much of a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Ids, labels, snippet.
    Minimal,
    /// The tree of parts with their texts.
    Full,
    /// The whole mail.
    Raw,
    /// Fields of the head.
    Metadata,
}

/// What a view needs besides the mail.
#[derive(Clone, Debug)]
pub struct View {
    format: Format,
    headers: Vec<String>,
    expires: i64,
    generation: u64,
    once: u64,
}

impl View {
    /// The view that a call asks for; full unless it says otherwise.
    pub fn of(call: &Call<'_>) -> Result<Self, ApiError> {
        let asked = call.query.get("format").map(str::to_ascii_lowercase);
        let format = match asked.as_deref() {
            Some("minimal") => Format::Minimal,
            Some("raw") => Format::Raw,
            Some("metadata") => Format::Metadata,
            _ => Format::Full,
        };
        if call.sees_metadata_alone() && matches!(format, Format::Full | Format::Raw) {
            let name = if format == Format::Full { "FULL" } else { "RAW" };
            return Err(ApiError::forbidden(format!("Metadata scope doesn't allow format {name}")));
        }
        Ok(Self {
            format,
            headers: call.query.all("metadataHeaders"),
            expires: call.state.now() + call.state.settings.attachment_id_seconds * 1000,
            generation: call.state.generation,
            once: call.state.random.next(),
        })
    }

    /// The message.
    pub fn message(&self, mail: &Mail) -> Value {
        let mut shown = brief(mail);
        shown["snippet"] = json!(mail.facts.snippet);
        shown["historyId"] = json!(mail.history_id.to_string());
        shown["internalDate"] = json!(mail.internal_date.to_string());
        shown["sizeEstimate"] = json!(mail.raw.len());
        match self.format {
            Format::Minimal => {}
            Format::Raw => shown["raw"] = json!(BASE64URL.encode(&mail.raw)),
            Format::Metadata => shown["payload"] = mime::payload(&mail.raw, Detail::Metadata(&self.headers)),
            Format::Full => {
                let name = |part: &str| {
                    let (mail, part) = (mail.id.clone(), part.to_owned());
                    AttachmentId { mail, part, expires: self.expires, generation: self.generation }.sealed(self.once)
                };
                shown["payload"] = mime::payload(&mail.raw, Detail::Full(&name));
            }
        }
        shown
    }
}

/// Ids and labels of a mail; without labels there is no list of them.
pub fn brief(mail: &Mail) -> Value {
    let mut shown = json!({"id": mail.id, "threadId": mail.thread});
    if !mail.labels.is_empty() {
        shown["labelIds"] = json!(mail.labels);
    }
    shown
}

/// A mail as history mentions it.
pub fn mention(mention: &Mention, with_labels: bool) -> Value {
    let mut shown = json!({"id": mention.id, "threadId": mention.thread});
    if with_labels && !mention.labels.is_empty() {
        shown["labelIds"] = json!(mention.labels);
    }
    shown
}
