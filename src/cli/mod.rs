//! The command line: `duplex` alone serves.

mod admin;
mod health;
mod inspect;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::startup::{Application, Ground};
use crate::{router, telemetry};

/// Two-way e-mail sync for a CRM.
#[derive(Parser)]
#[command(name = "duplex", version, about, max_term_width = 100)]
struct Arguments {
    /// A TOML file of settings; environment variables go before it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the web UI and the API (the default).
    Serve,
    /// Bring the database up to date, then stop.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// Ask a running server whether it is well; exit status 0 or 1.
    Health,
    /// Show how mails are read: one JSON line a file.
    Inspect {
        /// Files, or folders of files.
        #[arg(required = true, value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
    },
    /// Manage people and keys.
    Admin {
        #[command(subcommand)]
        command: admin::AdminCommand,
    },
}

/// Runs the program with its arguments. Exit status 0, or 1 with one clear line on stderr, or 2 for wrong usage.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nothing can be done when the message itself cannot be printed.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match execute(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("duplex: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let config = arguments.config.as_deref();
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(load(config)?).await,
        Command::Migrate => {
            Ground::open(&load(config)?, Clock::system()).await?;
            println!("The database is up to date.");
            Ok(())
        }
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&router::openapi())?);
            Ok(())
        }
        Command::Health => health::check(load(config)?.bind_addr).await,
        Command::Inspect { paths } => inspect::print(&paths),
        Command::Admin { command } => {
            let ground = Ground::open(&load(config)?, Clock::system()).await?;
            command.run(&ground).await
        }
    }
}

fn load(file: Option<&std::path::Path>) -> anyhow::Result<Config> {
    let config = Config::load(&Source::read(file)?)?;
    telemetry::init(config.log_format, &config.log_filter)?;
    Ok(config)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let application = Application::build(config, Clock::system()).await?;
    println!("Duplex is ready at {}", application.url());
    if let Some(link) = application.setup_link() {
        println!("Set it up here: {link}");
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(application.run(stop.clone()));
    stop_on_signal(stop);
    running.await?
}

/// SIGINT and SIGTERM end the server gently.
fn stop_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                tracing::info!("stopping");
                stop.cancel();
            }
            (Err(error), _) | (_, Err(error)) => tracing::warn!(error = %error, "signals cannot be watched"),
        }
    });
}
