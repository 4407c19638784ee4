//! Runs one test on both databases.

use super::app::TestApp;
use super::postgres::Backend;

/// What a test on both databases may ask for.
pub trait StartOn {
    /// Makes it on this database.
    async fn start_on(backend: Backend) -> Self;
}

impl StartOn for TestApp {
    async fn start_on(backend: Backend) -> Self {
        Self::start(backend).await
    }
}

impl StartOn for Backend {
    async fn start_on(backend: Backend) -> Self {
        backend
    }
}

/// Makes two tests of one: `name::sqlite` and `name::postgres`.
///
/// The argument is a started `TestApp`, or the `Backend` where a test starts the application itself:
///
/// ```ignore
/// on_both! {
///     async fn a_new_user_signs_in(app: TestApp) { … }
/// }
/// on_both! {
///     async fn a_killed_process_starts_again(backend: Backend) { … }
/// }
/// ```
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($argument:ident: $kind:ty) $body:block) => {
        mod $name {
            use super::*;

            async fn run($argument: $kind) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                use $crate::support::{Backend, on_both::StartOn};
                run(<$kind>::start_on(Backend::Sqlite).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                use $crate::support::{Backend, on_both::StartOn};
                run(<$kind>::start_on(Backend::Postgres).await).await;
            }
        }
    };
}
