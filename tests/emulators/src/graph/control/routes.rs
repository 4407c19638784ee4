//! `/_control/…`: the same methods over HTTP.

use super::mails::Seed;
use crate::graph::Graph;
use crate::shared::args::Args;
use crate::shared::faults::FaultRule;
use crate::shared::http::{Reply, Request};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::time::Duration;

type Result<T = Value> = std::result::Result<T, String>;

/// Does something and answers with an empty object.
macro_rules! done {
    ($act:expr) => {{
        $act;
        Ok(json!({}))
    }};
}

/// What a control call does.
type Act = fn(&Graph, &mut Args) -> Result;

/// Calls by name.
const ACTS: &[(&str, Act)] = &[
    ("add_user", |graph, args| Ok(json!({"id": graph.add_user(args.rest()?)}))),
    ("remove_user", |graph, args| found(graph.remove_user(&text(args, "user")?))),
    ("set_mailbox", |graph, args| found(graph.set_mailbox(&text(args, "user")?, args.take("state")?))),
    ("share", |graph, args| found(graph.share(&text(args, "mailbox")?, &text(args, "with")?))),
    ("allow_send_as", |graph, args| found(graph.allow_send_as(&text(args, "user")?, &text(args, "address")?))),
    ("add_client", |graph, args| done!(graph.add_client(args.rest()?))),
    ("allow_redirect", |graph, args| found(graph.allow_redirect(&text(args, "client")?, &text(args, "uri")?))),
    ("expire_secrets", |graph, args| {
        let new: Option<String> = args.maybe("new")?;
        found(graph.expire_secrets(&text(args, "client")?, new.as_deref()))
    }),
    ("set_user_consent", |graph, args| done!(graph.set_user_consent(&text(args, "tenant")?, args.take("allowed")?))),
    ("allow_roles", |graph, args| {
        let roles: Vec<String> = args.take("roles")?;
        done!(graph.allow_roles(&text(args, "tenant")?, &text(args, "client")?, &strs(&roles)))
    }),
    ("limit_mailboxes", |graph, args| found(graph.limit_mailboxes(&text(args, "client")?, args.maybe("mailboxes")?))),
    ("script_consent", |graph, args| done!(graph.script_consent(args.rest()?))),
    ("grant", |graph, args| {
        let scopes: Vec<String> = args.take("scopes")?;
        found(graph.grant(&text(args, "user")?, &text(args, "client")?, &strs(&scopes)))
    }),
    ("app_token", |graph, args| {
        let token = graph.app_token(&text(args, "tenant")?, &text(args, "client")?);
        found(token.map(|token| json!({"access_token": token})))
    }),
    ("end_grants", |graph, args| Ok(json!({"ended": graph.end_grants(&text(args, "user")?, args.take("death")?)}))),
    ("mend_grants", |graph, args| found(graph.mend_grants(&text(args, "user")?))),
    ("forget_access_tokens", |graph, args| found(graph.forget_access_tokens(&text(args, "user")?))),
    ("challenge_access_tokens", |graph, args| found(graph.challenge_access_tokens(&text(args, "user")?))),
    ("rotate_signing_key", |graph, _| done!(graph.rotate_signing_key())),
    ("add_mail", add_mail),
    ("change_mail", |graph, args| {
        let (user, id) = (text(args, "user")?, text(args, "id")?);
        found(graph.change_mail(&user, &id, args.rest()?))
    }),
    ("move_mails", |graph, args| {
        let ids: Vec<String> = args.take("ids")?;
        found(graph.move_mails(&text(args, "user")?, &strs(&ids), &text(args, "folder")?))
    }),
    ("delete_mails", |graph, args| {
        let ids: Vec<String> = args.take("ids")?;
        found(graph.delete_mails(&text(args, "user")?, &strs(&ids)))
    }),
    ("attach_link", |graph, args| {
        let (user, id) = (text(args, "user")?, text(args, "id")?);
        found(graph.attach_link(&user, &id, &text(args, "name")?, &text(args, "link")?))
    }),
    ("set_single_value", |graph, args| {
        let (user, mail) = (text(args, "user")?, text(args, "mail")?);
        found(graph.set_single_value(&user, &mail, &text(args, "id")?, &text(args, "value")?))
    }),
    ("create_folder", |graph, args| {
        let parent: Option<String> = args.maybe("parent")?;
        let is_hidden = args.maybe("is_hidden")?.unwrap_or(false);
        let id = graph.create_folder(&text(args, "user")?, &text(args, "name")?, parent.as_deref(), is_hidden);
        found(id.map(|id| json!({"id": id})))
    }),
    ("create_search_folder", |graph, args| {
        let id = graph.create_search_folder(&text(args, "user")?, &text(args, "name")?, &text(args, "query")?);
        found(id.map(|id| json!({"id": id})))
    }),
    ("rename_folder", |graph, args| {
        found(graph.rename_folder(&text(args, "user")?, &text(args, "folder")?, &text(args, "name")?))
    }),
    ("move_folder", |graph, args| {
        found(graph.move_folder(&text(args, "user")?, &text(args, "folder")?, &text(args, "parent")?))
    }),
    ("delete_folder", |graph, args| found(graph.delete_folder(&text(args, "user")?, &text(args, "folder")?))),
    ("add_draft", |graph, args| found(graph.add_draft(&text(args, "user")?, &text(args, "raw")?))),
    ("edit_draft", |graph, args| {
        found(graph.edit_draft(&text(args, "user")?, &text(args, "id")?, &text(args, "raw")?))
    }),
    ("send_elsewhere", |graph, args| found(graph.send_elsewhere(&text(args, "user")?, &text(args, "raw")?))),
    ("bounce", |graph, args| done!(graph.bounce(&text(args, "address")?))),
    ("drop_subscription", |graph, args| found(graph.drop_subscription(&text(args, "id")?))),
    ("lifecycle", |graph, args| found(graph.lifecycle(&text(args, "id")?, args.take("event")?))),
    ("push_faults", |graph, args| done!(graph.set_push_faults(args.rest()?))),
    ("settings", |graph, args| Ok(json!(graph.patch_settings(&args.rest()?)?))),
    ("add_fault", |graph, args| done!(graph.add_fault_rule(args.rest::<FaultRule>()?)?)),
    ("clear_faults", |graph, _| done!(graph.clear_faults())),
    ("latency", |graph, args| {
        let (latency, jitter) = (args.take("millis")?, args.maybe("jitter_millis")?.unwrap_or(0));
        done!(graph.conditions().set_latency(Duration::from_millis(latency), Duration::from_millis(jitter)))
    }),
    ("clear_calls", |graph, _| done!(graph.clear_calls())),
    ("advance", |graph, args| done!(graph.advance(Duration::from_secs(args.take("seconds")?)))),
    ("clear_quota", |graph, _| done!(graph.clear_quota())),
    ("expire_delta", |graph, args| found(graph.expire_delta(&text(args, "user")?))),
    ("expire_next_links", |graph, args| found(graph.expire_next_links(&text(args, "user")?))),
];

fn text(args: &mut Args, name: &str) -> Result<String> {
    args.take(name)
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn found<T: serde::Serialize>(result: Option<T>) -> Result {
    let result = result.ok_or("there is no such user, application, mail or folder, or it was refused")?;
    let value = serde_json::to_value(result).map_err(|error| error.to_string())?;
    Ok(if value.is_null() { json!({}) } else { value })
}

fn add_mail(graph: &Graph, args: &mut Args) -> Result {
    let user = text(args, "user")?;
    let bytes = args.maybe::<String>("raw_base64")?.map(|text| BASE64.decode(text.as_bytes()));
    let bytes = bytes.transpose().map_err(|error| format!("the argument `raw_base64`: {error}"))?;
    let mut seed: Seed = args.rest()?;
    seed.bytes = bytes;
    found(graph.add_mail(&user, seed))
}

/// What can be read, by path.
fn read(graph: &Graph, path: &[String]) -> Option<Value> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["calls"] => Some(json!(graph.calls())),
        ["counts"] => {
            let mut counts = json!(graph.counts());
            counts["most_in_flight"] = json!(graph.most_in_flight());
            Some(counts)
        }
        ["faults"] => Some(json!(graph.conditions().faults())),
        ["settings"] => Some(json!(graph.settings())),
        ["sent"] => Some(json!(graph.sent())),
        ["subscriptions"] => {
            let all = graph.subscriptions().into_iter();
            Some(
                all.map(|(id, resource, expires)| json!({"id": id, "resource": resource, "expires": expires}))
                    .collect(),
            )
        }
        ["deliveries"] => Some(json!(graph.deliveries())),
        ["notifications"] => {
            let (all, lost) = graph.notifications();
            Some(json!({"all": all, "lost": lost}))
        }
        ["clock"] => Some(json!({"millis": graph.now()})),
        ["users", user] => graph.dump(user),
        _ => None,
    }
}

/// Answers a control call.
pub async fn serve(graph: &Graph, request: &Request) -> Reply {
    let path: Vec<String> = request.segments().into_iter().skip(1).collect();
    if request.method == "GET" {
        // A mail is answered as it is.
        if let [users, user, mails, id] = path.as_slice()
            && (users.as_str(), mails.as_str()) == ("users", "mails")
            && let Some(raw) = graph.raw(user, id)
        {
            return Reply::new(200, "message/rfc822", raw);
        }
        return read(graph, &path)
            .map_or_else(|| refused(404, "there is nothing to read here"), |value| Reply::json(200, &value));
    }
    // The one call that has to wait for somebody else.
    let done = if path.first().is_some_and(|name| name == "resend_validation") {
        resend_validation(graph, &request.body).await
    } else {
        act(graph, &path, &request.body)
    };
    match done {
        Ok(value) => Reply::json(200, &value),
        Err(error) => refused(400, &error),
    }
}

async fn resend_validation(graph: &Graph, body: &[u8]) -> Result {
    let mut args = Args::read(body)?;
    let id = text(&mut args, "id")?;
    args.done()?;
    graph.resend_validation(&id).await.map(|()| json!({}))
}

fn act(graph: &Graph, path: &[String], body: &[u8]) -> Result {
    let name = path.first().map(String::as_str).unwrap_or_default();
    let known = ACTS.iter().find(|(known, _)| *known == name);
    let (_, act) = known.ok_or_else(|| {
        let names: Vec<&str> = ACTS.iter().map(|(name, _)| *name).collect();
        format!("there is no call `{name}`; there are: {}", names.join(", "))
    })?;
    let mut args = Args::read(body)?;
    let value = act(graph, &mut args)?;
    args.done()?;
    Ok(value)
}

fn refused(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({"error": error}))
}
