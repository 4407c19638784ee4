//! The `duplex` program.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Gives memory back after a burst of work: glibc's allocator keeps that of many short imports in as many arenas as there
/// are threads.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // Every TLS client of the process uses ring; without this line the first of them would panic.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("duplex: another TLS provider was installed before");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("duplex: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(duplex::cli::run(std::env::args_os()));
    // Blocking work that hangs (a network file system) must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}
