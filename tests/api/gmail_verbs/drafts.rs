//! Drafts, and sending through them.

use super::{ANN, World};
use duplex::providers::{ProviderError, ProviderErrorKind};
use duplex_emulators::gmail::switches::Settings;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};

fn reply(subject: &str, to: &str) -> Vec<u8> {
    format!(
        "From: {ANN}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <ours@duplex.example>\r\nX-Duplex: mark\r\n\
         In-Reply-To: <m1@example.com>\r\nReferences: <m1@example.com>\r\n\r\nHello\r\n"
    )
    .into_bytes()
}

fn mail() -> Vec<u8> {
    reply("Re: Mail 1", "bob@example.com")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_keeps_its_id_while_its_mail_changes_until_it_is_sent() {
    let world = World::start();
    let first = world.mail(1);
    let draft = world.mailbox.create_draft(mail(), Some(&first.thread_id)).await.unwrap();
    assert_eq!(draft.message.thread_id, first.thread_id);
    let changed = world.mailbox.update_draft(&draft.id, mail(), Some(&first.thread_id)).await.unwrap();
    assert_eq!(changed.id, draft.id);
    assert_ne!(changed.message.id, draft.message.id);
    assert_eq!(world.mailbox.draft(&draft.id).await.unwrap(), changed);
    let listed = world.mailbox.drafts(Some("rfc822msgid:ours@duplex.example"), None).await.unwrap();
    assert_eq!((listed.drafts, listed.next_page_token), (vec![changed], None));

    let sent = world.mailbox.send_draft(&draft.id).await.unwrap();
    assert_eq!((&sent.thread_id, &sent.label_ids[..]), (&first.thread_id, &["SENT".to_owned()][..]));
    assert_eq!(world.mailbox.draft(&draft.id).await.unwrap_err().kind, ProviderErrorKind::NotFound);
    let metadata = world.mailbox.metadata(&sent.id, &["X-Duplex"]).await.unwrap();
    assert_eq!(metadata.headers, [("X-Duplex".to_owned(), "mark".to_owned())]);
    assert_eq!(world.gmail.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_deleted_for_good() {
    let world = World::start();
    let draft = world.mailbox.create_draft(mail(), None).await.unwrap();
    world.mailbox.delete_draft(&draft.id).await.unwrap();
    assert_eq!(world.mailbox.delete_draft(&draft.id).await.unwrap_err().kind, ProviderErrorKind::NotFound);
    assert!(world.mailbox.drafts(None, None).await.unwrap().drafts.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_larger_than_gmail_takes_is_refused_in_words() {
    let world = World::start();
    let mut large = mail();
    large.resize(36_700_161, b'x');
    let error = world.mailbox.create_draft(large, None).await.unwrap_err();
    assert_eq!((error.kind, error.may_be_done), (ProviderErrorKind::TooLarge, false));
}

/// Sends a draft while one thing goes wrong; gives the error, how often it was tried, and how often the mail left.
async fn sent_with(fault: Fault) -> (ProviderError, u64, usize) {
    let world = World::start();
    let draft = world.mailbox.create_draft(mail(), None).await.unwrap();
    world.gmail.add_fault("drafts.send", When::Next(1), fault).unwrap();
    let error = world.mailbox.send_draft(&draft.id).await.unwrap_err();
    (error, world.count("drafts.send"), world.gmail.sent().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_is_tried_once_and_doubt_is_told() {
    for fault in [
        Fault::LostAnswer,
        Fault::CutBody,
        Fault::TruncatedJson,
        Fault::ServerError { status: 503 },
        Fault::Html { status: 200 },
        Fault::Html { status: 502 },
        Fault::Reset,
    ] {
        let left = usize::from(fault.is_done());
        let (error, tries, sent) = sent_with(fault.clone()).await;
        assert_eq!((error.kind, tries, sent), (ProviderErrorKind::Unavailable, 1, left), "{fault:?}");
        assert!(error.may_be_done, "{fault:?}");
    }
    for fault in [
        Fault::TooManyRequests { retry_after: RetryAfter::Absent },
        Fault::RateForbidden { retry_after: RetryAfter::Seconds(9) },
        Fault::Refusal { status: 400, reason: "invalidArgument".to_owned() },
    ] {
        let (error, tries, sent) = sent_with(fault.clone()).await;
        assert_eq!((error.may_be_done, tries, sent), (false, 1, 0), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_day_stops_sending_and_nothing_else() {
    let world = World::start();
    world.gmail.change_settings(|settings: &mut Settings| settings.daily_sends = Some(0));
    let draft = world.mailbox.create_draft(mail(), None).await.unwrap();
    let error = world.mailbox.send_draft(&draft.id).await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::SendingLimit);
    assert!(error.retry_after.is_some_and(|wait| wait.as_secs() > 3_600));
    assert_eq!(world.mailbox.draft(&draft.id).await.unwrap(), draft);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_anew_is_not_made_twice() {
    let world = World::start();
    world.gmail.add_fault("drafts.create", When::Next(1), Fault::LostAnswer).unwrap();
    let error = world.mailbox.create_draft(mail(), None).await.unwrap_err();
    assert!(error.may_be_done);
    assert_eq!(world.mailbox.drafts(None, None).await.unwrap().drafts.len(), 1);
    // What was certainly not made is made again.
    world
        .gmail
        .add_fault("drafts.create", When::Next(1), Fault::TooManyRequests { retry_after: RetryAfter::Seconds(1) })
        .unwrap();
    world.mailbox.create_draft(mail(), None).await.unwrap();
    assert_eq!(world.mailbox.drafts(None, None).await.unwrap().drafts.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_anybody_to_go_to_is_refused_in_googles_words() {
    let world = World::start();
    let draft = world.mailbox.create_draft(reply("x", ""), None).await.unwrap();
    let error = world.mailbox.send_draft(&draft.id).await.unwrap_err();
    assert_eq!((error.kind, error.may_be_done), (ProviderErrorKind::Refused, false));
    assert!(error.detail.contains("Recipient address required"), "{}", error.detail);
}
