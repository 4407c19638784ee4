//! Where nobody rings, mailboxes are asked: often while something happens.

use super::{NEVER, arrived};
use crate::support::gmail::{GmailWorld, live};
use crate::support::{Backend, TestApp};

on_both! {
    async fn a_new_mail_comes_although_nobody_rings_and_the_clock_is_far_away(backend: Backend) {
        let world = GmailWorld::start();
        let app = TestApp::start_with(backend, |settings| {
            world.set(settings);
            settings.set("SYNC_CRON", NEVER);
        })
        .await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        let shown = live(&owner, &account).await;
        assert_eq!(shown["push"], "none");
        world.mail(9, None);
        arrived(&owner, &account, 9).await;
    }
}
