//! Whom an answer goes to, and what it is called.

use super::*;

fn person(address: &str) -> Mailbox {
    Mailbox { name: None, address: address.to_owned() }
}

fn people(list: &[&str]) -> Vec<Mailbox> {
    list.iter().map(|address| person(address)).collect()
}

fn original(from: &str, to: &[&str], cc: &[&str], reply_to: &[&str]) -> ReplySource {
    ReplySource {
        from: Some(person(from)),
        to: people(to),
        cc: people(cc),
        reply_to: people(reply_to),
        ..ReplySource::default()
    }
}

fn answered(original: &ReplySource, all: bool) -> (Vec<String>, Vec<String>) {
    let own = BTreeSet::from(["me@example.org".to_owned(), "alias@example.org".to_owned()]);
    let found = reply_recipients(original, &own, all);
    let addresses = |list: Vec<Mailbox>| list.into_iter().map(|mailbox| mailbox.address).collect();
    (addresses(found.to), addresses(found.cc))
}

fn expect(original: &ReplySource, all: bool, to: &[&str], cc: &[&str]) {
    let (found_to, found_cc) = answered(original, all);
    assert_eq!((found_to.as_slice(), found_cc.as_slice()), (&owned(to)[..], &owned(cc)[..]));
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_reply_goes_to_the_author_or_where_the_author_wants_it() {
    expect(&original("ada@x.example", &["me@example.org"], &["c@x.example"], &[]), false, &["ada@x.example"], &[]);
    let wanted = original("ada@x.example", &["me@example.org"], &[], &["team@x.example", "desk@x.example"]);
    expect(&wanted, false, &["team@x.example", "desk@x.example"], &[]);
    let useless = original("ada@x.example", &["me@example.org"], &[], &["alias@example.org"]);
    expect(&useless, false, &["ada@x.example"], &[]);
}

#[test]
fn a_reply_to_all_leaves_out_oneself_and_nobody_gets_it_twice() {
    let mail = original(
        "ada@x.example",
        &["ME@Example.org", "ben@x.example", "Ada@X.example", "bücher@bücher.example"],
        &["cem@x.example", "alias@example.org", "BEN@x.example", "bücher@xn--bcher-kva.example"],
        &[],
    );
    expect(&mail, true, &["ada@x.example", "ben@x.example", "bücher@xn--bcher-kva.example"], &["cem@x.example"]);
}

#[test]
fn an_answer_to_ones_own_mail_goes_on_to_its_recipients() {
    let mail =
        original("Alias@example.org", &["ben@x.example", "me@example.org"], &["cem@x.example"], &["me@example.org"]);
    expect(&mail, false, &["ben@x.example"], &[]);
    expect(&mail, true, &["ben@x.example"], &["cem@x.example"]);
    expect(&original("me@example.org", &["me@example.org"], &[], &[]), true, &["me@example.org"], &[]);
    expect(&original("me@example.org", &["me@example.org"], &["c@x.example"], &[]), true, &[], &["c@x.example"]);
}

#[test]
fn what_no_server_takes_is_left_out_and_names_stay_on_one_line() {
    let mut mail = original("MAILER-DAEMON", &["broken@@", "ben@x.example"], &[], &[]);
    mail.to[1].name = Some("Ben\r\nBcc: eve@example.net\u{2028}".into());
    assert_eq!(answered(&mail, false), (vec![], vec![]));
    let found = reply_recipients(&mail, &BTreeSet::new(), true);
    assert_eq!(found.to, [Mailbox { name: Some("Ben  Bcc: eve@example.net".into()), address: "ben@x.example".into() }]);
}

#[test]
fn a_subject_gets_one_prefix() {
    for (original, reply, forward) in [
        ("Offer", "Re: Offer", "Fwd: Offer"),
        ("Re: Offer", "Re: Offer", "Fwd: Re: Offer"),
        ("RE: Aw: re[3]: Offer", "Re: Offer", "Fwd: RE: Aw: re[3]: Offer"),
        ("WG: Fwd: Offer", "Re: WG: Fwd: Offer", "Fwd: Offer"),
        ("Re: Fwd: Offer", "Re: Fwd: Offer", "Fwd: Re: Fwd: Offer"),
        ("回复：报价", "Re: 报价", "Fwd: 回复：报价"),
        ("", "Re:", "Fwd:"),
        ("  Re:  ", "Re:", "Fwd: Re:"),
        ("Regarding: x", "Re: Regarding: x", "Fwd: Regarding: x"),
        ("a\r\nBcc: x\u{2028}", "Re: a  Bcc: x", "Fwd: a  Bcc: x"),
    ] {
        assert_eq!((reply_subject(original).as_str(), forward_subject(original).as_str()), (reply, forward));
    }
    let long = reply_subject(&"ü".repeat(3_000));
    assert!(long.len() <= MAX_SUBJECT_BYTES && long.starts_with("Re: ü"));
}

#[test]
fn an_answer_refers_to_the_whole_thread() {
    let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let mut mail =
        ReplySource { message_id: Some("c@x".into()), in_reply_to: Some("b@x".into()), ..ReplySource::default() };
    assert_eq!(references_for(&mail), ids(&["b@x", "c@x"]));
    mail.references = ids(&["a@x", "b@x", "a@x", "not one", "c@x"]);
    assert_eq!(references_for(&mail), ids(&["a@x", "b@x", "c@x"]));
    mail.references = (0..50).map(|n| format!("{n}@x")).collect();
    let found = references_for(&mail);
    assert_eq!((found.len(), found[0].as_str(), found[1].as_str(), found[19].as_str()), (20, "0@x", "32@x", "c@x"));
    assert!(references_for(&ReplySource::default()).is_empty());
}
