//! Changes to the head of a raw mail, byte for byte elsewhere.

/// One field as written: its name, and the bytes with folds and line end.
struct Field {
    name: String,
    bytes: Vec<u8>,
}

/// The fields of the head, and the rest from the empty line on.
fn split(raw: &[u8]) -> (Vec<Field>, &[u8]) {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        match fields.last_mut() {
            Some(last) if folded => last.bytes.extend_from_slice(line),
            _ => {
                let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
                let name = String::from_utf8_lossy(name).trim().to_owned();
                fields.push(Field { name, bytes: line.to_vec() });
            }
        }
        rest = after;
    }
    (fields, rest)
}

fn joined(fields: &[Field], rest: &[u8]) -> Vec<u8> {
    let mut raw: Vec<u8> = fields.iter().flat_map(|field| field.bytes.iter().copied()).collect();
    raw.extend_from_slice(rest);
    raw
}

/// Whether the head has this field.
pub fn has(raw: &[u8], name: &str) -> bool {
    split(raw).0.iter().any(|field| field.name.eq_ignore_ascii_case(name))
}

/// The mail with this field set, where it stood or at the end of the head.
pub fn set(raw: &[u8], name: &str, value: &str) -> Vec<u8> {
    let (mut fields, rest) = split(raw);
    let bytes = format!("{name}: {value}\r\n").into_bytes();
    let mut placed = false;
    fields.retain_mut(|field| {
        if !field.name.eq_ignore_ascii_case(name) {
            return true;
        }
        if placed {
            return false;
        }
        placed = true;
        field.bytes.clone_from(&bytes);
        true
    });
    if !placed {
        fields.push(Field { name: name.to_owned(), bytes });
    }
    joined(&fields, rest)
}

/// The mail without this field.
pub fn without(raw: &[u8], name: &str) -> Vec<u8> {
    let (mut fields, rest) = split(raw);
    fields.retain(|field| !field.name.eq_ignore_ascii_case(name));
    joined(&fields, rest)
}

/// The mail with raw 8-bit bytes of its head garbled as Gmail does: each is taken for a Latin-1 character.
pub fn garbled(raw: &[u8]) -> Vec<u8> {
    let (mut fields, rest) = split(raw);
    for field in &mut fields {
        if !field.bytes.is_ascii() {
            let text: String = field.bytes.iter().copied().map(char::from).collect();
            field.bytes = text.into_bytes();
        }
    }
    joined(&fields, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@x\r\nSubject: one\r\n two\r\nMessage-Id: <1@x>\r\n\r\nbody\r\n";

    #[test]
    fn a_field_is_replaced_where_it_stands() {
        let changed = set(MAIL, "Message-ID", "<2@y>");
        assert_eq!(changed, b"From: a@x\r\nSubject: one\r\n two\r\nMessage-ID: <2@y>\r\n\r\nbody\r\n");
    }

    #[test]
    fn a_folded_field_goes_with_its_folds() {
        assert_eq!(without(MAIL, "subject"), b"From: a@x\r\nMessage-Id: <1@x>\r\n\r\nbody\r\n");
    }

    #[test]
    fn eight_bit_bytes_are_garbled_in_the_head_alone() {
        let raw = "Subject: \u{e9}\r\n\r\n\u{e9}".as_bytes();
        assert_eq!(garbled(raw), "Subject: \u{c3}\u{a9}\r\n\r\n\u{e9}".as_bytes());
        assert!(has(raw, "SUBJECT") && !has(raw, "From"));
    }
}
