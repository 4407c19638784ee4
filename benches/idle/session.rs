//! One connection to the server.

use super::mails;
use super::server::State;
use data_encoding::BASE64;
use std::fmt::Write;
use std::io;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;

const CAPABILITIES: &str = "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE CONDSTORE UIDPLUS MOVE LIST-EXTENDED LIST-STATUS SPECIAL-USE \
                            ESEARCH ENABLE NAMESPACE ID UNSELECT";
const FOLDERS: [(&str, &str); 6] = [
    ("INBOX", ""),
    ("Sent", " \\Sent"),
    ("Drafts", " \\Drafts"),
    ("Trash", " \\Trash"),
    ("Junk", " \\Junk"),
    ("Archive", " \\Archive"),
];
const OPTIONS: &str = "RETURN (SPECIAL-USE STATUS (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ))";

/// An open inbox counts its mails; the other folders are empty.
enum Open {
    Inbox(watch::Receiver<u32>),
    Empty,
}

struct Session<'a> {
    stream: BufReader<TlsStream<TcpStream>>,
    state: &'a State,
    user: Option<usize>,
    open: Option<Open>,
    /// The answer to the running command, sent at once.
    out: String,
}

/// What a command came to.
enum Verdict {
    Ok(&'static str),
    No(&'static str),
    /// It is not known.
    Unknown,
    Bye,
}

use Verdict::{Bye, No, Unknown};

/// Talks until either side ends it.
pub async fn serve(stream: TlsStream<TcpStream>, state: &State) -> io::Result<()> {
    let mut evictions = state.evictions.subscribe();
    evictions.borrow_and_update();
    let mut session =
        Session { stream: BufReader::with_capacity(512, stream), state, user: None, open: None, out: String::new() };
    let evicted = {
        let talk = session.talk();
        tokio::select! {
            done = talk => return done,
            _ = evictions.changed() => true,
        }
    };
    if evicted {
        session.out = "* BYE Server shutting down.\r\n".to_owned();
        session.send().await?;
    }
    Ok(())
}

/// Counts a connection that waits, also when it is cut off.
struct Waiting<'a>(&'a State, usize);

impl<'a> Waiting<'a> {
    fn begin(state: &'a State, user: usize) -> Self {
        state.users[user].idling.fetch_add(1, Ordering::Relaxed);
        Self(state, user)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.users[self.1].idling.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session<'_> {
    async fn talk(&mut self) -> io::Result<()> {
        self.out = "* OK ready\r\n".to_owned();
        self.send().await?;
        loop {
            let line = self.line().await?;
            let Some((tag, command)) = line.split_once(' ') else { return Ok(()) };
            let verdict = self.command(command).await?;
            self.tell_news();
            let out = &mut self.out;
            match verdict {
                Verdict::Ok(text) => write!(out, "{tag} OK {text}\r\n"),
                No(text) => write!(out, "{tag} NO {text}\r\n"),
                Unknown => {
                    self.state.refused(command);
                    write!(out, "{tag} BAD I do not know this\r\n")
                }
                Bye => write!(out, "* BYE until later\r\n{tag} OK done\r\n"),
            }
            .unwrap();
            self.send().await?;
            if matches!(verdict, Bye) {
                return Ok(());
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(self.out.as_bytes()).await?;
        self.out = String::new();
        self.stream.flush().await
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// A mail that came since the client was last told.
    fn tell_news(&mut self) {
        if let Some(Open::Inbox(exists)) = &mut self.open
            && exists.has_changed().unwrap_or(false)
        {
            let count = *exists.borrow_and_update();
            write!(self.out, "* {count} EXISTS\r\n").unwrap();
        }
    }

    async fn command(&mut self, command: &str) -> io::Result<Verdict> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        Ok(match (verb, self.user) {
            ("CAPABILITY", _) => {
                write!(self.out, "* CAPABILITY {CAPABILITIES}\r\n").unwrap();
                Verdict::Ok("done")
            }
            ("NOOP", _) => Verdict::Ok("done"),
            ("LOGOUT", _) => Bye,
            ("AUTHENTICATE", None) => self.authenticate(rest),
            ("LOGIN", None) => self.log_in(rest),
            ("ID", Some(_)) => self.say("* ID NIL\r\n"),
            ("NAMESPACE", Some(_)) => self.say("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"),
            ("ENABLE", Some(_)) if rest == "CONDSTORE" => self.say("* ENABLED CONDSTORE\r\n"),
            ("LIST", Some(user)) if rest == format!("\"\" \"*\" {OPTIONS}") => self.list(user),
            ("EXAMINE" | "SELECT", Some(user)) => self.examine(user, rest, verb == "EXAMINE"),
            ("UNSELECT" | "CLOSE", Some(_)) if self.open.take().is_some() => Verdict::Ok("done"),
            ("IDLE", Some(user)) if self.open.is_some() => self.idle(user).await?,
            ("UID", Some(user)) if self.open.is_some() => self.by_uid(user, rest),
            _ => Unknown,
        })
    }

    fn say(&mut self, line: &str) -> Verdict {
        self.out.push_str(line);
        Verdict::Ok("done")
    }

    fn authenticate(&mut self, rest: &str) -> Verdict {
        let Some(packed) = rest.strip_prefix("PLAIN ") else { return Unknown };
        let Ok(bytes) = BASE64.decode(packed.as_bytes()) else { return No("that is no base64") };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.sign_in(text.split('\0').nth(1).unwrap_or_default())
    }

    fn log_in(&mut self, rest: &str) -> Verdict {
        self.sign_in(rest.split(' ').next().unwrap_or_default().trim_matches('"'))
    }

    fn sign_in(&mut self, name: &str) -> Verdict {
        self.user = self.state.user(name);
        if self.user.is_some() { Verdict::Ok("welcome") } else { No("[AUTHENTICATIONFAILED] nobody is called so") }
    }

    fn list(&mut self, user: usize) -> Verdict {
        let inbox = *self.state.users[user].exists.borrow();
        for (name, attributes) in FOLDERS {
            let exists = if name == "INBOX" { inbox } else { 0 };
            write!(
                self.out,
                "* LIST (\\HasNoChildren{attributes}) \"/\" {name}\r\n\
                 * STATUS {name} (UIDVALIDITY 1 UIDNEXT {} MESSAGES {exists} HIGHESTMODSEQ {})\r\n",
                exists + 1,
                mod_seq(exists),
            )
            .unwrap();
        }
        Verdict::Ok("done")
    }

    fn examine(&mut self, user: usize, rest: &str, read_only: bool) -> Verdict {
        let Some(name) = rest.strip_suffix(" (CONDSTORE)") else { return Unknown };
        let name = name.trim_matches('"');
        if !FOLDERS.iter().any(|(folder, _)| *folder == name) {
            return No("[NONEXISTENT] there is no such folder");
        }
        let mut exists = 0;
        self.open = Some(Open::Empty);
        if name == "INBOX" {
            let mut counter = self.state.users[user].exists.subscribe();
            exists = *counter.borrow_and_update();
            self.open = Some(Open::Inbox(counter));
        }
        write!(
            self.out,
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* OK [PERMANENTFLAGS ()] none\r\n* {exists} EXISTS\r\n\
             * 0 RECENT\r\n* OK [UIDVALIDITY 1] fixed\r\n* OK [UIDNEXT {}] next\r\n* OK [HIGHESTMODSEQ {}] highest\r\n",
            exists + 1,
            mod_seq(exists),
        )
        .unwrap();
        if read_only { Verdict::Ok("[READ-ONLY] open") } else { Verdict::Ok("[READ-WRITE] open") }
    }

    async fn idle(&mut self, user: usize) -> io::Result<Verdict> {
        self.tell_news();
        self.out.push_str("+ idling\r\n");
        self.send().await?;
        let _waiting = Waiting::begin(self.state, user);
        let mut line = String::new();
        loop {
            let news = async {
                match &mut self.open {
                    Some(Open::Inbox(exists)) => drop(exists.changed().await),
                    _ => std::future::pending().await,
                }
            };
            let said = tokio::select! {
                read = self.stream.read_line(&mut line) => Some(read?),
                () = news => None,
            };
            match said {
                Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(_) if line.trim_end() == "DONE" => return Ok(Verdict::Ok("done")),
                Some(_) => return Ok(Unknown),
                None => {
                    let count = match &mut self.open {
                        Some(Open::Inbox(exists)) => *exists.borrow_and_update(),
                        _ => 0,
                    };
                    write!(self.out, "* {count} EXISTS\r\n").unwrap();
                    self.send().await?;
                }
            }
        }
    }

    fn by_uid(&mut self, user: usize, rest: &str) -> Verdict {
        let exists = match &self.open {
            Some(Open::Inbox(_)) => *self.state.users[user].exists.borrow(),
            _ => 0,
        };
        if let Some(criteria) = rest.strip_prefix("SEARCH RETURN (ALL) ") {
            let wanted = match criteria {
                "ALL" => Some(vec![(1, u32::MAX)]),
                _ => criteria.strip_prefix("UID ").and_then(|set| uid_set(set, exists)),
            };
            let Some(wanted) = wanted else { return Unknown };
            let found: Vec<String> = chosen(&wanted, exists).map(|uid| uid.to_string()).collect();
            let all = if found.is_empty() { String::new() } else { format!(" ALL {}", found.join(",")) };
            write!(self.out, "* ESEARCH (TAG \"x\") UID{all}\r\n").unwrap();
            return Verdict::Ok("done");
        }
        match rest.strip_prefix("FETCH ").and_then(|rest| rest.split_once(' ')) {
            Some((set, items)) => self.fetch(user, exists, set, items),
            None => Unknown,
        }
    }

    fn fetch(&mut self, user: usize, exists: u32, set: &str, items: &str) -> Verdict {
        let Some(wanted) = uid_set(set, exists) else { return Unknown };
        let (items, since) = match items.split_once(" (CHANGEDSINCE ") {
            Some((items, since)) => (items, since.strip_suffix(')').and_then(|since| since.parse().ok())),
            None => (items, Some(0)),
        };
        let items = items.strip_prefix('(').and_then(|items| items.strip_suffix(')'));
        let (Some(items), Some(since)) = (items, since) else { return Unknown };
        for uid in chosen(&wanted, exists).filter(|uid| mod_seq(*uid) > since) {
            let mut fields = Vec::new();
            for item in items.split(' ') {
                let Some(field) = field(user, uid, item) else { return Unknown };
                fields.push(field);
            }
            write!(self.out, "* {uid} FETCH ({})\r\n", fields.join(" ")).unwrap();
        }
        Verdict::Ok("done")
    }
}

/// One item of a FETCH.
fn field(user: usize, uid: u32, item: &str) -> Option<String> {
    let raw = || mails::raw(user, uid);
    let literal = |name: &str, text: &str| format!("{name} {{{}}}\r\n{text}", text.len());
    Some(match item {
        "UID" => format!("UID {uid}"),
        "FLAGS" => "FLAGS ()".to_owned(),
        "INTERNALDATE" => format!("INTERNALDATE \"{}\"", mails::internal_date(uid)),
        "RFC822.SIZE" => format!("RFC822.SIZE {}", raw().len()),
        "MODSEQ" => format!("MODSEQ ({})", mod_seq(uid)),
        "BODY.PEEK[]" => literal("BODY[]", &raw()),
        _ if item.starts_with("BODY.PEEK[HEADER]<0.") => literal("BODY[HEADER]<0>", mails::header(&raw())),
        _ => return None,
    })
}

/// The modification sequence of a mail, and of a folder in which it is the last.
fn mod_seq(uid: u32) -> u64 {
    100 + u64::from(uid)
}

fn uid_set(text: &str, last: u32) -> Option<Vec<(u32, u32)>> {
    let number = |text: &str| if text == "*" { Some(last) } else { text.parse().ok() };
    let range = |part: &str| {
        let (from, to) = part.split_once(':').unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        Some((from.min(to), from.max(to)))
    };
    text.split(',').map(range).collect()
}

fn chosen(wanted: &[(u32, u32)], exists: u32) -> impl Iterator<Item = u32> + '_ {
    (1..=exists).filter(move |uid| wanted.iter().any(|(from, to)| (from..=to).contains(&uid)))
}
