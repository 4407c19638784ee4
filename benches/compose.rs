//! Building mail: a 60 KB HTML text with five attachments, without copying them.
//!
//! `cargo bench --bench compose`, with `ROUNDS` (500) and `FILE_KB` (200, of each attachment).

#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;

use bytes::Bytes;
use chrono::DateTime;
use duplex::mail::Mailbox;
use duplex::mail::compose::{Outgoing, OutgoingFile, WrongSize, compose};
use futures_util::{StreamExt, TryStreamExt, stream};
use measure::{load, median, memory, milliseconds, quantile, setting};
use std::time::Instant;

/// The goal for building one mail, in milliseconds.
const GOAL: f64 = 2.0;
/// What a storage hands over at once.
const PIECE: usize = 64 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (rounds, kilobytes) = (setting("ROUNDS", 500), setting("FILE_KB", 200));
    let contents: Vec<Bytes> = (0..5_u8).map(|n| content(n, kilobytes * 1024)).collect();
    let mail = mail(&contents);
    // Once without counting, so that what is made on first use is there.
    let size = streamed(&mail, &contents).await;
    let process = std::process::id();
    // From here on the peak counts anew (Linux, proc_pid_clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory(process, "VmRSS");
    let (mut built, mut sent) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        let composed = compose(&mail).unwrap();
        built.push(milliseconds(began.elapsed()));
        assert_eq!(composed.size(), size);
        drop(composed);
        let began = Instant::now();
        streamed(&mail, &contents).await;
        sent.push(milliseconds(began.elapsed()));
    }
    let more = memory(process, "VmHWM") - before;
    println!("{rounds} mails of {size} octets, five files of {kilobytes} KB each, load {}", load());
    println!("building        median {:.3} ms, p99 {:.3} ms (goal {GOAL} ms)", median(&built), quantile(&built, 0.99));
    println!("and streaming   median {:.3} ms, p99 {:.3} ms", median(&sent), quantile(&sent, 0.99));
    println!("peak memory     {more:.1} MB more than before the first mail");
}

/// Builds a mail and takes it in to its last octet, as a connection would; its size.
async fn streamed(mail: &Outgoing, contents: &[Bytes]) -> u64 {
    let composed = compose(mail).unwrap();
    let pieces = composed.stream(|index| {
        let pieces = stream::iter((0..contents[index].len()).step_by(PIECE));
        pieces.map(move |from| {
            let content = &contents[index];
            Ok::<_, WrongSize>(content.slice(from..content.len().min(from + PIECE)))
        })
    });
    let octets = pieces.try_fold(0, |sum, piece| async move { Ok(sum + piece.len() as u64) }).await.unwrap();
    assert_eq!(octets, composed.size());
    octets
}

fn content(seed: u8, length: usize) -> Bytes {
    (0..length).map(|n| (n % 251) as u8 ^ seed).collect::<Vec<u8>>().into()
}

fn mail(contents: &[Bytes]) -> Outgoing {
    let paragraph = "<p style=\"margin:0 0 12px\">Grüße aus <b>Köln</b>: here is the offer we spoke of, as a \
                     <a href=\"https://example.org/offer?id=1\">page</a> and as files.</p>\n";
    let person = |name: &str, address: &str| Mailbox { name: Some(name.into()), address: address.into() };
    let file = |(n, content): (usize, &Bytes)| OutgoingFile {
        file_name: format!("Angebot für Müller {n}.pdf"),
        mime_type: "application/pdf".into(),
        content_id: None,
        is_inline: false,
        size: content.len() as u64,
    };
    Outgoing {
        message_id: "bench@duplex.example".into(),
        date: DateTime::from_timestamp(1_770_000_000, 0).unwrap(),
        from: person("Ada Müller", "ada@example.org"),
        to: (0..10).map(|n| person("Ben Berg", &format!("ben{n}@example.com"))).collect(),
        cc: vec![],
        bcc: vec![],
        reply_to: vec![],
        subject: "Das Angebot für Müller & Söhne".into(),
        in_reply_to: Some("parent@example.com".into()),
        references: vec!["root@example.com".into(), "parent@example.com".into()],
        text: None,
        html: Some(paragraph.repeat(60 * 1024 / paragraph.len() + 1)),
        files: contents.iter().enumerate().map(file).collect(),
        headers: vec![],
        marks: vec![],
        keep_bcc: false,
    }
}
