//! Builds commands so that no value can become part of the syntax.

use super::Capabilities;

/// The largest literal that LITERAL- sends without asking.
const LITERAL_MINUS: usize = 4096;

/// A command without its tag; it does not print itself, for it may hold a password.
pub(super) struct Command {
    text: Vec<u8>,
    /// Where to wait for the server's go-ahead before sending on.
    pauses: Vec<usize>,
}

impl Command {
    /// Starts with words that hold no foreign value.
    pub(super) fn new(words: &str) -> Self {
        Self { text: words.as_bytes().to_vec(), pauses: Vec::new() }
    }

    /// Appends words that hold no foreign value.
    pub(super) fn words(mut self, words: &str) -> Self {
        self.text.extend_from_slice(words.as_bytes());
        self
    }

    /// Appends a foreign value, quoted where it can be and else as a literal.
    pub(super) fn value(mut self, value: &str, capabilities: &Capabilities, utf8: bool) -> Self {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) || (utf8 && byte >= 0x80);
        if value.bytes().all(plain) {
            self.text.push(b'"');
            for byte in value.bytes() {
                if matches!(byte, b'"' | b'\\') {
                    self.text.push(b'\\');
                }
                self.text.push(byte);
            }
            self.text.push(b'"');
            return self;
        }
        let at_once = capabilities.literal_plus || (capabilities.literal_minus && value.len() <= LITERAL_MINUS);
        let sign = if at_once { "+" } else { "" };
        let head = format!("{{{}{sign}}}\r\n", value.len());
        self.text.extend_from_slice(head.as_bytes());
        if !at_once {
            self.pauses.push(self.text.len());
        }
        self.text.extend_from_slice(value.as_bytes());
        self
    }

    /// The pieces to send; between two of them the server must ask for more.
    pub(super) fn pieces(mut self, tag: &str) -> Vec<Vec<u8>> {
        self.text.extend_from_slice(b"\r\n");
        let mut pieces = vec![format!("{tag} ").into_bytes()];
        let mut start = 0;
        for end in self.pauses.into_iter().chain([self.text.len()]) {
            let piece = self.text.get(start..end).unwrap_or_default();
            match pieces.first_mut() {
                Some(first) if start == 0 => first.extend_from_slice(piece),
                _ => pieces.push(piece.to_vec()),
            }
            start = end;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str, capabilities: &Capabilities) -> Vec<String> {
        let command = Command::new("SELECT ").value(value, capabilities, false);
        let pieces = command.pieces("a1").into_iter();
        pieces.map(|piece| String::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        let none = Capabilities::default();
        assert_eq!(sent("a\"b\\c", &none), ["a1 SELECT \"a\\\"b\\\\c\"\r\n"]);
        let evil = "x\r\na2 DELETE INBOX";
        assert_eq!(sent(evil, &none), ["a1 SELECT {18}\r\n", "x\r\na2 DELETE INBOX\r\n"]);
        let plus = Capabilities::parse("LITERAL+");
        assert_eq!(sent("pässword", &plus), ["a1 SELECT {9+}\r\npässword\r\n"]);
    }
}
