//! One call of a method with everything it needs, already checked.

use super::errors::ApiError;
use super::mailbox::NewMail;
use super::methods::PathValues;
use super::model::{Mailbox, Record};
use super::oauth::Access;
use super::schema::{Query, base64url};
use super::scopes::names::METADATA;
use super::state::State;
use bytes::Bytes;
use serde_json::Value;

/// What a method answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// 204.
    Empty,
}

/// What carries a method out.
pub type Run = fn(&mut Call<'_>) -> Result<Answer, ApiError>;

/// One call.
pub struct Call<'a> {
    /// Everything there is.
    pub state: &'a mut State,
    /// The mailbox it is for.
    pub user: String,
    /// What the caller may do.
    pub access: Access,
    /// Values in the path.
    pub path: PathValues,
    /// Parameters of the query.
    pub query: Query,
    /// The JSON of the body, or of an upload's first part.
    pub body: Value,
    /// The uploaded mail.
    pub media: Option<Bytes>,
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

    /// Commits a record to the mailbox's history and announces it.
    pub fn commit(&mut self, record: Record) {
        let user = self.user.clone();
        self.state.commit(&user, record);
    }

    /// A list of text in the body.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let items = self.body.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A text in the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// Whether the token opens metadata alone.
    pub fn sees_metadata_alone(&self) -> bool {
        use super::scopes::names::{FULL, MODIFY, READONLY};
        let broader = [FULL, MODIFY, READONLY].iter().any(|scope| self.access.has(scope));
        self.access.has(METADATA) && !broader
    }

    /// The mail that the request carries: uploaded, or `raw` of this message.
    pub fn mail_of(&self, message: Option<&Value>) -> Result<Option<Bytes>, ApiError> {
        if let Some(media) = &self.media {
            return Ok(Some(media.clone()));
        }
        let raw = message.and_then(|message| message.get("raw")).and_then(Value::as_str);
        let Some(raw) = raw.filter(|raw| !raw.is_empty()) else {
            return Ok(None);
        };
        let decoded = base64url(raw).ok_or_else(|| ApiError::bad_value("raw", "TYPE_BYTES", "\"raw\""))?;
        Ok(Some(Bytes::from(decoded)))
    }

    /// Puts a mail into the mailbox, to be listed once the lag has passed.
    pub fn place_mail(&mut self, mut new: NewMail, record: &mut Record) -> Result<String, ApiError> {
        new.listed_from = self.state.now() + self.state.settings.list_lag_millis;
        Ok(self.mailbox()?.place(new, record))
    }
}
