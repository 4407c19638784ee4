//! Starts an emulator on a port, for a demo or for trying things by hand.

use clap::{Args, Parser, Subcommand};
use duplex_emulators::{GmailEmulator, GraphEmulator, gmail, graph};
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
    /// Outlook's mail over Microsoft Graph, with Microsoft's sign-in.
    Graph(GraphArgs),
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

#[derive(Debug, Args)]
struct GraphArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9190")]
    listen: String,
    /// The seed of what is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A user to start with; may be repeated.
    #[arg(long = "user", value_name = "ADDRESS")]
    users: Vec<String>,
    /// The application's id.
    #[arg(long, default_value = "11111111-2222-4333-8444-555555555555")]
    client_id: String,
    /// The application's secret.
    #[arg(long, default_value = "demo-secret")]
    client_secret: String,
    /// Where people may be sent back to; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
}

fn start_graph(args: GraphArgs) -> io::Result<GraphEmulator> {
    let emulator = GraphEmulator::start_at(&args.listen, args.seed)?;
    for email in args.users {
        emulator.add_user(graph::control::NewUser { email, ..Default::default() });
    }
    emulator.add_client(graph::oauth::Client {
        id: args.client_id.clone(),
        secrets: vec![graph::oauth::Secret { value: args.client_secret, is_expired: false }],
        redirect_uris: args.redirect_uris,
        ..Default::default()
    });
    let roles = ["Mail.ReadWrite", "Mail.Send", "User.Read.All"];
    emulator.allow_roles(graph::directory::HOME_TENANT, &args.client_id, &roles);
    emulator.change_settings(|settings| {
        settings.asks_for_consent = true;
        settings.allows_http_notifications = true;
    });
    Ok(emulator)
}

fn start_gmail(args: GmailArgs) -> io::Result<GmailEmulator> {
    let emulator = GmailEmulator::start_at(&args.listen, args.seed)?;
    for email in args.users {
        emulator.add_user(gmail::control::NewUser { email, ..Default::default() });
    }
    emulator.add_client(gmail::oauth::Client {
        id: args.client_id,
        secret: args.client_secret,
        project: args.project,
        redirect_uris: args.redirect_uris,
        publishing: gmail::oauth::Publishing::Production,
    });
    emulator.change_settings(|settings| settings.asks_for_consent = true);
    Ok(emulator)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    match Cli::parse().provider {
        Provider::Gmail(args) => {
            let emulator = start_gmail(args)?;
            println!("{}", emulator.url());
            tokio::signal::ctrl_c().await
        }
        Provider::Graph(args) => {
            let emulator = start_graph(args)?;
            println!("{}", emulator.url());
            tokio::signal::ctrl_c().await
        }
    }
}
