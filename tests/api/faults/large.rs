//! Mails of any size: streamed to the storage, never held whole.

use super::{assert_well, large_mail, sink};
use crate::mailbox::{backfilled, connect};
use crate::support::{Backend, Dovecot, MailGenerator, TestProcess};
use serde_json::json;

/// What the process may have held at most, in MiB; a build without optimisation holds some more than a released one.
const MOST_MEMORY: u64 = 250;

/// The most memory that a process has held since its start, in MiB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_100_mb_is_kept_whole_in_little_memory() {
    let mailbox = Dovecot::shared().mailbox();
    let giant = large_mail("giant@garden.example", 100);
    mailbox.seed("INBOX", std::slice::from_ref(&giant));
    mailbox.seed("INBOX", &MailGenerator::new(61).take(50));
    let duplex = TestProcess::start(Backend::Sqlite).await;
    let owner = duplex.owner().await;
    let id = connect(&owner, &mailbox, &sink().await).await;
    assert_well(&backfilled(&owner, &id).await);
    let listed = owner.all(&format!("/api/email/messages?account_id={id}")).await;
    assert_eq!(listed.len(), 51);
    let found = listed.iter().find(|message| message["message_id"] == giant.message_id).expect("the mail is listed");
    assert_eq!(found["subject"], "A mail with a story");
    assert_eq!(found["from"]["email"], "greta@garden.example");
    let path = format!("/api/email/messages/{}", found["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.json(200)["body_text"], json!(null), "its body is in its original alone");
    assert_eq!(owner.get(&format!("{path}/body")).await.status, 200);
    assert_eq!(defects(&duplex, &giant.message_id), "[\"too_large\"]");
    let raw = owner.get(&format!("{path}/raw")).await;
    assert_eq!(raw.status, 200);
    assert_eq!(raw.bytes.len(), giant.raw.len());
    assert!(raw.bytes == giant.raw, "byte for byte");
    let peak = peak_memory(duplex.pid());
    assert!(peak < MOST_MEMORY, "the process held {peak} MiB");
}

/// What is noted beside a stored mail.
fn defects(duplex: &TestProcess, message_id: &str) -> String {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        defects: String,
    }
    let file = duplex.data_dir().join("duplex.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let query = diesel::sql_query("SELECT defects FROM emails WHERE message_id = ?");
    let row: Row = query.bind::<diesel::sql_types::Text, _>(message_id).get_result(&mut conn).unwrap();
    row.defects
}
