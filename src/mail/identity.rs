//! A name for a mail that stays the same wherever a server moves or copies it.

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

/// The identity of a mail: `m-` and the SHA-256 digest of its raw header block and its size in bytes.
///
/// Both can be asked of an IMAP server without fetching the body (`BODY.PEEK[HEADER]`, `RFC822.SIZE`), and
/// neither changes when the mail is moved, copied or flagged. UIDs do change then, and Message-IDs are not
/// unique. The block is the one [`super::header_block`] returns, its closing blank line included.
pub fn identity(header_block: &[u8], size: u64) -> String {
    let mut context = Context::new(&SHA256);
    context.update(header_block);
    context.update(size.to_string().as_bytes());
    format!("m-{}", HEXLOWER.encode(context.finish().as_ref()))
}
