//! What changed in a folder, page by page. A page may be empty and still have a next one; a mail that is removed may only
//! have been moved; of a change only the fields that changed are told.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Ask, GraphMailbox};
use super::error::nonsense;
use super::model::GraphMessage;
use crate::providers::ProviderError;

/// What is told of each mail. Without `isRead` reading a mail would be no change.
const FIELDS: &str = "id,parentFolderId,conversationId,internetMessageId,subject,from,sender,toRecipients,ccRecipients,\
    bccRecipients,replyTo,receivedDateTime,sentDateTime,isRead,isDraft,flag,categories,hasAttachments,changeKey,body";

/// Where to go on: kept whole, for it holds what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The round goes on.
    Next(String),
    /// The round is done; later changes are asked for here.
    Delta(String),
}

/// What is told of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeltaItem {
    /// It is new, or some of it changed; what is absent did not.
    Changed(Box<GraphMessage>),
    /// It is not in this folder any more: deleted, or moved elsewhere.
    Removed(String),
}

/// A page of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaPage {
    /// The changes.
    pub items: Vec<DeltaItem>,
    /// Where to go on.
    pub link: Link,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

impl GraphMailbox {
    /// The first page of a round from the beginning: every mail of the folder, the newest first.
    pub async fn delta(&self, folder: &str, page_size: u32) -> Result<DeltaPage, ProviderError> {
        let path = self.path(&["mailFolders", folder, "messages", "delta"]);
        let ask = Ask::new(Method::GET, path).query("$select", FIELDS).prefer(page(page_size));
        read(self.read(ask).await?)
    }

    /// The page that a link of a former one leads to.
    pub async fn delta_at(&self, link: &str, page_size: u32) -> Result<DeltaPage, ProviderError> {
        let link = Some(self.own_link(link)?);
        let ask = Ask { link, ..Ask::new(Method::GET, Vec::new()) }.prefer(page(page_size));
        read(self.read(ask).await?)
    }
}

fn page(size: u32) -> String {
    format!("odata.maxpagesize={size}")
}

fn read(page: Page) -> Result<DeltaPage, ProviderError> {
    let link = match (page.next, page.delta) {
        (Some(next), _) => Link::Next(next),
        (None, Some(delta)) => Link::Delta(delta),
        (None, None) => return Err(nonsense()),
    };
    let item = |value: Value| {
        let id = value["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        if value.get("@removed").is_some() {
            return Some(DeltaItem::Removed(id));
        }
        serde_json::from_value(value).ok().map(|message| DeltaItem::Changed(Box::new(message)))
    };
    Ok(DeltaPage { items: page.value.into_iter().filter_map(item).collect(), link })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_absent_from_a_change_did_not_change() {
        let page = json!({
            "value": [
                {"id": "A", "isRead": true, "parentFolderId": "F"},
                {"id": "B", "@removed": {"reason": "deleted"}},
                {"id": ""}
            ],
            "@odata.deltaLink": "https://graph.example/v1.0/x"
        });
        let page = read(serde_json::from_value(page).unwrap()).unwrap();
        assert_eq!(page.items.len(), 2);
        let DeltaItem::Changed(message) = &page.items[0] else { panic!("{page:?}") };
        assert_eq!((message.is_read, message.subject.as_ref(), message.flag), (Some(true), None, None));
        assert_eq!(page.items[1], DeltaItem::Removed("B".to_owned()));
    }

    #[test]
    fn an_empty_page_goes_on_and_one_without_a_link_makes_no_sense() {
        let empty = json!({"value": [], "@odata.nextLink": "https://graph.example/v1.0/y"});
        assert!(matches!(read(serde_json::from_value(empty).unwrap()).unwrap().link, Link::Next(_)));
        assert!(read(serde_json::from_value(json!({"value": []})).unwrap()).is_err());
    }
}
