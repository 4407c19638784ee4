//! People here, another program there, kills and restarts, in random order: both sides end the same and nothing is lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::outbound::Verbs;
use super::{PLAIN, connected, converged, difference, facts, held, server, shown};
use crate::mailbox::sync;
use crate::support::{Backend, Client, Dovecot, MailGenerator, Mailbox, TestProcess, wait_until};

/// Steps of one run; the seeds of the runs are below.
const STEPS: usize = 24;

/// A small generator of numbers (xorshift), so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn some<T: Clone>(&mut self, of: &[T], most: usize) -> Vec<T> {
        let count = 1 + self.roll(most);
        (0..count.min(of.len())).map(|_| of[self.roll(of.len())].clone()).collect()
    }
}

/// What somebody does here.
async fn act_here(owner: &Client, account: &str, dice: &mut Dice) {
    let verbs = Verbs { owner, account };
    let folder = ["INBOX", "Archive", "Clients/2025", "Trash"][dice.roll(4)];
    let mails = verbs.mails(folder).await;
    let mut ids: Vec<String> = dice.some(&mails, 8);
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return;
    }
    let target = verbs.folder("Clients/2025").await;
    let change = match dice.roll(9) {
        0 => json!({"is_read": true}),
        1 => json!({"is_read": false, "is_starred": true}),
        2 => json!({"is_starred": false}),
        3 => json!({"is_archived": true}),
        4 => json!({"is_archived": false}),
        5 => json!({"trash": true}),
        6 => json!({"trash": false}),
        7 => json!({"folder_id": target}),
        _ => json!({"add_labels": ["Bunt"]}),
    };
    let mut request = change;
    request["ids"] = json!(ids);
    let answer = owner.post("/api/email/messages/batch", request).await;
    if answer.status == 404 {
        // The other program deleted one of them since they were listed.
        return;
    }
    let operation = answer.json(200)["operation_id"].as_str().unwrap().to_owned();
    if dice.roll(4) == 0 {
        let undo = owner.post(&format!("/api/email/operations/{operation}/undo"), Value::Null).await;
        assert!([200, 201, 409].contains(&undo.status), "{}", undo.text());
    }
}

/// What another program does there; answers the digests of mails that it deleted for good.
fn act_there(mailbox: &Mailbox<'_>, dice: &mut Dice, fresh: &mut MailGenerator) -> Vec<String> {
    let peer = mailbox.peer();
    let folder = ["INBOX", "Archive", "Trash"][dice.roll(3)];
    let mails = peer.mails(folder);
    let chosen = dice.some(&mails, 8);
    let mut uids: Vec<u32> = chosen.iter().map(|mail| mail.uid).collect();
    uids.sort_unstable();
    uids.dedup();
    match dice.roll(6) {
        0 => peer.append("INBOX", &fresh.take(2).into_iter().map(|mail| mail.raw).collect::<Vec<_>>(), &[]),
        _ if uids.is_empty() => {}
        1 => peer.flag(folder, &uids, &["\\Seen"], &[]),
        2 => peer.flag(folder, &uids, &["\\Flagged"], &["\\Seen"]),
        3 => peer.move_to(folder, &uids, "Clients/2025"),
        4 => peer.move_to(folder, &uids, "INBOX"),
        _ => {
            peer.delete(folder, &uids);
            return chosen.into_iter().map(|mail| mail.sha256).collect();
        }
    }
    Vec::new()
}

async fn play(backend: Backend, server: &Dovecot, seed: u64) {
    let mailbox = server.mailbox();
    let mut dice = Dice(seed);
    let mut fresh = MailGenerator::new(seed + 1000);
    let mut duplex = TestProcess::start(backend).await;
    let mut owner = duplex.owner().await;
    let account = connected(&owner, &mailbox, seed, 120).await;
    sync(&owner, &account).await;
    let mut deleted = BTreeSet::new();
    let first: BTreeSet<String> = held(&mailbox.peer()).into_keys().collect();
    for _ in 0..STEPS {
        match dice.roll(8) {
            0..=3 => act_here(&owner, &account, &mut dice).await,
            4..=6 => deleted.extend(act_there(&mailbox, &mut dice, &mut fresh)),
            _ => {
                duplex.kill();
                duplex.start_again().await;
                owner = duplex.owner_again().await;
            }
        }
    }
    wait_until("every change is carried out or refused", async || {
        owner.all("/api/email/operations?state=pending").await.is_empty()
    })
    .await;
    sync(&owner, &account).await;
    let state = converged(&owner, &account, &mailbox.peer()).await;
    sync(&owner, &account).await;
    assert_eq!(difference(&shown(&owner, &account).await.0, &state), Vec::<String>::new(), "seed {seed}: it stays so");
    let lost: Vec<&String> =
        first.iter().filter(|digest| !state.contains_key(*digest) && !deleted.contains(*digest)).collect();
    assert!(lost.is_empty(), "seed {seed}: lost {lost:?}");
    let received = facts(&owner, &["email.received"]).await;
    let named: BTreeSet<&str> = received.iter().map(|fact| fact["data"]["email_id"].as_str().unwrap()).collect();
    assert_eq!(named.len(), received.len(), "seed {seed}: each mail is received once");
}

on_both! {
    async fn both_sides_end_the_same_where_the_server_tells_what_vanished(backend: Backend) {
        for seed in [71, 72] {
            play(backend, Dovecot::shared(), seed).await;
        }
    }
}

on_both! {
    async fn both_sides_end_the_same_where_the_server_counts_nothing(backend: Backend) {
        let server = server(PLAIN);
        play(backend, &server, 73).await;
    }
}
