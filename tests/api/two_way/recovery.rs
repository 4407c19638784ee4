//! UIDs that begin anew, and holes.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use duplex::db::schema::{email_folders, email_locations, emails};
use duplex::ids::{AccountId, EmailId};
use duplex::on_conn;

use super::{connected, converged, facts, shown};
use crate::mailbox::sync;
use crate::support::{Backend, Dovecot, MailGenerator, TestApp, TestProcess, wait_for};
use serde_json::Value;

on_both! {
    async fn new_numbers_with_changes_in_the_gap_lose_nothing(backend: Backend) {
        let server = Dovecot::start(&Default::default());
        let mailbox = server.mailbox();
        let mut duplex = TestProcess::start(backend).await;
        let owner = duplex.owner().await;
        let account = connected(&owner, &mailbox, 31, 300).await;
        sync(&owner, &account).await;
        let (before, ids) = shown(&owner, &account).await;
        assert!(duplex.terminate().await.success());

        let peer = mailbox.peer();
        let uids: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
        peer.flag("INBOX", &uids[..10], &["\\Flagged"], &[]);
        peer.delete("INBOX", &uids[10..15]);
        let late: Vec<Vec<u8>> = MailGenerator::new(32).take(4).into_iter().map(|mail| mail.raw).collect();
        peer.append("INBOX", &late, &["\\Seen"]);
        mailbox.renumber("INBOX");
        let numbers: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
        assert_ne!(numbers, uids);

        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        sync(&owner, &account).await;
        let after = converged(&owner, &account, &peer).await;
        let (_, kept) = shown(&owner, &account).await;
        for digest in before.keys().filter(|digest| after.contains_key(*digest)) {
            assert_eq!(kept[digest], ids[digest], "a mail keeps its id over new numbers");
        }
        let gone = before.keys().filter(|digest| !after.contains_key(*digest)).count();
        assert_eq!(facts(&owner, &["email.deleted"]).await.len(), gone, "only what was deleted is told as deleted");
        let fresh = after.keys().filter(|digest| !before.contains_key(*digest)).count();
        let received = facts(&owner, &["email.received"]).await;
        assert_eq!(received.len(), fresh, "what came in the gap is received once: {received:?}");
    }
}

on_both! {
    async fn five_hundred_changes_while_nobody_looked_are_all_found(backend: Backend) {
        let mailbox = Dovecot::shared().mailbox();
        let mut duplex = TestProcess::start(backend).await;
        let owner = duplex.owner().await;
        let account = connected(&owner, &mailbox, 33, 1000).await;
        sync(&owner, &account).await;
        assert!(duplex.terminate().await.success());

        let peer = mailbox.peer();
        let uids: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
        peer.flag("INBOX", &uids[..150], &["\\Seen"], &[]);
        peer.flag("INBOX", &uids[100..200], &["\\Flagged"], &["\\Seen"]);
        peer.move_to("INBOX", &uids[200..300], "Archive");
        peer.move_to("INBOX", &uids[300..350], "Trash");
        peer.delete("INBOX", &uids[350..400]);
        let late: Vec<Vec<u8>> = MailGenerator::new(34).take(50).into_iter().map(|mail| mail.raw).collect();
        peer.append("INBOX", &late, &[]);

        duplex.start_again().await;
        let owner = duplex.owner_again().await;
        sync(&owner, &account).await;
        converged(&owner, &account, &peer).await;
        let told = facts(&owner, &["email.updated", "email.received", "email.deleted"]).await;
        let mut names: Vec<(&Value, &Value)> = told.iter().map(|fact| (&fact["type"], &fact["data"]["email_id"])).collect();
        names.sort_by_key(|(kind, id)| (kind.to_string(), id.to_string()));
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "no change of a mail is told twice");
        assert_eq!(told.iter().filter(|fact| fact["type"] == "email.received").count(), 50);
    }
}

on_both! {
    async fn a_hole_is_found_and_mended_by_the_sweep(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 35, 200).await;
        let proven = async |after: &Value| {
            let path = format!("/api/email/accounts/{account}/completeness");
            owner.post(&path, Value::Null).await.json(202);
            wait_for("the folders are proven complete", async || {
                let folders = owner.get(&path).await.json(200)["folders"].as_array().unwrap().clone();
                let inbox = folders.iter().find(|folder| folder["name"] == "INBOX").unwrap().clone();
                (inbox["proven_at"].is_string() && inbox["proven_at"] != *after).then_some(inbox)
            })
            .await
        };
        let first = proven(&Value::Null).await;
        assert_eq!((&first["missing"], &first["provider_count"]), (&Value::from(0), &first["stored_count"]));

        forget_mails(&app, &account, "INBOX", 7).await;
        sync(&owner, &account).await;
        let (state, _) = shown(&owner, &account).await;
        assert_eq!(state.len(), 193, "an ordinary sync sees no change");
        let second = proven(&first["proven_at"]).await;
        assert_eq!(second["stored_count"], first["stored_count"]);
        converged(&owner, &account, &mailbox.peer()).await;
    }
}

/// Makes Duplex forget mails of a folder, as a fault of ours or a restored database would.
async fn forget_mails(app: &TestApp, account: &str, folder: &str, count: i64) {
    let account: AccountId = account.parse().unwrap();
    let db = app.database().await;
    let mut conn = db.write().await.unwrap();
    let query = email_locations::table
        .inner_join(email_folders::table)
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::name.eq(folder))
        .order(email_locations::uid.desc())
        .limit(count)
        .select(email_locations::email_id);
    let ids: Vec<EmailId> = on_conn!(&mut conn, |c| query.load(c).await).unwrap();
    assert_eq!(ids.len(), usize::try_from(count).unwrap());
    let query = diesel::delete(emails::table.filter(emails::id.eq_any(ids)));
    on_conn!(&mut conn, |c| query.execute(c).await).unwrap();
}
