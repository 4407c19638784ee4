//! People: `me`, `users/{id}`, and their ids in one form and the other.

use super::call::Call;
use super::errors::ApiError;
use super::ids::Kind;
use super::view::check_select;
use crate::shared::http::Reply;
use serde_json::{Map, Value, json};

const SHOWN: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];
const NAMED: [&str; 15] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
    "proxyAddresses",
    "otherMails",
    "accountEnabled",
    "userType",
];

/// The most ids that are translated at once.
const MOST_IDS: usize = 1000;

/// `GET /me` and `GET /users/{id}`: addresses beside the first one only if they are named.
pub fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    check_select(call.options.select.as_ref(), &NAMED, "microsoft.graph.user")?;
    let user = call.state.user(&call.user)?;
    let names: Vec<&str> = match &call.options.select {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => SHOWN.to_vec(),
    };
    let mut shown = Map::new();
    shown.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#users/$entity", call.state.base())));
    for name in names {
        let value = match name {
            "businessPhones" | "otherMails" => json!([]),
            "displayName" => json!(user.display_name),
            "mail" => json!(user.mail),
            "userPrincipalName" => json!(user.user_principal_name),
            "id" => json!(user.id),
            // Personal accounts are in no directory.
            "proxyAddresses" if user.is_personal() => json!([]),
            "proxyAddresses" => json!(user.proxy_addresses()),
            "accountEnabled" => json!(!user.is_disabled),
            "userType" => json!("Member"),
            _ => Value::Null,
        };
        shown.insert(name.to_owned(), value);
    }
    Ok(Reply::json(200, &Value::Object(shown)))
}

fn kind(name: &str) -> Option<Kind> {
    match name.to_ascii_lowercase().as_str() {
        "restid" => Some(Kind::Moving),
        "restimmutableentryid" => Some(Kind::Lasting),
        _ => None,
    }
}

/// `POST /me/translateExchangeIds`.
pub fn translate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let inputs: Vec<String> = call
        .value("inputIds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if inputs.is_empty() || inputs.len() > MOST_IDS {
        return Err(ApiError::bad_request(format!("Between 1 and {MOST_IDS} ids are translated at once.")));
    }
    let kinds = call.text("sourceIdType").and_then(kind).zip(call.text("targetIdType").and_then(kind));
    let (source, target) =
        kinds.ok_or_else(|| ApiError::bad_request("The types of ids have to be restId and restImmutableEntryId."))?;
    let view = call.view()?;
    let mailbox = view.mailbox;
    let results: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let named = mailbox.ids.parse(input).filter(|named| named.kind == source);
            let mail = named.and_then(|_| mailbox.mail(input).ok());
            match mail {
                Some(mail) => json!({"sourceId": input, "targetId": mailbox.ids.id(target, mail.number(target))}),
                None => json!({
                    "sourceId": input,
                    "errorDetails": {"code": "ErrorInvalidId", "message": "The id cannot be translated."},
                }),
            }
        })
        .collect();
    let context = format!("{}/$metadata#Collection(microsoft.graph.convertIdResult)", call.state.base());
    Ok(Reply::json(200, &json!({"@odata.context": context, "value": results})))
}
