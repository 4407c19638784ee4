//! Drafts, which are also the way to send exactly once: a draft with an immutable id is sent and found again by the same id.

use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Ask, Content, GraphMailbox};
use super::model::{GraphMessage, List};
use crate::providers::ProviderError;

/// The property that carries our own mark of a mail on its way out; recipients never see it.
pub const OUTBOX_PROPERTY: &str = "String {8f3c2c54-5b0e-4a57-9d59-8d1f1c4c7a11} Name duplex-outbox-id";

/// The fields that tell what became of a draft.
const FIELDS: &str =
    "id,parentFolderId,conversationId,internetMessageId,isDraft,changeKey,sentDateTime,receivedDateTime";

/// How a mail is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Its author.
    Author,
    /// Everybody.
    All,
    /// Somebody else.
    Forward,
}

impl GraphMailbox {
    /// Makes a draft of a mail (RFC 5322): its header fields stay as they are. The request may hold 4 MB at most.
    pub async fn create_draft(&self, raw: &[u8]) -> Result<GraphMessage, ProviderError> {
        let content = Content::Mime(BASE64.encode(raw));
        self.read(Ask { content, ..Ask::new(Method::POST, self.path(&["messages"])) }).await
    }

    /// Makes a draft that answers a mail, with the header fields that join it to the conversation.
    pub async fn create_reply(&self, id: &str, how: Reply) -> Result<GraphMessage, ProviderError> {
        let verb = match how {
            Reply::Author => "createReply",
            Reply::All => "createReplyAll",
            Reply::Forward => "createForward",
        };
        self.read(Ask::new(Method::POST, self.path(&["messages", id, verb]))).await
    }

    /// Changes a draft.
    pub async fn patch_draft(&self, id: &str, fields: Value) -> Result<GraphMessage, ProviderError> {
        self.read(Ask::new(Method::PATCH, self.path(&["messages", id])).json(fields)).await
    }

    /// Marks a draft as the mail of ours with this id.
    pub async fn mark_draft(&self, id: &str, ours: &str) -> Result<GraphMessage, ProviderError> {
        let mark = json!({ "singleValueExtendedProperties": [{ "id": OUTBOX_PROPERTY, "value": ours }] });
        self.patch_draft(id, mark).await
    }

    /// Finds mails with our mark, whatever folder they are in.
    pub async fn marked(&self, ours: &str) -> Result<Vec<GraphMessage>, ProviderError> {
        let quoted = ours.replace('\'', "''");
        let filter =
            format!("singleValueExtendedProperties/Any(ep: ep/id eq '{OUTBOX_PROPERTY}' and ep/value eq '{quoted}')");
        let ask = Ask::new(Method::GET, self.path(&["messages"])).query("$filter", filter).query("$select", FIELDS);
        Ok(self.read::<List<GraphMessage>>(ask).await?.value)
    }

    /// Sends a draft. It is tried once: when no answer comes, the mail may have left (`may_be_done`).
    pub async fn send_draft(&self, id: &str) -> Result<(), ProviderError> {
        self.ask(Ask::new(Method::POST, self.path(&["messages", id, "send"]))).await?;
        Ok(())
    }

    /// What became of a draft, by the id that it keeps.
    pub async fn sent(&self, id: &str) -> Result<GraphMessage, ProviderError> {
        self.message(id, FIELDS).await
    }

    /// Attaches a small file to a draft (3 MB at most).
    pub async fn attach(&self, draft: &str, file: Value) -> Result<(), ProviderError> {
        self.ask(Ask::new(Method::POST, self.path(&["messages", draft, "attachments"])).json(file)).await?;
        Ok(())
    }
}
