//! `users.settings.sendAs`: the addresses a user may send from, with their signatures.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::model::{Mailbox, SendAs};
use serde_json::{Value, json};

/// `sendAs.list`.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let addresses = json!(call.mailbox()?.send_as);
    Ok(Answer::Json(json!({"sendAs": addresses})))
}

fn known<'a>(mailbox: &'a mut Mailbox, address: &str) -> Result<&'a mut SendAs, ApiError> {
    let found = mailbox.send_as.iter_mut().find(|known| known.send_as_email.eq_ignore_ascii_case(address));
    found.ok_or_else(ApiError::not_found)
}

/// `sendAs.get`.
pub fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let address = call.place("sendAsEmail");
    Ok(Answer::Json(json!(known(call.mailbox()?, &address)?)))
}

/// These work for a service account with authority over the whole domain and for nobody else.
fn only_delegated(call: &Call<'_>) -> Result<(), ApiError> {
    if call.access.is_delegated {
        return Ok(());
    }
    Err(ApiError::forbidden("Access restricted to service accounts that have been delegated domain-wide authority"))
}

/// `sendAs.create`: it has to be verified before it is used.
pub fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    only_delegated(call)?;
    let address = call.text("sendAsEmail").unwrap_or_default().to_lowercase();
    let body = call.body.clone();
    let mailbox = call.mailbox()?;
    if !address.contains('@') || known(mailbox, &address).is_ok() {
        return Err(ApiError::invalid("Invalid or existing send-as address"));
    }
    let mut new = SendAs { send_as_email: address, treat_as_alias: true, ..SendAs::default() };
    new.verification_status = Some("pending".to_owned());
    apply(&mut new, &body);
    mailbox.send_as.push(new.clone());
    Ok(Answer::Json(json!(new)))
}

fn apply(target: &mut SendAs, body: &Value) {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    if let Some(name) = text("displayName") {
        target.display_name = name;
    }
    if let Some(address) = text("replyToAddress") {
        target.reply_to_address = address;
    }
    if let Some(signature) = text("signature") {
        target.signature = signature;
    }
    if let Some(is_alias) = flag("treatAsAlias") {
        target.treat_as_alias = is_alias;
    }
}

fn change(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let address = call.place("sendAsEmail");
    let body = call.body.clone();
    let mailbox = call.mailbox()?;
    apply(known(mailbox, &address)?, &body);
    if body.get("isDefault").and_then(Value::as_bool) == Some(true) {
        for one in &mut mailbox.send_as {
            one.is_default = one.send_as_email.eq_ignore_ascii_case(&address);
        }
    }
    Ok(Answer::Json(json!(known(mailbox, &address)?)))
}

/// `sendAs.update`.
pub fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    change(call)
}

/// `sendAs.patch`.
pub fn patch(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    change(call)
}

/// `sendAs.delete`: the primary address stays.
pub fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    only_delegated(call)?;
    let address = call.place("sendAsEmail");
    let mailbox = call.mailbox()?;
    if known(mailbox, &address)?.is_primary {
        return Err(ApiError::invalid("The primary address cannot be deleted"));
    }
    mailbox.send_as.retain(|known| !known.send_as_email.eq_ignore_ascii_case(&address));
    Ok(Answer::Empty)
}

/// `sendAs.verify`: sends the mail with the link; the address stays pending.
pub fn verify(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    only_delegated(call)?;
    let address = call.place("sendAsEmail");
    known(call.mailbox()?, &address)?;
    Ok(Answer::Empty)
}
