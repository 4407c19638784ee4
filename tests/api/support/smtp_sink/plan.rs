//! What a sink does at a moment of its choosing instead of behaving well.

use crate::support::wait::PATIENCE;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// A moment in a mail's way through the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A connection has come; nothing was said on it yet.
    Connect,
    /// EHLO has come and is not answered yet.
    Ehlo,
    /// MAIL has come and is not answered yet.
    Mail,
    /// A recipient was named and is not answered yet.
    Rcpt,
    /// DATA has come and is not answered yet.
    Data,
    /// The first line of the mail has come.
    Body,
    /// The final dot has come; the mail is not taken.
    Dot,
    /// The mail is taken: it stands in the log and has been delivered. The client does not know yet.
    Taken,
    /// The client has been told that the mail is taken.
    Answered,
}

impl Phase {
    /// Every moment, in their order.
    pub const ALL: [Self; 9] = [
        Self::Connect,
        Self::Ehlo,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Body,
        Self::Dot,
        Self::Taken,
        Self::Answered,
    ];

    /// Whether a mail that comes to its end here counts as taken.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Taken | Self::Answered)
    }
}

/// What to do at a moment.
#[derive(Clone, Debug)]
pub enum Act {
    /// Close the connection without a word.
    Close,
    /// Say nothing more, but go on reading until the client leaves.
    Hang,
    /// Say this instead, or besides where nothing was to be said. A command so answered has no effect. After 421 the
    /// connection is closed, and in the middle of a mail nothing else is ever said.
    Say(&'static str),
}

/// What is to be done, once each, in order of planning.
#[derive(Default)]
pub(super) struct Plans(VecDeque<(Phase, Step)>);

pub(super) enum Step {
    Act(Act),
    Pause(PausePoint),
}

/// The server's side of a [`Pause`].
pub(super) struct PausePoint {
    reached: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

impl Plans {
    pub(super) fn add(&mut self, phase: Phase, step: Step) {
        self.0.push_back((phase, step));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn take(&mut self, phase: Phase) -> Option<Step> {
        let at = self.0.iter().position(|(planned, _)| *planned == phase)?;
        self.0.remove(at).map(|(_, step)| step)
    }
}

impl PausePoint {
    /// Tells the test, and waits for its word: whether to go on.
    pub(super) async fn wait(self) -> bool {
        // A test that does not care any more has dropped its side.
        self.reached.send(()).is_ok() && self.go_on.await.is_ok()
    }
}

/// A connection that will stand still at a moment, or does. Dropping it closes the connection.
pub struct Pause {
    reached: Option<oneshot::Receiver<()>>,
    go_on: oneshot::Sender<()>,
}

impl Pause {
    pub(super) fn new() -> (Self, PausePoint) {
        let (reached, is_reached) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        (Self { reached: Some(is_reached), go_on }, PausePoint { reached, go_on: may_go_on })
    }

    /// Waits until a connection stands still there.
    pub async fn reached(&mut self) {
        if let Some(reached) = self.reached.take() {
            let waited = tokio::time::timeout(PATIENCE, reached).await;
            waited.expect("the sink came to the pause in time").expect("the pause is still planned");
        }
    }

    /// Lets the connection go on as if nothing had been.
    pub fn resume(self) {
        // A connection that is gone meanwhile needs no word.
        let _ = self.go_on.send(());
    }

    /// Closes the connection.
    pub fn close(self) {}
}
