//! Folders that vanish while they are read.

use super::{MARK, assert_well, connect_through, mail, sink};
use crate::mailbox::{backfilled, server_mails, stored_counts, stored_mails};
use crate::support::{Dovecot, Fault, ImapProxy, MailGenerator, TestApp};

const MAILS: usize = 300;

on_both! {
    async fn a_folder_deleted_while_it_is_read_takes_only_its_own_mail_along(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let mut generator = MailGenerator::new(51);
        mailbox.seed("INBOX", &generator.take(MAILS));
        mailbox.seed("Clients/2025", &generator.take(MAILS));
        mailbox.seed("Clients/2025", &[mail("newest@garden.example", MARK.as_bytes())]);
        mailbox.seed("Zoo", &generator.take(MAILS));
        let proxy = ImapProxy::start(&mailbox).await;
        proxy.spoil(MARK, Fault::Wait);
        let owner = app.owner().await;
        let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
        proxy.until_met(1).await;
        mailbox.peer().remove_folder("Clients/2025");
        proxy.behave();
        assert_well(&backfilled(&owner, &id).await);
        let counts = stored_counts(&owner, &id).await;
        assert_eq!((counts["INBOX"], counts["Zoo"]), (MAILS, MAILS));

        crate::mailbox::sync(&owner, &id).await;
        assert!(!stored_counts(&owner, &id).await.contains_key("Clients/2025"));
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    }
}
