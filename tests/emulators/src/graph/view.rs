//! Mails, folders and attachments as JSON, as far as they were asked for.

use super::errors::ApiError;
use super::ids::Kind;
use super::mime;
use super::model::{Attachment, Folder, Held, Mail, Mailbox, Recipient};
use super::query::Expand;
use super::switches::Often;
use crate::shared::clock::rfc3339_seconds;
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Properties of a message. Those that are not shown unless they are named stand at the end.
pub const MESSAGE: [&str; 33] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    // Only if they are named.
    "uniqueBody",
    "internetMessageHeaders",
    // Relations, which are expanded and not selected.
    "attachments",
    "singleValueExtendedProperties",
];

/// How many of them are shown unless others are named.
const SHOWN: usize = 29;
/// How many of them can be named.
const NAMED: usize = 31;

/// Properties of a folder.
pub const FOLDER: [&str; 7] =
    ["id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "isHidden"];

/// How things are shown to one client.
pub struct View<'a> {
    /// The mailbox.
    pub mailbox: &'a Mailbox,
    /// Whose it is, by object id.
    pub user: &'a str,
    /// Where the emulator listens.
    pub url: &'a str,
    /// The kind of ids.
    pub kind: Kind,
    /// `text` or `html`, if the client prefers one.
    pub body: Option<&'a str>,
    /// Whether HTML is shown as it is.
    pub is_unsafe: bool,
    /// How often text is shown as HTML.
    pub text_becomes_html: Often,
}

/// Refuses names that are no properties.
pub fn check_select(select: Option<&Vec<String>>, known: &[&str], of: &str) -> Result<(), ApiError> {
    for name in select.into_iter().flatten() {
        if !known.contains(&name.as_str()) {
            let text = format!("Could not find a property named '{name}' on type '{of}'.");
            return Err(ApiError::bad_query(text));
        }
    }
    Ok(())
}

/// The same for messages.
pub fn check_message_select(select: Option<&Vec<String>>) -> Result<(), ApiError> {
    check_select(select, MESSAGE.get(..NAMED).unwrap_or_default(), "microsoft.graph.message")
}

fn person(recipient: &Recipient) -> Value {
    json!({"emailAddress": {"name": recipient.name, "address": recipient.address}})
}

fn people(list: &[Recipient]) -> Value {
    list.iter().map(person).collect()
}

impl View<'_> {
    /// The id of a mail.
    pub fn id(&self, mail: &Mail) -> String {
        self.mailbox.ids.id(self.kind, mail.number(self.kind))
    }

    /// The id of a folder.
    pub fn folder_id(&self, folder: u64) -> String {
        self.mailbox.ids.id(Kind::Folder, folder)
    }

    /// A message with these properties, or with the usual ones.
    pub fn message(&self, mail: &Mail, select: Option<&Vec<String>>, expand: &[Expand]) -> Value {
        let mut shown = Map::new();
        shown.insert("@odata.etag".to_owned(), json!(format!("W/\"{}\"", change_key(mail))));
        if mail.content.is_meeting {
            shown.insert("@odata.type".to_owned(), json!("#microsoft.graph.eventMessage"));
        }
        let usual = MESSAGE.get(..SHOWN).unwrap_or_default().iter().copied();
        let names: Vec<&str> = match select {
            None => usual.collect(),
            Some(names) => std::iter::once("id").chain(names.iter().map(String::as_str)).collect(),
        };
        for name in names {
            if let Some(value) = self.property(mail, name) {
                shown.insert(name.to_owned(), value);
            }
        }
        for expand in expand {
            self.expanded(mail, expand, &mut shown);
        }
        Value::Object(shown)
    }

    /// One property of a message; none if it has none.
    pub fn property(&self, mail: &Mail, name: &str) -> Option<Value> {
        let content = &mail.content;
        Some(match name {
            "id" => json!(self.id(mail)),
            "createdDateTime" => json!(rfc3339_seconds(mail.created)),
            "lastModifiedDateTime" => json!(rfc3339_seconds(mail.modified)),
            "changeKey" => json!(change_key(mail)),
            "categories" => json!(mail.categories),
            "receivedDateTime" => json!(rfc3339_seconds(mail.received)),
            "sentDateTime" => json!(rfc3339_seconds(mail.sent)),
            "hasAttachments" => json!(mail.has_attachments()),
            "internetMessageId" => json!(content.message_id),
            "subject" => json!(content.subject),
            "bodyPreview" => json!(mime::preview(&self.text(mail))),
            "importance" => json!(content.importance),
            "parentFolderId" => json!(self.folder_id(mail.folder)),
            "conversationId" => json!(self.conversation(mail)),
            "conversationIndex" => json!(BASE64.encode(&conversation_index(mail))),
            "isDeliveryReceiptRequested" => json!(content.wants_delivery_receipt),
            "isReadReceiptRequested" => json!(content.wants_read_receipt),
            "isRead" => json!(mail.is_read),
            "isDraft" => json!(mail.is_draft),
            "webLink" => {
                let id: String = url::form_urlencoded::byte_serialize(self.id(mail).as_bytes()).collect();
                json!(format!("{}/owa/?ItemID={id}&exvsurl=1&viewmodel=ReadMessageItem", self.url))
            }
            "inferenceClassification" => json!(mail.inference),
            "body" => self.body(mail),
            "uniqueBody" => self.unique_body(mail),
            "sender" => person(content.sender.as_ref()?),
            "from" => person(content.from.as_ref()?),
            "toRecipients" => people(&content.to),
            "ccRecipients" => people(&content.cc),
            "bccRecipients" => people(&content.bcc),
            "replyTo" => people(&content.reply_to),
            "flag" => mail.flag.clone(),
            "internetMessageHeaders" => headers(mail)?,
            _ => return None,
        })
    }

    fn text(&self, mail: &Mail) -> String {
        let content = &mail.content;
        let own = content.text.clone().filter(|text| !text.is_empty());
        own.or_else(|| content.html.as_deref().map(mime::to_text)).unwrap_or_default()
    }

    fn body(&self, mail: &Mail) -> Value {
        let content = &mail.content;
        let becomes_html =
            self.body == Some("html") || (self.body.is_none() && self.text_becomes_html.applies(mail.key));
        match (&content.html, self.body) {
            (_, Some("text")) => {
                let text = content.html.as_deref().map(mime::to_text).or_else(|| content.text.clone());
                json!({"contentType": "text", "content": text.unwrap_or_default()})
            }
            (Some(html), _) => json!({"contentType": "html", "content": mime::served(html, self.is_unsafe)}),
            (None, _) if becomes_html => {
                let text = content.text.as_deref().unwrap_or_default();
                json!({"contentType": "html", "content": mime::from_text(text)})
            }
            (None, _) => json!({"contentType": "text", "content": content.text.as_deref().unwrap_or_default()}),
        }
    }

    fn unique_body(&self, mail: &Mail) -> Value {
        let content = &mail.content;
        let html = match &content.html {
            Some(html) => mime::served(html, self.is_unsafe),
            None => mime::from_text(content.text.as_deref().unwrap_or_default()),
        };
        let unique = mime::unique(&html);
        if self.body == Some("text") {
            return json!({"contentType": "text", "content": mime::to_text(&unique)});
        }
        json!({"contentType": "html", "content": unique})
    }

    fn conversation(&self, mail: &Mail) -> String {
        let bytes: Vec<u8> = [&[0x0e_u8; 8][..], &mail.conversation.to_be_bytes(), self.user.as_bytes()].concat();
        format!("AAQkAD{}", BASE64.encode(bytes.get(..30).unwrap_or(&bytes)))
    }

    fn expanded(&self, mail: &Mail, expand: &Expand, shown: &mut Map<String, Value>) {
        let value: Vec<Value> = match expand.name.as_str() {
            "attachments" => {
                let attachments = mail.content.attachments.iter();
                attachments.map(|one| self.attachment(mail, one, expand.select.as_ref())).collect()
            }
            "singleValueExtendedProperties" => {
                let wanted = |id: &str| expand.filter.as_ref().is_none_or(|filter| filter.holds(&Named(id)));
                let values = mail.single_values.iter().filter(|(id, _)| wanted(id));
                values.map(|(id, value)| json!({"id": id, "value": value})).collect()
            }
            _ => {
                let wanted = |id: &str| expand.filter.as_ref().is_none_or(|filter| filter.holds(&Named(id)));
                let values = mail.multi_values.iter().filter(|(id, _)| wanted(id));
                values.map(|(id, value)| json!({"id": id, "value": value})).collect()
            }
        };
        // Properties that nobody set are not shown, not even as an empty list.
        if !value.is_empty() || expand.name == "attachments" {
            shown.insert(expand.name.clone(), Value::Array(value));
        }
    }

    /// An attachment with these properties, or with all.
    pub fn attachment(&self, mail: &Mail, attachment: &Attachment, select: Option<&Vec<String>>) -> Value {
        let kind = match attachment.held {
            Held::File(_) => "fileAttachment",
            Held::Item(_) => "itemAttachment",
            Held::Reference(_) => "referenceAttachment",
        };
        // What travels is larger than the bytes themselves.
        let size = attachment.len() + 130 + attachment.name.len();
        let id = self.mailbox.ids.attachment(self.kind, mail.number(self.kind), attachment.number);
        let mut all = vec![
            ("id", json!(id)),
            ("lastModifiedDateTime", json!(rfc3339_seconds(attachment.modified))),
            ("name", json!(attachment.name)),
            ("contentType", json!(attachment.content_type)),
            ("size", json!(size)),
            ("isInline", json!(attachment.is_inline)),
        ];
        if let Held::File(bytes) = &attachment.held {
            all.push(("contentId", json!(attachment.content_id)));
            all.push(("contentLocation", json!(attachment.location)));
            all.push(("contentBytes", json!(BASE64.encode(bytes))));
        }
        let plain = |name: &str| name.strip_prefix("microsoft.graph.fileAttachment/").unwrap_or(name).to_owned();
        let is_wanted =
            |name: &str| name == "id" || select.is_none_or(|select| select.iter().any(|wanted| plain(wanted) == name));
        let mut shown = Map::new();
        shown.insert("@odata.type".to_owned(), json!(format!("#microsoft.graph.{kind}")));
        let media_type = attachment.content_type.as_deref().unwrap_or("application/octet-stream");
        shown.insert("@odata.mediaContentType".to_owned(), json!(media_type));
        for (name, value) in all.into_iter().filter(|(name, _)| is_wanted(name)) {
            shown.insert(name.to_owned(), value);
        }
        Value::Object(shown)
    }

    /// A folder with these properties, or with all.
    pub fn folder(
        &self,
        folder: &Folder,
        counts: &BTreeMap<u64, (usize, usize)>,
        select: Option<&Vec<String>>,
    ) -> Value {
        let (total, unread) = counts.get(&folder.number).copied().unwrap_or_default();
        let children = self.mailbox.folders.values();
        let children =
            children.filter(|one| one.parent == folder.number && one.number != folder.number && !one.is_hidden);
        let all = [
            ("id", json!(self.folder_id(folder.number))),
            ("displayName", json!(folder.name)),
            ("parentFolderId", json!(self.folder_id(folder.parent))),
            ("childFolderCount", json!(children.count())),
            ("unreadItemCount", json!(unread)),
            ("totalItemCount", json!(total)),
            ("isHidden", json!(folder.is_hidden)),
        ];
        let mut shown = Map::new();
        if folder.query.is_some() {
            shown.insert("@odata.type".to_owned(), json!("#microsoft.graph.mailSearchFolder"));
        }
        for (name, value) in all {
            if name == "id" || select.is_none_or(|select| select.iter().any(|wanted| wanted == name)) {
                shown.insert(name.to_owned(), value);
            }
        }
        Value::Object(shown)
    }
}

/// An extended property, for filters within an expansion.
struct Named<'a>(&'a str);

impl super::query::Item for Named<'_> {
    fn scalar(&self, property: &str) -> Option<super::query::Scalar> {
        (property == "id").then(|| super::query::Scalar::Text(self.0.to_owned()))
    }

    fn list(&self, _: &str) -> Option<Vec<Vec<(String, String)>>> {
        None
    }
}

/// What changes with every change of a mail.
pub fn change_key(mail: &Mail) -> String {
    let bytes = [&mail.key.to_be_bytes()[..], &mail.version.to_be_bytes(), &[0x7e, 0x11]].concat();
    format!("CQAAABYA{}", BASE64.encode(&bytes))
}

/// The place in the conversation: twenty-two bytes for the conversation and five for each answer.
pub fn conversation_index(mail: &Mail) -> Vec<u8> {
    if mail.content.thread_index.len() >= 22 {
        return mail.content.thread_index.clone();
    }
    let mut index = vec![1_u8];
    index.extend_from_slice(mail.created.to_be_bytes().get(2..7).unwrap_or_default());
    index.extend_from_slice(&[mail.conversation.to_be_bytes(), [0x5a; 8]].concat());
    if !mail.content.in_reply_to.is_empty() {
        index.extend_from_slice(&[0x80, 0, 0, 1, 0x10]);
    }
    index
}

/// The head as Graph shows it: not for what left from here, and without the people.
fn headers(mail: &Mail) -> Option<Value> {
    const LEFT_OUT: [&str; 5] = ["from", "to", "cc", "bcc", "sender"];
    if mail.is_sent {
        return None;
    }
    let shown = mail.content.headers.iter().filter(|(name, _)| {
        let lower = name.to_ascii_lowercase();
        !LEFT_OUT.contains(&lower.as_str()) && (!mail.is_draft || lower.starts_with("x-"))
    });
    let shown: Vec<Value> = shown.map(|(name, value)| json!({"name": name, "value": value})).collect();
    (!shown.is_empty()).then_some(Value::Array(shown))
}
