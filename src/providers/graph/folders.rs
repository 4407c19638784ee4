//! Folders.

use reqwest::Method;
use serde_json::json;

use super::batch::BatchRequest;
use super::client::{Ask, GraphMailbox};
use super::model::{GraphFolder, GraphUser, List};
use crate::providers::ProviderError;

/// Names by which folders can be asked for in every language; the resource itself does not tell them.
const WELL_KNOWN: [&str; 6] = ["inbox", "drafts", "sentitems", "deleteditems", "junkemail", "archive"];

/// Folders of one page.
const PAGE: &str = "100";

impl GraphMailbox {
    /// Who the mailbox belongs to.
    pub async fn user(&self) -> Result<GraphUser, ProviderError> {
        let fields = "id,mail,userPrincipalName,displayName,proxyAddresses";
        self.read(Ask::new(Method::GET, self.path(&[])).query("$select", fields)).await
    }

    /// Every folder, those below others too.
    pub async fn folders(&self) -> Result<Vec<GraphFolder>, ProviderError> {
        let mut found = self.folders_at(&["mailFolders"]).await?;
        let mut next = 0;
        while let Some(folder) = found.get(next) {
            next += 1;
            if folder.child_folder_count > 0 {
                let id = folder.id.clone();
                found.extend(self.folders_at(&["mailFolders", &id, "childFolders"]).await?);
            }
        }
        Ok(found)
    }

    async fn folders_at(&self, path: &[&str]) -> Result<Vec<GraphFolder>, ProviderError> {
        let ask = Ask::new(Method::GET, self.path(path)).query("$top", PAGE).query("includeHiddenFolders", "true");
        let mut page: List<GraphFolder> = self.read(ask).await?;
        let mut found = std::mem::take(&mut page.value);
        while let Some(next) = page.next.take() {
            let link = Some(self.own_link(&next)?);
            page = self.read(Ask { link, ..Ask::new(Method::GET, Vec::new()) }).await?;
            found.append(&mut page.value);
        }
        Ok(found)
    }

    /// The ids of the folders that every mailbox has, by their well-known names; a mailbox may lack some.
    pub async fn well_known(&self) -> Result<Vec<(&'static str, String)>, ProviderError> {
        let requests = WELL_KNOWN.map(|name| BatchRequest::get(name, &self.path(&["mailFolders", name])));
        let answers = self.batch(&requests).await?;
        let mut found = Vec::with_capacity(WELL_KNOWN.len());
        for answer in answers {
            let Some(name) = WELL_KNOWN.into_iter().find(|name| *name == answer.id) else { continue };
            match answer.result {
                Ok(body) => found.extend(body["id"].as_str().map(|id| (name, id.to_owned()))),
                Err(error) if error.kind == crate::providers::ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Makes a folder, at the top where no parent is given.
    pub async fn create_folder(&self, name: &str, parent: Option<&str>) -> Result<GraphFolder, ProviderError> {
        let path = match parent {
            Some(parent) => self.path(&["mailFolders", parent, "childFolders"]),
            None => self.path(&["mailFolders"]),
        };
        self.read(Ask::new(Method::POST, path).json(json!({ "displayName": name }))).await
    }
}
