//! The methods of the API: where they are, what they take, who may call them and what they cost.

use super::schema::{
    BATCH_DELETE, BATCH_MODIFY, DRAFT, Field, Kind, LABEL, MESSAGE, MODIFY_MESSAGE, MODIFY_THREAD, SEND_AS, TEXTS,
    WATCH, field,
};
use super::scopes::names::{COMPOSE, FULL, INSERT, LABELS, METADATA, MODIFY, READONLY, SEND, SETTINGS, SHARING};
use super::{call::Run, drafts, history, labels, messages, sending, settings, threads, watch};

/// One method.
#[derive(Debug)]
pub struct Method {
    /// Its name, as in `messages.get`.
    pub name: &'static str,
    /// The HTTP method.
    pub http: &'static str,
    /// The path below the user.
    pub path: &'static str,
    /// Parameters of the query besides those that all methods take.
    pub query: &'static [Field],
    /// Fields of the body; none if there is no body.
    pub body: Option<&'static [Field]>,
    /// Any of these scopes opens it.
    pub scopes: &'static [&'static str],
    /// Units in a new project, and in one from before May 2026.
    pub price: (u32, u32),
    /// The most bytes of an upload, where it takes one.
    pub upload: Option<usize>,
    /// What it does.
    pub run: Run,
}

const READS: &[&str] = &[FULL, METADATA, MODIFY, READONLY];
const WRITES: &[&str] = &[FULL, MODIFY];
const DRAFTS: &[&str] = &[FULL, COMPOSE, MODIFY];
const DRAFT_READS: &[&str] = &[FULL, COMPOSE, MODIFY, READONLY];
const LABEL_WRITES: &[&str] = &[FULL, LABELS, MODIFY];
const LABEL_READS: &[&str] = &[FULL, LABELS, METADATA, MODIFY, READONLY];
const SETTING_READS: &[&str] = &[FULL, MODIFY, READONLY, SETTINGS];

/// The most bytes of a mail that is sent or kept as a draft.
pub const LARGEST_SENT: usize = 36_700_160;
/// The most bytes of a mail that is put into the mailbox.
pub const LARGEST_INSERTED: usize = 157_286_400;

const FORMAT: Field = field("format", Kind::OneOf(&["minimal", "full", "raw", "metadata"]));
const THREAD_FORMAT: Field = field("format", Kind::OneOf(&["full", "metadata", "minimal"]));
const METADATA_HEADERS: Field = field("metadataHeaders", TEXTS);
const MAX_RESULTS: Field = field("maxResults", Kind::Uint32);
const PAGE_TOKEN: Field = field("pageToken", Kind::Text);
const DATE_SOURCE: Field = field("internalDateSource", Kind::OneOf(&["receivedTime", "dateHeader"]));
const DELETED: Field = field("deleted", Kind::Bool);

static LISTS: [Field; 5] =
    [field("includeSpamTrash", Kind::Bool), field("labelIds", TEXTS), MAX_RESULTS, PAGE_TOKEN, field("q", Kind::Text)];
static DRAFT_LISTS: [Field; 4] =
    [field("includeSpamTrash", Kind::Bool), MAX_RESULTS, PAGE_TOKEN, field("q", Kind::Text)];
static HISTORY: [Field; 5] = [
    field("historyTypes", Kind::List(&Kind::OneOf(&["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]))),
    field("labelId", Kind::Text),
    MAX_RESULTS,
    PAGE_TOKEN,
    field("startHistoryId", Kind::Uint64),
];
static GETS: [Field; 2] = [FORMAT, METADATA_HEADERS];
static THREAD_GETS: [Field; 2] = [THREAD_FORMAT, METADATA_HEADERS];
static DRAFT_GETS: [Field; 1] = [FORMAT];
static INSERTS: [Field; 2] = [DELETED, DATE_SOURCE];
static IMPORTS: [Field; 4] =
    [DELETED, DATE_SOURCE, field("neverMarkSpam", Kind::Bool), field("processForCalendar", Kind::Bool)];

const fn get(name: &'static str, path: &'static str, scopes: &'static [&'static str], run: Run) -> Method {
    Method { name, http: "GET", path, query: &[], body: None, scopes, price: (1, 1), upload: None, run }
}

impl Method {
    const fn http(mut self, http: &'static str) -> Self {
        self.http = http;
        self
    }
    const fn post(self) -> Self {
        self.http("POST")
    }
    const fn query(mut self, query: &'static [Field]) -> Self {
        self.query = query;
        self
    }
    const fn body(mut self, body: &'static [Field]) -> Self {
        self.body = Some(body);
        self
    }
    const fn costs(mut self, new: u32, legacy: u32) -> Self {
        self.price = (new, legacy);
        self
    }
    const fn upload(mut self, most: usize) -> Self {
        self.upload = Some(most);
        self
    }
}

/// All methods the emulator knows.
pub static METHODS: &[Method] = &[
    get("getProfile", "profile", &[FULL, COMPOSE, METADATA, MODIFY, READONLY], history::profile),
    get("watch", "watch", READS, watch::watch).post().body(&WATCH).costs(100, 100),
    get("stop", "stop", READS, watch::stop).post().costs(50, 50),
    get("history.list", "history", READS, history::list).query(&HISTORY).costs(2, 2),
    get("messages.list", "messages", READS, messages::list).query(&LISTS).costs(5, 5),
    get("messages.get", "messages/{id}", READS, messages::get).query(&GETS).costs(20, 5),
    get(
        "messages.attachments.get",
        "messages/{messageId}/attachments/{id}",
        &[FULL, MODIFY, READONLY],
        messages::attachment,
    )
    .costs(20, 5),
    get("messages.send", "messages/send", &[FULL, COMPOSE, MODIFY, SEND], sending::send)
        .post()
        .body(&MESSAGE)
        .costs(100, 100)
        .upload(LARGEST_SENT),
    get("messages.insert", "messages", &[FULL, INSERT, MODIFY], sending::insert)
        .post()
        .query(&INSERTS)
        .body(&MESSAGE)
        .costs(25, 25)
        .upload(LARGEST_INSERTED),
    get("messages.import", "messages/import", &[FULL, INSERT, MODIFY], sending::import)
        .post()
        .query(&IMPORTS)
        .body(&MESSAGE)
        .costs(25, 25)
        .upload(LARGEST_INSERTED),
    get("messages.batchModify", "messages/batchModify", WRITES, messages::batch_modify)
        .post()
        .body(&BATCH_MODIFY)
        .costs(50, 50),
    get("messages.batchDelete", "messages/batchDelete", &[FULL], messages::batch_delete)
        .post()
        .body(&BATCH_DELETE)
        .costs(50, 50),
    get("messages.modify", "messages/{id}/modify", WRITES, messages::modify).post().body(&MODIFY_MESSAGE).costs(5, 5),
    get("messages.trash", "messages/{id}/trash", WRITES, messages::trash).post().costs(20, 5),
    get("messages.untrash", "messages/{id}/untrash", WRITES, messages::untrash).post().costs(5, 5),
    get("messages.delete", "messages/{id}", &[FULL], messages::delete).http("DELETE").costs(10, 10),
    get("threads.list", "threads", READS, threads::list).query(&LISTS).costs(10, 10),
    get("threads.get", "threads/{id}", READS, threads::get).query(&THREAD_GETS).costs(40, 10),
    get("threads.modify", "threads/{id}/modify", WRITES, threads::modify).post().body(&MODIFY_THREAD).costs(10, 10),
    get("threads.trash", "threads/{id}/trash", WRITES, threads::trash).post().costs(10, 10),
    get("threads.untrash", "threads/{id}/untrash", WRITES, threads::untrash).post().costs(10, 10),
    get("threads.delete", "threads/{id}", &[FULL], threads::delete).http("DELETE").costs(20, 20),
    get("drafts.list", "drafts", DRAFT_READS, drafts::list).query(&DRAFT_LISTS).costs(5, 5),
    get("drafts.get", "drafts/{id}", DRAFT_READS, drafts::get).query(&DRAFT_GETS).costs(20, 5),
    get("drafts.create", "drafts", DRAFTS, drafts::create).post().body(&DRAFT).costs(10, 10).upload(LARGEST_SENT),
    get("drafts.send", "drafts/send", DRAFTS, drafts::send).post().body(&DRAFT).costs(100, 100).upload(LARGEST_SENT),
    get("drafts.update", "drafts/{id}", DRAFTS, drafts::update)
        .http("PUT")
        .body(&DRAFT)
        .costs(15, 15)
        .upload(LARGEST_SENT),
    get("drafts.delete", "drafts/{id}", DRAFTS, drafts::delete).http("DELETE").costs(10, 10),
    get("labels.list", "labels", LABEL_READS, labels::list),
    get("labels.get", "labels/{id}", LABEL_READS, labels::get),
    get("labels.create", "labels", LABEL_WRITES, labels::create).post().body(&LABEL).costs(5, 5),
    get("labels.update", "labels/{id}", LABEL_WRITES, labels::update).http("PUT").body(&LABEL).costs(5, 5),
    get("labels.patch", "labels/{id}", LABEL_WRITES, labels::patch).http("PATCH").body(&LABEL).costs(5, 5),
    get("labels.delete", "labels/{id}", LABEL_WRITES, labels::delete).http("DELETE").costs(5, 5),
    get("settings.sendAs.list", "settings/sendAs", SETTING_READS, settings::list),
    get("settings.sendAs.get", "settings/sendAs/{sendAsEmail}", SETTING_READS, settings::get),
    get("settings.sendAs.create", "settings/sendAs", &[SHARING], settings::create)
        .post()
        .body(&SEND_AS)
        .costs(100, 100),
    get("settings.sendAs.update", "settings/sendAs/{sendAsEmail}", &[SETTINGS, SHARING], settings::update)
        .http("PUT")
        .body(&SEND_AS)
        .costs(100, 100),
    get("settings.sendAs.patch", "settings/sendAs/{sendAsEmail}", &[SETTINGS, SHARING], settings::patch)
        .http("PATCH")
        .body(&SEND_AS)
        .costs(100, 100),
    get("settings.sendAs.delete", "settings/sendAs/{sendAsEmail}", &[SHARING], settings::delete)
        .http("DELETE")
        .costs(5, 5),
    get("settings.sendAs.verify", "settings/sendAs/{sendAsEmail}/verify", &[SHARING], settings::verify)
        .post()
        .costs(100, 100),
];

/// Values of the places in braces of a path.
pub type PathValues = Vec<(&'static str, String)>;

/// The method behind this path below the user, with the values in the path.
pub fn find(http: &str, path: &[String]) -> Option<(&'static Method, PathValues)> {
    // Fixed words come before places in braces: `messages/send` is no message called `send`.
    let mut found: Vec<(&'static Method, PathValues)> = METHODS
        .iter()
        .filter(|method| method.http == http)
        .filter_map(|method| Some((method, values(method.path, path)?)))
        .collect();
    found.sort_by_key(|(_, values)| values.len());
    found.into_iter().next()
}

fn values(template: &'static str, path: &[String]) -> Option<PathValues> {
    let pieces: Vec<&'static str> = template.split('/').collect();
    if pieces.len() != path.len() {
        return None;
    }
    let mut values = Vec::new();
    for (piece, value) in pieces.into_iter().zip(path) {
        match piece.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => values.push((name, value.clone())),
            None if piece == value => {}
            None => return None,
        }
    }
    Some(values)
}
