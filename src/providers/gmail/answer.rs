//! Reads what Gmail answers, in the types of Google's own description, and leniently where others speak the same API: a
//! number may come as text or the other way round, and base64 with padding or without.

use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::nonsense;
use crate::providers::ProviderError;

/// Fields that are text to Google: ids, and numbers that JavaScript cannot hold.
const TEXTS: [&str; 5] = ["id", "threadId", "historyId", "internalDate", "expiration"];

/// Fields that are numbers to Google.
const NUMBERS: [&str; 6] =
    ["sizeEstimate", "resultSizeEstimate", "messagesTotal", "messagesUnread", "threadsTotal", "threadsUnread"];

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).or_else(|_strict| {
        let mut value: Value = serde_json::from_slice(body).map_err(|_| nonsense())?;
        if !value.is_object() {
            return Err(nonsense());
        }
        mend(&mut value);
        serde_json::from_value(value).map_err(|_| nonsense())
    })
}

/// An answer that needs to say nothing: empty, or an object.
pub(super) fn nothing(body: &[u8]) -> Result<(), ProviderError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    read::<serde_json::Map<String, Value>>(body).map(drop)
}

fn mend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(fields) => {
            for (name, field) in fields {
                mend_field(name, field);
            }
        }
        _ => {}
    }
}

fn mend_field(name: &str, field: &mut Value) {
    match field {
        Value::Number(number) if TEXTS.contains(&name) => *field = Value::String(number.to_string()),
        Value::String(text) if NUMBERS.contains(&name) => {
            *field = text.trim().parse::<i64>().map_or(Value::Null, Into::into)
        }
        Value::String(text) if name == "raw" => *field = padded(text).map_or(Value::Null, Value::String),
        _ => mend(field),
    }
}

/// Base64 in the one form that the library reads.
fn padded(text: &str) -> Option<String> {
    let plain: String = text
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != '=')
        .map(|letter| match letter {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    Some(BASE64URL.encode(&BASE64URL_NOPAD.decode(plain.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use google_gmail1::api;

    #[test]
    fn numbers_may_come_as_text_and_text_as_numbers() {
        let strict: api::Message =
            read(br#"{"id":"18c","historyId":"7","internalDate":"8","sizeEstimate":9}"#).unwrap();
        let loose: api::Message = read(br#"{"id":"18c","historyId":7,"internalDate":8,"sizeEstimate":"9"}"#).unwrap();
        for message in [strict, loose] {
            assert_eq!((message.history_id, message.internal_date, message.size_estimate), (Some(7), Some(8), Some(9)));
        }
        let profile: api::Profile = read(br#"{"emailAddress":"a@b","historyId":12,"messagesTotal":"3"}"#).unwrap();
        assert_eq!((profile.history_id, profile.messages_total), (Some(12), Some(3)));
    }

    #[test]
    fn base64_is_read_with_padding_and_without_in_both_alphabets() {
        for raw in ["-_8_YQ==", "-_8_YQ", "+/8/YQ==", "+/8/YQ", "-_8_\nYQ"] {
            let json = serde_json::json!({"id": "1", "raw": raw}).to_string();
            let message: api::Message = read(json.as_bytes()).unwrap();
            assert_eq!(message.raw.unwrap(), b"\xfb\xff\x3fa", "{raw}");
        }
        let broken: api::Message = read(br#"{"id":"1","raw":"!!"}"#).unwrap();
        assert!(broken.raw.is_none());
    }

    #[test]
    fn what_is_unknown_is_passed_over_and_what_is_missing_is_missing() {
        let page: api::ListMessagesResponse = read(br#"{"resultSizeEstimate":0,"new":{"deep":[1]}}"#).unwrap();
        assert!(page.messages.is_none());
        let nulls: api::ListHistoryResponse =
            read(br#"{"history":null,"historyId":"5","nextPageToken":null}"#).unwrap();
        assert_eq!(nulls.history_id, Some(5));
    }

    #[test]
    fn garbage_is_an_error_that_may_pass() {
        for garbage in ["", "null", "[]", "7", "\"x\"", "<html>", "{\"id\":", "{\"id\":{}}", "{\"historyId\":\"x\"}"] {
            let read = read::<api::Message>(garbage.as_bytes());
            assert!(read.is_err_and(|error| error.passes()), "{garbage}");
        }
    }

    #[test]
    fn an_answer_without_content_is_empty_or_an_object() {
        for fine in ["", "\r\n", "{}", "{\"a\":1}"] {
            assert_eq!(nothing(fine.as_bytes()), Ok(()), "{fine}");
        }
        for garbage in ["<html>", "[]", "{"] {
            assert!(nothing(garbage.as_bytes()).is_err(), "{garbage}");
        }
    }
}
