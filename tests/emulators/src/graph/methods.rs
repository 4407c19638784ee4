//! The methods of the API: where they are, what they take and who may call them.

use super::call::Run;
use super::schema::{self, Type};
use super::{attachments, changes, delta, drafts, folders, messages, replies, sending, uploads, users};

/// One method.
#[derive(Debug)]
pub struct Method {
    /// Its name, as in `messages.get`.
    pub name: &'static str,
    /// The HTTP method.
    pub http: &'static str,
    /// The path below the user.
    pub path: &'static str,
    /// Options of the query.
    pub options: &'static [&'static str],
    /// The type of the body; none if there is no body.
    pub body: Option<&'static Type>,
    /// Whether the body may be a mail in base64 instead.
    pub takes_mime: bool,
    /// Whether the body may be left out.
    pub body_is_optional: bool,
    /// Any of these scopes opens it.
    pub scopes: &'static [&'static str],
    /// What it does.
    pub run: Run,
}

const READ: &[&str] = &["Mail.Read", "Mail.ReadWrite"];
const WRITE: &[&str] = &["Mail.ReadWrite"];
const SEND: &[&str] = &["Mail.Send"];

const ONE: &[&str] = &["$select", "$expand"];
const LIST: &[&str] = &["$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$search", "$count"];
const FOLDERS: &[&str] =
    &["$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "includeHiddenFolders"];
const DELTA: &[&str] =
    &["$select", "$expand", "$filter", "$orderby", "$top", "$deltatoken", "$skiptoken", "changeType"];
const FOLDER_DELTA: &[&str] = &["$select", "$deltatoken", "$skiptoken"];

const fn get(name: &'static str, path: &'static str, options: &'static [&'static str], run: Run) -> Method {
    Method {
        name,
        http: "GET",
        path,
        options,
        body: None,
        takes_mime: false,
        body_is_optional: false,
        scopes: READ,
        run,
    }
}

const fn write(http: &'static str, name: &'static str, path: &'static str, run: Run) -> Method {
    Method { http, scopes: WRITE, ..get(name, path, &[], run) }
}

const fn post(name: &'static str, path: &'static str, body: &'static Type, run: Run) -> Method {
    Method { body: Some(body), ..write("POST", name, path, run) }
}

impl Method {
    const fn or_mime(mut self) -> Self {
        self.takes_mime = true;
        self
    }
    const fn or_nothing(mut self) -> Self {
        self.body_is_optional = true;
        self
    }
    const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }
}

/// All methods below a user that the emulator knows.
pub static METHODS: &[Method] = &[
    Method {
        scopes: &["User.Read", "User.ReadBasic.All", "User.Read.All"],
        ..get("users.get", "", &["$select"], users::get)
    },
    get("folders.list", "mailFolders", FOLDERS, folders::list),
    post("folders.create", "mailFolders", &schema::MAIL_FOLDER, folders::create),
    get("folders.delta", "mailFolders/delta", FOLDER_DELTA, delta::folders),
    get("folders.get", "mailFolders/{folder}", ONE, folders::get),
    Method {
        body: Some(&schema::MAIL_FOLDER),
        ..write("PATCH", "folders.update", "mailFolders/{folder}", folders::update)
    },
    write("DELETE", "folders.delete", "mailFolders/{folder}", folders::delete),
    get("folders.listChildren", "mailFolders/{folder}/childFolders", FOLDERS, folders::list),
    post("folders.createChild", "mailFolders/{folder}/childFolders", &schema::MAIL_FOLDER, folders::create),
    post("folders.move", "mailFolders/{folder}/move", &schema::MOVE, folders::relocate),
    write("POST", "folders.permanentDelete", "mailFolders/{folder}/permanentDelete", folders::purge),
    get("messages.list", "messages", LIST, messages::list),
    get("messages.count", "messages/$count", &["$filter"], messages::count),
    get("messages.get", "messages/{message}", ONE, messages::get),
    get("messages.value", "messages/{message}/$value", &[], messages::value),
    get("messages.listIn", "mailFolders/{folder}/messages", LIST, messages::list),
    get("messages.countIn", "mailFolders/{folder}/messages/$count", &["$filter"], messages::count),
    get("messages.delta", "mailFolders/{folder}/messages/delta", DELTA, delta::messages),
    get("attachments.list", "messages/{message}/attachments", ONE, attachments::list),
    get("attachments.get", "messages/{message}/attachments/{attachment}", ONE, attachments::get),
    get("attachments.value", "messages/{message}/attachments/{attachment}/$value", &[], attachments::value),
    post("messages.create", "messages", &schema::MESSAGE, drafts::create).or_mime(),
    post("messages.createIn", "mailFolders/{folder}/messages", &schema::MESSAGE, drafts::create).or_mime(),
    Method { body: Some(&schema::MESSAGE), ..write("PATCH", "messages.update", "messages/{message}", changes::update) },
    write("DELETE", "messages.delete", "messages/{message}", changes::delete),
    write("POST", "messages.permanentDelete", "messages/{message}/permanentDelete", changes::purge),
    post("messages.move", "messages/{message}/move", &schema::MOVE, changes::relocate),
    post("messages.copy", "messages/{message}/copy", &schema::MOVE, changes::copy),
    post("messages.createReply", "messages/{message}/createReply", &schema::REPLY, replies::create_reply)
        .or_mime()
        .or_nothing(),
    post("messages.createReplyAll", "messages/{message}/createReplyAll", &schema::REPLY, replies::create_reply_all)
        .or_mime()
        .or_nothing(),
    post("messages.createForward", "messages/{message}/createForward", &schema::FORWARD, replies::create_forward)
        .or_mime()
        .or_nothing(),
    post("messages.reply", "messages/{message}/reply", &schema::REPLY, replies::reply)
        .or_mime()
        .or_nothing()
        .scopes(SEND),
    post("messages.replyAll", "messages/{message}/replyAll", &schema::REPLY, replies::reply_all)
        .or_mime()
        .or_nothing()
        .scopes(SEND),
    post("messages.forward", "messages/{message}/forward", &schema::FORWARD, replies::forward).or_mime().scopes(SEND),
    write("POST", "messages.send", "messages/{message}/send", sending::send).scopes(SEND),
    post("users.sendMail", "sendMail", &schema::SEND_MAIL, sending::send_mail).or_mime().scopes(SEND),
    post("attachments.create", "messages/{message}/attachments", &schema::ATTACHMENT, changes::attach),
    write("DELETE", "attachments.delete", "messages/{message}/attachments/{attachment}", changes::detach),
    post(
        "attachments.createUploadSession",
        "messages/{message}/attachments/createUploadSession",
        &schema::UPLOAD_SESSION,
        uploads::create,
    ),
    post("users.translateExchangeIds", "translateExchangeIds", &schema::TRANSLATE, users::translate),
];

/// Finds the method of a path below the user, with the values in it.
pub fn find(http: &str, path: &[String]) -> Option<(&'static Method, Vec<(&'static str, String)>)> {
    let fitting = METHODS.iter().filter(|method| method.http == http);
    let matches = fitting.filter_map(|method| values(method.path, path).map(|values| (method, values)));
    matches.min_by_key(|(_, values)| values.len())
}

/// Whether any method has this path.
pub fn is_known(path: &[String]) -> bool {
    METHODS.iter().any(|method| values(method.path, path).is_some())
}

fn values(template: &'static str, path: &[String]) -> Option<Vec<(&'static str, String)>> {
    let pieces: Vec<&'static str> = template.split('/').filter(|piece| !piece.is_empty()).collect();
    if pieces.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    for (piece, given) in pieces.into_iter().zip(path) {
        match piece.strip_prefix('{').and_then(|piece| piece.strip_suffix('}')) {
            Some(_) if given.starts_with('$') => return None,
            Some(name) => found.push((name, given.clone())),
            None if piece.eq_ignore_ascii_case(given) => {}
            None => return None,
        }
    }
    Some(found)
}
