//! `/_control/…`: the same methods over HTTP.

use super::mails::Seed;
use crate::gmail::Gmail;
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
type Act = fn(&Gmail, &mut Args) -> Result;

/// Calls by name.
const ACTS: &[(&str, Act)] = &[
    ("add_user", |gmail, args| done!(gmail.add_user(args.rest()?))),
    ("remove_user", |gmail, args| done!(gmail.remove_user(&text(args, "user")?))),
    ("set_mail_enabled", |gmail, args| done!(gmail.set_mail_enabled(&text(args, "user")?, args.take("enabled")?))),
    ("put_send_as", |gmail, args| done!(gmail.put_send_as(&text(args, "user")?, args.take("send_as")?))),
    ("add_client", |gmail, args| done!(gmail.add_client(args.rest()?))),
    ("allow_redirect", |gmail, args| done!(gmail.allow_redirect(&text(args, "client")?, &text(args, "uri")?))),
    ("set_publishing", |gmail, args| done!(gmail.set_publishing(&text(args, "client")?, args.take("publishing")?))),
    ("script_consent", |gmail, args| done!(gmail.script_consent(args.rest()?))),
    ("grant", grant),
    ("end_grants", |gmail, args| Ok(json!({"ended": gmail.end_grants(&text(args, "user")?, args.take("death")?)}))),
    ("forget_access_tokens", |gmail, args| done!(gmail.forget_access_tokens(&text(args, "user")?))),
    ("add_service_account", |gmail, args| Ok(gmail.add_service_account(args.rest()?))),
    ("rotate_signing_key", |gmail, _| done!(gmail.rotate_signing_key())),
    ("add_mail", add_mail),
    ("relabel", relabel),
    ("delete_mails", |gmail, args| found(gmail.delete_mails(&text(args, "user")?, &args.take::<Vec<String>>("ids")?))),
    ("purge", |gmail, args| found(gmail.purge(&text(args, "user")?))),
    ("create_label", |gmail, args| found(gmail.create_label(&text(args, "user")?, &text(args, "name")?))),
    ("rename_label", |gmail, args| {
        found(gmail.rename_label(&text(args, "user")?, &text(args, "label")?, &text(args, "name")?))
    }),
    ("delete_label", |gmail, args| found(gmail.delete_label(&text(args, "user")?, &text(args, "label")?))),
    ("add_draft", |gmail, args| {
        found(gmail.add_draft(&text(args, "user")?, &text(args, "raw")?, args.maybe("thread")?))
    }),
    ("edit_draft", |gmail, args| {
        let changes_id = args.maybe("changes_id")?.unwrap_or(false);
        found(gmail.edit_draft(&text(args, "user")?, &text(args, "draft")?, &text(args, "raw")?, changes_id))
    }),
    ("send_elsewhere", |gmail, args| {
        found(gmail.send_elsewhere(&text(args, "user")?, &text(args, "raw")?, args.maybe("thread")?))
    }),
    ("send_draft_elsewhere", |gmail, args| {
        found(gmail.send_draft_elsewhere(&text(args, "user")?, &text(args, "draft")?))
    }),
    ("settings", |gmail, args| Ok(json!(gmail.patch_settings(&args.rest()?)?))),
    ("add_fault", |gmail, args| done!(gmail.add_fault_rule(args.rest::<FaultRule>()?)?)),
    ("clear_faults", |gmail, _| done!(gmail.clear_faults())),
    ("latency", |gmail, args| {
        let (latency, jitter) = (args.take("millis")?, args.maybe("jitter_millis")?.unwrap_or(0));
        done!(gmail.conditions().set_latency(Duration::from_millis(latency), Duration::from_millis(jitter)))
    }),
    ("clear_calls", |gmail, _| done!(gmail.clear_calls())),
    ("advance", |gmail, args| done!(gmail.advance(Duration::from_secs(args.take("seconds")?)))),
    ("clear_quota", |gmail, _| done!(gmail.clear_quota())),
    ("expire_history", |gmail, args| done!(gmail.expire_history(&text(args, "user")?))),
    ("forget_ids", |gmail, _| done!(gmail.forget_ids())),
    ("add_topic", |gmail, args| {
        done!(gmail.add_topic(&text(args, "name")?, args.maybe("gmail_may_publish")?.unwrap_or(true)))
    }),
    ("add_subscription", add_subscription),
    ("remove_subscription", |gmail, args| done!(gmail.remove_subscription(&text(args, "name")?))),
    ("push_faults", |gmail, args| done!(gmail.set_push_faults(args.rest()?))),
    ("publish", |gmail, args| done!(gmail.publish(&text(args, "topic")?, text(args, "data")?.as_bytes()))),
];

fn text(args: &mut Args, name: &str) -> Result<String> {
    args.take(name)
}

fn found<T: serde::Serialize>(result: Option<T>) -> Result {
    let result = result.ok_or("there is no such user, mail, label or draft, or it was refused")?;
    serde_json::to_value(result).map_err(|error| error.to_string())
}

fn grant(gmail: &Gmail, args: &mut Args) -> Result {
    let scopes: Vec<String> = args.take("scopes")?;
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    found(gmail.grant(&text(args, "user")?, &text(args, "client")?, &scopes))
}

fn add_mail(gmail: &Gmail, args: &mut Args) -> Result {
    let user = text(args, "user")?;
    let bytes = args.maybe::<String>("raw_base64")?.map(|text| BASE64.decode(text.as_bytes()));
    let bytes = bytes.transpose().map_err(|error| format!("the argument `raw_base64`: {error}"))?;
    let mut seed: Seed = args.rest()?;
    seed.bytes = bytes;
    found(gmail.add_mail(&user, seed))
}

fn relabel(gmail: &Gmail, args: &mut Args) -> Result {
    let (user, ids): (String, Vec<String>) = (args.take("user")?, args.take("ids")?);
    let add: Vec<String> = args.maybe("add")?.unwrap_or_default();
    let remove: Vec<String> = args.maybe("remove")?.unwrap_or_default();
    let add: Vec<&str> = add.iter().map(String::as_str).collect();
    let remove: Vec<&str> = remove.iter().map(String::as_str).collect();
    found(gmail.relabel(&user, &ids, &add, &remove))
}

fn add_subscription(gmail: &Gmail, args: &mut Args) -> Result {
    let (name, topic): (String, String) = (args.take("name")?, args.take("topic")?);
    let deadline = Duration::from_secs(args.maybe("ack_deadline_seconds")?.unwrap_or(10));
    done!(gmail.add_subscription(&name, &topic, args.maybe("push")?, deadline))
}

/// What can be read, by path.
fn read(gmail: &Gmail, path: &[String]) -> Option<Value> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["calls"] => Some(json!(gmail.calls())),
        ["counts"] => Some(json!(gmail.counts())),
        ["faults"] => Some(json!(gmail.conditions().faults())),
        ["settings"] => Some(json!(gmail.settings())),
        ["sent"] => Some(json!(gmail.sent())),
        ["deliveries"] => Some(json!(gmail.deliveries())),
        ["notifications"] => {
            let (published, dropped) = gmail.notifications();
            Some(json!({"published": published, "dropped_for_rate": dropped}))
        }
        ["clock"] => Some(json!({"millis": gmail.now()})),
        ["users", user] => gmail.dump(user),
        _ => None,
    }
}

/// Answers a control call.
pub fn serve(gmail: &Gmail, request: &Request) -> Reply {
    let path: Vec<String> = request.segments().into_iter().skip(1).collect();
    if request.method == "GET" {
        // A mail is answered as it is.
        if let [users, user, mails, id] = path.as_slice()
            && (users.as_str(), mails.as_str()) == ("users", "mails")
            && let Some(raw) = gmail.raw(user, id)
        {
            return Reply::new(200, "message/rfc822", raw);
        }
        return read(gmail, &path)
            .map_or_else(|| refused(404, "there is nothing to read here"), |value| Reply::json(200, &value));
    }
    match act(gmail, &path, &request.body) {
        Ok(value) => Reply::json(200, &value),
        Err(error) => refused(400, &error),
    }
}

fn act(gmail: &Gmail, path: &[String], body: &[u8]) -> Result {
    let name = path.first().map(String::as_str).unwrap_or_default();
    let known = ACTS.iter().find(|(known, _)| *known == name);
    let (_, act) = known.ok_or_else(|| {
        let names: Vec<&str> = ACTS.iter().map(|(name, _)| *name).collect();
        format!("there is no call `{name}`; there are: {}", names.join(", "))
    })?;
    let mut args = Args::read(body)?;
    let value = act(gmail, &mut args)?;
    args.done()?;
    Ok(value)
}

fn refused(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({"error": error}))
}
