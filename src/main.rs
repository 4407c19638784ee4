//! The `duplex` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    with_few_heaps();
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

/// Starts over with two heaps instead of eight for each core: glibc never gives back what is free between the lasting
/// memory of a thousand connections, so every further heap costs (1,000 mailboxes at rest: 58 MB with two, 101 MB with
/// sixteen). The number can only be set before the process begins, and whoever sets it is obeyed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn with_few_heaps() {
    use std::os::unix::process::CommandExt;

    const HEAPS: &str = "MALLOC_ARENA_MAX";
    if std::env::var_os(HEAPS).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let (Some(name), Ok(program)) = (arguments.next(), std::env::current_exe()) else { return };
    // It returns only when it could not be done; then it is done with more memory.
    let error = std::process::Command::new(program).arg0(name).args(arguments).env(HEAPS, "2").exec();
    eprintln!("duplex: cannot limit the number of heaps: {error}");
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn with_few_heaps() {}
