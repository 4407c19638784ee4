//! A small IMAP server for a thousand mailboxes, in the process of the bench. It says just enough, and refuses what it
//! does not know, so that nobody measures a conversation that no real server would have.

use super::mails;
use super::session;
use crate::support::pki::pki;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How the server meets those who connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// As it should.
    Open,
    /// Nobody listens: the system refuses.
    Shut,
    /// Somebody listens and hangs up at once, as a balancer does whose server is away.
    Slammed,
}

/// One mailbox.
pub struct User {
    /// How many mails lie in its inbox; their UIDs count from 1.
    pub exists: watch::Sender<u32>,
    /// Connections that wait for news.
    pub idling: AtomicU32,
}

/// What all connections share.
pub struct State {
    /// The mailboxes, by number.
    pub users: Vec<User>,
    /// Commands that were not understood, and how often.
    unknown: Mutex<BTreeMap<String, usize>>,
    connects: Mutex<Vec<Instant>>,
    open: AtomicUsize,
    /// Counts how often all connections were ended.
    pub evictions: watch::Sender<u32>,
}

/// The server.
pub struct Server {
    /// Its loopback port, for TLS.
    pub port: u16,
    state: Arc<State>,
    door: watch::Sender<Door>,
}

impl Server {
    /// Serves so many users, each with so many mails in the inbox.
    pub async fn start(users: usize, mails: u32) -> Self {
        let user = |_| User { exists: watch::Sender::new(mails), idling: AtomicU32::new(0) };
        let state = Arc::new(State {
            users: (0..users).map(user).collect(),
            unknown: Mutex::default(),
            connects: Mutex::default(),
            open: AtomicUsize::new(0),
            evictions: watch::Sender::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let door = watch::Sender::new(Door::Open);
        tokio::spawn(receive(listener, port, state.clone(), door.subscribe()));
        Self { port, state, door }
    }

    /// Puts a mail into a user's inbox.
    pub fn deliver(&self, user: usize) {
        self.state.users[user].exists.send_modify(|exists| *exists += 1);
    }

    /// Whether a user's mailbox is being listened to.
    pub fn is_idle(&self, user: usize) -> bool {
        self.state.users[user].idling.load(Ordering::Relaxed) > 0
    }

    /// How many mailboxes are being listened to.
    pub fn idle(&self) -> usize {
        (0..self.state.users.len()).filter(|user| self.is_idle(*user)).count()
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }

    /// Waits until all mailboxes are being listened to; gives up after a while.
    pub async fn all_idle(&self, patience: Duration) -> Option<Duration> {
        let began = Instant::now();
        while self.idle() < self.state.users.len() {
            if began.elapsed() > patience {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(began.elapsed())
    }

    /// Ends all connections, and lets nobody in for a while.
    pub async fn restart(&self, meanwhile: Door, pause: Duration) {
        self.door.send_replace(meanwhile);
        self.state.evictions.send_modify(|count| *count += 1);
        tokio::time::sleep(pause).await;
        self.connects().clear();
        self.door.send_replace(Door::Open);
    }

    /// The most connects within any second since the last restart, and how many there were.
    pub fn rush(&self) -> (usize, usize) {
        let connects = self.connects();
        let within = |(at, first): (usize, &Instant)| {
            connects[at..].iter().take_while(|next| next.duration_since(*first) < Duration::from_secs(1)).count()
        };
        (connects.iter().enumerate().map(within).max().unwrap_or(0), connects.len())
    }

    /// Commands that were refused as unknown.
    pub fn unknown(&self) -> BTreeMap<String, usize> {
        self.state.unknown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn connects(&self) -> std::sync::MutexGuard<'_, Vec<Instant>> {
        self.state.connects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of a user, by the name.
    pub fn user(&self, name: &str) -> Option<usize> {
        let number = name.strip_prefix("user")?.split('@').next()?.parse().ok()?;
        (number < self.users.len() && mails::user_name(number) == name).then_some(number)
    }

    /// Notes a command that was not understood.
    pub fn refused(&self, line: &str) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        *unknown.entry(line.to_owned()).or_default() += 1;
    }
}

async fn receive(listener: TcpListener, port: u16, state: Arc<State>, mut door: watch::Receiver<Door>) {
    let mut listener = Some(listener);
    loop {
        let wanted = *door.borrow_and_update();
        if wanted == Door::Shut {
            listener = None;
            door.changed().await.unwrap();
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => TcpListener::bind(("127.0.0.1", port)).await.unwrap(),
        };
        let accepted = tokio::select! {
            accepted = open.accept() => Some(accepted),
            _ = door.changed() => None,
        };
        listener = Some(open);
        let Some(Ok((stream, _))) = accepted else { continue };
        state.connects.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        if wanted == Door::Slammed {
            continue;
        }
        let state = state.clone();
        tokio::spawn(async move {
            state.open.fetch_add(1, Ordering::Relaxed);
            if let Ok(stream) = pki().acceptor().accept(stream).await {
                // A client that goes away is its own affair.
                drop(session::serve(stream, &state).await);
            }
            state.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
