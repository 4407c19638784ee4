//! Tokens that only the emulator can read: pages of lists, and ids of attachments.

use super::errors::ApiError;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Turned over each byte, so that nobody reads a token by mistake.
const VEIL: u8 = 0x5a;

fn sealed(value: &Value) -> String {
    let bytes: Vec<u8> = value.to_string().bytes().map(|byte| byte ^ VEIL).collect();
    BASE64URL_NOPAD.encode(&bytes)
}

fn opened(token: &str) -> Option<Value> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    serde_json::from_slice(&bytes.into_iter().map(|byte| byte ^ VEIL).collect::<Vec<_>>()).ok()
}

/// The token of a page: the list it belongs to, and the last item before it.
pub fn page_token(list: &str, generation: u64, last: &Value) -> String {
    sealed(&json!({"list": list, "generation": generation, "last": last}))
}

/// The last item before the page, if the token is of this very list.
pub fn page_start(token: Option<&str>, list: &str, generation: u64) -> Result<Option<Value>, ApiError> {
    let Some(token) = token else {
        return Ok(None);
    };
    let refused = || ApiError::invalid("Invalid pageToken");
    let mut value = opened(token).ok_or_else(refused)?;
    if value["list"] != json!(list) || value["generation"] != json!(generation) {
        return Err(refused());
    }
    Ok(Some(value["last"].take()))
}

/// What an attachment's id stands for.
#[derive(Debug)]
pub struct AttachmentId {
    /// The mail.
    pub mail: String,
    /// The part.
    pub part: String,
    /// When it stops working, in milliseconds.
    pub expires: i64,
    /// The generation it was made in.
    pub generation: u64,
}

impl AttachmentId {
    /// The id itself; the same attachment has another one each time.
    pub fn sealed(&self, once: u64) -> String {
        let value = json!([once, self.mail, self.part, self.expires, self.generation]);
        format!("ANGjdJ{}", sealed(&value))
    }

    /// Reads an id.
    pub fn opened(id: &str) -> Option<Self> {
        let value = opened(id.strip_prefix("ANGjdJ")?)?;
        Some(Self {
            mail: value.get(1)?.as_str()?.to_owned(),
            part: value.get(2)?.as_str()?.to_owned(),
            expires: value.get(3)?.as_i64()?,
            generation: value.get(4)?.as_u64()?,
        })
    }
}
