//! Runs SQLite's blocking calls on tokio's blocking pool.
//!
//! diesel-async's own runner calls `block_in_place` when a future is dropped in mid-query, which panics on actix's
//! current-thread workers and leaves the connection half used. This one waits on a channel instead: a dropped request
//! waits for its statement to end (milliseconds), and the connection goes back whole.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The runner that SQLite connections use.
pub struct Blocking(Handle);

type Failure = Box<dyn Error + Send + Sync + 'static>;

struct Running<R> {
    task: JoinHandle<R>,
    done: mpsc::Receiver<()>,
}

impl<R> Future for Running<R> {
    type Output = Result<R, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx).map_err(|error| Box::new(error) as Failure)
    }
}

impl<R> Drop for Running<R> {
    fn drop(&mut self) {
        // Ends as soon as the task has dropped its sender; an error is the expected answer.
        let _ = self.done.recv();
    }
}

impl SpawnBlocking for Blocking {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<R, Failure>> + Send + 'a>>
    where
        R: Send + 'static,
    {
        let (alive, done) = mpsc::channel::<()>();
        let task = self.0.spawn_blocking(move || {
            let result = task();
            drop(alive);
            result
        });
        Box::pin(Running { task, done })
    }

    fn get_runtime() -> Self {
        Self(Handle::current())
    }
}
