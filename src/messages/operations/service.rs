//! What people do with their mails, and how they see the journal of it.

use super::carry::{self, Done, Selection};
use super::check;
use super::dto::{OperationDetail, OperationDto, OperationParams};
use super::model::Change;
use super::store::list::{self, Filter};
use crate::access::{Access, Scope};
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::{Keyset, Page};
use crate::ids::{EmailId, OperationId, ThreadId};
use crate::messages::dto::{MessageDto, ThreadDto};
use crate::messages::service::Messages;

impl Messages {
    /// Changes one mail; answers it as it is now.
    pub(super) async fn change_one(
        &self,
        access: &Access,
        id: EmailId,
        change: Change,
    ) -> ApiResult<(OperationId, MessageDto)> {
        let done = self.change(access, &Selection::Mail(id), change).await?;
        let message = self.message(access, id).await;
        Ok((self.ring(access, done), message?))
    }

    /// Changes some mails in one operation.
    pub(super) async fn change_many(
        &self,
        access: &Access,
        ids: Vec<EmailId>,
        change: Change,
    ) -> ApiResult<OperationId> {
        let ids = check::mails(ids)?;
        let done = self.change(access, &Selection::Mails(ids), change).await?;
        Ok(self.ring(access, done))
    }

    /// Changes the person's mails of a conversation; answers the conversation as it is now.
    pub(super) async fn change_thread(
        &self,
        access: &Access,
        id: ThreadId,
        change: Change,
    ) -> ApiResult<(OperationId, ThreadDto)> {
        let done = self.change(access, &Selection::Thread(id), change).await?;
        let thread = self.thread_now(access, id).await;
        Ok((self.ring(access, done), thread?))
    }

    /// Applies a change. Whoever asked for it is answered before it is carried to the provider, so the caller rings
    /// afterwards: a refusal may be quicker than the answer.
    async fn change(&self, access: &Access, selection: &Selection, change: Change) -> ApiResult<Done> {
        access.require(Scope::Write)?;
        let change = check::change(change)?;
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| carry::change(tx, access, selection, change, now).await).await
    }

    /// Takes an operation back; answers the operation that did so.
    pub(super) async fn undo(&self, access: &Access, id: OperationId) -> ApiResult<OperationDetail> {
        access.require(Scope::Write)?;
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        let done = conn.transaction(async |tx| carry::undo(tx, access, id, now).await).await?;
        drop(conn);
        let shown = self.shown_operation(access, done.operation).await;
        self.ring(access, done);
        shown
    }

    /// Tells those in this process who wait for rows; after a crash they find them by themselves.
    fn ring(&self, access: &Access, done: Done) -> OperationId {
        self.events.publish(Event::FactsRecorded(access.org));
        for account in done.queued {
            self.events.publish(Event::OperationQueued(account));
        }
        done.operation
    }

    /// One page of the person's operations, newest first.
    pub(super) async fn operations(&self, access: &Access, params: &OperationParams) -> ApiResult<Page<OperationDto>> {
        access.require(Scope::Read)?;
        let filter =
            Filter { account: params.account_id, state: params.state, cursor: params.cursor, limit: params.limit };
        let mut conn = self.db.read().await?;
        let rows = list::list(&mut conn, access, &filter).await?;
        let page = Page::cut(rows, params.limit, |row| Keyset { at: row.created_at, id: row.id.uuid() });
        let ids: Vec<OperationId> = page.items.iter().map(|row| row.id).collect();
        let mut items = list::items_of(&mut conn, &ids).await?;
        Ok(page.map(|row| {
            let items = items.remove(&row.id).unwrap_or_default();
            OperationDto::new(row, &items)
        }))
    }

    /// One operation with the outcome for each mail.
    pub(super) async fn operation(&self, access: &Access, id: OperationId) -> ApiResult<OperationDetail> {
        access.require(Scope::Read)?;
        self.shown_operation(access, id).await
    }

    async fn shown_operation(&self, access: &Access, id: OperationId) -> ApiResult<OperationDetail> {
        let mut conn = self.db.read().await?;
        let row = list::find(&mut conn, access, id).await?;
        let items = list::items_of(&mut conn, &[id]).await?.remove(&id).ok_or_else(ApiError::not_found)?;
        Ok(OperationDetail::new(row, items))
    }
}
