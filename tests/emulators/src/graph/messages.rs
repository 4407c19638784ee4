//! Messages as they are read: lists, single ones, and their MIME.

use super::call::Call;
use super::errors::ApiError;
use super::extended::normalised;
use super::ids::Kind;
use super::mime::{self, Form};
use super::model::{Mail, Mailbox, Recipient};
use super::query::{Expand, Expr, Item, Options, Order, Scalar};
use super::view::check_message_select;
use crate::shared::http::Reply;
use crate::shared::random::Random;
use serde_json::Value;

/// The name of the set in the context of answers.
pub const SET: &str = "messages";
const PAGE: usize = 10;
/// A search finds no more than this.
const MOST_FOUND: usize = 1000;

/// A mail as filters and orders see it.
pub struct Filtered<'a> {
    /// The mail.
    pub mail: &'a Mail,
    /// Where it lies.
    pub mailbox: &'a Mailbox,
    /// The kind of ids.
    pub kind: Kind,
}

impl Item for Filtered<'_> {
    fn scalar(&self, property: &str) -> Option<Scalar> {
        let (mail, content) = (self.mail, &self.mail.content);
        let text = |value: &str| Some(Scalar::Text(value.to_owned()));
        let person = |one: &Option<Recipient>, part: &str| {
            let value = one.as_ref().map(|one| if part == "name" { &one.name } else { &one.address });
            Some(value.map_or(Scalar::Null, |value| Scalar::Text(value.clone())))
        };
        match property {
            "id" => Some(Scalar::Text(self.mailbox.ids.id(self.kind, mail.number(self.kind)))),
            "isRead" => Some(Scalar::Bool(mail.is_read)),
            "isDraft" => Some(Scalar::Bool(mail.is_draft)),
            "hasAttachments" => Some(Scalar::Bool(mail.has_attachments())),
            "receivedDateTime" => Some(Scalar::Time(mail.received)),
            "sentDateTime" => Some(Scalar::Time(mail.sent)),
            "createdDateTime" => Some(Scalar::Time(mail.created)),
            "lastModifiedDateTime" => Some(Scalar::Time(mail.modified)),
            "subject" => text(&content.subject),
            "importance" => text(&content.importance),
            "inferenceClassification" => text(&mail.inference),
            "internetMessageId" => text(&content.message_id),
            "flag/flagStatus" => text(mail.flag.get("flagStatus").and_then(Value::as_str).unwrap_or_default()),
            "parentFolderId" => Some(Scalar::Text(self.mailbox.ids.id(Kind::Folder, mail.folder))),
            "from/emailAddress/address" => person(&content.from, "address"),
            "from/emailAddress/name" => person(&content.from, "name"),
            "sender/emailAddress/address" => person(&content.sender, "address"),
            "sender/emailAddress/name" => person(&content.sender, "name"),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Option<Vec<Vec<(String, String)>>> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        match name {
            "categories" => Some(self.mail.categories.iter().map(|one| vec![pair("", one)]).collect()),
            "singleValueExtendedProperties" => {
                let values = self.mail.single_values.iter();
                Some(values.map(|(id, value)| vec![pair("id", id), pair("value", value)]).collect())
            }
            _ => None,
        }
    }
}

/// Ids of extended properties within a filter are compared as Exchange writes them, names to the letter.
pub fn normalise_ids(expr: &mut Expr) -> Result<(), ApiError> {
    match expr {
        Expr::And(a, b) | Expr::Or(a, b) => {
            normalise_ids(a)?;
            normalise_ids(b)
        }
        Expr::Not(inner) | Expr::Any(_, _, inner) => normalise_ids(inner),
        Expr::Compare(name, _, Scalar::Text(id)) if name.ends_with("/id") || name == "id" => {
            if let Some(known) = normalised(id) {
                *id = known;
                return Ok(());
            }
            if id.contains(' ') || name.ends_with("/id") {
                let text = format!("The extended property id '{id}' is not valid.");
                return Err(ApiError::new(400, "ErrorInvalidExtendedProperty", text));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Refuses what cannot be shown of a message.
pub fn check(options: &mut Options) -> Result<(), ApiError> {
    check_message_select(options.select.as_ref())?;
    for expand in &mut options.expand {
        check_expand(expand)?;
    }
    options.filter.as_mut().map_or(Ok(()), normalise_ids)
}

fn check_expand(expand: &mut Expand) -> Result<(), ApiError> {
    match expand.name.as_str() {
        "attachments" => super::attachments::check_select(expand.select.as_ref()),
        "singleValueExtendedProperties" | "multiValueExtendedProperties" => {
            let Some(filter) = &mut expand.filter else {
                let text = "Expanding extended properties needs a filter that names them.";
                return Err(ApiError::bad_request(text));
            };
            normalise_ids(filter)
        }
        name => {
            let text = format!("Could not find a property named '{name}' on type 'microsoft.graph.message'.");
            Err(ApiError::bad_query(text))
        }
    }
}

/// A mail that any property can be tried on.
fn tried(filter: &Expr, mailbox: &Mailbox, kind: Kind) -> Result<(), ApiError> {
    let mut other = Mailbox::new("", false);
    let mail = super::mailbox::NewMail::default();
    let key = other.place(mail, &mut Vec::new());
    match other.mails.get(&key) {
        Some(mail) => filter.check(&Filtered { mail, mailbox, kind }),
        None => Ok(()),
    }
}

const ORDERS: [&str; 12] = [
    "receivedDateTime",
    "sentDateTime",
    "createdDateTime",
    "lastModifiedDateTime",
    "subject",
    "importance",
    "isRead",
    "isDraft",
    "hasAttachments",
    "from/emailAddress/name",
    "from/emailAddress/address",
    "flag/flagStatus",
];

fn sort(mails: &mut [&Mail], order: &[Order], mailbox: &Mailbox, kind: Kind) -> Result<(), ApiError> {
    if let Some(unknown) = order.iter().find(|order| !ORDERS.contains(&order.property.as_str())) {
        let text = format!("The property '{}' cannot be ordered by.", unknown.property);
        return Err(ApiError::new(400, "ErrorInvalidUrlQuery", text));
    }
    mails.sort_by_key(|mail| std::cmp::Reverse((mail.received, mail.key)));
    if let [Order { property, descending: true }] = order
        && property == "receivedDateTime"
    {
        return Ok(());
    }
    for order in order.iter().rev() {
        let value = |mail: &Mail| match (Filtered { mail, mailbox, kind }).scalar(&order.property) {
            Some(Scalar::Text(text)) => (0, text.to_lowercase()),
            Some(Scalar::Time(time)) => (time, String::new()),
            Some(Scalar::Bool(flag)) => (i64::from(flag), String::new()),
            _ => (0, String::new()),
        };
        mails.sort_by(|a, b| {
            let compared = value(a).cmp(&value(b));
            if order.descending { compared.reverse() } else { compared }
        });
    }
    Ok(())
}

/// The mails that a list is about, filtered.
fn found<'a>(
    mailbox: &'a Mailbox,
    folder: Option<u64>,
    options: &Options,
    kind: Kind,
) -> Result<Vec<&'a Mail>, ApiError> {
    let visible: Vec<u64> = match folder {
        Some(folder) => vec![folder],
        None => mailbox.folders.keys().copied().filter(|folder| mailbox.is_visible(*folder)).collect(),
    };
    let mut mails: Vec<&Mail> = mailbox.mails.values().filter(|mail| visible.contains(&mail.folder)).collect();
    if let Some(filter) = &options.filter {
        tried(filter, mailbox, kind)?;
        mails.retain(|mail| filter.holds(&Filtered { mail, mailbox, kind }));
    }
    if let Some(search) = &options.search {
        mails.retain(|mail| search.finds(mail));
    }
    sort(&mut mails, &options.order, mailbox, kind)?;
    if options.search.is_some() {
        mails.truncate(MOST_FOUND);
    }
    Ok(mails)
}

/// `GET messages`, of the whole mailbox or of a folder.
pub fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut options = call.options.clone();
    check(&mut options)?;
    let id = call.place("folder");
    let size = options.top.or(call.prefer.page_size).unwrap_or(PAGE);
    let kind = call.prefer.kind();
    let most_bytes = call.state.settings.most_page_bytes;
    let view = call.view()?;
    let folder = if id.is_empty() { None } else { Some(view.mailbox.folder(&id)?.number) };
    let mails = found(view.mailbox, folder, &options, kind)?;
    let total = mails.len();
    let page = mails.into_iter().skip(options.skip).take(size);
    let shown: Vec<Value> = page.map(|mail| view.message(mail, options.select.as_ref(), &options.expand)).collect();
    let end = options.skip.saturating_add(shown.len());
    let next = (end < total && !shown.is_empty()).then(|| call.next_link(end));
    let reply = call.page(SET, shown, options.count.then_some(total), next);
    if most_bytes.is_some_and(|most| reply.body.len() > most) {
        return Err(ApiError::server(504));
    }
    Ok(reply)
}

/// `GET messages/$count`.
pub fn count(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut options = call.options.clone();
    check(&mut options)?;
    let id = call.place("folder");
    let kind = call.prefer.kind();
    let view = call.view()?;
    let folder = if id.is_empty() { None } else { Some(view.mailbox.folder(&id)?.number) };
    let total = found(view.mailbox, folder, &options, kind)?.len();
    Ok(Reply::new(200, "text/plain", total.to_string()))
}

/// `GET messages/{id}`.
pub fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut options = call.options.clone();
    check(&mut options)?;
    let key = call.mail()?;
    shown(call, key, 200, &options)
}

/// One message as an answer.
pub fn shown(call: &mut Call<'_>, key: u64, status: u16, options: &Options) -> Result<Reply, ApiError> {
    let view = call.view()?;
    let mail = view.mailbox.mails.get(&key).ok_or_else(ApiError::not_found)?;
    let value = view.message(mail, options.select.as_ref(), &options.expand);
    Ok(call.single(status, SET, value))
}

/// The MIME of a mail, put together anew.
pub fn mime_of(mail: &Mail, random: &Random) -> Vec<u8> {
    let form = if mail.is_draft || mail.is_sent { Form::Written } else { Form::Received };
    mime::written(&mail.content, mail.sent, form, random)
}

/// `GET messages/{id}/$value`.
pub fn value(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let key = call.mail()?;
    call.mailbox()?;
    let mail = call.state.mailboxes.get(&call.user).and_then(|mailbox| mailbox.mails.get(&key));
    let mail = mail.ok_or_else(ApiError::not_found)?;
    Ok(Reply::new(200, "text/plain", mime_of(mail, &call.state.random)))
}
