//! `users.watch` and `users.stop`.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::model::Watch;
use serde_json::{Value, json};

const SEVEN_DAYS: i64 = 7 * 24 * 60 * 60 * 1000;

/// `watch`: announce changes to a topic of the client's own project, for seven days.
pub fn watch(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let topic = call.text("topicName").unwrap_or_default().to_owned();
    let project = call.access.project.clone();
    check_topic(call, &topic, &project)?;
    let labels = call.texts("labelIds");
    let behaviour = call.body.get("labelFilterBehavior").or_else(|| call.body.get("labelFilterAction"));
    let excludes = behaviour.and_then(Value::as_str) == Some("exclude");
    let now = call.state.now();
    let user = call.user.clone();
    let mailbox = call.mailbox()?;
    mailbox.check_labels(&labels, &[])?;
    let standing = mailbox.watches.get(&project).filter(|watch| watch.expires > now);
    if standing.is_some_and(|watch| watch.topic != topic) {
        return Err(ApiError::invalid(
            "Only one user push notification client allowed per developer (call /stop then try again)",
        ));
    }
    let expires = now + SEVEN_DAYS;
    mailbox.watches.insert(project.clone(), Watch { topic, labels, excludes, expires });
    mailbox.notified.remove(&project);
    let history_id = mailbox.visible_history_id(now);
    call.state.announce(&user, &project, history_id);
    Ok(Answer::Json(json!({"historyId": history_id.to_string(), "expiration": expires.to_string()})))
}

fn check_topic(call: &Call<'_>, topic: &str, project: &str) -> Result<(), ApiError> {
    let pieces: Vec<&str> = topic.split('/').collect();
    let ["projects", named, "topics", name] = pieces.as_slice() else {
        return Err(ApiError::invalid("Invalid topicName does not match projects/*/topics/*"));
    };
    if *named != project {
        return Err(ApiError::invalid(format!("Invalid topicName does not match projects/{project}/topics/*")));
    }
    match call.state.pubsub.topics.get(topic) {
        None => {
            let message =
                format!("Error sending test message to Cloud PubSub {topic} : Resource not found (resource={name}).");
            let mut error = ApiError::not_found();
            error.message = message.into();
            Err(error)
        }
        Some(topic_state) if !topic_state.gmail_may_publish => Err(ApiError::forbidden(format!(
            "Error sending test message to Cloud PubSub {topic} : User not authorized to perform this action."
        ))),
        Some(_) => Ok(()),
    }
}

/// `stop`.
pub fn stop(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let project = call.access.project.clone();
    call.mailbox()?.watches.remove(&project);
    Ok(Answer::Empty)
}
