//! Mails: listed, fetched, changed, and told of by the history.

use super::{ANN, World, raw, texts};
use duplex::providers::ProviderErrorKind;
use duplex::providers::gmail::{HistoryRecord, ListQuery};
use duplex_emulators::gmail::control::Seed;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_tells_its_address_and_its_place_in_the_history() {
    let world = World::start();
    world.mails(3);
    let profile = world.mailbox.profile().await.unwrap();
    assert_eq!((&*profile.email_address, profile.messages_total, profile.threads_total), (ANN, 3, 3));
    assert!(profile.history_id > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_listed_page_by_page_the_newest_first() {
    let world = World::start();
    let mut ids = world.mails(7);
    ids.reverse();
    let mut query = ListQuery { max: 3, ..ListQuery::default() };
    let mut listed = Vec::new();
    loop {
        let page = world.mailbox.list(&query).await.unwrap();
        listed.extend(page.messages.into_iter().map(|message| message.id));
        query.page_token = page.next_page_token;
        if query.page_token.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids);
    assert_eq!(world.count("messages.list"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_can_be_narrowed_by_labels_and_by_a_search_and_be_empty() {
    let world = World::start();
    let ids = world.mails(3);
    world.gmail.relabel(ANN, &ids[..1], &["STARRED"], &["INBOX"]).unwrap();
    world.gmail.relabel(ANN, &ids[1..2], &["TRASH"], &[]).unwrap();
    let listed = async |query: ListQuery| {
        let page = world.mailbox.list(&ListQuery { max: 100, ..query }).await.unwrap();
        page.messages.into_iter().map(|message| message.id).collect::<BTreeSet<_>>()
    };
    let of = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(listed(ListQuery::default()).await, of(&[ids[0].clone(), ids[2].clone()]));
    assert_eq!(listed(ListQuery { include_spam_trash: true, ..ListQuery::default() }).await, of(&ids));
    assert_eq!(listed(ListQuery { label_ids: texts(&["STARRED"]), ..ListQuery::default() }).await, of(&ids[..1]));
    let search = ListQuery { q: Some("rfc822msgid:m2@example.com".to_owned()), ..ListQuery::default() };
    assert_eq!(listed(search).await, of(&ids[2..]));
    let none = ListQuery { label_ids: texts(&["STARRED", "INBOX"]), ..ListQuery::default() };
    assert!(listed(none).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mails_come_whole_in_few_requests_and_in_the_order_asked_for() {
    let world = World::start();
    let ids = world.mails(45);
    let got = world.mailbox.raw(&ids).await;
    assert_eq!(got.iter().map(|(id, _)| id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    for (number, (id, mail)) in got.into_iter().enumerate() {
        let mail = mail.unwrap();
        assert_eq!((&mail.id, &mail.raw[..]), (&id, raw(number as u32).as_bytes()));
        assert_eq!(
            mail.label_ids.iter().cloned().collect::<BTreeSet<_>>(),
            texts(&["INBOX", "UNREAD"]).into_iter().collect()
        );
        assert_eq!(mail.internal_date.unwrap().timestamp_millis(), 1_700_000_000_000 + number as i64 * 1_000);
        assert!(mail.history_id.is_some() && mail.size_estimate.is_some());
    }
    let counts = world.gmail.counts();
    assert_eq!((counts.requests, counts.calls, counts.units), (3, 45, 900));
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_of_every_value_survive_the_way() {
    let world = World::start();
    let bytes: Vec<u8> = b"Subject: x\r\n\r\n".iter().copied().chain((0..=255).cycle().take(100_001)).collect();
    let id = world.gmail.add_mail(ANN, Seed { bytes: Some(bytes.clone()), ..Seed::default() }).unwrap().id;
    let got = world.mailbox.raw(&[id]).await;
    assert_eq!(got[0].1.as_ref().unwrap().raw, bytes);
    assert_eq!(world.count("batch"), 0, "one mail needs no batch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_gone_is_missing_alone() {
    let world = World::start();
    let ids = world.mails(5);
    world.gmail.delete_mails(ANN, &ids[2..3]).unwrap();
    for (number, (_, state)) in world.mailbox.minimal(&ids).await.into_iter().enumerate() {
        match state {
            Ok(state) => assert_eq!(state.id, ids[number]),
            Err(error) => assert_eq!((number, error.kind), (2, ProviderErrorKind::NotFound)),
        }
    }
    assert_eq!(world.count("messages.get"), 5, "what is gone is not asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_asked_for_is_nothing_sent() {
    let world = World::start();
    assert!(world.mailbox.raw(&[]).await.is_empty());
    assert_eq!(world.gmail.counts().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn header_fields_are_read_without_the_mail() {
    let world = World::start();
    let id = world.mail(1).id;
    let metadata = world.mailbox.metadata(&id, &["Message-ID", "X-Missing", "subject"]).await.unwrap();
    let field = |name: &str| {
        let mut found = metadata.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    };
    assert_eq!((field("Message-ID"), field("Subject")), (Some("<m1@example.com>"), Some("Mail 1")));
    assert_eq!((metadata.headers.len(), &metadata.state.id), (2, &id));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_mails_change_one_by_one_and_many_at_once() {
    let world = World::start();
    let ids = world.mails(12);
    let state = world.mailbox.modify(&ids[0], &texts(&["STARRED"]), &texts(&["UNREAD"])).await.unwrap();
    assert!(state.label_ids.contains(&"STARRED".to_owned()) && !state.label_ids.contains(&"UNREAD".to_owned()));

    world.mailbox.batch_modify(&ids, &[], &texts(&["INBOX"])).await.unwrap();
    let states = world.mailbox.minimal(&ids).await;
    assert!(states.iter().all(|(_, state)| !state.as_ref().unwrap().label_ids.contains(&"INBOX".to_owned())));

    assert!(world.mailbox.trash(&ids[1]).await.unwrap().label_ids.contains(&"TRASH".to_owned()));
    assert!(!world.mailbox.untrash(&ids[1]).await.unwrap().label_ids.contains(&"TRASH".to_owned()));
    let gone = world.mailbox.modify("ffffffffffffffff", &texts(&["STARRED"]), &[]).await.unwrap_err();
    assert_eq!(gone.kind, ProviderErrorKind::NotFound);
    let missing = world.mailbox.modify(&ids[0], &texts(&["Label_99"]), &[]).await.unwrap_err();
    assert_eq!((missing.kind, missing.code), (ProviderErrorKind::Refused, "provider_label_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_tells_every_kind_of_change() {
    let world = World::start();
    let ids = world.mails(3);
    let start = world.mailbox.profile().await.unwrap().history_id;
    let quiet = world.mailbox.history(start, None).await.unwrap();
    assert_eq!((quiet.records.len(), quiet.history_id, quiet.next_page_token), (0, start, None));

    let added = world.mail(9).id;
    world.gmail.relabel(ANN, &ids[..1], &["STARRED"], &["UNREAD"]).unwrap();
    world.gmail.delete_mails(ANN, &ids[1..2]).unwrap();
    let page = world.mailbox.history(start, None).await.unwrap();
    let all = |pick: fn(&HistoryRecord) -> Vec<String>| page.records.iter().flat_map(pick).collect::<Vec<_>>();
    assert_eq!(all(|it| it.added.iter().map(|m| m.id.clone()).collect()), [added]);
    assert_eq!(all(|it| it.deleted.iter().map(|m| m.id.clone()).collect()), ids[1..2]);
    assert_eq!(
        all(|it| it.labels_added.iter().map(|m| m.message.id.clone() + &m.labels.concat()).collect()),
        [ids[0].clone() + "STARRED"]
    );
    assert_eq!(
        all(|it| it.labels_removed.iter().map(|m| m.message.id.clone() + &m.labels.concat()).collect()),
        [ids[0].clone() + "UNREAD"]
    );
    assert!(page.history_id > start && page.records.windows(2).all(|two| two[0].id < two[1].id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_forgotten_is_told_from_a_mail_that_is_gone() {
    let world = World::start();
    let start = world.mailbox.profile().await.unwrap().history_id;
    world.mails(3);
    world.gmail.expire_history(ANN);
    assert_eq!(world.mailbox.history(start, None).await.unwrap_err().kind, ProviderErrorKind::CursorExpired);
    let mut query = ListQuery { max: 2, ..ListQuery::default() };
    query.page_token = world.mailbox.list(&query).await.unwrap().next_page_token;
    world.gmail.forget_ids();
    let error = world.mailbox.list(&query).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ProviderErrorKind::Conflict, "provider_page_expired"));
}
