//! Bounds that keep any mail, however hostile, within a fixed amount of work and memory.

/// Deepest nesting of multipart containers that is still looked into.
pub const MAX_DEPTH: usize = 50;
/// Most MIME parts that are read from one mail.
pub const MAX_PARTS: usize = 1_000;
/// Most bytes of one header block that are read, 256 KiB.
pub const MAX_HEADER_BYTES: usize = 256 * 1024;
/// Most header fields that are read from one block.
pub const MAX_HEADER_FIELDS: usize = 4_000;
/// Most bytes of a body text, plain or HTML, after decoding: 5 MiB.
pub const MAX_TEXT_BYTES: usize = 5 * 1024 * 1024;
/// Largest mail whose body is parsed, 25 MiB; callers use [`super::parse_head`] above it.
pub const MAX_MAIL_BYTES: usize = 25 * 1024 * 1024;
/// Longest subject that is kept, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 2_000;
/// Longest display name that is kept, in bytes.
pub const MAX_NAME_BYTES: usize = 500;
/// Longest address that is kept, in bytes; RFC 5321 allows 254.
pub const MAX_ADDRESS_BYTES: usize = 320;
/// Most addresses that are read from one kind of header.
pub const MAX_ADDRESSES: usize = 2_000;
/// Longest file name that is kept, in bytes.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// Longest message identifier that is kept, in bytes; RFC 5322 limits a line to 998.
pub const MAX_ID_BYTES: usize = 998;
/// Most identifiers that are read from References or In-Reply-To.
pub const MAX_IDS: usize = 500;
/// Longest value of a kept header, in bytes.
pub const MAX_HEADER_VALUE_BYTES: usize = 2_000;
/// Longest snippet, in characters.
pub const MAX_SNIPPET_CHARS: usize = 200;

/// Cuts a text to at most `max` bytes without splitting a character.
pub fn truncate(text: &mut String, max: usize) -> bool {
    if text.len() <= max {
        return false;
    }
    let cut = (0..=max).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(cut.unwrap_or(0));
    true
}

/// The longest prefix of `text` that has at most `max` bytes.
pub fn prefix(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
