//! What another program changes in the mailbox.

use std::collections::BTreeSet;

use super::{CONDSTORE, PLAIN, connected, converged, facts, held, server, shown};
use crate::mailbox::{stored_counts, sync};
use crate::support::{Dovecot, MailGenerator, Mailbox, TestApp};

/// Everything that another program can do to a mailbox, and what is to be seen of it.
async fn another_program_works(app: TestApp, mailbox: Mailbox<'_>) {
    let owner = app.owner().await;
    let account = connected(&owner, &mailbox, 21, 300).await;
    sync(&owner, &account).await;
    let peer = mailbox.peer();
    let (before, ids) = shown(&owner, &account).await;
    assert_eq!(before, held(&peer));

    let inbox: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
    peer.flag("INBOX", &inbox[..20], &["\\Seen", "\\Flagged"], &[]);
    peer.flag("INBOX", &inbox[20..30], &[], &["\\Seen", "\\Flagged"]);
    peer.move_to("INBOX", &inbox[30..45], "Archive");
    peer.create_folder("Neu & gut");
    peer.move_to("INBOX", &inbox[45..50], "Neu & gut");
    peer.rename_folder("Clients/2025", "Clients/2026");
    let deleted: BTreeSet<String> = peer
        .mails("INBOX")
        .iter()
        .filter(|mail| inbox[50..60].contains(&mail.uid))
        .map(|mail| mail.sha256.clone())
        .collect();
    peer.delete("INBOX", &inbox[50..60]);
    let late: Vec<Vec<u8>> = MailGenerator::new(22).take(5).into_iter().map(|mail| mail.raw).collect();
    peer.append("INBOX", &late, &[]);

    sync(&owner, &account).await;
    let after = converged(&owner, &account, &peer).await;
    let (_, kept) = shown(&owner, &account).await;
    for (digest, id) in &ids {
        let is = kept.get(digest);
        if deleted.contains(digest) && !after.contains_key(digest) {
            assert_eq!(is, None, "a deleted mail is listed no more");
        } else {
            assert_eq!(is, Some(id), "a mail keeps its id, wherever it lies");
        }
    }
    let received = facts(&owner, &["email.received"]).await;
    assert_eq!(received.len(), 5, "a mail that was moved is not received again: {received:?}");
    let gone = facts(&owner, &["email.deleted"]).await;
    let named: BTreeSet<&str> = gone.iter().map(|fact| fact["data"]["email_id"].as_str().unwrap()).collect();
    let expected: BTreeSet<&str> =
        deleted.iter().filter(|digest| !after.contains_key(*digest)).map(|digest| ids[digest].as_str()).collect();
    assert_eq!((gone.len(), named), (expected.len(), expected), "each deleted mail once, and no moved one");

    let count = facts(&owner, &["email.updated", "email.received", "email.deleted"]).await.len();
    sync(&owner, &account).await;
    assert_eq!(
        facts(&owner, &["email.updated", "email.received", "email.deleted"]).await.len(),
        count,
        "nothing is told twice"
    );
}

on_both! {
    async fn changes_are_seen_where_the_server_tells_what_vanished(app: TestApp) {
        another_program_works(app, Dovecot::shared().mailbox()).await;
    }
}

on_both! {
    async fn changes_are_seen_where_the_server_only_counts_them(app: TestApp) {
        let server = server(CONDSTORE);
        another_program_works(app, server.mailbox()).await;
    }
}

on_both! {
    async fn changes_are_seen_where_the_server_counts_nothing(app: TestApp) {
        let server = server(PLAIN);
        another_program_works(app, server.mailbox()).await;
    }
}

on_both! {
    async fn a_moved_mail_is_not_fetched_again(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 23, 100).await;
        // The independent client would fetch bodies too if it were asked what lies there: these are the seeded numbers.
        let inbox: Vec<u32> = (1..=45).collect();
        mailbox.peer().move_to("INBOX", &inbox, "Archive");
        sync(&owner, &account).await;
        assert_eq!(stored_counts(&owner, &account).await["Archive"], 60);
        app.stop().await;
        assert_eq!(mailbox.bodies_sent(), 100, "each body once");
    }
}
