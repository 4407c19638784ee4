//! A built mail: its octets, with places into which the files are streamed.

use std::pin::Pin;

use bytes::Bytes;
use data_encoding::BASE64_MIME;
use futures_util::{Stream, StreamExt, stream};

use super::model::OutgoingFile;

/// Octets of content on one line of base64: 76 characters (RFC 2045 §6.8).
const LINE_BYTES: usize = 57;
/// Most octets of content that are encoded at once, whatever the size of the pieces that come in.
const STEP_BYTES: usize = LINE_BYTES * 1024;

/// A mail ready to be sent or stored.
#[derive(Debug, Clone)]
pub struct Composed {
    pieces: Vec<Piece>,
    size: u64,
    smtputf8: bool,
}

/// A stretch of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Octets as they are.
    Octets(Bytes),
    /// The content of a file in base64, in lines of 76 characters with CRLF between them.
    File {
        /// Which of the mail's files.
        index: usize,
        /// The octets of its content, before they are encoded.
        size: u64,
    },
}

impl Piece {
    /// The octets that it takes in the mail.
    pub fn size(&self) -> u64 {
        match self {
            Piece::Octets(octets) => octets.len() as u64,
            Piece::File { size, .. } => encoded_size(*size),
        }
    }
}

/// The content of a file is not as long as the mail was built for: sending it on would cut or damage the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content of file {index} does not have the {expected} octets that were announced")]
pub struct WrongSize {
    /// Which of the mail's files.
    pub index: usize,
    /// The announced number of octets.
    pub expected: u64,
}

impl From<WrongSize> for std::io::Error {
    fn from(error: WrongSize) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl Composed {
    /// Cuts the finished octets where the marks of the files stand; nothing if a mark is missing or wrong.
    pub(super) fn cut(octets: Vec<u8>, files: &[OutgoingFile], smtputf8: bool) -> Option<Self> {
        let octets = Bytes::from(octets);
        let mut marks = octets.iter().enumerate().filter(|(_, octet)| **octet == 0).map(|(at, _)| at);
        let mut pieces = Vec::with_capacity(files.len() * 2 + 1);
        let (mut from, mut found) = (0, 0);
        while let Some(open) = marks.next() {
            let close = marks.next()?;
            let index = std::str::from_utf8(octets.get(open + 1..close)?).ok()?.parse().ok()?;
            pieces.push(Piece::Octets(octets.slice(from..open)));
            pieces.push(Piece::File { index, size: files.get(index)?.size });
            from = close + 1;
            found += 1;
        }
        pieces.push(Piece::Octets(octets.slice(from..)));
        let size = pieces.iter().map(Piece::size).fold(0, u64::saturating_add);
        (found == files.len()).then_some(Self { pieces, size, smtputf8 })
    }

    /// The exact size of the mail in octets, its files encoded, without reading them.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether an address has a local part beyond ASCII, so that only a server with SMTPUTF8 can take the mail (RFC 6531).
    pub fn needs_smtputf8(&self) -> bool {
        self.smtputf8
    }

    /// The stretches of the mail in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The octets of the mail. `open` gives the content of a file by its number, in pieces of any size; a file is opened
    /// when its turn has come, and never held whole.
    ///
    /// A content that cannot be read, or that is shorter or longer than announced, ends the stream with an error: whoever
    /// passes it on must not finish the mail then.
    pub fn stream<S, E, F>(&self, open: F) -> impl Stream<Item = Result<Bytes, E>> + use<S, E, F>
    where
        F: FnMut(usize) -> S,
        S: Stream<Item = Result<Bytes, E>>,
        E: From<WrongSize>,
    {
        let state = Reading { pieces: self.pieces.clone().into_iter(), open, file: None };
        stream::try_unfold(state, |mut state| async move {
            let next = state.next().await?;
            Ok(next.map(|octets| (octets, state)))
        })
    }
}

/// How far a mail is streamed.
struct Reading<S, F> {
    pieces: std::vec::IntoIter<Piece>,
    open: F,
    file: Option<File<S>>,
}

impl<S, E, F> Reading<S, F>
where
    F: FnMut(usize) -> S,
    S: Stream<Item = Result<Bytes, E>>,
    E: From<WrongSize>,
{
    async fn next(&mut self) -> Result<Option<Bytes>, E> {
        loop {
            if let Some(file) = &mut self.file {
                if let Some(octets) = file.next().await? {
                    return Ok(Some(octets));
                }
                self.file = None;
            }
            match self.pieces.next() {
                None => return Ok(None),
                Some(Piece::Octets(octets)) => return Ok(Some(octets)),
                Some(Piece::File { index, size }) => {
                    let content = Box::pin((self.open)(index));
                    let announced = WrongSize { index, expected: size };
                    self.file =
                        Some(File { content, announced, left: size, waiting: Bytes::new(), lines: Lines::default() });
                }
            }
        }
    }
}

/// A file on its way into the mail.
struct File<S> {
    content: Pin<Box<S>>,
    announced: WrongSize,
    left: u64,
    waiting: Bytes,
    lines: Lines,
}

impl<S, E> File<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: From<WrongSize>,
{
    async fn next(&mut self) -> Result<Option<Bytes>, E> {
        loop {
            while !self.waiting.is_empty() {
                let step = self.waiting.split_to(self.waiting.len().min(STEP_BYTES));
                let encoded = self.lines.push(&step);
                if !encoded.is_empty() {
                    return Ok(Some(encoded.into()));
                }
            }
            let Some(piece) = self.content.next().await else {
                if self.left > 0 {
                    return Err(self.announced.into());
                }
                let last = self.lines.finish();
                return Ok((!last.is_empty()).then(|| last.into()));
            };
            self.waiting = piece?;
            let taken = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(taken).ok_or(self.announced)?;
        }
    }
}

/// Base64 in lines, whatever the pieces it comes in.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    begun: bool,
}

impl Lines {
    /// The full lines that are there with this piece.
    fn push(&mut self, mut piece: &[u8]) -> String {
        let full = (self.rest.len() + piece.len()) / LINE_BYTES;
        let mut out = String::with_capacity(full * (LINE_BYTES.div_ceil(3) * 4 + 2));
        if !self.rest.is_empty() {
            let (head, tail) = piece.split_at(piece.len().min(LINE_BYTES - self.rest.len()));
            self.rest.extend_from_slice(head);
            piece = tail;
            if self.rest.len() < LINE_BYTES {
                return out;
            }
            let line = std::mem::take(&mut self.rest);
            self.encode(&line, &mut out);
        }
        let (lines, rest) = piece.split_at(piece.len() - piece.len() % LINE_BYTES);
        self.encode(lines, &mut out);
        self.rest.extend_from_slice(rest);
        out
    }

    /// The last line, if it is a short one.
    fn finish(&mut self) -> String {
        let mut out = String::new();
        let line = std::mem::take(&mut self.rest);
        self.encode(&line, &mut out);
        out
    }

    fn encode(&mut self, lines: &[u8], out: &mut String) {
        if lines.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.begun, true) {
            out.push_str("\r\n");
        }
        BASE64_MIME.encode_append(lines, out);
        // The encoder ends the last line as well; the boundary behind the file does that.
        out.truncate(out.trim_end().len());
    }
}

/// The octets of a content in base64.
fn encoded_size(size: u64) -> u64 {
    let lines = size.div_ceil(LINE_BYTES as u64);
    size.div_ceil(3).saturating_mul(4).saturating_add(lines.saturating_sub(1) * 2)
}
