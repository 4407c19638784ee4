//! A real Dovecot, and mailboxes on it.

use super::imap_peer::ImapPeer;
use super::mails::TestMail;
use super::pki::pki;
use super::script_server::ScriptServer;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

/// The password of every mailbox.
pub const PASSWORD: &str = "pw";

/// What a Dovecot does differently from an ordinary one.
#[derive(Default)]
pub struct DovecotOptions {
    /// The capabilities to advertise instead of Dovecot's own, as for servers that know less.
    pub capability: Option<&'static str>,
    /// What owners may do in folders (RFC 4314), such as `Frozen owner lr`.
    pub rights: &'static [&'static str],
    /// How many mails a mailbox may hold.
    pub quota: Option<usize>,
    /// Offer no TLS at all.
    pub no_tls: bool,
    /// Refuse passwords before STARTTLS.
    pub require_tls: bool,
    /// Start mailboxes with an INBOX alone.
    pub no_special_folders: bool,
}

/// A private Dovecot on loopback ports.
pub struct Dovecot {
    /// The port for plain IMAP and STARTTLS.
    pub imap_port: u16,
    /// The port for IMAP inside TLS.
    pub imaps_port: u16,
    server: ScriptServer,
}

static SHARED: LazyLock<Dovecot> = LazyLock::new(|| Dovecot::start(&DovecotOptions::default()));

impl Dovecot {
    /// The ordinary server that all tests of this process share; each takes mailboxes of its own.
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// A server of one's own: to be stopped, or to be different.
    pub fn start(options: &DovecotOptions) -> Self {
        let pki = pki();
        let mut arguments =
            vec!["--certificate".to_owned(), text(&pki.certificate), "--key".to_owned(), text(&pki.key)];
        if let Some(capability) = options.capability {
            arguments.extend(["--capability".to_owned(), capability.to_owned()]);
        }
        if let Some(mails) = options.quota {
            arguments.extend(["--quota".to_owned(), mails.to_string()]);
        }
        for rights in options.rights {
            arguments.extend(["--rights".to_owned(), (*rights).to_owned()]);
        }
        for (wanted, flag) in [
            (options.no_tls, "--no-tls"),
            (options.require_tls, "--require-tls"),
            (options.no_special_folders, "--no-special-folders"),
        ] {
            if wanted {
                arguments.push(flag.to_owned());
            }
        }
        let server = ScriptServer::start("private-dovecot", &arguments);
        Self { imap_port: server.port("imap_port"), imaps_port: server.port("imaps_port"), server }
    }

    /// Ends the server; its mail stays.
    pub fn stop(&self) {
        self.server.tell("stop");
    }

    /// Ends the server as a power failure would.
    pub fn kill(&self) {
        self.server.tell("kill");
    }

    /// Starts the server again, on the same ports with the same mail.
    pub fn start_again(&self) {
        self.server.tell("start");
    }

    /// Stops and starts the server.
    pub fn restart(&self) {
        self.server.tell("restart");
    }

    /// A new, empty mailbox.
    pub fn mailbox(&self) -> Mailbox<'_> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        Mailbox { server: self, user: format!("{}@mail.example", &unique[..12]) }
    }

    /// The folder of its configuration and log.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(self.fact("root").as_str().unwrap())
    }

    fn fact(&self, name: &str) -> &Value {
        &self.server.facts[name]
    }
}

/// A mailbox on a private Dovecot.
#[derive(Clone)]
pub struct Mailbox<'a> {
    /// The server that holds it.
    pub server: &'a Dovecot,
    /// Its user name, which is also its address.
    pub user: String,
}

impl Mailbox<'_> {
    /// The `imap` part of a request that connects it over TLS.
    pub fn imap_tls(&self) -> Value {
        self.imap(self.server.imaps_port, "tls")
    }

    /// The `imap` part of a request that connects it with STARTTLS.
    pub fn imap_starttls(&self) -> Value {
        self.imap(self.server.imap_port, "starttls")
    }

    /// The `imap` part of a request that connects it without encryption.
    pub fn imap_plain(&self) -> Value {
        self.imap(self.server.imap_port, "none")
    }

    fn imap(&self, port: u16, security: &str) -> Value {
        json!({"host": "localhost", "port": port, "security": security, "username": self.user, "password": PASSWORD})
    }

    /// The whole request that connects it, sending through the given server.
    pub fn connect_request(&self, smtp: Value) -> Value {
        json!({"provider": "imap", "email_address": self.user, "imap": self.imap_tls(), "smtp": smtp})
    }

    /// The independent client, signed in to this mailbox.
    pub fn peer(&self) -> ImapPeer {
        ImapPeer::new(self.server.imap_port, &self.user, PASSWORD)
    }

    /// How many mail bodies the server has sent from this mailbox, over all connections that have ended.
    /// Dovecot logs the count when a connection ends.
    pub fn bodies_sent(&self) -> usize {
        let log = self.server.root().join("log");
        let session = format!("imap({})<", self.user);
        let text = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
        let counts = text
            .lines()
            .filter(|line| line.contains(&session))
            .filter_map(|line| line.split_once(" body_count=")?.1.split(' ').next()?.parse::<usize>().ok());
        counts.sum()
    }

    /// Puts mails straight into a folder's Maildir: thousands a second. The folder is made when absent;
    /// `/` in its name means depth. Meant for the time before a client has opened the folder.
    pub fn seed(&self, folder: &str, mails: &[TestMail]) {
        let cur = self.folder(folder).join("cur");
        for (number, mail) in mails.iter().enumerate() {
            let seconds = u64::try_from(mail.received_at.timestamp()).unwrap();
            let size = mail.raw.len();
            let flags: String = [('F', mail.flagged), ('S', mail.seen)].iter().filter(|f| f.1).map(|f| f.0).collect();
            let unique = uuid::Uuid::new_v4().simple();
            let path = cur.join(format!("{seconds}.M{number}P{unique}.seed,S={size},W={size}:2,{flags}"));
            fs::write(&path, &mail.raw).unwrap();
            // A Maildir's INTERNALDATE is the time of the file.
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            self.give(&path);
        }
    }

    /// Makes the server give the mails of a folder new numbers, as after a restored backup. Nobody may have it open.
    pub fn renumber(&self, folder: &str) {
        for entry in fs::read_dir(self.folder(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("dovecot-uidlist") || name.starts_with("dovecot.index") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// The Maildir of a folder, made when absent, in Maildir++ layout.
    fn folder(&self, name: &str) -> PathBuf {
        let home = Path::new(self.server.fact("mail").as_str().unwrap()).join(&self.user);
        let root = home.join("Maildir");
        let path = if name == "INBOX" { root.clone() } else { root.join(format!(".{}", name.replace('/', "."))) };
        for folder in [&home, &root, &path, &path.join("cur"), &path.join("new"), &path.join("tmp")] {
            fs::create_dir_all(folder).unwrap();
            self.give(folder);
        }
        if name != "INBOX" {
            fs::write(path.join("maildirfolder"), "").unwrap();
            self.give(&path.join("maildirfolder"));
        }
        path
    }

    fn give(&self, path: &Path) {
        let id = |name| self.server.fact(name).as_u64().and_then(|id| u32::try_from(id).ok());
        chown(path, id("uid"), id("gid")).unwrap();
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
