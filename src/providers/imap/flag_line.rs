//! The one response of which a comparison of flags reads one for every mail, read without the values in between.

use super::MessageFlags;
use super::response::Fetched;

/// Reads `* 1 FETCH (UID 7 FLAGS (\Seen))` in this spelling, the one that servers use; none for whatever else there is,
/// which is then read as every other response.
pub(super) fn parse(frame: &[u8]) -> Option<Fetched> {
    let (_, mut rest) = number(frame.strip_prefix(b"* ")?)?;
    rest = rest.strip_prefix(b" FETCH (")?;
    let mut data = Fetched::default();
    loop {
        if let Some(after) = rest.strip_prefix(b"UID ") {
            let (uid, after) = number(after)?;
            (data.uid, rest) = (Some(u32::try_from(uid).ok()?), after);
        } else if let Some(after) = rest.strip_prefix(b"FLAGS (") {
            let (flags, after) = flags(after)?;
            (data.flags, rest) = (Some(flags), after);
        } else {
            let (mod_seq, after) = number(rest.strip_prefix(b"MODSEQ (")?)?;
            (data.mod_seq, rest) = (Some(mod_seq), after.strip_prefix(b")")?);
        }
        match rest {
            b")\r\n" => return Some(data),
            _ => rest = rest.strip_prefix(b" ")?,
        }
    }
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(text.iter().position(|byte| !byte.is_ascii_digit())?)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

fn flags(text: &[u8]) -> Option<(MessageFlags, &[u8])> {
    let (names, rest) = text.split_at_checked(text.iter().position(|byte| *byte == b')')?)?;
    let mut flags = MessageFlags::default();
    for name in names.split(|byte| *byte == b' ') {
        // A string instead of a word would be read otherwise.
        if name.iter().any(|byte| matches!(byte, b'"' | b'(' | b'{' | b'[' | b'\r' | b'\n')) {
            return None;
        }
        flags.note(name);
    }
    Some((flags, rest.strip_prefix(b")")?))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::response::{self, Response};
    use super::*;

    #[test]
    fn a_line_of_flags_means_the_same_read_fast_and_read_slowly() {
        for (line, fast) in [
            ("* 1 FETCH (UID 7 FLAGS (\\Seen \\FLAGGED $Forwarded other))\r\n", true),
            ("* 1 FETCH (FLAGS () UID 7)\r\n", true),
            ("* 1 FETCH (UID 7 MODSEQ (12) FLAGS (\\Answered \\Deleted \\Draft))\r\n", true),
            ("* 1 FETCH (FLAGS (\\Recent))\r\n", true),
            ("* 1 FETCH (UID 4294967295 FLAGS ())\r\n", true),
            ("* 1 fetch (uid 7 flags (\\Seen))\r\n", false),
            ("* 1 FETCH (UID 7 FLAGS (\"\\\\Seen\"))\r\n", false),
            ("* 1 FETCH (UID 7 RFC822.SIZE 9 FLAGS (\\Seen))\r\n", false),
            ("* 1 FETCH  (UID 7 FLAGS (\\Seen))\r\n", false),
            ("* 1 FETCH (UID 7 FLAGS (\\Seen) )\r\n", false),
            ("* 1 FETCH (UID 7 FLAGS (\\Seen))\n", false),
            ("* 1 FETCH ()\r\n", false),
            ("* 1 EXISTS\r\n", false),
        ] {
            assert_eq!(parse(line.as_bytes()).is_some(), fast, "{line}");
            // In lower case everything takes the slow way.
            let [given, slow] = [line.to_owned(), line.to_ascii_lowercase()].map(|line| {
                response::parse(&Bytes::from(line)).ok().map(|response| match response {
                    Response::Fetch(data) => Some((data.uid, data.flags, data.mod_seq)),
                    _ => None,
                })
            });
            assert_eq!(given, slow, "{line}");
        }
        for broken in
            ["* 1 FETCH (UID 4294967296 FLAGS ())\r\n", "* 1 FETCH (UID 7 FLAGS (\\Seen)\r\n", "* 1 FETCH (UID 7", "* "]
        {
            assert!(parse(broken.as_bytes()).is_none(), "{broken}");
        }
    }
}
