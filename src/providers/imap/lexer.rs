//! Turns a response into values; strings and literals stay slices of the response.

use bytes::Bytes;

/// How deep lists may nest: real servers need three or four levels.
const MAX_DEPTH: usize = 24;

/// One value of a response (RFC 3501 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// The absence of a string.
    Nil,
    /// A word or a number.
    Atom(Bytes),
    /// A quoted string or a literal.
    Text(Bytes),
    /// Values in parentheses.
    List(Vec<Value>),
}

impl Value {
    /// The octets of a word or a string.
    pub(super) fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Atom(bytes) | Self::Text(bytes) => Some(bytes),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// The text of a word or a string.
    pub(super) fn text(&self) -> Option<&str> {
        self.bytes().and_then(|b| std::str::from_utf8(b).ok())
    }

    /// A number.
    pub(super) fn number<N: std::str::FromStr>(&self) -> Option<N> {
        self.text()?.parse().ok()
    }

    /// The values in parentheses.
    pub(super) fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

/// Reads one response from its beginning to its end.
pub(super) struct Lexer<'a> {
    source: &'a Bytes,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: &'a Bytes) -> Self {
        Self { source, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// Passes one expected octet.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// Whether only the line's end is left.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\r' | b'\n'))
    }

    /// What is left, without the line's end.
    pub(super) fn rest(&self) -> &'a [u8] {
        let rest = self.source.get(self.at..).unwrap_or_default();
        let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
        rest.strip_suffix(b"\r").unwrap_or(rest)
    }

    /// The next word; brackets in it keep together what they enclose (`BODY[HEADER.FIELDS (TO)]`).
    pub(super) fn word(&mut self) -> Option<Bytes> {
        let start = self.at;
        let mut bracketed = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => bracketed = true,
                b']' => bracketed = false,
                b'\r' | b'\n' => break,
                b' ' | b'(' | b')' | b'"' if !bracketed => break,
                _ => {}
            }
            self.at += 1;
        }
        (self.at > start).then(|| self.source.slice(start..self.at))
    }

    /// The next value, whatever it is.
    pub(super) fn value(&mut self) -> Option<Value> {
        self.nested_value(0)
    }

    /// All values up to the line's end.
    pub(super) fn values(&mut self) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            self.skip_spaces();
            if self.at_end() {
                return Some(values);
            }
            values.push(self.value()?);
        }
    }

    fn nested_value(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            b'(' => self.list(depth),
            b'"' => self.quoted().map(Value::Text),
            b'{' => self.literal().map(Value::Text),
            b'~' if self.source.get(self.at + 1) == Some(&b'{') => {
                self.at += 1;
                self.literal().map(Value::Text)
            }
            _ => {
                let word = self.word()?;
                let nil = word.eq_ignore_ascii_case(b"NIL");
                Some(if nil { Value::Nil } else { Value::Atom(word) })
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        if depth >= MAX_DEPTH || !self.eat(b'(') {
            return None;
        }
        let mut values = Vec::new();
        loop {
            self.skip_spaces();
            if self.eat(b')') {
                return Some(Value::List(values));
            }
            values.push(self.nested_value(depth + 1)?);
            // Whatever follows directly is the rest of a literal whose size was wrong.
            if !matches!(self.peek(), Some(b' ' | b')' | b'(')) {
                return None;
            }
        }
    }

    fn quoted(&mut self) -> Option<Bytes> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\r' | b'\n' => return None,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        let inner = self.source.slice(start..self.at);
        self.at += 1;
        Some(if escaped { unescape(&inner) } else { inner })
    }

    fn literal(&mut self) -> Option<Bytes> {
        if !self.eat(b'{') {
            return None;
        }
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.source.get(start..self.at)?;
        let size: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
        self.eat(b'+');
        if !self.eat(b'}') {
            return None;
        }
        self.eat(b'\r');
        if !self.eat(b'\n') {
            return None;
        }
        let end = self.at.checked_add(size)?;
        if end > self.source.len() {
            return None;
        }
        let content = self.source.slice(self.at..end);
        self.at = end;
        Some(content)
    }
}

fn unescape(text: &[u8]) -> Bytes {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        plain.extend(if byte == b'\\' { bytes.next().copied() } else { Some(byte) });
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &'static [u8]) -> Option<Vec<Value>> {
        Lexer::new(&Bytes::from_static(text)).values()
    }

    fn atom(text: &'static str) -> Value {
        Value::Atom(Bytes::from_static(text.as_bytes()))
    }

    fn text(text: &'static str) -> Value {
        Value::Text(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let read = values(b"(UID 7 NIL nil \"NIL\" \"a \\\"b\\\\\" {3}\r\na\r\n) ~{1}\r\nx {1+}\r\ny\r\n");
        let list = Value::List(vec![
            atom("UID"),
            atom("7"),
            Value::Nil,
            Value::Nil,
            text("NIL"),
            text("a \"b\\"),
            text("a\r\n"),
        ]);
        assert_eq!(read, Some(vec![list, text("x"), text("y")]));
    }

    #[test]
    fn a_section_with_spaces_is_one_word() {
        let read = values(b"BODY[HEADER.FIELDS (TO CC)]<0> {1}\r\nx FLAGS ()\r\n").unwrap();
        assert_eq!(read[0], atom("BODY[HEADER.FIELDS (TO CC)]<0>"));
        assert_eq!(read[3], Value::List(vec![]));
    }

    #[test]
    fn a_body_is_not_copied() {
        let source = Bytes::from_static(b"{5}\r\nhello\r\n");
        let value = Lexer::new(&source).value().unwrap();
        assert_eq!(value.bytes().unwrap().as_ptr(), source[5..].as_ptr());
    }

    #[test]
    fn broken_values_are_refused_and_do_no_harm() {
        for broken in [
            &b"(A B\r\n"[..],
            b"\"open\r\n",
            b"\"open\\",
            b"{5}\r\nabc",
            b"{}\r\n",
            b"{99999999999999999999}\r\n",
            b"A)\r\n",
        ] {
            assert_eq!(Lexer::new(&Bytes::copy_from_slice(broken)).values(), None, "{broken:?}");
        }
        assert_eq!(Lexer::new(&Bytes::from(vec![b'('; 100_000])).values(), None);
    }
}
