//! What a client gets in the end: the answer, or what a fault leaves of it.

use super::faults::Fault;
use super::http::{Outcome, Reply};
use std::time::Duration;

/// Lets a fault of the connection happen to an answer.
pub async fn after(fault: Option<&Fault>, reply: Reply) -> Outcome {
    match fault {
        Some(Fault::Reset | Fault::LostAnswer) => Outcome::Closed,
        Some(Fault::Timeout { millis, .. }) => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
            Outcome::Closed
        }
        Some(Fault::CutBody) => Outcome::Cut(reply),
        Some(Fault::TruncatedJson) => {
            let half = reply.body.slice(..reply.body.len() / 2);
            Outcome::Reply(reply.body(half))
        }
        _ => Outcome::Reply(reply),
    }
}

/// Whether the status of the answer reaches the client.
pub fn leaves(fault: Option<&Fault>) -> bool {
    !matches!(fault, Some(Fault::Reset | Fault::LostAnswer | Fault::Timeout { .. }))
}
