//! Folder names in modified UTF-7 (RFC 3501 §5.1.3).

/// The base64 alphabet with `,` in the place of `/`.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Makes a server's folder name readable; a name that is no modified UTF-7 is left as it is.
pub fn decode(raw: &str) -> String {
    try_decode(raw).unwrap_or_else(|| raw.to_owned())
}

fn try_decode(raw: &str) -> Option<String> {
    let mut name = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        if code.is_empty() {
            name.push('&');
        } else {
            name.push_str(&decode_run(code)?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

fn decode_run(code: &str) -> Option<String> {
    let mut units = Vec::with_capacity(code.len() * 6 / 16);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in code.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from((bits >> count) & 0xffff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf16(&units).ok()
}

/// Spells a readable name the way servers keep it.
pub fn encode(name: &str) -> String {
    let mut raw = String::with_capacity(name.len());
    let mut units: Vec<u16> = Vec::new();
    for letter in name.chars() {
        if (' '..='~').contains(&letter) {
            flush_run(&mut units, &mut raw);
            raw.push(letter);
            if letter == '&' {
                raw.push('-');
            }
        } else {
            units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
        }
    }
    flush_run(&mut units, &mut raw);
    raw
}

fn flush_run(units: &mut Vec<u16>, raw: &mut String) {
    if units.is_empty() {
        return;
    }
    raw.push('&');
    let (mut bits, mut count) = (0u32, 0u32);
    for unit in units.drain(..) {
        bits = (bits << 16) | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push_digit(bits >> count, raw);
            bits &= (1 << count) - 1;
        }
    }
    if count > 0 {
        push_digit(bits << (6 - count), raw);
    }
    raw.push('-');
}

fn push_digit(value: u32, raw: &mut String) {
    let index = usize::try_from(value & 63).unwrap_or_default();
    raw.push(ALPHABET.get(index).copied().map_or('A', char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_read_and_written() {
        for (raw, name) in [
            ("Entw&APw-rfe", "Entwürfe"),
            ("&ZeVnLIqe-", "日本語"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("R&-D", "R&D"),
            ("&2D3cjA-", "\u{1f48c}"),
            ("", ""),
        ] {
            assert_eq!(decode(raw), name);
            assert_eq!(encode(name), raw);
        }
    }

    #[test]
    fn what_is_no_modified_utf7_stays_as_it_is() {
        for raw in ["R&D", "a&b", "&!!!-", "&2D0-", "Gel\u{f6}scht"] {
            assert_eq!(decode(raw), raw);
        }
    }

    #[test]
    fn every_name_survives_the_way_out_and_back() {
        let letters: Vec<char> = "aZ0&-/+,~ \u{7f}\u{0}äß日🦀\u{ffff}\u{10ffff}\"\\".chars().collect();
        let mut seed = 1u64;
        for _ in 0..5000 {
            let mut name = String::new();
            for _ in 0..(seed >> 60) {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                name.push(letters[usize::try_from(seed >> 33).unwrap() % letters.len()]);
            }
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let raw = encode(&name);
            assert!(raw.bytes().all(|b| (0x20..0x7f).contains(&b)), "{raw:?}");
            assert_eq!(decode(&raw), name);
        }
    }
}
