//! Microsoft's own description of the mail part, where it is at hand: our types are held against it, and so is
//! every answer that the emulator gives in these tests.

use duplex_emulators::graph::schema::{self, Kind, Type};
use duplex_emulators::graph::{FOLDER, MESSAGE};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The description, read once.
pub struct Description(Value);

impl Description {
    /// None, and a line that says so, where it is absent.
    pub fn read() -> Option<&'static Self> {
        static READ: OnceLock<Option<Description>> = OnceLock::new();
        READ.get_or_init(|| {
            let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schemas");
            let folder = std::env::var_os("DUPLEX_SCHEMAS_DIR").map_or(beside, PathBuf::from);
            let Ok(text) = std::fs::read_to_string(folder.join("graph_mail.json")) else {
                println!("skipped: the description of Graph's mail is not there (DUPLEX_SCHEMAS_DIR names its folder)");
                return None;
            };
            Some(Self(serde_json::from_str(&text).unwrap()))
        })
        .as_ref()
    }

    /// A property of a type or of what it is derived from: its type, and whether it may be null.
    fn property(&self, of: &str, name: &str) -> Option<(String, bool)> {
        let found = &self.0["types"][of];
        if let Some(property) = found["properties"].get(name) {
            return Some((property["type"].as_str().unwrap().to_owned(), property["nullable"] == true));
        }
        if let Some(target) = found["navigation"].get(name) {
            return Some((target.as_str().unwrap().to_owned(), true));
        }
        self.property(found["base"].as_str()?, name)
    }

    /// Every property of a type and of what it is derived from.
    fn properties(&self, of: &str) -> Vec<String> {
        let found = &self.0["types"][of];
        let mut names: Vec<String> = found["properties"].as_object().unwrap().keys().cloned().collect();
        if let Some(base) = found["base"].as_str() {
            names.extend(self.properties(base));
        }
        names
    }

    /// Whether a value has the shape of a type: no other names, the right kinds.
    pub fn fits(&self, value: &Value, of: &str, place: &str) {
        let object = value.as_object().unwrap_or_else(|| panic!("{place} is no object: {value}"));
        let of = match object.get("@odata.type").and_then(Value::as_str) {
            Some(named) => named.trim_start_matches("#microsoft.graph."),
            None => of,
        };
        for (name, inner) in object.iter().filter(|(name, _)| !name.starts_with('@')) {
            let (kind, nullable) =
                self.property(of, name).unwrap_or_else(|| panic!("{place} holds `{name}`, which {of} does not have"));
            assert!(nullable || !inner.is_null(), "{place}.{name} must not be null");
            if !inner.is_null() {
                self.value_fits(inner, &kind, &format!("{place}.{name}"));
            }
        }
    }

    fn value_fits(&self, value: &Value, kind: &str, place: &str) {
        if let Some(inner) = kind.strip_prefix("Collection(").and_then(|kind| kind.strip_suffix(')')) {
            let items = value.as_array().unwrap_or_else(|| panic!("{place} is no list: {value}"));
            items.iter().for_each(|item| self.value_fits(item, inner, place));
            return;
        }
        let is_right = match kind {
            "Edm.String" => value.is_string(),
            "Edm.Boolean" => value.is_boolean(),
            "Edm.Int32" | "Edm.Int64" => value.is_i64(),
            "Edm.Binary" => value.as_str().is_some_and(|text| data_encoding::BASE64.decode(text.as_bytes()).is_ok()),
            "Edm.DateTimeOffset" => value
                .as_str()
                .is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z')),
            "Edm.Guid" => value.as_str().is_some_and(|text| text.len() == 36),
            named => {
                let name = named.trim_start_matches("graph.");
                if let Some(words) = self.0["enums"][name].as_array() {
                    words.contains(value)
                } else {
                    if self.0["types"].get(name).is_some() && name != "resourceData" && name != "outlookItem" {
                        self.fits(value, name, place);
                    }
                    true
                }
            }
        };
        assert!(is_right, "{place} is no {kind}: {value}");
    }
}

fn same_type(description: &Description, of: &'static Type, depth: usize) {
    for (name, kind) in of.properties.iter().filter(|_| depth < 4) {
        // An attachment in a request may be of any kind.
        let kinds = ["fileAttachment", "itemAttachment"];
        let found = description.property(of.name, name);
        let found = found.or_else(|| kinds.iter().find_map(|kind| description.property(kind, name)));
        let (known, _) = found.unwrap_or_else(|| panic!("{} has no `{name}`", of.name));
        same_kind(description, *kind, &known, &format!("{}.{name}", of.name), depth);
    }
}

fn same_kind(description: &Description, kind: Kind, known: &str, place: &str, depth: usize) {
    let inner = known.strip_prefix("Collection(").and_then(|known| known.strip_suffix(')'));
    let fits = match (kind, inner) {
        (Kind::List(inner_kind), Some(inner)) => {
            same_kind(description, *inner_kind, inner, place, depth);
            true
        }
        (Kind::Text, None) => known == "Edm.String",
        (Kind::Bytes, None) => known == "Edm.Binary",
        (Kind::Bool, None) => known == "Edm.Boolean",
        (Kind::Int32, None) => known == "Edm.Int32",
        (Kind::Int64, None) => known == "Edm.Int64",
        (Kind::Moment, None) => known == "Edm.DateTimeOffset",
        (Kind::OneOf(words), None) => {
            let theirs = &description.0["enums"][known.trim_start_matches("graph.")];
            let mut theirs: Vec<&str> = theirs.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
            let mut ours = words.to_vec();
            theirs.sort_unstable();
            ours.sort_unstable();
            ours == theirs
        }
        (Kind::Object(of), None) => {
            same_type(description, of, depth + 1);
            known == format!("graph.{}", of.name) || known == "graph.outlookItem"
        }
        _ => false,
    };
    assert!(fits, "{place} is another kind: {known}");
}

#[test]
fn types_are_those_that_microsoft_describes() {
    let Some(description) = Description::read() else {
        return;
    };
    for of in [&schema::MESSAGE, &schema::MAIL_FOLDER, &schema::SUBSCRIPTION, &schema::ATTACHMENT_ITEM, &schema::FLAG] {
        same_type(description, of, 0);
    }
    for (of, ours) in [("message", &MESSAGE[..]), ("mailFolder", &FOLDER[..])] {
        for name in description.properties(of) {
            assert!(ours.contains(&name.as_str()), "{of} has `{name}` as well");
        }
        for name in ours {
            assert!(description.property(of, name).is_some(), "{of} has no `{name}`");
        }
    }
}

#[test]
fn parameters_of_actions_are_those_that_microsoft_describes() {
    let Some(description) = Description::read() else {
        return;
    };
    let actions = [
        &schema::MOVE,
        &schema::REPLY,
        &schema::FORWARD,
        &schema::SEND_MAIL,
        &schema::UPLOAD_SESSION,
        &schema::TRANSLATE,
    ];
    for action in actions {
        let known = description.0["bound"][action.name][0]["parameters"].as_object().unwrap();
        let mut theirs: Vec<&str> = known.keys().map(String::as_str).collect();
        let mut ours: Vec<&str> = action.properties.iter().map(|(name, _)| *name).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{}", action.name);
    }
}
