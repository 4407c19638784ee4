//! What the API tests stand on: real servers, an independent IMAP client, the application itself.

pub mod app;
pub mod client;
pub mod dovecot;
pub mod imap_peer;
pub mod imap_proxy;
pub mod mail_reader;
pub mod mails;
pub mod pki;
pub mod postgres;
pub mod process;
pub mod script_server;
pub mod settings;
pub mod smtp_sink;
pub mod wait;

#[macro_use]
pub mod on_both;

pub use app::TestApp;
pub use client::{Answer, Client};
pub use dovecot::{Dovecot, DovecotOptions, Mailbox};
pub use imap_proxy::{Fault, ImapProxy};
pub use mail_reader::read_mail;
pub use mails::{MailGenerator, TestMail};
pub use postgres::{Backend, PrivatePostgres, TestDatabase};
pub use process::TestProcess;
pub use settings::Settings;
pub use smtp_sink::{Accepted, Act, Phase, SmtpSecurity, SmtpSink};
pub use wait::{wait_for, wait_until};
