//! Listening: news come by themselves.

use super::{connected, converged, held, shown};
use crate::mailbox::{account, sync};
use crate::support::{Dovecot, MailGenerator, TestApp, wait_until};

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
