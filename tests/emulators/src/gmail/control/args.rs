//! Arguments of a control call, each of which has to be known.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Arguments that are taken out one by one.
pub struct Args(Map<String, Value>);

impl Args {
    /// Reads the body; an empty one has no arguments.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err("the body must be a JSON object".to_owned()),
            Err(error) => Err(format!("the body is no JSON: {error}")),
        }
    }

    /// Takes an argument that must be there.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        let value = self.0.remove(name).ok_or_else(|| format!("the argument `{name}` is missing"))?;
        serde_json::from_value(value).map_err(|error| format!("the argument `{name}`: {error}"))
    }

    /// Takes an argument that may be left out.
    pub fn maybe<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                serde_json::from_value(value).map(Some).map_err(|error| format!("the argument `{name}`: {error}"))
            }
        }
    }

    /// Takes all that is left as one value.
    pub fn rest<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        serde_json::from_value(Value::Object(std::mem::take(&mut self.0))).map_err(|error| error.to_string())
    }

    /// Refuses what nobody took.
    pub fn done(self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("there is no argument `{name}` here")),
        }
    }
}
