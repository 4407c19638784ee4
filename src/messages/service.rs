//! What a person may read, put together from the store and the storage.

use std::collections::HashMap;
use std::sync::Arc;

use moka::future::Cache;

use super::dto::{
    FolderDto, FolderPatch, Header, LookupAnswer, LookupDto, LookupParams, MessageDetail, MessageDto, MessageParams,
    OutgoingDto, Person, ThreadDto, ThreadParams,
};
use super::model::FolderRole;
use super::store::{self, read};
use crate::access::{Access, Scope};
use crate::clock::Clock;
use crate::db::types::Json;
use crate::db::{Db, DbConn};
use crate::error::{ApiError, ApiResult};
use crate::events::Events;
use crate::http::{Keyset, Page};
use crate::ids::{AccountId, EmailId, FolderId, ThreadId};
use crate::mail;
use crate::storage::Storage;

/// The most that sanitised bodies may take in memory, in bytes.
const BODIES: u64 = 16 * 1024 * 1024;

/// The body of a mail, and its version where it has several.
type Body = (EmailId, Option<i64>);

/// Mails as people read them.
#[derive(Clone)]
pub struct Messages {
    pub(super) db: Db,
    pub(super) storage: Storage,
    pub(super) public_url: Arc<str>,
    pub(super) clock: Clock,
    pub(super) events: Events,
    /// Sanitised HTML by mail; a body never changes, but for the versions of a mail that is written here.
    bodies: Cache<Body, Arc<str>>,
}

impl Messages {
    /// Takes the handles that it needs; `public_url` is where browsers reach the server.
    pub fn new(db: Db, clock: Clock, storage: Storage, events: Events, public_url: &str) -> Self {
        let bodies = Cache::builder()
            .max_capacity(BODIES)
            .weigher(|_, html: &Arc<str>| u32::try_from(html.len() + 64).unwrap_or(u32::MAX))
            .build();
        Self { db, storage, public_url: public_url.trim_end_matches('/').into(), clock, events, bodies }
    }

    /// One page of mails, newest first.
    pub(super) async fn list(&self, access: &Access, params: &MessageParams) -> ApiResult<Page<MessageDto>> {
        access.require(Scope::Read)?;
        let query = query_of(params)?;
        let mut conn = self.db.read().await?;
        let rows = read::list(&mut conn, access, &query).await?;
        let key = |row: &read::MessageRow| Keyset { at: row.received_at, id: row.id.uuid() };
        let page = Page::cut(rows, params.limit, key);
        let items = assemble(&mut conn, page.items).await?;
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    /// One mail with its bodies.
    pub async fn detail(&self, access: &Access, id: EmailId) -> ApiResult<MessageDetail> {
        access.require(Scope::Read)?;
        let mut conn = self.db.read().await?;
        let row = read::message(&mut conn, access, id).await?;
        let body = read::body(&mut conn, access, id).await?;
        let message = assemble(&mut conn, vec![row]).await?.pop().ok_or_else(ApiError::not_found)?;
        let images = read::embedded_images(&mut conn, id).await?;
        let outgoing = read::outgoing(&mut conn, id).await?;
        drop(conn);
        let outgoing = outgoing.map(|(row, people)| OutgoingDto::new(row, &message.status, people));
        let version = outgoing.as_ref().map(|outgoing| outgoing.revision);
        let body_html = match body.body_html {
            Some(html) => Some(self.sanitized((id, version), html, images).await?.to_string()),
            None => None,
        };
        Ok(MessageDetail {
            message,
            body_html,
            body_text: body.body_text,
            visible_text: body.body_visible_text,
            references: body.references.0,
            headers: headers(body.headers),
            outgoing,
        })
    }

    /// One mail without its bodies, also for somebody who may only change it.
    pub async fn message(&self, access: &Access, id: EmailId) -> ApiResult<MessageDto> {
        let mut conn = self.db.read().await?;
        let row = read::message(&mut conn, access, id).await?;
        assemble(&mut conn, vec![row]).await?.pop().ok_or_else(ApiError::not_found)
    }

    /// One mail as an HTML page of its own: sanitised, or made from its plain text.
    pub(super) async fn page(&self, access: &Access, id: EmailId) -> ApiResult<String> {
        access.require(Scope::Read)?;
        let mut conn = self.db.read().await?;
        let body = read::body(&mut conn, access, id).await?;
        let images = read::embedded_images(&mut conn, id).await?;
        let version = read::outgoing(&mut conn, id).await?.map(|(row, _)| row.revision);
        drop(conn);
        match body.body_html {
            Some(html) => Ok(mail::html::page(&self.sanitized((id, version), html, images).await?)),
            None => {
                let text = body.body_text.unwrap_or_default();
                blocking(move || mail::html::page(&mail::html::text_to_html(&text))).await
            }
        }
    }

    async fn sanitized(
        &self,
        id: Body,
        html: String,
        images: Vec<(crate::ids::AttachmentId, String)>,
    ) -> ApiResult<Arc<str>> {
        if let Some(clean) = self.bodies.get(&id).await {
            return Ok(clean);
        }
        // Relative, so that they are right whatever address the browser came by.
        let embedded: HashMap<String, String> =
            images.into_iter().map(|(image, cid)| (cid, format!("/mail-img/cid/{image}"))).collect();
        let clean: Arc<str> = blocking(move || mail::html::sanitize_with(&html, &embedded).html.into()).await?;
        self.bodies.insert(id, clean.clone()).await;
        Ok(clean)
    }

    /// Where a mail with a Message-ID is, or why it was not stored.
    pub(super) async fn lookup(&self, access: &Access, params: &LookupParams) -> ApiResult<LookupAnswer> {
        access.require(Scope::Read)?;
        let message_id = params.message_id.trim().trim_start_matches('<').trim_end_matches('>');
        let mut conn = self.db.read().await?;
        let accounts = read::accounts_of(&mut conn, access).await?;
        let found = read::lookup(&mut conn, &accounts, message_id).await?;
        let mut items: Vec<LookupDto> = found.into_iter().map(lookup_dto).collect();
        match items.len() {
            0 => Err(ApiError::not_found()),
            1 => items.pop().map(LookupAnswer::One).ok_or_else(ApiError::not_found),
            _ => Ok(LookupAnswer::Several { items }),
        }
    }

    /// One page of conversations, newest first.
    pub(super) async fn threads(&self, access: &Access, params: &ThreadParams) -> ApiResult<Page<ThreadDto>> {
        access.require(Scope::Read)?;
        let query = read::ThreadQuery {
            account: params.account_id,
            folder: params.folder.as_deref().map(folder_choice).transpose()?,
            unread: match params.is_read {
                None => false,
                Some(false) => true,
                Some(true) => {
                    return Err(ApiError::invalid("is_read", "only `false` is offered: threads with an unread mail"));
                }
            },
            cursor: params.cursor,
            limit: params.limit,
        };
        let mut conn = self.db.read().await?;
        let rows = read::list_threads(&mut conn, access, &query).await?;
        let page = Page::cut(rows, params.limit, |(_, key)| *key);
        let ids: Vec<ThreadId> = page.items.iter().map(|(id, _)| *id).collect();
        let mut views = read::views(&mut conn, access, &ids).await?;
        let items = ids.iter().filter_map(|id| views.remove(id)).map(|view| thread_dto(view, None)).collect();
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    /// One conversation with its mails.
    pub(super) async fn thread(&self, access: &Access, id: ThreadId) -> ApiResult<ThreadDto> {
        access.require(Scope::Read)?;
        self.thread_now(access, id).await
    }

    /// One conversation, also for somebody who may only change it.
    pub(super) async fn thread_now(&self, access: &Access, id: ThreadId) -> ApiResult<ThreadDto> {
        let mut conn = self.db.read().await?;
        let view = read::views(&mut conn, access, &[id]).await?.remove(&id).ok_or_else(ApiError::not_found)?;
        let rows = read::of_thread(&mut conn, access, id).await?;
        let messages = assemble(&mut conn, rows).await?;
        Ok(thread_dto(view, Some(messages)))
    }

    /// The folders of a mailbox.
    pub(super) async fn folders(&self, access: &Access, account: AccountId) -> ApiResult<Page<FolderDto>> {
        access.require(Scope::Read)?;
        let mut conn = self.db.read().await?;
        own_account(&mut conn, access, account).await?;
        let folders = store::list_folders(&mut conn, account).await?;
        let counts = store::folder_counts(&mut conn, account).await?;
        let show = |folder: super::Folder| {
            let count = counts.get(&folder.id).copied().unwrap_or_default();
            FolderDto::new(folder, count)
        };
        let items = folders.into_iter().filter(|folder| folder.selectable).map(show).collect();
        Ok(Page { items, next_cursor: None })
    }

    /// Changes whether the mail of a folder is stored.
    pub(super) async fn patch_folder(
        &self,
        access: &Access,
        account: AccountId,
        folder: FolderId,
        patch: &FolderPatch,
    ) -> ApiResult<FolderDto> {
        access.require(Scope::Write)?;
        let mut conn = self.db.write().await?;
        own_account(&mut conn, access, account).await?;
        if let Some(included) = patch.included {
            store::set_included(&mut conn, account, folder, included, self.clock.now()).await?;
        }
        let shown = store::folder(&mut conn, account, folder).await?;
        let count = store::folder_counts(&mut conn, account).await?.remove(&folder).unwrap_or_default();
        Ok(FolderDto::new(shown, count))
    }
}

/// Refuses a mailbox that the caller may not see.
pub(super) async fn own_account(conn: &mut DbConn, access: &Access, account: AccountId) -> ApiResult<()> {
    if read::accounts_of(conn, access).await?.contains(&account) {
        return Ok(());
    }
    Err(ApiError::not_found())
}

/// Runs work that takes the CPU away from the thread that serves requests.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> ApiResult<R> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}

async fn assemble(conn: &mut DbConn, rows: Vec<read::MessageRow>) -> ApiResult<Vec<MessageDto>> {
    let ids: Vec<EmailId> = rows.iter().map(|row| row.id).collect();
    let mut parts = read::parts(conn, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let parts = parts.remove(&row.id).unwrap_or_default();
            MessageDto::new(row, parts)
        })
        .collect())
}

fn query_of(params: &MessageParams) -> ApiResult<read::Query> {
    use super::dto::DirectionParam;
    Ok(read::Query {
        account: params.account_id,
        thread: params.thread_id,
        folder: params.folder.as_deref().map(folder_choice).transpose()?,
        is_read: params.is_read,
        is_starred: params.is_starred,
        is_archived: params.is_archived,
        direction: params.direction.map(|direction| match direction {
            DirectionParam::Inbound => read::Direction::Inbound,
            DirectionParam::Outbound => read::Direction::Outbound,
        }),
        status: params.status.map(super::dto::StatusParam::as_str),
        from: params.from.as_deref().map(|address| address.trim().to_lowercase()),
        to: params.to.as_deref().map(mail::normalize_address),
        has_attachments: params.has_attachments,
        after: params.after,
        before: params.before,
        cursor: params.cursor,
        limit: params.limit,
    })
}

fn folder_choice(text: &str) -> ApiResult<read::FolderChoice> {
    if let Some(role) = FolderRole::parse(text) {
        return Ok(read::FolderChoice::Role(role));
    }
    text.parse().map(read::FolderChoice::Id).map_err(|_| {
        ApiError::invalid(
            "folder",
            "it must be the id of a folder or one of inbox, sent, drafts, trash, spam, archive, all, label",
        )
    })
}

fn thread_dto(view: read::ThreadView, messages: Option<Vec<MessageDto>>) -> ThreadDto {
    let digest = view.digest;
    ThreadDto {
        id: view.id,
        subject: digest.subject,
        participants: digest.participants.into_iter().map(|p| Person { email: p.email, name: p.name }).collect(),
        message_count: digest.count,
        unread_count: view.unread,
        last_message_at: digest.last_at,
        snippet: digest.snippet,
        contact_ids: Vec::new(),
        deal_ids: Vec::new(),
        messages,
    }
}

fn lookup_dto(found: read::Found) -> LookupDto {
    match found {
        read::Found::Stored { email, account } => {
            LookupDto { email_id: Some(email), reason: None, detail: None, account_id: account }
        }
        read::Found::Gone { account } => LookupDto {
            email_id: None,
            reason: Some("deleted".to_owned()),
            detail: Some("It was stored and has been deleted in the mailbox since.".to_owned()),
            account_id: account,
        },
        read::Found::NotReached { account } => LookupDto {
            email_id: None,
            reason: Some("not_reached".to_owned()),
            detail: Some("It is not stored so far: the first import of this mailbox still runs.".to_owned()),
            account_id: account,
        },
        read::Found::Skipped { account, reason, detail } => {
            LookupDto { email_id: None, reason: Some(reason), detail, account_id: account }
        }
    }
}

/// Reads the kept headers: a list of pairs.
fn headers(stored: Json) -> Vec<Header> {
    let pairs: Vec<(String, String)> = serde_json::from_value(stored.0).unwrap_or_else(|error| {
        tracing::warn!(%error, "the kept headers of a mail cannot be read");
        Vec::new()
    });
    pairs.into_iter().map(|(name, value)| Header { name, value }).collect()
}
