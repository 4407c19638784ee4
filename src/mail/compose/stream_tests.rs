//! Files on their way into a mail: in pieces of any size, and never cut silently.

use std::cell::RefCell;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::compose_tests::{file, octets, simple};
use super::*;
use crate::mail::hostile_tests::Random;
use crate::mail::parse;

type Pieces = Vec<Result<Bytes, WrongSize>>;

fn collect(composed: &Composed, open: impl FnMut(usize) -> Pieces) -> Pieces {
    let mut open = open;
    let pieces = composed.stream(|index| stream::iter(open(index)));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(pieces.collect())
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 % 256) as u8).collect()
}

#[test]
fn a_file_of_any_length_arrives_whole_and_in_the_size_foretold() {
    for length in (0..=180).chain([56, 57, 58, 114, 58_367, 58_368, 58_369, 200_000]) {
        let content = content(length);
        let mail = Outgoing { files: vec![file("a.bin", "a/b", &content)], ..simple() };
        let raw = octets(&mail, &[&content]);
        let parsed = parse(&raw);
        assert!(parsed.defects.is_empty(), "{length}: {:?}", parsed.defects);
        assert_eq!(parsed.attachments[0].content, content, "{length}");
        let text = String::from_utf8(raw).unwrap();
        let encoded = text.split_once("Disposition").unwrap().1.split_once("\r\n\r\n").unwrap().1;
        assert!(encoded.lines().all(|line| line.len() <= 76), "{length}");
        assert!(!encoded.trim_end().contains("\r\n\r\n"), "{length}");
    }
}

#[test]
fn where_the_pieces_of_a_file_end_does_not_matter() {
    let mut random = Random::new(7);
    for _ in 0..200 {
        let content = content(random.below(3_000));
        let mail = Outgoing { files: vec![file("a.bin", "a/b", &content)], ..simple() };
        let composed = compose(&mail).unwrap();
        let mut rest = Bytes::from(content.clone());
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let longest = [1, 60, 400][random.below(3)];
            pieces.push(Ok(rest.split_to(random.below(longest + 1).min(rest.len()))));
        }
        let streamed: Vec<u8> =
            collect(&composed, |_| pieces.clone()).into_iter().flat_map(|piece| piece.unwrap()).collect();
        assert_eq!(streamed, octets(&mail, &[&content]));
    }
}

#[test]
fn a_file_that_is_shorter_or_longer_than_announced_ends_the_mail_with_an_error() {
    let mail = Outgoing { files: vec![file("a", "a/b", b"12345"), file("b", "a/b", b"67")], ..simple() };
    let composed = compose(&mail).unwrap();
    let wrong: [Pieces; 5] = [
        vec![],
        vec![Ok(Bytes::from_static(b"1234"))],
        vec![Ok(Bytes::from_static(b"123456"))],
        vec![Ok(Bytes::from_static(b"12345")), Ok(Bytes::new()), Ok(Bytes::from_static(b"6"))],
        vec![Ok(Bytes::from_static(b"123")), Err(WrongSize { index: 0, expected: 5 })],
    ];
    for pieces in wrong {
        let streamed = collect(&composed, |_| pieces.clone());
        assert_eq!(streamed.last(), Some(&Err(WrongSize { index: 0, expected: 5 })));
        assert_eq!(streamed.iter().filter(|piece| piece.is_err()).count(), 1);
        let passed_on: usize = streamed.iter().flatten().map(Bytes::len).sum();
        assert!((passed_on as u64) < composed.size());
    }
    let error = std::io::Error::from(WrongSize { index: 1, expected: 2 });
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn files_are_opened_one_after_the_other() {
    let mail = Outgoing { files: vec![file("a", "a/b", b"1"), file("b", "a/b", b"2")], ..simple() };
    let composed = compose(&mail).unwrap();
    let seen = RefCell::new(Vec::new());
    let pieces = composed.stream(|index| {
        seen.borrow_mut().push(format!("open {index}"));
        let seen = &seen;
        stream::iter([index]).map(move |index| {
            seen.borrow_mut().push(format!("read {index}"));
            Ok::<_, WrongSize>(Bytes::from_static(if index == 0 { b"1" } else { b"2" }))
        })
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(pieces.all(|piece| async move { piece.is_ok() })));
    assert_eq!(*seen.borrow(), ["open 0", "read 0", "open 1", "read 1"]);
}

#[test]
fn a_large_piece_is_passed_on_in_small_ones() {
    let content = content(1_000_000);
    let mail = Outgoing { files: vec![file("a", "a/b", &content)], ..simple() };
    let composed = compose(&mail).unwrap();
    let streamed = collect(&composed, |_| vec![Ok(Bytes::from(content.clone()))]);
    assert!(streamed.iter().flatten().all(|piece| piece.len() < 90_000));
    let kinds: Vec<bool> = composed.pieces().iter().map(|piece| matches!(piece, Piece::File { .. })).collect();
    assert_eq!(kinds, [false, true, false]);
}

#[test]
fn the_stream_can_be_handed_to_another_thread() {
    fn assert_send<T: Send + 'static>(_: &T) {}
    let composed = compose(&simple()).unwrap();
    assert_send(&composed.stream(|_| stream::empty::<std::io::Result<Bytes>>()));
}
