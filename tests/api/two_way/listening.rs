//! Listening: news come by themselves.

use super::{connected, converged, held, shown};
use crate::faults::connect_through;
use crate::mailbox::{account, backfilled, fill, sync};
use crate::support::{Backend, Dovecot, Fault, ImapProxy, MailGenerator, SmtpSecurity, SmtpSink, TestApp, wait_until};

/// Waits until the mailbox is listened to.
async fn listening(owner: &crate::support::Client, id: &str) {
    wait_until("the mailbox is listened to", async || account(owner, id).await["push"] == "idle").await;
}

on_both! {
    async fn new_mail_and_changes_come_without_asking(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let owner = app.owner().await;
        let id = connected(&owner, &mailbox, 41, 50).await;
        listening(&owner, &id).await;
        let mut socket = owner.web_socket().await;
        let peer = mailbox.peer();
        for mail in MailGenerator::new(42).take(3) {
            peer.append("INBOX", &[mail.raw], &[]);
            socket.next("the mail is told of", |frame| frame["type"] == "email.received").await;
        }
        let uids: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
        peer.flag("INBOX", &uids[..2], &["\\Flagged"], &[]);
        socket.next("the star is told of", |frame| frame["type"] == "email.updated").await;
        peer.move_to("INBOX", &uids[..2], "Archive");
        converged(&owner, &id, &peer).await;
        peer.delete("INBOX", &uids[2..4]);
        converged(&owner, &id, &peer).await;
    }
}

on_both! {
    async fn a_server_that_comes_back_is_listened_to_again(app: TestApp) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let id = connected(&owner, &mailbox, 43, 50).await;
        listening(&owner, &id).await;
        sync(&owner, &id).await;
        server.restart();
        let peer = mailbox.peer();
        let late: Vec<Vec<u8>> = MailGenerator::new(44).take(2).into_iter().map(|mail| mail.raw).collect();
        peer.append("INBOX", &late, &[]);
        wait_until("the mail arrives", async || shown(&owner, &id).await.0 == held(&peer)).await;
    }
}

on_both! {
    async fn a_connection_that_died_without_a_word_is_found_out(backend: Backend) {
        let app = TestApp::start_with(backend, |settings| {
            // No periodic sync comes in between.
            settings.set("IMAP_IDLE_SECONDS", "5").set("SYNC_CRON", "0 0 0 1 1 *");
        })
        .await;
        let mailbox = Dovecot::shared().mailbox();
        let proxy = ImapProxy::start(&mailbox).await;
        fill(&mailbox, 45, 20);
        let owner = app.owner().await;
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let id = connect_through(&owner, &proxy, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;
        listening(&owner, &id).await;
        sync(&owner, &id).await;
        // The connection stays, and nothing comes over it any more, not even the end of the wait.
        proxy.spoil("* ", Fault::FallSilent);
        let peer = mailbox.peer();
        peer.append("INBOX", &[MailGenerator::new(46).take(1).remove(0).raw], &[]);
        proxy.until_met(1).await;
        proxy.behave();
        wait_until("the mail arrives over a new connection", async || shown(&owner, &id).await.0 == held(&peer)).await;
    }
}
