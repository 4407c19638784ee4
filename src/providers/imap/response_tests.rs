use bytes::Bytes;

use super::response::*;
use super::*;

fn read(frame: &'static [u8]) -> Response {
    parse(&Bytes::from_static(frame)).unwrap()
}

fn read_status(frame: &'static [u8]) -> Status {
    match read(frame) {
        Response::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_verdict_is_read_with_its_code() {
    let status = read_status(b"a1 NO [AUTHENTICATIONFAILED] Wrong.\r\n");
    assert_eq!(status.tag.as_deref(), Some("a1"));
    assert_eq!(status.verdict, Verdict::No);
    assert_eq!(status.code_name(), "AUTHENTICATIONFAILED");
    assert_eq!(status.text, "Wrong.");
    let status = read_status(b"* OK [UIDNEXT 17] next\r\n");
    assert_eq!((status.code_name().as_str(), status.code_argument()), ("UIDNEXT", "17"));
    let status = read_status(b"* ok [PERMANENTFLAGS (a[b]c \\*)] Limited\r\n");
    assert_eq!(status.code_argument(), "(a[b]c \\*)");
    assert_eq!(status.text, "Limited");
    assert_eq!(read_status(b"a2 OK\r\n").text, "");
    assert_eq!(read_status(b"* BYE [ open\r\n").code, None);
}

#[test]
fn a_mail_is_read_with_all_that_was_asked_for() {
    let frame = b"* 3 FETCH (UID 9 FLAGS (\\Seen $Forwarded other) INTERNALDATE \" 7-Feb-2024 10:00:00 +0100\" RFC822.SIZE 5000000000 EMAILID (Mx-1) MODSEQ (624140003) X-NEW (1 2) BODY[]<0> {4}\r\na\0\xff))\r\n";
    let Response::Fetch(data) = read(&frame[..]) else { panic!() };
    assert_eq!(data.uid, Some(9));
    let flags = data.flags.unwrap();
    assert!(flags.seen && flags.forwarded && !flags.flagged);
    assert_eq!(data.internal_date.unwrap().to_rfc3339(), "2024-02-07T09:00:00+00:00");
    assert_eq!(data.size, Some(5_000_000_000));
    assert_eq!(data.email_id.as_deref(), Some("Mx-1"));
    assert_eq!(data.mod_seq, Some(624_140_003));
    let body = data.body.unwrap();
    assert_eq!(body.origin, Some(0));
    assert_eq!(body.data.unwrap(), &b"a\0\xff)"[..]);
}

#[test]
fn an_odd_date_costs_the_date_and_not_the_mail() {
    let Response::Fetch(data) = read(b"* 1 FETCH (UID 1 INTERNALDATE \"yesterday\" BODY[] NIL)\r\n") else { panic!() };
    assert_eq!(data.internal_date, None);
    assert_eq!(data.body.unwrap().data, None);
}

#[test]
fn folders_are_read_in_every_spelling() {
    let Response::List(item) = read(b"* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n") else { panic!() };
    assert_eq!(item.attributes, ["\\hasnochildren", "\\sent"]);
    assert_eq!((item.delimiter, item.name.as_ref()), (Some('/'), &b"Sent Items"[..]));
    let Response::List(item) = read(b"* LIST () NIL {5}\r\na\"b\\c\r\n") else { panic!() };
    assert_eq!((item.delimiter, item.name.as_ref()), (None, &b"a\"b\\c"[..]));
    let Response::List(item) = read(b"* LIST () \"\\\\\" nil\r\n") else { panic!() };
    assert_eq!((item.delimiter, item.name.as_ref()), (Some('\\'), &b"NIL"[..]));
}

#[test]
fn searches_give_sets_in_both_forms() {
    let found = |frame| match read(frame) {
        Response::Search(uids) => uids.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(b"* SEARCH 5 1 2 3 \r\n"), "1:3,5");
    assert_eq!(found(b"* SEARCH\r\n"), "");
    assert_eq!(found(b"* SEARCH 4 (MODSEQ 99)\r\n"), "4");
    assert_eq!(found(b"* ESEARCH (TAG \"a7\") UID COUNT 4 ALL 1:3,5\r\n"), "1:3,5");
    assert_eq!(found(b"* ESEARCH (TAG \"a7\") UID\r\n"), "");
}

#[test]
fn counters_and_the_vanished_are_read() {
    let frame = b"* STATUS INBOX (MESSAGES 2 UIDNEXT 4294967295 UIDVALIDITY 7 HIGHESTMODSEQ 0 X 1)\r\n";
    let Response::MailboxStatus { name, status } = read(frame) else { panic!() };
    assert_eq!(name, "INBOX");
    assert_eq!(status.uid_next, Some(u32::MAX));
    assert_eq!(status.highest_modseq, None);
    let Response::Vanished { earlier, uids } = read(b"* VANISHED (EARLIER) 41,43:45\r\n") else { panic!() };
    assert!(earlier);
    assert_eq!(uids.to_string(), "41,43:45");
}

#[test]
fn what_is_unknown_is_passed_over_and_what_is_broken_is_refused() {
    assert!(matches!(read(b"* X-NEWS (a \"b\")\r\n"), Response::Other));
    assert!(matches!(read(b"* 5 THREADED\r\n"), Response::Other));
    assert!(matches!(read(b"+ go\r\n"), Response::Continue));
    for broken in [
        &b"220 smtp.example.org ESMTP\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"* 1 FETCH (UID 1 BODY[] {3}\r\nabcdef)\r\n",
        b"* 1 FETCH (UID x)\r\n",
        b"* 1 FETCH garbage\r\n",
        b"* SEARCH 1 two\r\n",
        b"* 99999999999 FETCH ()\r\n",
        b"\x16\x03\x01\x00\n",
    ] {
        let error = parse(&Bytes::copy_from_slice(broken)).unwrap_err();
        assert_eq!(error.kind, ImapErrorKind::Protocol, "{broken:?}");
    }
}
