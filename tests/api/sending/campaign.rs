//! Kills the process at chosen moments of sending, and counts what became of every mail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::mailbox::backfilled;
use crate::support::{
    Backend, Client, Dovecot, Fault, ImapProxy, Mailbox, Phase, SmtpSecurity, SmtpSink, TestProcess, wait_for,
    wait_until,
};

/// A file that no socket holds: while the server does not read, the mail cannot have left.
const LARGE: usize = 6_000_000;

/// What the process says when a copy was put into a folder (RFC 4315); the copy is there, and nobody knows.
const APPENDED: &str = "APPENDUID";

/// A moment at which the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    BeforeIntent,
    AfterIntent,
    Mail,
    Rcpt,
    MidData,
    BodySent,
    AnswerLost,
    AnswerRead,
    SentAppend,
}

impl Moment {
    pub const ALL: [Self; 9] = [
        Self::BeforeIntent,
        Self::AfterIntent,
        Self::Mail,
        Self::Rcpt,
        Self::MidData,
        Self::BodySent,
        Self::AnswerLost,
        Self::AnswerRead,
        Self::SentAppend,
    ];

    /// The moment in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::BeforeIntent => "before the intent: accepted by the API alone",
            Self::AfterIntent => "after the intent: being connected",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::MidData => "in the middle of DATA",
            Self::BodySent => "body sent, the final dot not received",
            Self::AnswerLost => "taken by the server, its 250 not sent",
            Self::AnswerRead => "250 sent, while it is read",
            Self::SentAppend => "copy appended to Sent, not noted",
        }
    }

    /// Where the server stands still.
    fn phase(self) -> Option<Phase> {
        match self {
            Self::BeforeIntent | Self::SentAppend => None,
            Self::AfterIntent => Some(Phase::Connect),
            Self::Mail => Some(Phase::Mail),
            Self::Rcpt => Some(Phase::Rcpt),
            Self::MidData | Self::BodySent => Some(Phase::Body),
            Self::AnswerLost => Some(Phase::Taken),
            Self::AnswerRead => Some(Phase::Answered),
        }
    }

    /// How long at most the process lives on, in milliseconds.
    fn grace(self) -> u64 {
        match self {
            Self::BeforeIntent => 4,
            // Time to write down that the mail is handed over, or not quite.
            Self::BodySent => 40,
            _ => 15,
        }
    }

    /// Whether it may stay open what became of the mail.
    pub fn may_be_uncertain(self) -> bool {
        matches!(self, Self::BodySent | Self::AnswerLost | Self::AnswerRead)
    }
}

/// A mailbox, and the server that takes its mail.
struct Way {
    mailbox: Mailbox<'static>,
    proxy: ImapProxy,
    sink: SmtpSink,
    account: String,
}

impl Way {
    async fn start(owner: &Client, saves_to_sent: bool) -> Self {
        let mailbox = Dovecot::shared().mailbox();
        let proxy = ImapProxy::start(&mailbox).await;
        let sink = SmtpSink::start(SmtpSecurity::Tls).await;
        if saves_to_sent {
            sink.save_sent(mailbox.peer(), "Sent");
        }
        let request = json!({
            "provider": "imap", "email_address": mailbox.user,
            "imap": proxy.imap(&mailbox), "smtp": sink.settings(&mailbox.user),
        });
        let account = owner.post("/api/email/accounts", request).await.json(201);
        let account = account["id"].as_str().unwrap().to_owned();
        let at_once = json!({ "settings": { "undo_send_seconds": 0 } });
        owner.patch(&format!("/api/email/accounts/{account}"), at_once).await.json(200);
        backfilled(owner, &account).await;
        Self { mailbox, proxy, sink, account }
    }

    /// How often mails of each subject were taken.
    fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for mail in self.sink.accepted() {
            *taken.entry(mail.header("Subject").unwrap()).or_default() += 1;
        }
        taken
    }
}

/// A mail in whose sending the process was killed.
pub struct Killed {
    pub id: String,
    pub moment: Moment,
    /// Which of the two ways it went.
    pub way: usize,
    /// What was known of it after the restart.
    pub first: String,
    subject: String,
}

/// What became of a mail in the end.
#[derive(Clone, Debug)]
pub struct Fate {
    pub status: String,
    /// How often the server took it.
    pub taken: usize,
    /// How many copies of it lie among the sent mails.
    pub copies: usize,
}

/// What became of all mails of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub kills: usize,
    pub sent: usize,
    /// Those of the sent ones whose fate was not known at first, and was found out.
    pub found: usize,
    pub uncertain: usize,
    pub lost: usize,
    pub double: usize,
}

/// The first way leads to a server that saves to Sent what it takes, the second to one that does not.
pub struct Campaign {
    pub duplex: TestProcess,
    key: String,
    ways: [Way; 2],
    pub mails: Vec<Killed>,
}

/// The way whose server saves to Sent.
pub const SAVING: usize = 0;
/// The way whose server does not.
pub const BARE: usize = 1;

impl Campaign {
    pub async fn start(backend: Backend) -> Self {
        let duplex = TestProcess::start(backend).await;
        let owner = duplex.owner().await;
        let key = owner.post("/api/api-keys", json!({ "name": "campaign" })).await.json(201);
        let key = key["key"].as_str().unwrap().to_owned();
        let ways = [Way::start(&owner, true).await, Way::start(&owner, false).await];
        Self { duplex, key, ways, mails: Vec::new() }
    }

    /// The owner, by a key that outlives every restart.
    pub fn owner(&self) -> Client {
        self.duplex.nobody().with_key(&self.key)
    }

    /// A request that sends a mail.
    pub fn mail(&self, way: usize, subject: &str) -> Value {
        let (account, to) = (&self.ways[way].account, json!([{ "email": "ann@client.example" }]));
        json!({ "account_id": account, "to": to, "subject": subject, "body_text": "All is well." })
    }

    /// Where the mails of a way are listed.
    pub fn list(&self, way: usize) -> String {
        format!("/api/email/messages?account_id={}", self.ways[way].account)
    }

    /// How many mails the server of a way took.
    pub fn taken(&self, way: usize) -> usize {
        self.ways[way].sink.accepted().len()
    }

    async fn post(&self, way: usize, subject: &str, is_large: bool) -> String {
        let owner = self.owner();
        let mut files = Vec::new();
        if is_large {
            let body = Some(("application/octet-stream", vec![b'x'; LARGE]));
            let file = owner.request("POST", "/api/email/attachments?file_name=large.bin", &[], body).await.json(201);
            files.push(file["id"].clone());
        }
        let mut mail = self.mail(way, subject);
        mail["attachment_ids"] = files.into();
        let mail = owner.post("/api/email/messages", mail).await.json(202);
        mail["id"].as_str().unwrap().to_owned()
    }

    /// Sends a mail, kills the process at this moment of it, starts it again and waits until it knows what it can know.
    pub async fn kill_at(&mut self, moment: Moment, way: usize) {
        let Way { sink, proxy, .. } = &self.ways[way];
        let subject = format!("mail {} {moment:?}", self.mails.len());
        if moment == Moment::AfterIntent {
            // A connection that is kept would spare the next mail this moment.
            sink.cut_connections();
        }
        let mut pause = moment.phase().map(|phase| sink.pause(phase));
        let met = proxy.met();
        if moment == Moment::SentAppend {
            proxy.spoil(APPENDED, Fault::FallSilent);
        }
        let id = self.post(way, &subject, moment == Moment::MidData).await;
        match &mut pause {
            Some(pause) => pause.reached().await,
            None if moment == Moment::SentAppend => proxy.until_met(met + 1).await,
            None => {}
        }
        tokio::time::sleep(Duration::from_micros(rand() % (1000 * moment.grace()))).await;
        self.duplex.kill();
        proxy.behave();
        match pause {
            // What had reached the server's machine before the client died is read and counts.
            Some(pause) if rand().is_multiple_of(2) => pause.resume(),
            pause => drop(pause),
        }
        self.duplex.start_again().await;
        let first = self.settled(&id).await;
        self.mails.push(Killed { id, moment, way, first, subject });
    }

    /// What the API shows of a mail.
    pub async fn shown(&self, id: &str) -> Value {
        self.owner().get(&format!("/api/email/messages/{id}")).await.json(200)
    }

    /// Waits until nothing is going on with a mail; gives its status.
    pub async fn settled(&self, id: &str) -> String {
        wait_for("the mail has left or it is not known", async || {
            let status = self.shown(id).await["status"].as_str().unwrap().to_owned();
            ["sent", "uncertain", "failed"].contains(&status.as_str()).then_some(status)
        })
        .await
    }

    /// Waits until all is found out that can be, and every copy is filed; gives what became of each mail.
    pub async fn fates(&mut self) -> Vec<Fate> {
        self.duplex.terminate().await;
        self.duplex.start_again().await;
        let taken = [self.ways[SAVING].taken(), self.ways[BARE].taken()];
        for mail in self.mails.iter().filter(|mail| mail.way == SAVING && taken[SAVING].contains_key(&mail.subject)) {
            wait_until("a copy in Sent proves that the mail was sent", async || {
                self.shown(&mail.id).await["status"] == "sent"
            })
            .await;
        }
        let mut fates = Vec::new();
        let listed = [self.listed(SAVING).await, self.listed(BARE).await];
        for mail in &self.mails {
            let copies = listed[mail.way].get(&mail.id).copied().unwrap_or(0);
            let status = self.shown(&mail.id).await["status"].as_str().unwrap().to_owned();
            fates.push(Fate { status, taken: taken[mail.way].get(&mail.subject).copied().unwrap_or(0), copies });
        }
        for way in &self.ways {
            assert_eq!(way.sink.violations(), Vec::<String>::new());
        }
        fates
    }

    /// Waits until each sent mail of a way has its copy in Sent, here and there, and makes sure that nothing is there
    /// twice; gives how many copies each mail has.
    async fn listed(&self, way: usize) -> BTreeMap<String, usize> {
        let (mailbox, path) = (&self.ways[way].mailbox, self.list(way));
        let mails: Vec<&Killed> = self.mails.iter().filter(|mail| mail.way == way).collect();
        let filed = |listed: &[Value]| -> BTreeMap<String, usize> {
            let in_sent =
                |mail: &Value| mail["folders"].as_array().unwrap().iter().filter(|f| f["name"] == "Sent").count();
            listed.iter().map(|mail| (mail["id"].as_str().unwrap().to_owned(), in_sent(mail))).collect()
        };
        let listed = wait_for("every sent mail has its copy", async || {
            let listed = self.owner().all(&path).await;
            let sent = listed.iter().filter(|mail| mail["status"] == "sent").count();
            let copies = filed(&listed).values().filter(|copies| **copies > 0).count();
            (sent == copies && mailbox.peer().counts()["Sent"] >= sent).then_some(listed)
        })
        .await;
        assert_eq!(listed.len(), mails.len(), "every mail is shown once");
        let subjects: BTreeSet<&str> = listed.iter().map(|mail| mail["subject"].as_str().unwrap()).collect();
        assert_eq!(subjects.len(), mails.len(), "every mail is shown once");
        let copies = filed(&listed);
        let held = mailbox.peer().mails("Sent");
        let different: BTreeSet<&str> = held.iter().map(|mail| mail.sha256.as_str()).collect();
        assert_eq!(held.len(), copies.values().sum::<usize>(), "{copies:?} are all copies that the server has");
        assert_eq!(held.len(), different.len(), "no copy is there twice");
        copies
    }

    /// How often facts of this type were told of each mail.
    pub async fn facts(&self, kind: &str) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for fact in self.owner().all("/api/events?after=0").await.iter().filter(|fact| fact["type"] == kind) {
            *told.entry(fact["data"]["email_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        told
    }

    /// Sends a mail again whose fate is not known, at a person's word; gives how often it was taken since.
    pub async fn retry(&self, mail: &Killed) -> usize {
        let before = self.ways[mail.way].taken().get(&mail.subject).copied().unwrap_or(0);
        let said = self.shown(&mail.id).await;
        assert!(said["error_message"].as_str().is_some_and(|words| words.contains("twice")), "{said}");
        self.owner().post(&format!("/api/email/messages/{}/retry", mail.id), Value::Null).await.json(200);
        assert_eq!(self.settled(&mail.id).await, "sent");
        let accepted = self.ways[mail.way].sink.accepted();
        let of_it: Vec<_> =
            accepted.iter().filter(|taken| taken.header("Subject").as_ref() == Some(&mail.subject)).collect();
        let ids: BTreeSet<_> = of_it.iter().map(|taken| taken.message_id()).collect();
        assert_eq!(ids.len(), 1, "it is the same mail each time");
        of_it.len() - before
    }

    /// Counts by moment.
    pub fn tally(&self, fates: &[Fate]) -> BTreeMap<Moment, Tally> {
        let mut tallies: BTreeMap<Moment, Tally> = BTreeMap::new();
        for (mail, fate) in self.mails.iter().zip(fates) {
            let tally = tallies.entry(mail.moment).or_default();
            tally.kills += 1;
            tally.double += usize::from(fate.taken > 1 || fate.copies > 1);
            match fate.status.as_str() {
                "sent" if fate.taken > 0 && fate.copies > 0 => {
                    tally.sent += 1;
                    tally.found += usize::from(mail.first == "uncertain");
                }
                "uncertain" if mail.moment.may_be_uncertain() => tally.uncertain += 1,
                _ => tally.lost += 1,
            }
        }
        tallies
    }
}

/// A moment that nobody chose.
fn rand() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
