//! The form that a mail has on the wire (RFC 5321 §4.5.2), whatever pieces it comes in.

use bytes::{BufMut, BytesMut};

/// The longest line without its end, in octets (RFC 5321 §4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// Why a mail cannot go out as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// Servers disagree on whether this ends a line: a second mail could be hidden behind it (SMTP smuggling).
    #[error("it holds a carriage return or a line feed that is no whole line end")]
    BareLineEnd,
    #[error("it holds a NUL octet")]
    Nul,
    #[error("it holds a line of more than 998 octets")]
    LongLine,
    #[error("it holds octets beyond ASCII, which this server does not take")]
    EightBit,
}

/// Doubles the dots at the beginning of lines, and refuses what would not arrive as it was written.
#[derive(Debug)]
pub(super) struct Stuffing {
    /// Octets of the line so far.
    length: usize,
    after_cr: bool,
    eight_bit: bool,
}

impl Stuffing {
    pub(super) fn new(eight_bit: bool) -> Self {
        Self { length: 0, after_cr: false, eight_bit }
    }

    /// Appends the next piece of a mail to `out` in the form of the wire.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut BytesMut) -> Result<(), Flaw> {
        let mut copied = 0;
        for (at, &byte) in piece.iter().enumerate() {
            if self.after_cr {
                if byte != b'\n' {
                    return Err(Flaw::BareLineEnd);
                }
                (self.after_cr, self.length) = (false, 0);
                continue;
            }
            match byte {
                b'\r' => self.after_cr = true,
                b'\n' => return Err(Flaw::BareLineEnd),
                0 => return Err(Flaw::Nul),
                0x80.. if !self.eight_bit => return Err(Flaw::EightBit),
                _ => {
                    if byte == b'.' && self.length == 0 {
                        out.extend_from_slice(piece.get(copied..at).unwrap_or_default());
                        out.put_u8(b'.');
                        copied = at;
                    }
                    self.length += 1;
                    if self.length > LONGEST_LINE {
                        return Err(Flaw::LongLine);
                    }
                }
            }
        }
        out.extend_from_slice(piece.get(copied..).unwrap_or_default());
        Ok(())
    }

    /// Ends the last line, so that the final dot stands on a line of its own.
    pub(super) fn finish(self, out: &mut BytesMut) -> Result<(), Flaw> {
        if self.after_cr {
            return Err(Flaw::BareLineEnd);
        }
        if self.length > 0 {
            out.put_slice(b"\r\n");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Flaw> {
        let mut out = BytesMut::new();
        let mut stuffing = Stuffing::new(false);
        for piece in pieces {
            stuffing.push(piece, &mut out)?;
        }
        stuffing.finish(&mut out)?;
        Ok(out.to_vec())
    }

    /// What a server makes of it: whole lines up to the one that is a dot alone, each without its first dot.
    fn received(wire: &[u8]) -> Vec<u8> {
        let mut mail = Vec::new();
        let mut lines = wire.strip_suffix(b"\r\n").map_or(Vec::new(), split_lines).into_iter();
        for line in lines.by_ref() {
            assert_ne!(line, b".", "the mail ends in its middle");
            mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            mail.extend_from_slice(b"\r\n");
        }
        mail
    }

    fn split_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
        String::from_utf8(bytes.to_vec()).unwrap().split("\r\n").map(|line| line.as_bytes().to_vec()).collect()
    }

    #[test]
    fn dots_are_doubled_at_the_beginning_of_lines_alone() {
        assert_eq!(stuffed([&b".a\r\nb.c\r\n.\r\n..\r\n"[..]]).unwrap(), b"..a\r\nb.c\r\n..\r\n...\r\n");
        assert_eq!(stuffed([&b"no end"[..]]).unwrap(), b"no end\r\n");
        assert_eq!(stuffed([&b""[..]]).unwrap(), b"");
        assert_eq!(stuffed([&b"."[..]]).unwrap(), b"..\r\n");
    }

    #[test]
    fn the_form_does_not_depend_on_how_a_mail_is_cut() {
        let mail = b".\r\n..\r\na.\r\n\r\n.\r\n.b\r\n\r\n...\r\n";
        let whole = stuffed([&mail[..]]).unwrap();
        assert_eq!(received(&whole), mail);
        for first in 0..=mail.len() {
            for second in first..=mail.len() {
                let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
                assert_eq!(stuffed(pieces).unwrap(), whole, "cut at {first} and {second}");
            }
        }
        assert_eq!(stuffed(mail.chunks(1)).unwrap(), whole);
    }

    #[test]
    fn any_mail_of_dots_and_line_ends_comes_out_as_it_went_in() {
        let mut seed = 11u64;
        let mut next = move |below: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            usize::try_from((seed >> 33) % below).unwrap()
        };
        for _ in 0..2000 {
            let mail: Vec<u8> =
                (0..next(12)).flat_map(|_| [&b"."[..], b"\r\n", b"x", b".."][next(4)].to_vec()).collect();
            let size = next(5) + 1;
            let wire = stuffed(mail.chunks(size)).unwrap();
            let mut whole = mail.clone();
            if !whole.is_empty() && !whole.ends_with(b"\r\n") {
                whole.extend_from_slice(b"\r\n");
            }
            assert_eq!(received(&wire), whole, "{:?}", String::from_utf8_lossy(&mail));
        }
    }

    #[test]
    fn nothing_can_be_smuggled() {
        for (mail, flaw) in [
            (&b"a\n.\r\nMAIL FROM:<x@y.example>\r\n"[..], Flaw::BareLineEnd),
            (b"a\r.\r\n", Flaw::BareLineEnd),
            (b"a\r\n.\rb\r\n", Flaw::BareLineEnd),
            (b"a\n.\n", Flaw::BareLineEnd),
            (b"a\r\r\n", Flaw::BareLineEnd),
            (b"a\r\n\n.\r\n", Flaw::BareLineEnd),
            (b"a\r", Flaw::BareLineEnd),
            (b"a\0b\r\n", Flaw::Nul),
            ("caf\u{e9}\r\n".as_bytes(), Flaw::EightBit),
        ] {
            for cut in 0..=mail.len() {
                let (a, b) = mail.split_at(cut);
                assert_eq!(stuffed([a, b]), Err(flaw), "{:?} at {cut}", String::from_utf8_lossy(mail));
            }
        }
    }

    #[test]
    fn lines_are_as_long_as_the_protocol_allows() {
        let line = |length: usize| [&b".".repeat(length)[..], b"\r\n"].concat();
        let long = [line(998), line(998)].concat();
        assert_eq!(stuffed(long.chunks(7)).unwrap().len(), 2 * 1001);
        assert_eq!(stuffed(line(999).chunks(7)), Err(Flaw::LongLine));
    }
}
