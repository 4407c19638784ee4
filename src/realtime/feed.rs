//! What one connection has been sent of the outbox.

use std::sync::Arc;

use diesel::QueryResult;

use crate::access::Access;
use crate::ids::{OrgId, UserId};
use crate::outbox::{EventDto, Listening, Outbox};

/// How many facts are read at a time.
const PAGE: i64 = 200;

/// The facts of one reader: which was sent last, so that none is sent twice and none is left out.
pub(super) struct Feed {
    outbox: Arc<Outbox>,
    org: OrgId,
    user: UserId,
    last: i64,
    /// The first fact that is kept, when what the reader asked for is not.
    pub(super) expired: Option<i64>,
    _listening: Listening,
}

impl Feed {
    /// Starts behind the number that the reader knows, or with what happens from now on.
    pub(super) async fn start(outbox: Arc<Outbox>, access: &Access, after: Option<i64>) -> QueryResult<Self> {
        let listening = outbox.listen(access.org);
        let (last, expired) = match after {
            Some(after) => (after, outbox.expired(access.org, after).await?),
            None => (outbox.head(access.org).await?, None),
        };
        Ok(Self { outbox, org: access.org, user: access.user, last, expired, _listening: listening })
    }

    /// The next facts, and whether more may follow them at once.
    pub(super) async fn next(&mut self) -> QueryResult<(Vec<EventDto>, bool)> {
        let facts = self.outbox.after(self.org, self.user, self.last, PAGE).await?;
        if let Some(last) = facts.last() {
            self.last = last.seq;
        }
        let more = i64::try_from(facts.len()).is_ok_and(|count| count == PAGE);
        Ok((facts, more))
    }
}
