//! Starts an emulator on a port, for a demo or for trying things by hand.

use clap::{Args, Parser, Subcommand};
use duplex_emulators::GmailEmulator;
use duplex_emulators::gmail::control::NewUser;
use duplex_emulators::gmail::oauth::Client;
use std::io;

/// Strict emulators of mail providers.
#[derive(Debug, Parser)]
#[command(name = "duplex-emulators", version)]
struct Cli {
    #[command(subcommand)]
    provider: Provider,
}

#[derive(Debug, Subcommand)]
enum Provider {
    /// Gmail, with Google's sign-in and Pub/Sub.
    Gmail(GmailArgs),
}

#[derive(Debug, Args)]
struct GmailArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9180")]
    listen: String,
    /// The seed of what is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A user to start with; may be repeated.
    #[arg(long = "user", value_name = "ADDRESS")]
    users: Vec<String>,
    /// The client's id.
    #[arg(long, default_value = "demo.apps.googleusercontent.com")]
    client_id: String,
    /// The client's secret.
    #[arg(long, default_value = "demo-secret")]
    client_secret: String,
    /// The client's cloud project.
    #[arg(long, default_value = "demo-project")]
    project: String,
    /// Where people may be sent back to; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
}

fn start(args: GmailArgs) -> io::Result<GmailEmulator> {
    let emulator = GmailEmulator::start_at(&args.listen, args.seed)?;
    for email in args.users {
        emulator.add_user(NewUser { email, ..NewUser::default() });
    }
    emulator.add_client(Client {
        id: args.client_id,
        secret: args.client_secret,
        project: args.project,
        redirect_uris: args.redirect_uris,
        publishing: duplex_emulators::gmail::oauth::Publishing::Production,
    });
    emulator.change_settings(|settings| settings.asks_for_consent = true);
    Ok(emulator)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let Provider::Gmail(args) = Cli::parse().provider;
    let emulator = start(args)?;
    println!("{}", emulator.url());
    tokio::signal::ctrl_c().await
}
