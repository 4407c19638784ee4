//! Google's own description of the API, where it is at hand: our table of methods is held against it, and so
//! is every request that the emulator accepts and every answer that it gives in these tests.

use duplex_emulators::gmail::methods::METHODS;
use duplex_emulators::gmail::schema::{COMMON, Field, Kind};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The description, read once.
pub struct Discovery(Value);

impl Discovery {
    /// None, and a line that says so, where it is absent.
    pub fn read() -> Option<&'static Self> {
        static READ: OnceLock<Option<Discovery>> = OnceLock::new();
        READ.get_or_init(|| {
            let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schemas");
            let folder = std::env::var_os("DUPLEX_SCHEMAS_DIR").map_or(beside, PathBuf::from);
            let Ok(text) = std::fs::read_to_string(folder.join("gmail.v1.json")) else {
                println!("skipped: Google's description of the API is not there (DUPLEX_SCHEMAS_DIR names its folder)");
                return None;
            };
            Some(Self(serde_json::from_str(&text).unwrap()))
        })
        .as_ref()
    }

    fn methods(&self) -> Vec<&Value> {
        fn walk<'a>(resource: &'a Value, found: &mut Vec<&'a Value>) {
            found.extend(resource["methods"].as_object().into_iter().flat_map(|methods| methods.values()));
            for inner in resource["resources"].as_object().into_iter().flat_map(|inner| inner.values()) {
                walk(inner, found);
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found
    }

    /// Holds an accepted request and its answer against the description.
    pub fn check(&self, http: &str, target: &str, body: Option<&Value>, answer: &str) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = self.method(http, path.trim_start_matches('/'));
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let known = method["parameters"].get(&*name).or_else(|| self.0["parameters"].get(&*name));
            let known = known.unwrap_or_else(|| panic!("{http} {target} was accepted with `{name}`"));
            if let Some(words) = known["enum"].as_array() {
                assert!(words.iter().any(|word| *word == *value), "{target}: `{name}` must not be `{value}`");
            }
        }
        match (body, method["request"]["$ref"].as_str()) {
            (Some(body), Some(schema)) => self.fits(body, schema, &format!("{http} {target}")),
            (Some(body), None) => panic!("{http} {target} takes no body: {body}"),
            (None, _) => {}
        }
        match method["response"]["$ref"].as_str() {
            Some(schema) => self.fits(&serde_json::from_str(answer).unwrap(), schema, &format!("answer of {target}")),
            None => assert_eq!(answer, "", "{http} {target} has no answer"),
        }
    }

    fn method(&self, http: &str, path: &str) -> &Value {
        let pieces: Vec<&str> = path.split('/').collect();
        let mut fitting: Vec<(usize, &Value)> = Vec::new();
        for method in self.methods() {
            let template: Vec<&str> = method["path"].as_str().unwrap().split('/').collect();
            let fits = template.len() == pieces.len()
                && template.iter().zip(&pieces).all(|(known, piece)| known.starts_with('{') || known == piece);
            if method["httpMethod"] == http && fits {
                fitting.push((template.iter().filter(|piece| piece.starts_with('{')).count(), method));
            }
        }
        fitting.sort_by_key(|(places, _)| *places);
        fitting.first().unwrap_or_else(|| panic!("{http} {path} is not in the description")).1
    }

    /// Whether a value has the shape of a schema: no other names, the right kinds.
    pub fn fits(&self, value: &Value, schema: &str, place: &str) {
        self.value_fits(value, &self.0["schemas"][schema], place);
    }

    fn value_fits(&self, value: &Value, schema: &Value, place: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            return self.value_fits(value, &self.0["schemas"][name], place);
        }
        let format = schema["format"].as_str().unwrap_or_default();
        let is_right = match schema["type"].as_str() {
            Some("object") => {
                let object = value.as_object().unwrap_or_else(|| panic!("{place} is no object: {value}"));
                for (name, inner) in object {
                    let known = schema["properties"].get(name);
                    let known = known.unwrap_or_else(|| panic!("{place} holds `{name}`, which is not described"));
                    self.value_fits(inner, known, &format!("{place}.{name}"));
                }
                true
            }
            Some("array") => {
                let items = value.as_array().unwrap_or_else(|| panic!("{place} is no list: {value}"));
                for item in items {
                    self.value_fits(item, &schema["items"], place);
                }
                true
            }
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            Some("string") => match (value.as_str(), format) {
                (Some(text), "uint64") => text.parse::<u64>().is_ok(),
                (Some(text), "int64") => text.parse::<i64>().is_ok(),
                (Some(text), "byte") => data_encoding::BASE64URL.decode(text.as_bytes()).is_ok(),
                (Some(text), _) => {
                    let words = schema["enum"].as_array();
                    words.is_none_or(|words| words.iter().any(|word| word == text))
                }
                (None, _) => false,
            },
            _ => true,
        };
        assert!(is_right, "{place} is no {} {format}: {value}", schema["type"]);
    }
}

#[test]
fn the_table_of_methods_is_the_one_google_describes() {
    let Some(discovery) = Discovery::read() else {
        return;
    };
    for method in METHODS {
        let path = format!("gmail/v1/users/me/{}", method.path);
        let known = discovery.method(method.http, &path);
        assert_eq!(known["path"].as_str().unwrap().replace("{userId}", "me"), path);
        assert_eq!(known["id"].as_str().unwrap(), format!("gmail.users.{}", method.name));

        let mut theirs: Vec<&str> = texts(&known["scopes"]).filter(|scope| !scope.contains("addons")).collect();
        let mut ours = method.scopes.to_vec();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "scopes of {}", method.name);

        let parameters = known["parameters"].as_object().unwrap();
        let mut theirs: Vec<&str> = parameters
            .iter()
            .filter(|(_, parameter)| parameter["location"] == "query")
            .map(|(name, _)| name.as_str())
            .collect();
        let mut ours: Vec<&str> = method.query.iter().map(|field| field.name).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "parameters of {}", method.name);
        for field in method.query {
            same_kind(discovery, field, &parameters[field.name], method.name);
        }

        let most = known["mediaUpload"]["maxSize"].as_str().map(|size| size.parse::<usize>().unwrap());
        assert_eq!(method.upload, most, "largest upload of {}", method.name);
        match (method.body, known["request"]["$ref"].as_str()) {
            (Some(fields), Some(schema)) => same_fields(discovery, fields, schema, 0),
            (None, None) => {}
            (ours, theirs) => panic!("{}: {} {theirs:?}", method.name, ours.is_some()),
        }
    }
}

#[test]
fn parameters_of_all_methods_are_those_google_describes() {
    if let Some(discovery) = Discovery::read() {
        let mut theirs: Vec<&String> = discovery.0["parameters"].as_object().unwrap().keys().collect();
        let mut ours: Vec<&str> = COMMON.iter().map(|field| field.name).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn same_fields(discovery: &Discovery, fields: &'static [Field], schema: &str, depth: usize) {
    if depth > 4 {
        return;
    }
    let known = discovery.0["schemas"][schema]["properties"].as_object().unwrap();
    let mut theirs: Vec<&str> = known.keys().map(String::as_str).collect();
    let mut ours: Vec<&str> = fields.iter().map(|field| field.name).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, theirs, "fields of {schema}");
    for field in fields {
        same_kind(discovery, field, &known[field.name], schema);
        let (inner, their) = match field.kind {
            Kind::List(Kind::Object(inner)) => (*inner, &known[field.name]["items"]),
            Kind::Object(inner) => (inner, &known[field.name]),
            _ => continue,
        };
        same_fields(discovery, inner, their["$ref"].as_str().unwrap(), depth + 1);
    }
}

fn same_kind(_: &Discovery, field: &Field, known: &Value, place: &str) {
    let format = known["format"].as_str().unwrap_or_default();
    let (kind, repeats) = match field.kind {
        Kind::List(inner) => (*inner, true),
        kind => (kind, false),
    };
    let their_list = known["type"] == "array" || known["repeated"] == true;
    assert_eq!(repeats, their_list, "{place}.{} is a list or not", field.name);
    if known["type"] == "array" {
        return;
    }
    let fits = match kind {
        Kind::Text => known["type"] == "string" && format.is_empty() && known["enum"].is_null(),
        Kind::Bytes => format == "byte",
        Kind::Bool => known["type"] == "boolean",
        Kind::Int32 => format == "int32",
        Kind::Uint32 => format == "uint32",
        Kind::Int64 => format == "int64",
        Kind::Uint64 => format == "uint64",
        Kind::OneOf(words) => texts(&known["enum"]).eq(words.iter().copied()),
        Kind::Object(_) => known["$ref"].is_string(),
        Kind::List(_) => false,
    };
    assert!(fits, "{place}.{} is another kind: {known}", field.name);
}
