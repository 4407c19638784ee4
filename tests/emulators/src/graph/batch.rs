//! `$batch`: up to twenty requests in one, four of them at a time.

use super::Graph;
use super::api;
use super::errors::{ApiError, Trace};
use crate::shared::http::{Headers, Reply, Request};
use crate::shared::in_flight::Entered;
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const MOST: usize = 20;
const AT_ONCE: usize = 4;

/// Whether a request is a batch.
pub fn is_batch(request: &Request) -> bool {
    request.method == "POST"
        && api::pieces(&request.path).is_some_and(|path| matches!(path.as_slice(), [only] if only == "$batch"))
}

/// One request of a batch.
struct Item {
    id: String,
    depends_on: Vec<String>,
    request: Request,
}

/// Places of a batch at one mailbox: how many it wants and how many it got.
struct Places {
    wanted: usize,
    entered: Entered,
    used: usize,
}

impl Places {
    /// Whether the next request of the batch is one too many.
    fn is_over(&mut self) -> bool {
        let place = self.used % self.wanted.max(1);
        self.used += 1;
        place >= self.entered.requests()
    }
}

/// Carries a batch out. The answers come in another order every other time, as they may.
pub async fn carry_out(graph: &Graph, request: &Request, trace: &Trace) -> Reply {
    let checked = api::authenticated(&graph.state(), request).and_then(|_| items(request));
    let items = match checked {
        Ok(items) => items,
        Err(error) => return error.reply(trace),
    };
    let mut places = enter(graph, &items);
    let rounds = items.len().div_ceil(AT_ONCE);
    let mut answers: Vec<(String, Reply)> = Vec::new();
    for (number, item) in items.iter().enumerate() {
        // The first four were waited for by the batch itself.
        if number > 0 && number.is_multiple_of(AT_ONCE) && number / AT_ONCE < rounds {
            tokio::time::sleep(graph.conditions.latency()).await;
        }
        let failed = |id: &String| answers.iter().any(|(known, reply)| known == id && reply.status >= 400);
        let reply = if item.depends_on.iter().any(failed) {
            let text = "A request that this one depends on failed.";
            ApiError::new(424, "FailedDependency", text).reply(trace)
        } else {
            let key = graph.limited(&item.request);
            let is_over = key.and_then(|key| places.get_mut(&key)).is_some_and(Places::is_over);
            graph.part(&item.request, is_over).await
        };
        answers.push((item.id.clone(), reply));
    }
    if graph.conditions.random.next().is_multiple_of(2) {
        answers.reverse();
    }
    let responses: Vec<Value> = answers.iter().map(|(id, reply)| shown(id, reply)).collect();
    Reply::json(200, &json!({"responses": responses}))
}

/// A batch takes up to four places at each mailbox, as far as they are free.
fn enter(graph: &Graph, items: &[Item]) -> BTreeMap<String, Places> {
    let most = graph.state().settings.most_concurrent;
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for key in items.iter().filter_map(|item| graph.limited(&item.request)) {
        *wanted.entry(key).or_default() += 1;
    }
    let places = wanted.into_iter().map(|(key, count)| {
        let wanted = count.min(AT_ONCE);
        let entered = graph.in_flight.enter_below(&key, wanted, most);
        (key, Places { wanted, entered, used: 0 })
    });
    places.collect()
}

fn items(request: &Request) -> Result<Vec<Item>, ApiError> {
    let invalid = |text: String| Err(ApiError::bad_request(text));
    if request.headers.media_type() != "application/json" {
        return invalid("A batch is application/json.".to_owned());
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let Some(parts) = body["requests"].as_array().filter(|parts| !parts.is_empty()) else {
        return invalid("Invalid batch payload format.".to_owned());
    };
    if parts.len() > MOST {
        return invalid(format!("Number of batch request steps exceeds the maximum value of {MOST}."));
    }
    let mut items: Vec<Item> = Vec::new();
    for part in parts {
        let item = item(request, part)?;
        if items.iter().any(|known| known.id == item.id) {
            return invalid(format!("Request id '{}' is used more than once.", item.id));
        }
        if let Some(unknown) = item.depends_on.iter().find(|id| !items.iter().any(|known| known.id == **id)) {
            return invalid(format!("The request '{}' depends on '{unknown}', which is not before it.", item.id));
        }
        items.push(item);
    }
    Ok(items)
}

fn item(outer: &Request, part: &Value) -> Result<Item, ApiError> {
    let text = |name: &str| part[name].as_str().filter(|text| !text.is_empty());
    let (Some(id), Some(method), Some(url)) = (text("id"), text("method"), text("url")) else {
        return Err(ApiError::bad_request("Every request of a batch needs id, method and url."));
    };
    let url = url.trim_start_matches('/');
    if url.contains("://") || url.to_ascii_lowercase().starts_with("v1.0") || url.starts_with("$batch") {
        return Err(ApiError::bad_request(format!("The url of the request '{id}' has to be relative to the version.")));
    }
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let given = part["headers"].as_object().into_iter().flatten();
    let mut headers: Vec<(String, String)> =
        given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    // What the batch says holds for its own parts alone where it is about who asks.
    for name in ["authorization", "client-request-id"] {
        headers.extend(outer.headers.get(name).map(|value| (name.to_owned(), value.to_owned())));
    }
    let headers = Headers(headers);
    let body = body(part, &headers);
    if !body.is_empty() && headers.media_type().is_empty() {
        let text = format!("The request '{id}' has a body and no Content-Type header.");
        return Err(ApiError::bad_request(text));
    }
    let depends_on = part["dependsOn"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let request = Request {
        method: method.to_ascii_uppercase(),
        path: format!("/v1.0/{path}"),
        query: query.to_owned(),
        headers,
        body,
    };
    Ok(Item { id: id.to_owned(), depends_on: depends_on.map(str::to_owned).collect(), request })
}

/// JSON as it is; anything else is text, which for a mail is the mail in base64, once or once more.
fn body(part: &Value, headers: &Headers) -> Bytes {
    match &part["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) if headers.media_type() == "text/plain" => {
            let inner = BASE64.decode(text.as_bytes()).unwrap_or_default();
            let is_base64 = !inner.is_empty() && BASE64.decode(&inner).is_ok();
            Bytes::from(if is_base64 { inner } else { text.clone().into_bytes() })
        }
        value => Bytes::from(value.to_string()),
    }
}

fn shown(id: &str, reply: &Reply) -> Value {
    let mut headers = Map::new();
    for (name, value) in &reply.headers.0 {
        headers.insert(name.clone(), json!(value));
    }
    let mut shown = json!({"id": id, "status": reply.status, "headers": headers});
    if !reply.body.is_empty() {
        shown["body"] = serde_json::from_slice(&reply.body)
            .ok()
            .filter(|_| reply.headers.media_type() == "application/json")
            .unwrap_or_else(|| json!(BASE64.encode(&reply.body)));
    }
    shown
}
