//! The independent reader of mails: `mail_reader.py`, on Python's email package.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What an independent program reads in a mail; see the script for the fields. Panics when it is no sound mail.
pub fn read_mail(raw: &[u8]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/support/mail_reader.py");
    let mut child = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(raw).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(raw);
    assert!(done.status.success(), "the reader failed: {}\n{text}", String::from_utf8_lossy(&done.stderr));
    let mail: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(mail["defects"].as_array().map(Vec::len), Some(0), "defects {}:\n{text}", mail["defects"]);
    assert_eq!(mail["bare_line_ends"], 0, "{text}");
    assert!(mail["longest_line"].as_u64().unwrap() <= 998, "{text}");
    mail
}
