//! Which mails belong together: by identifiers only, so that equal subjects never join strangers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::ParsedMail;

/// Most identifiers that one mail contributes.
pub const MAX_KEYS: usize = 50;
/// Longest identifier that joins mails, in bytes.
const MAX_KEY_BYTES: usize = 500;

/// Prefixes of answers in the languages that mail programs write.
const REPLIES: [&str; 17] = [
    "re", "aw", "sv", "vs", "antw", "res", "rif", "odp", "ynt", "回复", "答复", "回覆", "rép", "ref", "отв", "ha",
    "返信",
];
/// Prefixes of forwards.
const FORWARDS: [&str; 13] = ["fw", "fwd", "wg", "tr", "rv", "enc", "vb", "doorst", "i", "转发", "轉寄", "пер", "転送"];

/// The subject without its prefixes of answers and forwards, on one line, for comparing.
pub fn normalize_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((_, tail)) = prefix(rest) {
        rest = tail;
    }
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the subject says that the mail is an answer.
pub fn is_reply_subject(subject: &str) -> bool {
    prefix(subject.trim()).is_some_and(|(word, _)| REPLIES.contains(&word.as_str()))
}

/// Whether the subject says that the mail passes another one on.
pub fn is_forward_subject(subject: &str) -> bool {
    prefix(subject.trim()).is_some_and(|(word, _)| FORWARDS.contains(&word.as_str()))
}

/// The subject without the prefixes of answers that it begins with.
pub fn without_reply_prefixes(subject: &str) -> &str {
    without_prefixes(subject, &REPLIES)
}

/// The subject without the prefixes of forwards that it begins with.
pub fn without_forward_prefixes(subject: &str) -> &str {
    without_prefixes(subject, &FORWARDS)
}

fn without_prefixes<'a>(subject: &'a str, words: &[&str]) -> &'a str {
    let mut rest = subject.trim();
    while let Some((word, tail)) = prefix(rest)
        && words.contains(&word.as_str())
    {
        rest = tail;
    }
    rest
}

/// Splits `Re[2]: Offer` into `re` and `Offer`.
fn prefix(subject: &str) -> Option<(String, &str)> {
    let end = subject.char_indices().take(12).find(|(_, c)| matches!(c, ':' | '：'));
    let (at, colon) = end?;
    let head = subject.get(..at)?.trim_end();
    let word = head.split(['[', '(']).next().unwrap_or_default().trim_end();
    let count = head.get(word.len()..)?.trim();
    let inner = count.trim_matches(['[', ']', '(', ')']);
    let counted = count.is_empty() || inner.bytes().all(|byte| byte.is_ascii_digit());
    let word = word.to_lowercase();
    let known = REPLIES.contains(&word.as_str()) || FORWARDS.contains(&word.as_str());
    let rest = subject.get(at + colon.len_utf8()..)?.trim_start();
    (known && counted).then_some((word, rest))
}

/// The identifiers that tie a mail to others: its own first, then its direct parents, then its ancestors.
///
/// A long list keeps the root and the nearest ancestors, which every client along the way keeps as well.
pub fn thread_keys(mail: &ParsedMail) -> Vec<String> {
    let root = mail.references.first();
    let nearest = mail.references.iter().rev();
    let all = mail.message_id.iter().chain(&mail.in_reply_to).chain(root).chain(nearest);
    let mut seen = BTreeSet::new();
    all.filter(|id| is_meaningful(id)).filter(|id| seen.insert(id.as_str())).take(MAX_KEYS).cloned().collect()
}

/// Whether an identifier can be unique. Placeholders that careless programs write would join strangers; a short name on a
/// named host is what many ticket systems write, and counts.
fn is_meaningful(id: &str) -> bool {
    if id.len() > MAX_KEY_BYTES {
        return false;
    }
    match id.rsplit_once('@') {
        Some((left, right)) => !left.is_empty() && right.len() >= 3,
        None => id.len() >= 16,
    }
}

/// What to do with the threads of a batch of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union<T> {
    /// The thread of each mail, in the order given.
    pub assigned: Vec<Assigned<T>>,
    /// Threads that turned out to be one: the first disappears into the second.
    pub merged: Vec<(T, T)>,
    /// The thread of every identifier of the batch.
    pub keys: BTreeMap<String, Assigned<T>>,
}

/// A thread that is there already, or the n-th new one of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Assigned<T> {
    Existing(T),
    New(usize),
}

/// Decides the threads of new mails: all that share an identifier, directly or through others, are one thread.
///
/// `existing` maps known identifiers to their threads. Of several threads that become one the smallest
/// survives (with ids in order of time: the oldest), so the outcome does not depend on the order of arrival.
pub fn union<T: Copy + Ord + std::hash::Hash>(existing: &HashMap<String, T>, mails: &[Vec<String>]) -> Union<T> {
    let mut sets = Sets::default();
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut threads: BTreeMap<T, usize> = BTreeMap::new();
    let mut mail_nodes = Vec::with_capacity(mails.len());
    for keys in mails {
        let mail = sets.add();
        mail_nodes.push(mail);
        for key in keys {
            let node = *nodes.entry(key).or_insert_with(|| sets.add());
            sets.join(mail, node);
            if let Some(thread) = existing.get(key) {
                let thread = *threads.entry(*thread).or_insert_with(|| sets.add());
                sets.join(mail, thread);
            }
        }
    }
    let mut survivors: HashMap<usize, Assigned<T>> = HashMap::new();
    let mut merged = Vec::new();
    for (thread, node) in &threads {
        match survivors.get(&sets.root(*node)) {
            Some(Assigned::Existing(survivor)) => merged.push((*thread, *survivor)),
            _ => {
                survivors.insert(sets.root(*node), Assigned::Existing(*thread));
            }
        }
    }
    let mut created = 0;
    let mut of = |sets: &mut Sets, node: usize| {
        *survivors.entry(sets.root(node)).or_insert_with(|| {
            created += 1;
            Assigned::New(created - 1)
        })
    };
    let assigned = mail_nodes.iter().map(|node| of(&mut sets, *node)).collect();
    let keys = nodes.iter().map(|(key, node)| ((*key).to_owned(), of(&mut sets, *node))).collect();
    Union { assigned, merged, keys }
}

/// Disjoint sets with path halving.
#[derive(Default)]
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn add(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    fn parent(&self, node: usize) -> usize {
        self.parents.get(node).copied().unwrap_or(node)
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parent(node) != node {
            let above = self.parent(self.parent(node));
            if let Some(slot) = self.parents.get_mut(node) {
                *slot = above;
            }
            node = above;
        }
        node
    }

    fn join(&mut self, first: usize, second: usize) {
        let (first, second) = (self.root(first), self.root(second));
        if let Some(slot) = self.parents.get_mut(first) {
            *slot = second;
        }
    }
}
