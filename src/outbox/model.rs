//! Facts: what happened, who may know, and what is said about it.

use serde_json::{Map, Value, json};

use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId, OperationId, OrgId, ThreadId, UserId};

/// Something that happened. It carries ids and states, never what stands in a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The organization.
    pub(super) org: OrgId,
    /// The only one who may read it; nothing: everybody of the organization.
    pub(super) reader: Option<UserId>,
    /// The mailbox that it is about.
    pub(super) account: Option<AccountId>,
    /// The public type, such as `email.received`.
    pub(super) kind: &'static str,
    /// What is said about it.
    pub(super) data: Value,
}

impl Fact {
    /// A mail arrived.
    pub fn email_received(account: AccountRef, email: EmailId, thread: ThreadId) -> Self {
        Self::of(account, "email.received").with("email_id", email).with("thread_id", thread)
    }

    /// A mail changed; `fields` names what of it, as the API calls it, where that is known.
    pub fn email_updated(
        account: AccountRef,
        email: EmailId,
        thread: Option<ThreadId>,
        fields: &[&'static str],
    ) -> Self {
        let fact = Self::of(account, "email.updated").with("email_id", email).with_thread(thread);
        if fields.is_empty() { fact } else { fact.with("changed", fields) }
    }

    /// A mail is gone at the provider.
    pub fn email_deleted(account: AccountRef, email: EmailId, thread: impl Into<Option<ThreadId>>) -> Self {
        Self::of(account, "email.deleted").with("email_id", email).with_thread(thread.into())
    }

    /// A mail was handed to the mail server for every recipient that it was for.
    pub fn email_sent(account: AccountRef, email: EmailId, thread: Option<ThreadId>) -> Self {
        Self::of(account, "email.sent").with("email_id", email).with_thread(thread)
    }

    /// A mail could not be sent, for this reason.
    pub fn email_failed(account: AccountRef, email: EmailId, thread: Option<ThreadId>, code: Option<&str>) -> Self {
        let fact = Self::of(account, "email.failed").with("email_id", email).with_thread(thread);
        match code {
            Some(code) => fact.with("error_code", code),
            None => fact,
        }
    }

    /// A person answered a mail that was sent.
    pub fn email_replied(account: AccountRef, email: EmailId, thread: Option<ThreadId>, reply: EmailId) -> Self {
        Self::of(account, "email.replied").with("email_id", email).with_thread(thread).with("reply_email_id", reply)
    }

    /// A mail that was sent came back, as this report says. `kind` is `hard` when an address takes no mail at all, else
    /// `soft`.
    pub fn email_bounced(
        account: AccountRef,
        email: EmailId,
        thread: Option<ThreadId>,
        report: EmailId,
        kind: &'static str,
    ) -> Self {
        let fact = Self::of(account, "email.bounced").with("email_id", email).with_thread(thread);
        fact.with("report_email_id", report).with("kind", kind)
    }

    /// A mailbox was connected.
    pub fn account_connected(account: AccountRef) -> Self {
        Self::of(account, "account.connected").with("status", "active")
    }

    /// A mailbox that was well met an error; it is tried again.
    pub fn account_error(account: AccountRef, code: &str, message: &str) -> Self {
        Self::of(account, "account.error")
            .with("status", "error")
            .with("error_code", code)
            .with("error_message", message)
    }

    /// A person disconnected a mailbox.
    pub fn account_disconnected(account: AccountRef) -> Self {
        Self::of(account, "account.disconnected").with("status", "disconnected")
    }

    /// A mailbox waits for a person, for this reason.
    pub fn account_given_up(account: AccountRef, code: &str, message: &str) -> Self {
        Self::account_disconnected(account).with("error_code", code).with("error_message", message)
    }

    /// The first import of a mailbox is done.
    pub fn account_backfill_completed(account: AccountRef) -> Self {
        Self::of(account, "account.backfill_completed")
    }

    /// A change that a person asked for has a new state, such as `confirmed`.
    pub fn operation_changed(account: AccountRef, operation: OperationId, state: &str) -> Self {
        Self::of(account, "operation.updated").with("operation_id", operation).with("state", state)
    }

    /// A conversation became part of another; all of the organization may know, mails of several mailboxes may be in it.
    pub fn thread_merged(org: OrgId, into: ThreadId, from: ThreadId) -> Self {
        let fact = Self { org, reader: None, account: None, kind: "thread.merged", data: Value::Object(Map::new()) };
        fact.with("thread_id", into).with("merged_thread_id", from)
    }

    fn of(account: AccountRef, kind: &'static str) -> Self {
        let data = json!({ "account_id": account.account });
        Self { org: account.org, reader: Some(account.user), account: Some(account.account), kind, data }
    }

    fn with_thread(self, thread: Option<ThreadId>) -> Self {
        match thread {
            Some(thread) => self.with("thread_id", thread),
            None => self,
        }
    }

    fn with(mut self, key: &str, value: impl serde::Serialize) -> Self {
        if let Some(data) = self.data.as_object_mut() {
            data.insert(key.to_owned(), json!(value));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountRef {
        AccountRef { org: OrgId::new(), user: UserId::new(), account: AccountId::new() }
    }

    #[test]
    fn a_fact_about_a_mail_names_the_mail_its_mailbox_and_its_conversation() {
        let (at, email, thread) = (account(), EmailId::new(), ThreadId::new());
        let fact = Fact::email_received(at, email, thread);
        assert_eq!((fact.kind, fact.org, fact.reader), ("email.received", at.org, Some(at.user)));
        assert_eq!(fact.data, json!({ "account_id": at.account, "email_id": email, "thread_id": thread }));
        let fact = Fact::email_deleted(at, email, None);
        assert_eq!((fact.kind, fact.account), ("email.deleted", Some(at.account)));
        assert_eq!(fact.data, json!({ "account_id": at.account, "email_id": email }));
    }

    #[test]
    fn an_update_names_what_changed() {
        let fact = Fact::email_updated(account(), EmailId::new(), None, &["is_read", "folders"]);
        assert_eq!((fact.kind, &fact.data["changed"]), ("email.updated", &json!(["is_read", "folders"])));
    }

    #[test]
    fn a_sent_mail_tells_what_became_of_it() {
        let (at, email, other, thread) = (account(), EmailId::new(), EmailId::new(), ThreadId::new());
        let fact = Fact::email_sent(at, email, Some(thread));
        assert_eq!((fact.kind, fact.reader, fact.account), ("email.sent", Some(at.user), Some(at.account)));
        assert_eq!(fact.data, json!({ "account_id": at.account, "email_id": email, "thread_id": thread }));
        let fact = Fact::email_failed(at, email, None, Some("smtp_refused"));
        assert_eq!((fact.kind, &fact.data["error_code"]), ("email.failed", &json!("smtp_refused")));
        assert_eq!(Fact::email_failed(at, email, None, None).data.get("error_code"), None);
        let fact = Fact::email_replied(at, email, Some(thread), other);
        assert_eq!((fact.kind, &fact.data["email_id"]), ("email.replied", &json!(email)));
        assert_eq!(fact.data["reply_email_id"], json!(other));
        let fact = Fact::email_bounced(at, email, Some(thread), other, "hard");
        assert_eq!((fact.kind, &fact.data["kind"]), ("email.bounced", &json!("hard")));
        assert_eq!((&fact.data["email_id"], &fact.data["report_email_id"]), (&json!(email), &json!(other)));
    }

    #[test]
    fn a_mailbox_in_trouble_tells_why_and_a_removed_one_does_not() {
        let fact = Fact::account_error(account(), "imap_timeout", "No answer.");
        assert_eq!((fact.kind, &fact.data["status"]), ("account.error", &json!("error")));
        assert_eq!(
            (&fact.data["error_code"], &fact.data["error_message"]),
            (&json!("imap_timeout"), &json!("No answer."))
        );
        let fact = Fact::account_given_up(account(), "imap_login_failed", "Refused.");
        assert_eq!((fact.kind, &fact.data["error_code"]), ("account.disconnected", &json!("imap_login_failed")));
        assert_eq!(Fact::account_disconnected(account()).data.get("error_code"), None);
    }

    #[test]
    fn an_operation_tells_its_state_and_everybody_may_know_of_merged_threads() {
        let operation = OperationId::new();
        let fact = Fact::operation_changed(account(), operation, "confirmed");
        assert_eq!((fact.kind, &fact.data["operation_id"]), ("operation.updated", &json!(operation)));
        let (into, from) = (ThreadId::new(), ThreadId::new());
        let fact = Fact::thread_merged(OrgId::new(), into, from);
        assert_eq!((fact.kind, fact.reader, fact.account), ("thread.merged", None, None));
        assert_eq!(fact.data, json!({ "thread_id": into, "merged_thread_id": from }));
    }
}
