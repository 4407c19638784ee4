//! Batches of mails: what becomes of them in the tables.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::count_star;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use duplex::clock::Timestamp;
use duplex::db::DbConn;
use duplex::db::schema::{
    email_accounts, email_attachments, email_folders, email_locations, email_recipients, emails, skipped_messages,
    thread_accounts, thread_message_ids, threads,
};
use duplex::ids::{AccountId, EmailId, ThreadId};
use duplex::mail;
use duplex::messages::{self, FlagChange, FolderRole, IncomingMail, Intake, KnownCopy, Skip};
use duplex::on_conn;

use super::ground::{Ground, at, folders, incoming, mailbox, organization, parsed};
use crate::support::Backend;

/// What a thread's rows say: mails, then mails and unread ones in each mailbox.
type Counts = (i64, Vec<(AccountId, i64, i64)>);

async fn counts(conn: &mut DbConn, thread: ThreadId) -> Counts {
    let total = threads::table.find(thread).select(threads::message_count);
    let shares = thread_accounts::table
        .filter(thread_accounts::thread_id.eq(thread))
        .order(thread_accounts::account_id)
        .select((thread_accounts::account_id, thread_accounts::message_count, thread_accounts::unread_count));
    let total = on_conn!(conn, |c| total.first(c).await).unwrap();
    let shares = on_conn!(conn, |c| shares.load(c).await).unwrap();
    (total, shares)
}

async fn thread_of(conn: &mut DbConn, external_id: &str) -> ThreadId {
    let query = emails::table.filter(emails::external_id.eq(external_id)).select(emails::thread_id);
    let thread: Option<ThreadId> = on_conn!(conn, |c| query.first(c).await).unwrap();
    thread.unwrap()
}

async fn rows(conn: &mut DbConn) -> Vec<i64> {
    let mut found = Vec::new();
    macro_rules! count {
        ($($table:ident)+) => {$(
            found.push(on_conn!(conn, |c| $table::table.select(count_star()).first::<i64>(c).await).unwrap());
        )+};
    }
    count!(emails email_locations email_recipients email_attachments threads thread_accounts thread_message_ids skipped_messages email_folders);
    found
}

on_both! {
    async fn the_same_batch_twice_changes_nothing(backend: Backend) {
        let ground = Ground::new(backend).await;
        let batch = || (1..=5).map(|uid| incoming(ground.inbox, uid, parsed(&format!("mail{uid}"), &["root"]))).collect();
        let first = ground.apply(FolderRole::Inbox, batch()).await;
        let before = rows(&mut ground.write().await).await;
        let second = ground.apply(FolderRole::Inbox, batch()).await;
        assert_eq!((first.new.len(), first.known, second.new.len(), second.known), (5, 0, 0, 5));
        assert_eq!(rows(&mut ground.write().await).await, before);
        assert_eq!(before[..7], [5, 5, 5, 0, 1, 1, 6]);
        let thread = first.new[0].1;
        assert!(first.new.iter().all(|(_, other)| *other == thread));
        assert_eq!(counts(&mut ground.write().await, thread).await, (5, vec![(ground.owner.account, 5, 5)]));
    }
}

on_both! {
    async fn a_copy_in_another_folder_is_the_same_mail(backend: Backend) {
        let ground = Ground::new(backend).await;
        let first = ground.apply(FolderRole::Inbox, vec![incoming(ground.inbox, 1, parsed("copied", &[]))]).await;
        let (id, thread) = first.new[0];
        let copy = IncomingMail { is_read: true, ..incoming(ground.archive, 9, parsed("copied", &[])) };
        let second = ground.apply(FolderRole::Archive, vec![copy.clone(), IncomingMail { uid: 10, ..copy }]).await;
        assert_eq!((second.new.len(), second.known), (0, 2));
        let mut conn = ground.write().await;
        assert_eq!(rows(&mut conn).await[..2], [1, 3]);
        assert_eq!(flags(&mut conn, id).await, (true, false, false, None), "read by one copy, not archived while in the INBOX");
        assert_eq!(counts(&mut conn, thread).await.1, [(ground.owner.account, 1, 0)]);
        let gone = messages::remove_locations(&mut conn, &ground.owner, ground.inbox, 1, &[1], &Intake::silent(at(601))).await.unwrap().gone;
        assert!(gone.is_empty());
        assert_eq!(flags(&mut conn, id).await, (true, true, false, None));
        let gone = messages::remove_locations(&mut conn, &ground.owner, ground.archive, 1, &[9, 10, 11], &Intake::silent(at(602))).await.unwrap().gone;
        assert_eq!(gone, [id]);
        assert_eq!(flags(&mut conn, id).await.3, Some(at(602)));
        assert_eq!(counts(&mut conn, thread).await, (0, vec![]));
        let back = KnownCopy {
            folder: ground.trash, uid: 3, uid_validity: 1, mod_seq: None, is_read: false, is_starred: false, is_answered: false,
            external_id: "m-copied@mail.example".to_owned(),
        };
        let stranger = KnownCopy { external_id: "m-unknown".to_owned(), uid: 4, ..back.clone() };
        let taken = messages::apply_known(&mut conn, &ground.owner, vec![back, stranger], &Intake::silent(at(603))).await.unwrap();
        assert_eq!(taken.known, 1, "the stranger is passed over");
        assert_eq!(flags(&mut conn, id).await, (false, false, true, None));
        assert_eq!(counts(&mut conn, thread).await, (1, vec![(ground.owner.account, 1, 1)]));
    }
}

async fn flags(conn: &mut DbConn, id: EmailId) -> (bool, bool, bool, Option<Timestamp>) {
    let query =
        emails::table.find(id).select((emails::is_read, emails::is_archived, emails::is_trashed, emails::deleted_at));
    on_conn!(conn, |c| query.first(c).await).unwrap()
}

on_both! {
    async fn flags_follow_the_provider_and_the_counts_follow_the_flags(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mails = vec![incoming(ground.inbox, 1, parsed("one", &["root"])), incoming(ground.inbox, 2, parsed("two", &["root"]))];
        let applied = ground.apply(FolderRole::Inbox, mails).await;
        let (id, thread) = applied.new[0];
        let mut conn = ground.write().await;
        let seen = FlagChange { uid: 1, is_read: true, is_starred: true, is_answered: true, mod_seq: Some(12) };
        let unknown = FlagChange { uid: 77, ..seen };
        let changed = messages::update_flags(&mut conn, &ground.owner, ground.inbox, 1, &[seen, unknown], &Intake::silent(at(601))).await.unwrap();
        assert!(!changed.is_empty() && changed.iter().all(|other| *other == id));
        assert!(flags(&mut conn, id).await.0);
        assert_eq!(counts(&mut conn, thread).await, (2, vec![(ground.owner.account, 2, 1)]));
        let again = messages::update_flags(&mut conn, &ground.owner, ground.inbox, 1, &[seen], &Intake::silent(at(602))).await.unwrap();
        assert!(again.is_empty());
        let other_generation = messages::update_flags(&mut conn, &ground.owner, ground.inbox, 2, &[FlagChange { is_read: false, ..seen }], &Intake::silent(at(603))).await;
        assert!(other_generation.unwrap().is_empty());
        let totals = messages::folder_counts(&mut conn, ground.owner.account).await.unwrap()[&ground.inbox];
        assert_eq!((totals.stored, totals.unread, totals.skipped), (2, 1, 0));
    }
}

/// Mails of four conversations: ids and what they refer to.
const WEB: [(&str, &[&str]); 12] = [
    ("offer1", &[]),
    ("offer2", &["offer1"]),
    ("offer3", &["offer1", "offer2"]),
    ("offer4", &["offer3"]),
    ("order1", &[]),
    ("order2", &["order1"]),
    ("bridge", &["order2", "lost0"]),
    ("orphan1", &["lost0"]),
    ("orphan2", &["orphan1"]),
    ("alone", &[]),
    ("child1", &["never-seen"]),
    ("child2", &["never-seen"]),
];

fn partition() -> BTreeSet<BTreeSet<String>> {
    let group = |ids: &[&str]| ids.iter().map(|id| format!("m-{id}@mail.example")).collect();
    BTreeSet::from([
        group(&["offer1", "offer2", "offer3", "offer4"]),
        group(&["order1", "order2", "bridge", "orphan1", "orphan2"]),
        group(&["alone"]),
        group(&["child1", "child2"]),
    ])
}

on_both! {
    async fn threads_are_the_same_whatever_the_order_of_arrival(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mut dice: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut looks = BTreeSet::new();
        for round in 0..20_u32 {
            let mut conn = ground.write().await;
            let org = organization(&mut conn).await;
            let owner = mailbox(&mut conn, org, &format!("u{round}@acme.example")).await;
            let [inbox, ..] = folders(&mut conn, &owner).await;
            drop(conn);
            let mut mails: Vec<IncomingMail> = (1..).zip(WEB).map(|(uid, (id, refs))| incoming(inbox, uid, parsed(id, refs))).collect();
            for place in (1..mails.len()).rev() {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                mails.swap(place, (dice >> 33) as usize % (place + 1));
            }
            let batch = 1 + (round as usize % 5);
            while !mails.is_empty() {
                let rest = mails.split_off(batch.min(mails.len()));
                ground.apply_to(&owner, FolderRole::Inbox, mails).await;
                mails = rest;
            }
            let mut conn = ground.write().await;
            let query = emails::table.filter(emails::account_id.eq(owner.account)).select((emails::external_id, emails::thread_id));
            let found: Vec<(String, Option<ThreadId>)> = on_conn!(&mut conn, |c| query.load(c).await).unwrap();
            let mut groups: BTreeMap<ThreadId, BTreeSet<String>> = BTreeMap::new();
            for (external, thread) in found {
                groups.entry(thread.unwrap()).or_default().insert(external);
            }
            assert_eq!(groups.values().cloned().collect::<BTreeSet<_>>(), partition());
            for (thread, mails) in &groups {
                let size = i64::try_from(mails.len()).unwrap();
                assert_eq!(counts(&mut conn, *thread).await, (size, vec![(owner.account, size, size)]));
            }
            let look = threads::table.filter(threads::organization_id.eq(owner.org)).order(threads::last_message_at).select((
                threads::subject, threads::snippet, threads::first_message_at, threads::last_message_at, threads::participants,
            ));
            type Look = (Option<String>, Option<String>, Timestamp, Timestamp, duplex::db::types::Json);
            let look: Vec<Look> = on_conn!(&mut conn, |c| look.load(c).await).unwrap();
            looks.insert(format!("{look:?}"));
        }
        assert_eq!(looks.len(), 1, "subject, snippet, times and participants do not depend on the order");
    }
}

on_both! {
    async fn two_mailboxes_share_a_thread_and_each_has_its_own_counts(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mut conn = ground.write().await;
        let other = mailbox(&mut conn, ground.owner.org, "cy@acme.example").await;
        let [inbox, ..] = folders(&mut conn, &other).await;
        drop(conn);
        let mine = IncomingMail { is_read: true, ..incoming(ground.inbox, 1, parsed("shared", &[])) };
        ground.apply(FolderRole::Inbox, vec![mine]).await;
        ground.apply_to(&other, FolderRole::Inbox, vec![incoming(inbox, 1, parsed("shared", &[])), incoming(inbox, 2, parsed("answer", &["shared"]))]).await;
        let mut conn = ground.write().await;
        let thread = thread_of(&mut conn, "m-answer@mail.example").await;
        let (total, shares) = counts(&mut conn, thread).await;
        assert_eq!(total, 3);
        assert_eq!(shares.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([(ground.owner.account, 1, 0), (other.account, 2, 2)]));
    }
}

on_both! {
    async fn direction_and_status_come_from_the_author_and_not_from_the_folder(backend: Backend) {
        let ground = Ground::new(backend).await;
        let own = mail::parse(b"From: ANN <Ann@Acme.example>\r\nTo: bob@b.example\r\nMessage-ID: <own1@mail.example>\r\n\r\nHi\r\n");
        let applied = ground.apply(FolderRole::Inbox, vec![incoming(ground.inbox, 1, own), incoming(ground.inbox, 2, parsed("in1", &[]))]).await;
        let mut conn = ground.write().await;
        let mut seen = Vec::new();
        for (id, _) in applied.new {
            let query = emails::table.find(id).select((emails::direction, emails::status));
            seen.push(on_conn!(&mut conn, |c| query.first::<(String, String)>(c).await).unwrap());
        }
        assert_eq!(seen, [("outbound".to_owned(), "sent".to_owned()), ("inbound".to_owned(), "delivered".to_owned())]);
    }
}

on_both! {
    async fn a_new_generation_of_uids_keeps_the_mails(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mails = |validity| (1..=3).map(|uid| IncomingMail { uid_validity: validity, ..incoming(ground.inbox, uid, parsed(&format!("gen{uid}"), &[])) }).collect::<Vec<_>>();
        let first = ground.apply(FolderRole::Inbox, mails(1)).await;
        let again = ground.apply(FolderRole::Inbox, mails(2)[..2].to_vec()).await;
        assert_eq!((again.new.len(), again.known), (0, 2));
        let mut conn = ground.write().await;
        let removed = messages::remove_stale_locations(&mut conn, &ground.owner, ground.inbox, Some(2), 100, &Intake::silent(at(601))).await.unwrap().0;
        assert_eq!(removed, 1, "those that were found again have their new number");
        assert_eq!(messages::remove_stale_locations(&mut conn, &ground.owner, ground.inbox, Some(2), 100, &Intake::silent(at(601))).await.unwrap().0, 0);
        assert_eq!(messages::stored_uids(&mut conn, ground.inbox, 2, 1).await.unwrap(), [1, 2]);
        assert_eq!(flags(&mut conn, first.new[0].0).await.3, None);
        assert_eq!(flags(&mut conn, first.new[2].0).await.3, Some(at(601)));
    }
}

on_both! {
    async fn skips_count_their_attempts_and_are_forgotten(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mut conn = ground.write().await;
        let skip = Skip {
            account: ground.owner.account, folder: ground.inbox, uid: 5, uid_validity: 1, external_id: None, message_id: None,
            reason: "unreadable".to_owned(), detail: Some("a NUL \0 in it".to_owned()), size: Some(10), next_attempt_at: Some(at(10)),
        };
        for _ in 0..2 {
            messages::record_skips(&mut conn, vec![skip.clone(), skip.clone()], at(1)).await.unwrap();
        }
        assert!(messages::due_skips(&mut conn, ground.owner.account, at(9)).await.unwrap().is_empty());
        let due = messages::due_skips(&mut conn, ground.owner.account, at(10)).await.unwrap();
        assert_eq!((due.len(), due[0].attempts, due[0].uid), (1, 2, 5));
        assert_eq!(messages::skipped_uids(&mut conn, ground.inbox, 1).await.unwrap(), [5]);
        assert_eq!(messages::folder_counts(&mut conn, ground.owner.account).await.unwrap()[&ground.inbox].skipped, 1);
        assert_eq!(messages::forget_skips(&mut conn, ground.inbox, 1, &[5, 6]).await.unwrap(), 1);
    }
}

on_both! {
    async fn erasing_a_mailbox_leaves_the_others_whole(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mut conn = ground.write().await;
        let other = mailbox(&mut conn, ground.owner.org, "cy@acme.example").await;
        let [inbox, ..] = folders(&mut conn, &other).await;
        drop(conn);
        let shared = with_file("both.txt", "kept", "shared");
        let lone = with_file("mine.txt", "only mine", "lone");
        let mails = vec![incoming(ground.inbox, 1, shared.clone()), incoming(ground.inbox, 2, lone.clone()), incoming(ground.inbox, 3, parsed("x", &["shared"]))];
        ground.apply(FolderRole::Inbox, mails).await;
        ground.apply_to(&other, FolderRole::Inbox, vec![incoming(inbox, 1, shared)]).await;
        let mut conn = ground.write().await;
        let thread = thread_of(&mut conn, "m-x@mail.example").await;
        let mut files = Vec::new();
        loop {
            let step = messages::erase_account_mail(&mut conn, ground.owner.org, ground.owner.account, 2, at(700)).await.unwrap();
            files.extend(step.attachments);
            if step.done {
                break;
            }
        }
        assert_eq!(files, [format!("sha256/{}", lone.attachments[0].sha256)]);
        assert_eq!(counts(&mut conn, thread).await, (1, vec![(other.account, 1, 1)]));
        assert_eq!(rows(&mut conn).await[..6], [1, 1, 1, 1, 1, 1]);
        on_conn!(&mut conn, |c| diesel::delete(email_accounts::table.find(other.account)).execute(c).await).unwrap();
        assert_eq!(rows(&mut conn).await[..4], [0, 0, 0, 0], "all that hangs on a mailbox goes with it");
    }
}

fn with_file(name: &str, content: &str, id: &str) -> mail::ParsedMail {
    let raw = format!(
        "From: bob@b.example\r\nMessage-ID: <{id}@mail.example>\r\nMIME-Version: 1.0\r\n\
         To: ann@acme.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n\
         --b\r\nContent-Type: text/plain; name={name}\r\nContent-Disposition: attachment; filename={name}\r\n\r\n{content}\r\n--b--\r\n"
    );
    mail::parse(raw.as_bytes())
}

on_both! {
    async fn folders_follow_the_listing_and_keep_what_a_person_chose(backend: Backend) {
        let ground = Ground::new(backend).await;
        let mut conn = ground.write().await;
        let folder = |name: &str, parent: Option<&str>, role| duplex::messages::FolderListing {
            external_id: name.to_owned(), parent_external_id: parent.map(str::to_owned), name: name.to_owned(), role, selectable: true,
        };
        let account = ground.owner.account;
        messages::set_included(&mut conn, account, ground.sent, false, at(1)).await.unwrap();
        let listing = vec![folder("INBOX", None, Some(FolderRole::Inbox)), folder("SENT", None, Some(FolderRole::Sent)),
            folder("Junk", None, Some(FolderRole::Spam)), folder("A", None, None), folder("A/B", Some("A"), None)];
        let gone = messages::upsert_folders(&mut conn, account, listing, at(2)).await.unwrap();
        assert_eq!(gone.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([ground.archive, ground.trash]));
        let stored = messages::list_folders(&mut conn, account).await.unwrap();
        let look: Vec<_> = stored.iter().map(|folder| (folder.name.as_str(), folder.included)).collect();
        assert_eq!(look, [("A", true), ("A/B", true), ("INBOX", true), ("Junk", false), ("SENT", false)]);
        assert_eq!(stored[1].parent, Some(stored[0].id));
        let mut cursor = stored[0].cursor.clone();
        assert_eq!(cursor, messages::FolderCursor::default());
        (cursor.uid_validity, cursor.highest_modseq, cursor.backfill_total) = (Some(u32::MAX), Some(1 << 62), 9);
        messages::save_cursor(&mut conn, stored[0].id, &cursor, at(3)).await.unwrap();
        assert_eq!(messages::folder(&mut conn, account, stored[0].id).await.unwrap().cursor, cursor);
        assert!(messages::folder(&mut conn, AccountId::new(), stored[0].id).await.is_err());
    }
}
