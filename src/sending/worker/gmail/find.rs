//! Looks for a mail of ours in the mailbox. Gmail searches neither for our mark nor reliably for Message-IDs, so what is new in
//! the history is read.

use super::{DRAFT, Gmail, SENT};
use crate::messages;
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::{HistoryMessage, ListQuery, MessageMetadata, MessageState};
use crate::sending::compose::{DRAFT_MARK, MAIL_MARK};
use crate::sending::model::Outgoing;
use crate::sending::worker::chores::ChoreError;

/// Sent mails of one page.
const PAGE: u32 = 100;

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// It was sent.
    Sent(MessageState),
    /// It is a draft.
    Draft(String),
    /// It is nowhere.
    Nothing,
    /// A mail was sent and deleted before it could be read: it may have been this one.
    Unclear,
}

impl Gmail<'_> {
    /// Looks for a mail among what came into the mailbox after a place in its history.
    pub(super) async fn find(&self, mail: &Outgoing, pin: u64) -> Result<Found, ChoreError> {
        let mut candidates: Vec<HistoryMessage> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = match self.mailbox.history(pin, token.as_deref()).await {
                Err(error) if error.kind == ProviderErrorKind::CursorExpired => return self.find_sent(mail).await,
                page => page?,
            };
            let added = page.records.into_iter().flat_map(|record| record.added);
            for one in added.filter(may_be_ours) {
                if !candidates.iter().any(|known| known.id == one.id) {
                    candidates.push(one);
                }
            }
            match page.next_page_token {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        let told_sent = |one: &HistoryMessage| one.label_ids.iter().flatten().any(|label| label == SENT);
        self.read(mail, candidates.iter().map(|one| (one.id.clone(), told_sent(one))).collect()).await
    }

    /// Looks for it among the sent mails of the last days.
    pub(super) async fn find_sent(&self, mail: &Outgoing) -> Result<Found, ChoreError> {
        let since = mail.handed_at.unwrap_or(mail.sent_at) - chrono::Duration::days(1);
        let mut query = ListQuery {
            label_ids: vec![SENT.to_owned()],
            q: Some(format!("after:{}", since.utc().timestamp())),
            include_spam_trash: true,
            max: PAGE,
            ..ListQuery::default()
        };
        loop {
            let page = self.mailbox.list(&query).await?;
            let listed = page.messages.into_iter().map(|one| (one.id, false)).collect();
            match self.read(mail, listed).await? {
                Found::Nothing => {}
                found => return Ok(found),
            }
            match page.next_page_token {
                Some(next) => query.page_token = Some(next),
                None => return Ok(Found::Nothing),
            }
        }
    }

    /// Reads the marks of mails that are not stored here as others.
    async fn read(&self, mail: &Outgoing, candidates: Vec<(String, bool)>) -> Result<Found, ChoreError> {
        let ids: Vec<&str> = candidates.iter().map(|(id, _)| id.as_str()).collect();
        let mut conn = self.parts.db.read().await?;
        let known = messages::known_external_ids(&mut conn, self.account.id, &ids).await?;
        drop(conn);
        let mut found = Found::Nothing;
        for (id, was_sent) in candidates.iter().filter(|(id, _)| !known.contains(id)) {
            match self.mailbox.metadata(id, &[MAIL_MARK, DRAFT_MARK]).await {
                Ok(read) if !names(&read, mail) => {}
                Ok(read) if has(&read.state, SENT) => return Ok(Found::Sent(read.state)),
                Ok(read) if has(&read.state, DRAFT) => found = Found::Draft(read.state.id),
                Ok(_) => {}
                Err(error) if error.kind == ProviderErrorKind::NotFound => {
                    if *was_sent && matches!(found, Found::Nothing) {
                        found = Found::Unclear;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }
}

/// Mails that came in bear neither label, where labels are told.
fn may_be_ours(one: &HistoryMessage) -> bool {
    one.label_ids.as_ref().is_none_or(|labels| labels.iter().any(|label| label == SENT || label == DRAFT))
}

fn has(state: &MessageState, label: &str) -> bool {
    state.label_ids.iter().any(|it| it == label)
}

/// Whether a mail bears a mark of this one.
pub(super) fn names(read: &MessageMetadata, mail: &Outgoing) -> bool {
    let id = mail.id.to_string();
    read.headers.iter().any(|(name, value)| {
        let value = value.trim();
        (name.eq_ignore_ascii_case(MAIL_MARK) && value == id)
            || (name.eq_ignore_ascii_case(DRAFT_MARK) && value.split('/').next() == Some(id.as_str()))
    })
}

/// The version of a draft of ours that a mail says it is.
pub(super) fn version(read: &MessageMetadata, mail: &Outgoing) -> Option<i64> {
    let mark = read.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(DRAFT_MARK))?;
    let (id, revision) = mark.1.trim().split_once('/')?;
    (id == mail.id.to_string()).then(|| revision.parse().ok()).flatten()
}
