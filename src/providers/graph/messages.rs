//! Mails: read whole, and changed where Graph permits it on received mail.

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Ask, GraphMailbox};
use super::model::{FlagStatus, GraphAttachment, GraphMessage, List};
use crate::providers::ProviderError;

impl GraphMailbox {
    /// A mail with some of its fields.
    pub async fn message(&self, id: &str, select: &str) -> Result<GraphMessage, ProviderError> {
        self.read(Ask::new(Method::GET, self.path(&["messages", id])).query("$select", select)).await
    }

    /// The mail as MIME. Exchange writes it anew each time: its octets are no identity.
    pub async fn mime(&self, id: &str) -> Result<Bytes, ProviderError> {
        Ok(self.ask(Ask::new(Method::GET, self.path(&["messages", id, "$value"]))).await?.body)
    }

    /// Mails with a Message-ID, in every folder.
    pub async fn by_message_id(&self, message_id: &str, select: &str) -> Result<Vec<GraphMessage>, ProviderError> {
        let quoted = message_id.replace('\'', "''");
        let filter = format!("internetMessageId eq '<{quoted}>'");
        let ask = Ask::new(Method::GET, self.path(&["messages"])).query("$filter", filter).query("$select", select);
        Ok(self.read::<List<GraphMessage>>(ask).await?.value)
    }

    /// The files of a mail, without their contents.
    pub async fn attachments(&self, id: &str) -> Result<Vec<GraphAttachment>, ProviderError> {
        let fields = "id,name,contentType,size,isInline,lastModifiedDateTime,microsoft.graph.fileAttachment/contentId";
        let ask = Ask::new(Method::GET, self.path(&["messages", id, "attachments"])).query("$select", fields);
        Ok(self.read::<List<GraphAttachment>>(ask).await?.value)
    }

    /// The octets of a file. One that is a link has none (405).
    pub async fn attachment(&self, message: &str, id: &str) -> Result<Bytes, ProviderError> {
        let path = self.path(&["messages", message, "attachments", id, "$value"]);
        Ok(self.ask(Ask::new(Method::GET, path)).await?.body)
    }

    /// Changes flags and categories: all that may be changed on received mail.
    pub async fn update(
        &self,
        id: &str,
        is_read: Option<bool>,
        flag: Option<FlagStatus>,
        categories: Option<&[String]>,
    ) -> Result<GraphMessage, ProviderError> {
        let mut body = Map::new();
        if let Some(is_read) = is_read {
            body.insert("isRead".to_owned(), is_read.into());
        }
        if let Some(flag) = flag {
            body.insert("flag".to_owned(), json!({ "flagStatus": flag }));
        }
        if let Some(categories) = categories {
            body.insert("categories".to_owned(), json!(categories));
        }
        self.read(Ask::new(Method::PATCH, self.path(&["messages", id])).json(Value::Object(body))).await
    }

    /// Moves a mail to a folder, given by id or well-known name. Moving it where it lies already does no harm.
    pub async fn move_to(&self, id: &str, folder: &str) -> Result<GraphMessage, ProviderError> {
        let ask = Ask::new(Method::POST, self.path(&["messages", id, "move"]));
        self.read(ask.json(json!({ "destinationId": folder })).repeatable()).await
    }
}
