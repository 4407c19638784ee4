//! Runs one test on both databases.

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
    ($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block) => {
        on_both!($(#[$meta])* async fn $name(backend: Backend) {
            let $app = $crate::support::TestApp::start(backend).await;
            $body
        });
    };
    ($(#[$meta:meta])* async fn $name:ident($backend:ident: Backend) $body:block) => {
        mod $name {
            use super::*;

            async fn run($backend: $crate::support::Backend) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::support::Backend::Sqlite).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::support::Backend::Postgres).await;
            }
        }
    };
}
