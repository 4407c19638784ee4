//! The syntax of mail: headers, encoded words, charsets, transfer encodings and the MIME tree.
//!
//! `mailparse` reads parameters and well-formed encodings. The frame around it is our own, because one bad
//! byte must never cost a whole mail: every function here yields something for any input, in bounded time.

pub(super) mod charset;
pub(super) mod header;
pub(super) mod params;
pub(super) mod transfer;
pub(super) mod tree;
pub(super) mod words;
