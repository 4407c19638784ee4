//! `users.messages`: lists, single mails, attachments and changes of labels.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::mime;
use super::model::{Mail, Record};
use super::pages::{AttachmentId, page_start, page_token};
use super::search::Search;
use super::view::{View, brief};
use data_encoding::BASE64URL;
use serde_json::{Value, json};

/// Most ids of one `batchModify` or `batchDelete`.
const MOST_IDS: usize = 1000;

/// Which mails a list is about, and where its page starts.
pub struct Selection {
    labels: Vec<String>,
    search: Search,
    everywhere: bool,
    /// The name of this very list, for its pages' tokens.
    pub list: String,
    /// The last item before the page.
    pub start: Option<Value>,
    /// The size of a page.
    pub size: usize,
    now: i64,
}

impl Selection {
    /// Reads the parameters of a list.
    pub fn of(call: &mut Call<'_>, name: &str) -> Result<Self, ApiError> {
        let now = call.state.now();
        let labels = call.query.all("labelIds");
        let text = call.query.get("q").unwrap_or_default().to_owned();
        if !text.is_empty() && call.sees_metadata_alone() {
            return Err(ApiError::forbidden("Metadata scope does not support 'q' parameter"));
        }
        let everywhere = call.query.is("includeSpamTrash");
        let size = call.query.page_size()?;
        let list = format!("{name} {} {labels:?} {text} {everywhere}", call.user);
        let start = page_start(call.query.get("pageToken"), &list, call.state.generation)?;
        let mailbox = call.mailbox()?;
        mailbox.check_labels(&labels, &[])?;
        let search = Search::parse(&text, mailbox)?;
        let named = labels.iter().any(|label| label == "TRASH" || label == "SPAM");
        let everywhere = everywhere || named || search.looks_everywhere();
        Ok(Self { labels, search, everywhere, list, start, size, now })
    }

    /// Whether a mail belongs to the list: it bears all labels and is found by the search.
    pub fn holds(&self, mail: &Mail) -> bool {
        let hidden = mail.labels.contains("TRASH") || mail.labels.contains("SPAM");
        mail.listed_from <= self.now
            && (self.everywhere || !hidden)
            && self.labels.iter().all(|label| mail.labels.contains(label))
            && self.search.finds(mail)
    }
}

/// The place of an item in a list that is sorted from the newest on.
pub fn rank(date: i64, id: &str) -> Value {
    json!([date, id])
}

/// Whether an item comes after the last one of the page before.
pub fn is_after(start: Option<&Value>, date: i64, id: &str) -> bool {
    let Some(start) = start else {
        return true;
    };
    let last = (start.get(0).and_then(Value::as_i64).unwrap_or(0), start.get(1).and_then(Value::as_str).unwrap_or(""));
    (date, id) < last
}

/// `messages.list`: newest first. A page goes on behind the last mail of the one before, whatever has come since.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::of(call, "messages")?;
    let generation = call.state.generation;
    let mut mails: Vec<&Mail> = call.mailbox()?.mails.values().filter(|mail| selection.holds(mail)).collect();
    let total = mails.len();
    mails.retain(|mail| is_after(selection.start.as_ref(), mail.internal_date, &mail.id));
    mails.sort_by(|a, b| (b.internal_date, &b.id).cmp(&(a.internal_date, &a.id)));
    let more = mails.len() > selection.size;
    mails.truncate(selection.size);
    let mut answer = json!({"resultSizeEstimate": estimate(total)});
    if let Some(last) = mails.last().filter(|_| more) {
        let last = rank(last.internal_date, &last.id);
        answer["nextPageToken"] = json!(page_token(&selection.list, generation, &last));
    }
    if !mails.is_empty() {
        answer["messages"] = mails.iter().map(|mail| json!({"id": mail.id, "threadId": mail.thread})).collect();
    }
    Ok(Answer::Json(answer))
}

/// The estimate is not to be relied on, as with the real service.
pub fn estimate(total: usize) -> usize {
    if total > 100 { 201 } else { total }
}

/// `messages.get`.
pub fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let view = View::of(call)?;
    let id = call.place("id");
    let mail = call.mailbox()?.mail(&id)?;
    Ok(Answer::Json(view.message(mail)))
}

/// `messages.attachments.get`: the id is good for a while and for its own mail.
pub fn attachment(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let now = call.state.now();
    let generation = call.state.generation;
    let (id, message) = (call.place("id"), call.place("messageId"));
    let mail = call.mailbox()?.mail(&message)?;
    let refused = || ApiError::invalid("Invalid attachment token");
    let known = AttachmentId::opened(&id).ok_or_else(refused)?;
    if known.mail != message || known.generation != generation || known.expires <= now {
        return Err(refused());
    }
    let content = mime::content(&mail.raw, &known.part).ok_or_else(refused)?;
    Ok(Answer::Json(json!({"size": content.len(), "data": BASE64URL.encode(&content)})))
}

fn relabel(call: &mut Call<'_>, ids: &[String], add: &[String], remove: &[String]) -> Result<(), ApiError> {
    let mut record = Record::default();
    let mailbox = call.mailbox()?;
    for id in ids {
        mailbox.relabel(id, add, remove, &mut record);
    }
    call.commit(record);
    Ok(())
}

/// `messages.modify`.
pub fn modify(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (add, remove) = (call.texts("addLabelIds"), call.texts("removeLabelIds"));
    let id = call.place("id");
    let mailbox = call.mailbox()?;
    mailbox.mail(&id)?;
    mailbox.check_change(&add, &remove)?;
    one(call, &id, &add, &remove)
}

fn one(call: &mut Call<'_>, id: &str, add: &[String], remove: &[String]) -> Result<Answer, ApiError> {
    relabel(call, &[id.to_owned()], add, remove)?;
    Ok(Answer::Json(brief(call.mailbox()?.mail(id)?)))
}

/// `messages.trash`.
pub fn trash(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    call.mailbox()?.mail(&id)?;
    one(call, &id, &["TRASH".to_owned()], &[])
}

/// `messages.untrash`. The mail does not go back to the inbox by itself.
pub fn untrash(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    call.mailbox()?.mail(&id)?;
    one(call, &id, &[], &["TRASH".to_owned()])
}

fn ids(call: &Call<'_>) -> Result<Vec<String>, ApiError> {
    let ids = call.texts("ids");
    if ids.is_empty() {
        return Err(ApiError::invalid("No message ids specified"));
    }
    if ids.len() > MOST_IDS {
        return Err(ApiError::invalid("Too many message ids specified"));
    }
    Ok(ids)
}

/// `messages.batchModify`: all in one record. Ids that are gone are passed over.
pub fn batch_modify(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (add, remove) = (call.texts("addLabelIds"), call.texts("removeLabelIds"));
    let ids = ids(call)?;
    call.mailbox()?.check_change(&add, &remove)?;
    relabel(call, &ids, &add, &remove)?;
    Ok(Answer::Empty)
}

fn remove(call: &mut Call<'_>, ids: &[String]) -> Result<Answer, ApiError> {
    let mut record = Record::default();
    let mailbox = call.mailbox()?;
    for id in ids {
        mailbox.remove(id, &mut record);
    }
    call.commit(record);
    Ok(Answer::Empty)
}

/// `messages.delete`: for good.
pub fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    call.mailbox()?.mail(&id)?;
    remove(call, &[id])
}

/// `messages.batchDelete`: for good.
pub fn batch_delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let ids = ids(call)?;
    remove(call, &ids)
}
