//! From what was sent in to a mail that can go out: checked, derived where it may be, with its files.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Sending;
use super::parts::{body, embed, head, message_id, people};
use crate::access::Access;
use crate::accounts::Account;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::ids::{AttachmentId, EmailId};
use crate::mail::compose::answer::ReplySource;
use crate::mail::compose::{ComposeError, check_header, check_text};
use crate::mail::{Mailbox as Address, ParsedMail};
use crate::messages::{self, MailStatus, Mailbox, Written, WrittenFile};
use crate::sending::compose::{self, Form};
use crate::sending::dto::{MailInput, PersonInput};
use crate::sending::model::{Action, MAX_MAIL, MAX_RECIPIENTS, Options, Outgoing, Plan};
use crate::sending::store::{files, write};

/// Most header fields of its own that a mail may have.
const MAX_HEADERS: usize = 50;

/// What a mail is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To be written on: it may be unfinished.
    Draft,
    /// To be sent: it must be right, and gets its signature and the original that it quotes.
    Final,
}

/// A mail that was checked.
pub(super) struct Prepared {
    pub account: Account,
    pub owner: Mailbox,
    pub plan: Plan,
    content: ParsedMail,
    files: Vec<WrittenFile>,
}

impl Prepared {
    /// What is stored of it.
    pub fn written(&self, status: MailStatus, at: Timestamp) -> Written {
        Written { content: self.content.clone(), files: self.files.clone(), at, status }
    }
}

/// A stored draft as it would be sent in.
pub(super) fn input_of(draft: &Outgoing) -> MailInput {
    let people = |kind: &str| {
        let person = |person: Address| PersonInput { email: person.address, name: person.name };
        draft.people(kind).into_iter().map(person).collect()
    };
    let source = |wanted: Action| draft.plan.source.filter(|(action, _)| *action == wanted).map(|(_, email)| email);
    MailInput {
        account_id: draft.account,
        from_alias: Some(draft.from.address.clone()).filter(|address| !address.is_empty()),
        to: people("to"),
        cc: people("cc"),
        bcc: people("bcc"),
        subject: Some(draft.subject.clone()),
        body_html: draft.body_html.clone(),
        body_text: draft.body_text.clone(),
        attachment_ids: draft.files.iter().map(|file| file.id.uuid()).collect(),
        reply_to_message_id: source(Action::Reply),
        reply_all: draft.plan.options.reply_all,
        forward_message_id: source(Action::Forward),
        template_id: None,
        variables: None,
        contact_id: draft.plan.options.contact_id,
        deal_id: draft.plan.options.deal_id,
        track_opens: draft.plan.options.track_opens,
        track_clicks: draft.plan.options.track_clicks,
        unsubscribe: false,
        scheduled_at: None,
        headers: draft.plan.headers.iter().cloned().collect(),
    }
}

impl Sending {
    /// Checks a mail and puts together what is stored of it. `before` is the draft that it is written over.
    pub(super) async fn prepare(
        &self,
        access: &Access,
        input: MailInput,
        kind: Kind,
        before: Option<&Outgoing>,
    ) -> ApiResult<Prepared> {
        let account = match kind {
            Kind::Final => self.writable(access, input.account_id).await?,
            Kind::Draft => self.drafting(access, input.account_id).await?,
        };
        not_offered(&input)?;
        let owner = Mailbox::of(&account);
        let mut conn = self.db.read().await?;
        let source = source(&mut conn, access, &input).await?;
        let options = options(&mut conn, access, &input, kind, before).await?;
        let resolved = resolve(&mut conn, access, &input.attachment_ids, before.map(|draft| draft.id)).await?;
        drop(conn);
        let mut content = people(&account, &owner, &input, source.as_ref(), kind, before.is_none())?;
        if kind == Kind::Final {
            self.check_recipients(access, &content).await?;
        }
        head(&mut content, &input, source.as_ref(), kind, before.is_none());
        content.message_id = before.map(|draft| draft.message_id.clone()).filter(|id| !id.is_empty());
        content.message_id.get_or_insert_with(|| message_id(&content.from));
        let is_new = before.is_none();
        let mut files = embed(resolved, &input, source.as_ref(), is_new);
        let whole = before.is_some_and(|draft| draft.plan.options.is_whole);
        let complete = kind == Kind::Final && !whole;
        let own = body(&mut content, &mut files, input, &account, source.as_ref(), complete);
        let (mut options, headers) = options;
        options.own = match complete {
            true => Some(own),
            false => before.and_then(|draft| draft.plan.options.own.clone()).filter(|_| kind == Kind::Final),
        };
        let plan = Plan { source: source.map(|(action, id, ..)| (action, id)), headers, options };
        let prepared = Prepared { account, owner, plan, content, files };
        check_size(access, &prepared, kind, self.clock.now())?;
        Ok(prepared)
    }

    /// A mailbox of the caller in which drafts can be kept.
    async fn drafting(&self, access: &Access, id: crate::ids::AccountId) -> ApiResult<Account> {
        let account = self.accounts.find(access.org, id).await?;
        account
            .filter(|account| account.user == access.user && account.removed_at.is_none())
            .ok_or_else(|| ApiError::invalid("account_id", "you have no such mailbox"))
    }

    async fn check_recipients(&self, access: &Access, content: &ParsedMail) -> ApiResult<()> {
        let all: Vec<&Address> = content.to.iter().chain(&content.cc).chain(&content.bcc).collect();
        if all.is_empty() {
            return Err(ApiError::invalid("to", "give at least one recipient"));
        }
        if all.len() > MAX_RECIPIENTS {
            let detail = format!("a mail can have {MAX_RECIPIENTS} recipients at most; this one has {}", all.len());
            return Err(ApiError::invalid("to", detail));
        }
        let addresses: Vec<String> = all.iter().map(|person| person.normalized()).collect();
        let refused = messages::suppressed(&mut self.db.read().await?, access.org, &addresses).await?;
        if refused.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "Mail to {} came back, or its reader does not want any. Leave the address out, or lift the suppression.",
            refused.join(", ")
        );
        Err(ApiError::new(ErrorCode::RecipientSuppressed, detail))
    }
}

/// The mail that is answered or forwarded, and its files.
pub(super) type Source = (Action, EmailId, ReplySource, Vec<WrittenFile>);

/// What the contract names and this server cannot do so far is refused, never passed over in silence.
fn not_offered(input: &MailInput) -> ApiResult<()> {
    if input.template_id.is_some() {
        return Err(ApiError::invalid("template_id", "there is no such template"));
    }
    if input.variables.is_some() {
        return Err(ApiError::invalid("variables", "they only go with a template"));
    }
    if input.unsubscribe {
        return Err(ApiError::invalid("unsubscribe", "unsubscribing with one click is not offered yet"));
    }
    if input.reply_to_message_id.is_some() && input.forward_message_id.is_some() {
        return Err(ApiError::invalid("forward_message_id", "a mail cannot answer one and forward another"));
    }
    if input.reply_all && input.reply_to_message_id.is_none() {
        return Err(ApiError::invalid("reply_all", "it only goes with reply_to_message_id"));
    }
    Ok(())
}

async fn source(conn: &mut DbConn, access: &Access, input: &MailInput) -> ApiResult<Option<Source>> {
    let (action, id, field) = match (input.reply_to_message_id, input.forward_message_id) {
        (Some(id), _) => (Action::Reply, id, "reply_to_message_id"),
        (None, Some(id)) => (Action::Forward, id, "forward_message_id"),
        (None, None) => return Ok(None),
    };
    let found = write::source(conn, access.user, id).await?;
    let (mail, files) = found.ok_or_else(|| ApiError::invalid(field, "there is no such mail"))?;
    Ok(Some((action, id, mail, files)))
}

async fn options(
    conn: &mut DbConn,
    access: &Access,
    input: &MailInput,
    kind: Kind,
    before: Option<&Outgoing>,
) -> ApiResult<(Options, Vec<(String, String)>)> {
    if let Some(contact) = input.contact_id
        && !write::has_contact(conn, access.org, contact).await?
    {
        return Err(ApiError::invalid("contact_id", "there is no such contact"));
    }
    if let Some(deal) = input.deal_id
        && !write::has_deal(conn, access.org, deal).await?
    {
        return Err(ApiError::invalid("deal_id", "there is no such deal"));
    }
    if input.headers.len() > MAX_HEADERS {
        return Err(ApiError::invalid("headers", format!("give {MAX_HEADERS} header fields at most")));
    }
    for (name, value) in &input.headers {
        check_header(name, value).map_err(refused)?;
    }
    let options = Options {
        reply_all: input.reply_all,
        is_whole: kind == Kind::Final || before.is_some_and(|draft| draft.plan.options.is_whole),
        own: None,
        track_opens: input.track_opens,
        track_clicks: input.track_clicks,
        contact_id: input.contact_id,
        deal_id: input.deal_id,
    };
    Ok((options, input.headers.clone().into_iter().collect()))
}

/// Files by the ids that were asked for; those of other mails become files of this one.
async fn resolve(
    conn: &mut DbConn,
    access: &Access,
    ids: &[Uuid],
    own: Option<EmailId>,
) -> ApiResult<Vec<(Uuid, WrittenFile)>> {
    let found = files::usable(conn, access, ids).await?;
    let mut seen = BTreeSet::new();
    let mut resolved = Vec::with_capacity(ids.len());
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        let (_, email, file) = found
            .iter()
            .find(|(known, ..)| known == id)
            .ok_or_else(|| ApiError::invalid("attachment_ids", format!("there is no file {id}; upload it again")))?;
        let mut file = file.clone();
        if email.is_none() || *email != own {
            file.id = AttachmentId::new();
        }
        resolved.push((*id, file));
    }
    Ok(resolved)
}

/// Builds the mail once, so that what cannot be built is refused now, and measures it.
fn check_size(access: &Access, prepared: &Prepared, kind: Kind, now: Timestamp) -> ApiResult<()> {
    if kind == Kind::Draft {
        return check_text("subject", &prepared.content.subject).map_err(refused);
    }
    let mail = preview(access, prepared, now);
    let built = compose::build(&mail, Form::Sent).map_err(refused)?;
    let limit = prepared.account.smtp_max_size.unwrap_or(MAX_MAIL).min(MAX_MAIL);
    if built.size() <= limit {
        return Ok(());
    }
    let megabytes = |octets: u64| octets.div_ceil(1_000_000);
    let detail = format!(
        "The mail has {} MB as it would be sent, and the server takes {} MB. Leave files out or send links to them.",
        megabytes(built.size()),
        limit / 1_000_000
    );
    Err(ApiError::new(ErrorCode::MessageTooLarge, detail))
}

/// The mail as the sender will find it.
fn preview(access: &Access, prepared: &Prepared, now: Timestamp) -> Outgoing {
    let content = &prepared.content;
    let kinds = [("to", &content.to), ("cc", &content.cc), ("bcc", &content.bcc)];
    let recipients = kinds.into_iter().flat_map(|(kind, list)| {
        list.iter().map(move |person| crate::sending::model::Recipient {
            id: crate::ids::RecipientId::new(),
            kind: kind.to_owned(),
            person: person.clone(),
            delivered: None,
        })
    });
    Outgoing {
        id: EmailId::new(),
        org: access.org,
        account: prepared.account.id,
        status: MailStatus::Queued,
        revision: 1,
        mirrored_revision: None,
        plan: prepared.plan.clone(),
        message_id: content.message_id.clone().unwrap_or_default(),
        in_reply_to: content.in_reply_to.first().cloned(),
        references: content.references.clone(),
        from: content.from.clone().unwrap_or(Address { name: None, address: String::new() }),
        subject: content.subject.clone(),
        body_text: content.body_text.clone(),
        body_html: content.body_html.clone(),
        sent_at: now,
        received_at: now,
        mirror_due_at: None,
        attempts: 0,
        handed_at: None,
        recipients: recipients.collect(),
        files: prepared.files.clone(),
    }
}

pub(super) fn refused(error: ComposeError) -> ApiError {
    ApiError::invalid(error.field, error.reason)
}
