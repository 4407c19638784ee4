//! Compression of raw mail: one zstd frame a mail, so that each can be read alone (RFC 8878).

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::StreamExt;
use zstd::bulk;
use zstd::stream::write::{Decoder, Encoder};

use super::{Content, StorageError};

/// Level 1: on mail, higher levels save a few percent of the size for a multiple of the time.
const LEVEL: i32 = 1;

/// Compressed bytes that are decompressed in one step; bounds the memory that a very repetitive mail takes.
const STEP: usize = 16 * 1024;

/// Compresses mails one after another, with one context for all of them. CPU work: not for a thread that serves requests.
pub struct Compressor(bulk::Compressor<'static>);

impl Compressor {
    /// Makes the context.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> io::Result<Self> {
        let mut inner = bulk::Compressor::new(LEVEL)?;
        // A damaged frame is noticed when it is read.
        inner.include_checksum(true)?;
        Ok(Self(inner))
    }

    /// Compresses one mail into a frame.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn frame(&mut self, raw: &[u8]) -> io::Result<Vec<u8>> {
        self.0.compress(raw)
    }
}

/// Compresses a long mail piece by piece.
pub(super) struct Squeeze(Encoder<'static, Vec<u8>>);

impl Squeeze {
    pub fn new() -> io::Result<Self> {
        let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self(encoder))
    }

    /// Takes a piece in and gives what is ready.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(piece)?;
        Ok(std::mem::take(self.0.get_mut()))
    }

    /// Gives the rest.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

/// Decompresses a stream of frames on the blocking pool.
pub(super) fn decompress(compressed: Content) -> Result<Content, StorageError> {
    let decoder = Decoder::new(Vec::new()).map_err(damaged)?;
    let state = Some((compressed, decoder, Bytes::new()));
    let stream = futures_util::stream::unfold(state, |state| async move {
        let (mut compressed, decoder, mut rest) = state?;
        if rest.is_empty() {
            rest = match compressed.next().await? {
                Ok(piece) => piece,
                Err(error) => return Some((Err(error), None)),
            };
        }
        let step = rest.split_to(rest.len().min(STEP));
        match tokio::task::spawn_blocking(move || inflate(decoder, &step)).await {
            Ok(Ok((decoder, plain))) => Some((Ok(plain), Some((compressed, decoder, rest)))),
            Ok(Err(error)) => Some((Err(damaged(error)), None)),
            Err(error) => Some((Err(error.into()), None)),
        }
    });
    Ok(stream.boxed())
}

fn inflate(mut decoder: Decoder<'static, Vec<u8>>, step: &[u8]) -> io::Result<(Decoder<'static, Vec<u8>>, Bytes)> {
    decoder.write_all(step)?;
    decoder.flush()?;
    let plain = std::mem::take(decoder.get_mut());
    Ok((decoder, plain.into()))
}

pub(super) fn damaged(error: io::Error) -> StorageError {
    StorageError::Damaged(error.to_string())
}
