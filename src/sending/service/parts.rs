//! The parts of a mail that is prepared: its people, its subject, its texts and its files.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::prepare::{Kind, Source, refused};
use crate::accounts::Account;
use crate::error::{ApiError, ApiResult};
use crate::ids::AttachmentId;
use crate::mail::compose::answer::{self, Body};
use crate::mail::compose::{check_address, check_text};
use crate::mail::{self, Mailbox as Address, ParsedMail};
use crate::messages::{Mailbox, WrittenFile};
use crate::sending::dto::{MailInput, PersonInput};
use crate::sending::model::{Action, OwnText};

/// The author and the recipients; those of an answer are derived from the mail that is answered.
pub(super) fn people(
    account: &Account,
    owner: &Mailbox,
    input: &MailInput,
    source: Option<&Source>,
    kind: Kind,
    derive: bool,
) -> ApiResult<ParsedMail> {
    let mut content = ParsedMail {
        from: Some(author(account, input.from_alias.as_deref())?),
        to: addresses("to", &input.to, kind)?,
        cc: addresses("cc", &input.cc, kind)?,
        bcc: addresses("bcc", &input.bcc, kind)?,
        ..ParsedMail::default()
    };
    if let Some((Action::Reply, _, mail, _)) = source
        && content.to.is_empty()
        && (derive || kind == Kind::Final)
    {
        let own = owner.addresses.iter().map(|address| mail::normalize_address(address)).collect();
        let derived = answer::reply_recipients(mail, &own, input.reply_all);
        content.to = derived.to;
        if content.cc.is_empty() {
            content.cc = derived.cc;
        }
    }
    Ok(content)
}

fn author(account: &Account, alias: Option<&str>) -> ApiResult<Address> {
    let name = account.display_name.clone();
    let Some(alias) = alias else {
        return Ok(Address { name, address: account.email_address.clone() });
    };
    check_text("from_alias", alias).map_err(refused)?;
    let alias = alias.trim();
    let mut own = std::iter::once(&account.email_address).chain(&account.aliases);
    match own.find(|address| address.eq_ignore_ascii_case(alias)) {
        Some(address) => Ok(Address { name, address: address.clone() }),
        None => Err(ApiError::invalid("from_alias", "it is no address of this mailbox; add it to its aliases first")),
    }
}

/// In a draft an address may be half written; before it leaves, it must be one.
fn addresses(field: &str, people: &[PersonInput], kind: Kind) -> ApiResult<Vec<Address>> {
    let mut seen = BTreeSet::new();
    let mut list = Vec::with_capacity(people.len());
    for (number, person) in people.iter().enumerate() {
        let at = |name: &str| format!("{field}[{number}].{name}");
        let name = person.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        check_text(&at("name"), name.as_deref().unwrap_or_default()).map_err(refused)?;
        check_text(&at("email"), &person.email).map_err(refused)?;
        let address = match kind {
            Kind::Final => check_address(&person.email).map_err(|error| refused(error.at(at("email"))))?,
            Kind::Draft => person.email.trim().chars().take(320).collect(),
        };
        let one = Address { name, address };
        if seen.insert(one.normalized()) {
            list.push(one);
        }
    }
    Ok(list)
}

/// The subject, and what the mail refers to.
pub(super) fn head(content: &mut ParsedMail, input: &MailInput, source: Option<&Source>, kind: Kind, derive: bool) {
    content.subject = input.subject.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let Some((action, _, mail, _)) = source else { return };
    if content.subject.is_empty() && (derive || kind == Kind::Final) {
        content.subject = match action {
            Action::Reply => answer::reply_subject(&mail.subject),
            Action::Forward => answer::forward_subject(&mail.subject),
        };
    }
    content.references = answer::references_for(mail);
    if *action == Action::Reply {
        content.in_reply_to = mail.message_id.iter().cloned().collect();
    }
}

/// A Message-ID of our own, at the domain of the author (RFC 5322 §3.6.4).
pub(super) fn message_id(from: &Option<Address>) -> String {
    let author = from.as_ref().map(Address::normalized).unwrap_or_default();
    let domain = author.rsplit_once('@').map_or("duplex.invalid", |(_, domain)| domain);
    format!("{}@{domain}", Uuid::now_v7().simple())
}

/// Marks the files that the HTML shows, and adds those of a mail that is forwarded.
pub(super) fn embed(
    resolved: Vec<(Uuid, WrittenFile)>,
    input: &MailInput,
    source: Option<&Source>,
    is_new: bool,
) -> Vec<WrittenFile> {
    let html = input.body_html.as_deref().unwrap_or_default();
    let mut files: Vec<WrittenFile> = Vec::with_capacity(resolved.len());
    for (asked, mut file) in resolved {
        if html.contains(&format!("cid:{asked}")) || html.contains(&format!("/mail-img/cid/{asked}")) {
            file.content_id.get_or_insert_with(|| asked.to_string());
        }
        let shown =
            |cid: &String| html.contains(&format!("cid:{cid}")) || html.contains(&format!("/mail-img/cid/{asked}"));
        file.is_inline = file.content_id.as_ref().is_some_and(shown);
        files.push(file);
    }
    if let Some((Action::Forward, _, _, of_source)) = source
        && is_new
    {
        let carried = of_source.iter().filter(|file| !file.is_inline);
        files.extend(carried.map(|file| WrittenFile { id: AttachmentId::new(), ..file.clone() }));
    }
    files
}

/// The texts; before it leaves with the signature and the original, and the images that the original shows. Answers what
/// the writer wrote of them.
pub(super) fn body(
    content: &mut ParsedMail,
    files: &mut Vec<WrittenFile>,
    input: MailInput,
    account: &Account,
    source: Option<&Source>,
    complete: bool,
) -> OwnText {
    let html = input.body_html.filter(|html| !html.trim().is_empty()).map(|html| with_own_images(html, files));
    let text = input.body_text.filter(|text| !text.trim().is_empty());
    let own = text.clone().or_else(|| html.as_deref().map(mail::html::to_text)).unwrap_or_default();
    let written = OwnText { text: text.clone(), html: html.clone() };
    let mut whole = Body { text, html };
    if complete {
        if let Some(signature) = account.settings.signature_html.as_deref() {
            whole = whole.with_signature(signature);
        }
        if let Some((action, _, original, of_source)) = source {
            whole = whole.with_quote(&match action {
                Action::Reply => answer::quote_reply(original),
                Action::Forward => answer::quote_forward(original),
            });
            let shown = whole.html.as_deref().unwrap_or_default();
            let missing = of_source.iter().filter(|file| {
                let cid = file.content_id.as_deref().filter(|_| file.is_inline);
                cid.is_some_and(|cid| {
                    shown.contains(&format!("cid:{cid}"))
                        && !files.iter().any(|own| own.content_id.as_deref() == Some(cid))
                })
            });
            let missing: Vec<WrittenFile> =
                missing.map(|file| WrittenFile { id: AttachmentId::new(), ..file.clone() }).collect();
            files.extend(missing);
        }
    }
    content.snippet = mail::snippet(&own);
    content.visible_text = Some(own);
    content.body_text = whole.text;
    content.body_html = whole.html;
    written
}

/// The page shows embedded images by addresses of ours; in the mail they go by Content-ID.
fn with_own_images(mut html: String, files: &[WrittenFile]) -> String {
    for file in files {
        if let Some(cid) = &file.content_id {
            html = html.replace(&format!("/mail-img/cid/{}", file.id), &format!("cid:{cid}"));
        }
    }
    html
}
