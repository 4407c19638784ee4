//! One call of a method with everything it needs, already checked.

use super::errors::ApiError;
use super::ids::Kind;
use super::mailbox::Journal;
use super::model::Mailbox;
use super::oauth::Access;
use super::query::Options;
use super::state::State;
use super::view::View;
use crate::shared::http::{Reply, Request};
use serde_json::{Value, json};

/// What carries a method out.
pub type Run = fn(&mut Call<'_>) -> Result<Reply, ApiError>;

/// What a client would like.
#[derive(Clone, Debug, Default)]
pub struct Prefer {
    /// Whether ids shall last.
    pub immutable: bool,
    /// `text` or `html`.
    pub body: Option<&'static str>,
    /// Whether HTML shall come as it is.
    pub is_unsafe: bool,
    /// How many items a page shall have.
    pub page_size: Option<usize>,
}

impl Prefer {
    /// Reads all `Prefer` fields of a request.
    pub fn read(request: &Request) -> Self {
        let mut prefer = Self::default();
        let fields = request.headers.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case("prefer"));
        for wish in fields.flat_map(|(_, value)| value.split([',', ';'])) {
            let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "idtype" => prefer.immutable = value.eq_ignore_ascii_case("ImmutableId"),
                "outlook.body-content-type" if value.eq_ignore_ascii_case("text") => prefer.body = Some("text"),
                "outlook.body-content-type" if value.eq_ignore_ascii_case("html") => prefer.body = Some("html"),
                "outlook.allow-unsafe-html" => prefer.is_unsafe = true,
                "odata.maxpagesize" => prefer.page_size = value.parse().ok().filter(|size| (1..=1000).contains(size)),
                _ => {}
            }
        }
        prefer
    }

    /// The kind of ids that are wanted.
    pub fn kind(&self) -> Kind {
        if self.immutable { Kind::Lasting } else { Kind::Moving }
    }

    /// What of it was granted, for the answer.
    pub fn applied(&self) -> Option<String> {
        let mut applied = Vec::new();
        if self.immutable {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        applied.extend(self.body.map(|body| format!("outlook.body-content-type=\"{body}\"")));
        applied.extend(self.page_size.map(|size| format!("odata.maxpagesize={size}")));
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON that fits the method's type.
    Json(Value),
    /// A mail, decoded.
    Mime(Vec<u8>),
}

/// One call.
pub struct Call<'a> {
    /// Everything there is.
    pub state: &'a mut State,
    /// The user it is for, by object id.
    pub user: String,
    /// What the caller may do.
    pub access: Access,
    /// Values in the path.
    pub path: Vec<(&'static str, String)>,
    /// Options of the query.
    pub options: Options,
    /// What the client would like.
    pub prefer: Prefer,
    /// What the request carries.
    pub body: Body,
    /// The request itself.
    pub request: &'a Request,
}

impl Call<'_> {
    /// A value of the path; empty if the path has none of this name.
    pub fn place(&self, name: &str) -> String {
        self.path.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The mailbox.
    pub fn mailbox(&mut self) -> Result<&mut Mailbox, ApiError> {
        self.state.mailbox(&self.user)
    }

    /// The key of the mail that the path names.
    pub fn mail(&mut self) -> Result<u64, ApiError> {
        let (id, folder) = (self.place("message"), self.place("folder"));
        let hidden_since = self.state.now() - self.state.settings.find_lag_millis;
        let mailbox = self.mailbox()?;
        let mail = mailbox.mail(&id)?;
        if !mail.is_draft && mail.created > hidden_since {
            return Err(ApiError::not_found());
        }
        if !folder.is_empty() && mailbox.folder(&folder)?.number != mail.folder {
            return Err(ApiError::not_found());
        }
        Ok(mail.key)
    }

    /// Commits what happened and announces it.
    pub fn commit(&mut self, journal: Journal) {
        let user = self.user.clone();
        self.state.commit(&user, journal);
    }

    /// How things are shown to this client.
    pub fn view(&mut self) -> Result<View<'_>, ApiError> {
        let text_becomes_html = self.state.settings.text_becomes_html;
        self.state.mailbox(&self.user)?;
        let mailbox = self.state.mailboxes.get(&self.user).ok_or_else(ApiError::not_found)?;
        Ok(View {
            mailbox,
            user: &self.user,
            url: &self.state.url,
            kind: self.prefer.kind(),
            body: self.prefer.body,
            is_unsafe: self.prefer.is_unsafe,
            text_becomes_html,
        })
    }

    /// A value of the body; names of parameters are taken in any case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let Body::Json(Value::Object(object)) = &self.body else {
            return None;
        };
        let found = object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        found.filter(|value| !value.is_null())
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The user as addresses of the API name it.
    pub fn root(&self) -> String {
        format!("{}/users('{}')", self.state.base(), self.user)
    }

    /// A single thing, with its context.
    pub fn single(&self, status: u16, set: &str, mut value: Value) -> Reply {
        let context = format!("{}/$metadata#users('{}')/{set}/$entity", self.state.base(), self.user);
        if let Some(object) = value.as_object_mut() {
            object.insert("@odata.context".to_owned(), json!(context));
        }
        Reply::json(status, &value)
    }

    /// One page of a list: the items, and where the next page begins.
    pub fn page(&self, set: &str, items: Vec<Value>, total: Option<usize>, next: Option<String>) -> Reply {
        let context = format!("{}/$metadata#users('{}')/{set}", self.state.base(), self.user);
        let mut body = json!({"@odata.context": context, "value": items});
        if let Some(total) = total {
            body["@odata.count"] = json!(total);
        }
        if let Some(next) = next {
            body["@odata.nextLink"] = json!(next);
        }
        Reply::json(200, &body)
    }

    /// The link to the page that begins there, with everything else as it was.
    pub fn next_link(&self, skip: usize) -> String {
        let mut pairs: Vec<(String, String)> = self.options.pairs.clone();
        pairs.retain(|(name, _)| !name.eq_ignore_ascii_case("$skip"));
        pairs.push(("$skip".to_owned(), skip.to_string()));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}{}?{query}", self.state.url, self.request.path)
    }
}
