//! Properties of a client's own: how their ids are written, and how they are set.

use super::errors::ApiError;
use super::model::Mail;
use serde_json::Value;

const TYPES: [&str; 12] = [
    "String",
    "Integer",
    "Boolean",
    "Binary",
    "SystemTime",
    "Double",
    "Long",
    "Short",
    "Float",
    "CLSID",
    "Currency",
    "StringArray",
];

/// An id as Exchange writes it: type, GUID and number are the same in any case, a name is not.
pub fn normalised(id: &str) -> Option<String> {
    let (kind, rest) = id.trim().split_once(' ')?;
    let kind = TYPES.iter().find(|known| known.eq_ignore_ascii_case(kind))?;
    if let Some(number) = hexadecimal(rest) {
        return Some(format!("{kind} 0x{number:x}"));
    }
    let (set, rest) = rest.split_once(' ')?;
    let set = set.strip_prefix('{')?.strip_suffix('}')?;
    if set.len() != 36 || !set.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return None;
    }
    let (word, name) = rest.split_once(' ')?;
    if name.is_empty() {
        return None;
    }
    match word {
        "Name" => Some(format!("{kind} {{{}}} Name {name}", set.to_lowercase())),
        "Id" => hexadecimal(name).map(|number| format!("{kind} {{{}}} Id 0x{number:x}", set.to_lowercase())),
        _ => None,
    }
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?, 16).ok()
}

fn invalid(id: &str) -> ApiError {
    ApiError::new(400, "ErrorInvalidExtendedProperty", format!("The extended property id '{id}' is not valid."))
}

/// The id of a property in a body.
fn id_of(property: &Value) -> Result<String, ApiError> {
    let id = property.get("id").and_then(Value::as_str).unwrap_or_default();
    normalised(id).ok_or_else(|| invalid(id))
}

/// Sets what a body names; null takes away.
pub fn set(mail: &mut Mail, body: &Value) {
    for property in list(body, "singleValueExtendedProperties") {
        if let Ok(id) = id_of(property) {
            match property.get("value").and_then(Value::as_str) {
                Some(value) => mail.single_values.insert(id, value.to_owned()),
                None => mail.single_values.remove(&id),
            };
        }
    }
    for property in list(body, "multiValueExtendedProperties") {
        if let Ok(id) = id_of(property) {
            let values = list(property, "value").filter_map(Value::as_str).map(str::to_owned).collect();
            mail.multi_values.insert(id, values);
        }
    }
}

/// Refuses ids that are none.
pub fn check(body: &Value) -> Result<(), ApiError> {
    let single = list(body, "singleValueExtendedProperties");
    single.chain(list(body, "multiValueExtendedProperties")).try_for_each(|property| id_of(property).map(|_| ()))
}

fn list<'a>(body: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    body.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_any_case_but_for_its_name() {
        let id = "string {66F5A359-4659-4830-9070-00040EC6AC6E} Name crm-Outbox";
        assert_eq!(normalised(id).unwrap(), "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name crm-Outbox");
        assert_eq!(normalised("String 0x1045").unwrap(), "String 0x1045");
        for id in
            ["", "String", "Text 0x1", "String {x} Name a", "String {66f5a359-4659-4830-9070-00040ec6ac6e} Nome a"]
        {
            assert_eq!(normalised(id), None, "{id}");
        }
    }
}
