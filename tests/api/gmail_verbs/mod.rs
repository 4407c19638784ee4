//! The Gmail client's verbs against the emulator of the API.

mod drafts;
mod labels;
mod mails;
mod pubsub;
mod quota;
mod trouble;

use duplex::net::{Net, NetOptions};
use duplex::providers::ProviderError;
use duplex::providers::gmail::{Gmail, GmailMailbox, GmailSettings, Lane};
use duplex::providers::oauth::AccessTokens;
use duplex::secret::Secret;
use duplex_emulators::GmailEmulator;
use duplex_emulators::gmail::control::{MailIds, NewUser, Seed};
use duplex_emulators::gmail::oauth::{Client, Publishing};
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const ANN: &str = "ann@gmail.example";
const CLIENT: &str = "duplex";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";

/// An allowance that nobody uses up.
const PLENTY: u32 = 60_000_000;

/// Tokens of Ann's, renewed by granting anew.
struct Tokens {
    gmail: Arc<GmailEmulator>,
    scopes: Vec<&'static str>,
    token: Mutex<String>,
    renewals: AtomicUsize,
}

impl Tokens {
    fn new(gmail: &Arc<GmailEmulator>, scopes: &[&'static str]) -> Arc<Self> {
        let token = gmail.grant(ANN, CLIENT, scopes).unwrap().access_token;
        let (gmail, scopes) = (Arc::clone(gmail), scopes.to_vec());
        Arc::new(Self { gmail, scopes, token: Mutex::new(token), renewals: AtomicUsize::new(0) })
    }

    fn renewals(&self) -> usize {
        self.renewals.load(Ordering::Relaxed)
    }
}

impl AccessTokens for Tokens {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { Ok(Secret::new(self.token.lock().unwrap().clone())) })
    }

    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(async {
            self.renewals.fetch_add(1, Ordering::Relaxed);
            let mut token = self.token.lock().unwrap();
            if *token == refused.expose() {
                *token = self.gmail.grant(ANN, CLIENT, &self.scopes).unwrap().access_token;
            }
            Ok(Secret::new(token.clone()))
        })
    }
}

/// The emulator with Ann's mailbox, and a client that speaks for it.
struct World {
    gmail: Arc<GmailEmulator>,
    tokens: Arc<Tokens>,
    client: Gmail,
    mailbox: GmailMailbox,
}

impl World {
    /// Nothing is limited.
    fn start() -> Self {
        Self::with(PLENTY, &[MODIFY])
    }

    /// The client keeps to this allowance; the emulator grants as much.
    fn with(units_per_minute: u32, scopes: &[&'static str]) -> Self {
        let gmail = Arc::new(GmailEmulator::start().unwrap());
        gmail.add_user(NewUser { email: ANN.to_owned(), name: "Ann".to_owned(), workspace: false });
        gmail.add_client(Client {
            id: CLIENT.to_owned(),
            secret: "s".to_owned(),
            project: "p".to_owned(),
            redirect_uris: Vec::new(),
            publishing: Publishing::Production,
        });
        gmail.change_settings(|settings| settings.quota_scale = Some(f64::from(units_per_minute) / 6_000.0));
        let tokens = Tokens::new(&gmail, scopes);
        let settings = GmailSettings { api_url: gmail.url().parse().unwrap(), units_per_minute };
        let client = Gmail::new(&net(), &settings);
        let mailbox = client.mailbox("ann", tokens.clone(), Lane::Background);
        Self { gmail, tokens, client, mailbox }
    }

    /// Puts so many mails into the mailbox; gives their ids, the oldest first.
    fn mails(&self, count: u32) -> Vec<String> {
        (0..count).map(|number| self.mail(number).id).collect()
    }

    fn mail(&self, number: u32) -> MailIds {
        let at = 1_700_000_000_000 + i64::from(number) * 1_000;
        let seed = Seed { raw: raw(number), internal_date: Some(at), ..Seed::default() };
        self.gmail.add_mail(ANN, seed).unwrap()
    }

    fn count(&self, call: &str) -> u64 {
        self.gmail.counts().by_name.get(call).copied().unwrap_or_default()
    }
}

fn net() -> Net {
    Net::new(NetOptions { allow_private_networks: true, ..NetOptions::default() }).unwrap()
}

fn raw(number: u32) -> String {
    format!(
        "From: Bob <bob@example.com>\r\nTo: {ANN}\r\nSubject: Mail {number}\r\nMessage-ID: <m{number}@example.com>\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nText of mail {number}.\r\n"
    )
}

fn texts(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}
