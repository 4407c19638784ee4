//! A small, strict SMTP submission server that keeps what it is given, and fails when it is told to.
//!
//! It behaves well by itself. [`SmtpSink::offer`] changes what it offers and limits, [`SmtpSink::plan`] and
//! [`SmtpSink::pause`] what it does at one moment of one mail, [`SmtpSink::answer_recipient`] what it says of
//! recipients. What a client does against the protocol is refused and kept in [`SmtpSink::violations`].

mod plan;
mod session;
mod syntax;
mod transaction;

pub use plan::{Act, Pause, Phase};

use super::dovecot::PASSWORD;
use super::imap_peer::ImapPeer;
use plan::{Plans, Step};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Not at all.
    None,
    /// After STARTTLS; passwords are refused before it.
    StartTls,
    /// From the first byte.
    Tls,
}

/// What the server offers and how much it takes.
#[derive(Clone, Copy, Debug)]
pub struct Offers {
    /// SIZE with the limit in octets; 0 is no limit.
    pub size: Option<u64>,
    /// PIPELINING; without it a client that does not wait is refused.
    pub pipelining: bool,
    /// 8BITMIME
    pub eight_bit_mime: bool,
    /// SMTPUTF8
    pub smtputf8: bool,
    /// DSN
    pub dsn: bool,
    /// How many recipients one mail may have; those beyond get `452 4.5.3`.
    pub recipients: Option<usize>,
    /// How many mails one connection may bring before it is closed with 421.
    pub mails_a_connection: Option<usize>,
    /// How many connections there may be at once; those beyond get 421.
    pub connections: Option<usize>,
    /// How many mails may come in such a time; whoever brings more gets 421.
    pub rate: Option<(usize, Duration)>,
}

impl Default for Offers {
    fn default() -> Self {
        Self {
            size: Some(36_700_160),
            pipelining: true,
            eight_bit_mime: true,
            smtputf8: true,
            dsn: true,
            recipients: None,
            mails_a_connection: None,
            connections: None,
            rate: None,
        }
    }
}

/// A mail that the sink accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients, without those that were refused.
    pub to: Vec<String>,
    /// The mail as sent, dots unstuffed.
    pub raw: Vec<u8>,
    /// Who had signed in.
    pub user: String,
    /// The connection that brought it, counted from 1.
    pub connection: usize,
    /// The size that was announced.
    pub size: Option<u64>,
    /// Whether it was announced as one with UTF-8 in its header.
    pub smtputf8: bool,
    /// The envelope's id (ENVID).
    pub envelope_id: Option<String>,
    /// When it was accepted.
    pub at: SystemTime,
}

impl Accepted {
    /// A header field's value with its folds undone; the first of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut fields = unfolded.split("\r\n").filter_map(|line| line.split_once(':'));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// Its Message-ID with angle brackets.
    pub fn message_id(&self) -> Option<String> {
        self.header("Message-ID")
    }
}

/// Where accepted mails go besides the log.
struct Delivery {
    /// Whose mail; everybody's when absent.
    recipient: Option<String>,
    peer: ImapPeer,
    folder: String,
}

#[derive(Default)]
struct State {
    refuse_logins: AtomicBool,
    expired: AtomicBool,
    connections: AtomicUsize,
    open: AtomicUsize,
    offers: Mutex<Offers>,
    plans: Mutex<Plans>,
    answers: Mutex<HashMap<String, VecDeque<&'static str>>>,
    refused: Mutex<HashMap<String, &'static str>>,
    deliveries: Mutex<Vec<Arc<Delivery>>>,
    logins: Mutex<Vec<String>>,
    accepted: Mutex<Vec<Accepted>>,
    commands: Mutex<Vec<String>>,
    violations: Mutex<Vec<String>>,
}

/// The server; it ends with this value, and its connections with it. Any user signs in with the password of the
/// mailboxes.
pub struct SmtpSink {
    /// Its loopback port.
    pub port: u16,
    security: SmtpSecurity,
    state: Arc<State>,
    cut: mpsc::UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    /// Listens on a free port.
    pub async fn start(security: SmtpSecurity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (cut, orders) = mpsc::unbounded_channel();
        let task = tokio::spawn(listen(listener, security, state.clone(), orders));
        Self { port, security, state, cut, task }
    }

    /// Changes what it offers; connections that greet from now on see it.
    pub fn offer(&self, change: impl FnOnce(&mut Offers)) {
        change(&mut self.state.offers.lock().unwrap());
    }

    /// The next mail that comes to this moment is treated so. Plans are used up one by one.
    pub fn plan(&self, phase: Phase, act: Act) {
        self.plan_times(1, phase, &act);
    }

    /// As [`Self::plan`], for as many mails.
    pub fn plan_times(&self, times: usize, phase: Phase, act: &Act) {
        let mut plans = self.state.plans.lock().unwrap();
        (0..times).for_each(|_| plans.add(phase, Step::Act(act.clone())));
    }

    /// The next mail that comes to this moment stands still until the test says more.
    pub fn pause(&self, phase: Phase) -> Pause {
        let (pause, point) = Pause::new();
        self.state.plans.lock().unwrap().add(phase, Step::Pause(point));
        pause
    }

    /// Forgets what was planned and not used up.
    pub fn clear_plans(&self) {
        self.state.plans.lock().unwrap().clear();
    }

    /// What to say when this recipient is named, one answer each time; afterwards it is accepted.
    pub fn answer_recipient(&self, address: &str, answers: &[&'static str]) {
        self.state.answers.lock().unwrap().insert(address.to_owned(), answers.iter().copied().collect());
    }

    /// Refuses a recipient each time with this answer.
    pub fn refuse_recipient(&self, address: &str, answer: &'static str) {
        self.state.refused.lock().unwrap().insert(address.to_owned(), answer);
    }

    /// Every mail is also put into a folder of its sender before it counts as taken, as Gmail does it.
    pub fn save_sent(&self, peer: ImapPeer, folder: &str) {
        self.add_delivery(None, peer, folder);
    }

    /// Mail to this address is also put into a folder of a mailbox.
    pub fn deliver(&self, address: &str, peer: ImapPeer, folder: &str) {
        self.add_delivery(Some(address.to_owned()), peer, folder);
    }

    fn add_delivery(&self, recipient: Option<String>, peer: ImapPeer, folder: &str) {
        let delivery = Delivery { recipient, peer, folder: folder.to_owned() };
        self.state.deliveries.lock().unwrap().push(Arc::new(delivery));
    }

    /// From now on every password is wrong, or right again.
    pub fn refuse_logins(&self, refuse: bool) {
        self.state.refuse_logins.store(refuse, Ordering::Relaxed);
    }

    /// From now on its certificate has expired, or is good again.
    pub fn let_certificate_expire(&self, expired: bool) {
        self.state.expired.store(expired, Ordering::Relaxed);
    }

    /// Closes all connections there are.
    pub fn cut_connections(&self) {
        self.cut.send(()).unwrap();
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    pub fn open_connections(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// The users who signed in, in order.
    pub fn logins(&self) -> Vec<String> {
        self.state.logins.lock().unwrap().clone()
    }

    /// The mails taken so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.state.accepted.lock().unwrap().clone()
    }

    /// How many mails with this Message-ID were taken for this recipient: more than one is a mail sent twice.
    pub fn times_taken(&self, message_id: &str, recipient: &str) -> usize {
        let taken = self.accepted().into_iter().filter(|mail| mail.message_id().as_deref() == Some(message_id));
        taken.flat_map(|mail| mail.to).filter(|to| to == recipient).count()
    }

    /// The commands so far, without credentials.
    pub fn commands(&self) -> Vec<String> {
        self.state.commands.lock().unwrap().clone()
    }

    /// What clients did against the protocol.
    pub fn violations(&self) -> Vec<String> {
        self.state.violations.lock().unwrap().clone()
    }

    /// The `smtp` part of a request that connects a mailbox.
    pub fn settings(&self, user: &str) -> Value {
        let security = match self.security {
            SmtpSecurity::None => "none",
            SmtpSecurity::StartTls => "starttls",
            SmtpSecurity::Tls => "tls",
        };
        json!({"host": "localhost", "port": self.port, "security": security, "username": user, "password": PASSWORD})
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    listener: TcpListener,
    security: SmtpSecurity,
    state: Arc<State>,
    mut orders: mpsc::UnboundedReceiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let number = state.connections.fetch_add(1, Ordering::SeqCst) + 1;
                let open = OpenConnection::count(state.clone());
                // A client that goes away is its own affair.
                connections.spawn(async move { drop(session::serve(stream, security, &open.0, number).await) });
            }
            Some(_) = connections.join_next() => {}
            order = orders.recv() => match order {
                Some(()) => connections.shutdown().await,
                None => return,
            },
        }
    }
}

/// Counts a connection for as long as it is there.
struct OpenConnection(Arc<State>);

impl OpenConnection {
    fn count(state: Arc<State>) -> Self {
        state.open.fetch_add(1, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}
