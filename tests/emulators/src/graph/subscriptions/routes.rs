//! `/subscriptions`: made, renewed, listed, removed; and the handshake in between.

use super::model::Subscription;
use crate::graph::Graph;
use crate::graph::api;
use crate::graph::call::Prefer;
use crate::graph::errors::ApiError;
use crate::graph::oauth::Access;
use crate::graph::schema;
use crate::graph::state::State;
use crate::shared::clock::rfc3339_seconds;
use crate::shared::http::{Reply, Request};
use chrono::DateTime;
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: i64 = 60_000;
const MOST_MINUTES: i64 = 10_080;
const LONGEST_STATE: usize = 128;

/// The name of a call to the subscriptions, and the subscription that it names.
pub fn place(request: &Request) -> Option<(&'static str, String)> {
    let path = api::pieces(&request.path)?;
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method.as_str(), words.as_slice()) {
        ("POST", ["subscriptions"]) => Some(("subscriptions.create", String::new())),
        ("GET", ["subscriptions"]) => Some(("subscriptions.list", String::new())),
        ("GET", ["subscriptions", id]) => Some(("subscriptions.get", (*id).to_owned())),
        ("PATCH", ["subscriptions", id]) => Some(("subscriptions.update", (*id).to_owned())),
        ("DELETE", ["subscriptions", id]) => Some(("subscriptions.delete", (*id).to_owned())),
        ("POST", ["subscriptions", id, "reauthorize"]) => Some(("subscriptions.reauthorize", (*id).to_owned())),
        _ => None,
    }
}

/// Carries a call out. Endpoints prove themselves while it lasts, and nothing is locked meanwhile.
pub async fn carry_out(graph: &Graph, request: &Request, name: &str, id: &str) -> Result<Reply, ApiError> {
    let access = api::authenticated(&graph.state(), request)?;
    match name {
        "subscriptions.create" => {
            let wanted = wanted(&mut graph.state(), request, &access)?;
            validated(graph, &wanted.notification_url).await?;
            if let Some(url) = &wanted.lifecycle_url {
                validated(graph, url).await?;
            }
            let mut state = graph.state();
            let reply = shown(&state, &wanted, 201);
            state.subscriptions.all.insert(wanted.id.clone(), wanted);
            Ok(reply)
        }
        "subscriptions.update" => {
            let changed = changed(&mut graph.state(), request, &access, id)?;
            let before = own(&graph.state(), &access, id)?;
            if before.notification_url != changed.notification_url {
                validated(graph, &changed.notification_url).await?;
            }
            let mut state = graph.state();
            let reply = shown(&state, &changed, 200);
            state.subscriptions.all.insert(changed.id.clone(), changed);
            Ok(reply)
        }
        _ => {
            let mut state = graph.state();
            simple(&mut state, &access, name, id)
        }
    }
}

fn simple(state: &mut State, access: &Access, name: &str, id: &str) -> Result<Reply, ApiError> {
    if name == "subscriptions.list" {
        let now = state.now();
        let own = state.subscriptions.all.values().filter(|one| is_own(one, access) && one.expires > now);
        let own: Vec<Value> = own.map(json_of).collect();
        let context = format!("{}/$metadata#subscriptions", state.base());
        return Ok(Reply::json(200, &json!({"@odata.context": context, "value": own})));
    }
    let found = own(state, access, id)?;
    match name {
        "subscriptions.get" => Ok(shown(state, &found, 200)),
        "subscriptions.delete" => {
            state.subscriptions.all.remove(id);
            state.subscriptions.queue.retain(|notice| notice.subscription != id);
            Ok(Reply::empty(204))
        }
        _ => {
            if let Some(found) = state.subscriptions.all.get_mut(id) {
                found.is_paused = false;
            }
            Ok(Reply::empty(204))
        }
    }
}

fn is_own(subscription: &Subscription, access: &Access) -> bool {
    subscription.client == access.client && subscription.tenant == access.tenant && subscription.creator == access.user
}

fn own(state: &State, access: &Access, id: &str) -> Result<Subscription, ApiError> {
    let found = state.subscriptions.all.get(id).filter(|one| is_own(one, access) && one.expires > state.now());
    found.cloned().ok_or_else(|| ApiError::new(404, "ResourceNotFound", "The object was not found."))
}

fn json_of(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id, "applicationId": subscription.client, "changeType": subscription.change_types.join(","),
        // The secret is not told again.
        "clientState": null, "notificationUrl": subscription.notification_url,
        "lifecycleNotificationUrl": subscription.lifecycle_url, "resource": subscription.resource,
        "expirationDateTime": rfc3339_seconds(subscription.expires),
        "creatorId": subscription.creator.clone().unwrap_or_else(|| subscription.client.clone()),
        "includeResourceData": null, "encryptionCertificate": null, "encryptionCertificateId": null,
        "latestSupportedTlsVersion": "v1_2", "notificationQueryOptions": null, "notificationUrlAppId": null,
    })
}

fn shown(state: &State, subscription: &Subscription, status: u16) -> Reply {
    let mut value = json_of(subscription);
    value["@odata.context"] = json!(format!("{}/$metadata#subscriptions/$entity", state.base()));
    if status == 201 {
        value["clientState"] = json!(subscription.client_state);
    }
    Reply::json(status, &value)
}

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidRequest", text)
}

fn body(request: &Request) -> Result<Value, ApiError> {
    if request.headers.media_type() != "application/json" {
        return Err(ApiError::bad_request(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        ));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| ApiError::bad_request("Unable to read JSON request payload."))?;
    schema::check(&body, &schema::SUBSCRIPTION)?;
    Ok(body)
}

/// The end that is asked for, or somewhat less.
fn expiry(state: &mut State, body: &Value) -> Result<i64, ApiError> {
    let text = body["expirationDateTime"].as_str().ok_or_else(|| invalid("expirationDateTime is missing."))?;
    let wanted =
        DateTime::parse_from_rfc3339(text).map_err(|_| invalid("expirationDateTime is none."))?.timestamp_millis();
    let now = state.now();
    if wanted <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    if wanted > now + MOST_MINUTES * MINUTE {
        let text = format!("Subscription expiration can only be {MOST_MINUTES} minutes in the future.");
        return Err(ApiError::new(400, "ExtensionError", text));
    }
    state.subscriptions.made += 1;
    let shortened = state.settings.shortens_subscriptions.applies(state.subscriptions.made);
    Ok(if shortened { now + (wanted - now) / 2 } else { wanted })
}

fn check_url(state: &State, url: &str) -> Result<(), ApiError> {
    let parsed = url::Url::parse(url).map_err(|_| invalid(format!("The URL '{url}' is none.")))?;
    let is_allowed =
        parsed.scheme() == "https" || (parsed.scheme() == "http" && state.settings.allows_http_notifications);
    if is_allowed && parsed.host().is_some() {
        return Ok(());
    }
    Err(invalid("Notification URLs must begin with https."))
}

/// What is subscribed to, if the caller may read it.
fn target(state: &mut State, access: &Access, resource: &str) -> Result<(String, Option<u64>), ApiError> {
    let path = api::pieces(&format!("/v1.0/{}", resource.trim_start_matches('/')));
    let path = path.ok_or_else(|| invalid("The resource is none."))?;
    let unsupported = || invalid(format!("The resource '{resource}' is not supported for subscriptions."));
    let (user, rest) = match path.first().map(|piece| piece.to_ascii_lowercase()).as_deref() {
        Some("me") => (access.user.clone().ok_or_else(|| invalid("/me needs a signed-in user."))?, path.get(1..)),
        Some("users") => {
            let name = path.get(1).ok_or_else(unsupported)?;
            let user = state.directory.find(name).filter(|user| user.tenant == access.tenant);
            (user.map(|user| user.id.clone()).ok_or_else(crate::graph::state::no_user)?, path.get(2..))
        }
        _ => return Err(unsupported()),
    };
    let may_read = access.has("Mail.Read") || access.has("Mail.ReadWrite");
    // With a person's permission it is that person's mailbox alone, shared ones as little as others.
    if !may_read || access.user.as_ref().is_some_and(|own| *own != user) {
        return Err(ApiError::denied());
    }
    let rest: Vec<String> = rest.unwrap_or_default().iter().map(|piece| piece.to_ascii_lowercase()).collect();
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["messages"] => {
            state.mailbox(&user)?;
            Ok((user, None))
        }
        ["mailfolders", _, "messages"] => {
            let id = path.get(path.len() - 2).cloned().unwrap_or_default();
            let folder = state.mailbox(&user)?.folder(&id)?.number;
            Ok((user, Some(folder)))
        }
        _ => Err(unsupported()),
    }
}

/// A subscription as it is asked for, with everything checked but the endpoints themselves.
fn wanted(state: &mut State, request: &Request, access: &Access) -> Result<Subscription, ApiError> {
    let body = body(request)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let change_types: Vec<String> =
        text("changeType").unwrap_or_default().split(',').map(|word| word.trim().to_owned()).collect();
    if change_types.iter().any(|word| !["created", "updated", "deleted"].contains(&word.as_str())) {
        return Err(invalid("changeType has to be a list of created, updated and deleted."));
    }
    let notification_url = text("notificationUrl").ok_or_else(|| invalid("notificationUrl is missing."))?;
    let lifecycle_url = text("lifecycleNotificationUrl");
    check_url(state, &notification_url)?;
    lifecycle_url.as_ref().map_or(Ok(()), |url| check_url(state, url))?;
    let client_state = text("clientState");
    if client_state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(invalid(format!("clientState must not be longer than {LONGEST_STATE} characters.")));
    }
    if body["includeResourceData"] == true {
        return Err(invalid("includeResourceData needs a certificate and is not emulated."));
    }
    let resource = text("resource").ok_or_else(|| invalid("resource is missing."))?;
    let (user, folder) = target(state, access, &resource)?;
    let expires = expiry(state, &body)?;
    let now = state.now();
    let there = state.subscriptions.all.values().filter(|one| one.user == user && one.expires > now).count();
    if there >= state.settings.most_subscriptions {
        let text = "The mailbox has reached the maximum number of subscriptions.";
        return Err(ApiError::new(403, "ExtensionError", text));
    }
    Ok(Subscription {
        id: state.guid(),
        client: access.client.clone(),
        tenant: access.tenant.clone(),
        creator: access.user.clone(),
        change_types,
        notification_url,
        lifecycle_url,
        resource,
        user,
        folder,
        client_state,
        expires,
        immutable: Prefer::read(request).immutable,
        is_paused: false,
    })
}

/// A subscription with what may be changed of it: its end, and where it goes.
fn changed(state: &mut State, request: &Request, access: &Access, id: &str) -> Result<Subscription, ApiError> {
    let mut found = own(state, access, id)?;
    let body = body(request)?;
    let others = body.as_object().into_iter().flat_map(|object| object.keys());
    let mut others = others.filter(|name| !["expirationDateTime", "notificationUrl"].contains(&name.as_str()));
    if let Some(other) = others.next() {
        return Err(invalid(format!("The property '{other}' of a subscription cannot be changed.")));
    }
    if body.get("expirationDateTime").is_some() {
        found.expires = expiry(state, &body)?;
        found.is_paused = false;
    }
    if let Some(url) = body["notificationUrl"].as_str() {
        check_url(state, url)?;
        url.clone_into(&mut found.notification_url);
    }
    Ok(found)
}

/// Has an endpoint prove itself: it sends back what it is sent, decoded, as plain text, with 200, in time.
pub async fn validated(graph: &Graph, url: &str) -> Result<(), ApiError> {
    let (token, deadline) = {
        let state = graph.state();
        let id = state.guid();
        let token =
            format!("Validation: Testing client application reachability for subscription Request-Id: {id} +&=%");
        (token, Duration::from_millis(state.settings.validation_millis))
    };
    let failed =
        |text: String| ApiError::new(400, "InvalidRequest", format!("Subscription validation request failed. {text}"));
    let mut target = url::Url::parse(url).map_err(|_| failed("The URL is none.".to_owned()))?;
    target.query_pairs_mut().append_pair("validationToken", &token);
    let request = graph.http.post(target).header("Content-Type", "text/plain; charset=utf-8").timeout(deadline);
    let answer =
        request.send().await.map_err(|_| failed("The notification endpoint did not answer in time.".to_owned()))?;
    let (status, media_type) = (answer.status().as_u16(), answer.headers().get("content-type").cloned());
    let media_type = media_type.and_then(|value| value.to_str().map(str::to_owned).ok()).unwrap_or_default();
    let text = answer.text().await.unwrap_or_default();
    if status != 200 {
        return Err(failed(format!(
            "Notification endpoint must respond with 200 OK to validation request; it was {status}."
        )));
    }
    if crate::shared::http::media_type(&media_type) != "text/plain" || text != token {
        return Err(failed("Response must match the validationToken query parameter.".to_owned()));
    }
    Ok(())
}
