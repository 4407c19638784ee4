//! Message identifiers (RFC 5322 §3.6.4).

use super::limits::{MAX_ID_BYTES, MAX_IDS};
use super::mime::header::unfold;
use super::mime::{charset, words};

/// The identifiers of References or In-Reply-To: what stands in angle brackets, in order.
///
/// Without any bracket the words that contain an `@` count, since some writers leave the brackets out.
pub fn list(value: &[u8]) -> Vec<String> {
    let text = text(value);
    let mut ids = Vec::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('<') {
        let after = rest.get(open + 1..).unwrap_or_default();
        let Some(close) = after.find('>') else { break };
        let inner = after.get(..close).unwrap_or_default();
        let inner = inner.rsplit('<').next().unwrap_or_default();
        ids.extend(clean(inner));
        rest = after.get(close + 1..).unwrap_or_default();
        if ids.len() >= MAX_IDS {
            return ids;
        }
    }
    if ids.is_empty() {
        let bare = text.split([' ', ',', ';']).filter(|word| word.contains('@'));
        ids.extend(bare.filter_map(clean).take(MAX_IDS));
    }
    ids
}

/// The identifier of a Message-ID header, also where the brackets are missing.
pub fn single(value: &[u8]) -> Option<String> {
    let text = text(value);
    if let Some((_, after)) = text.split_once('<')
        && let Some((inner, _)) = after.split_once('>')
    {
        return clean(inner);
    }
    clean(text.split(' ').find(|word| !word.is_empty())?)
}

fn text(value: &[u8]) -> String {
    let flat = unfold(value);
    let text = charset::decode(&flat, None).text.into_owned();
    words::clean_line(&words::decode_str(&text))
}

/// An identifier without brackets and white space, if anything is left.
fn clean(raw: &str) -> Option<String> {
    let id: String = raw.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let id = id.trim_matches(['<', '>']);
    (!id.is_empty() && id.len() <= MAX_ID_BYTES).then(|| id.to_owned())
}
