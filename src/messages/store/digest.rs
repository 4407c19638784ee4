//! What a thread shows of its mails: the subject of the first, the snippet of the last, who takes part.
//!
//! Digests add up in any order to the same result, so that a thread looks the same whatever order its mails came in.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::db::types::Json;

/// Most participants that a thread keeps: the earliest.
const MAX_PARTICIPANTS: usize = 20;

/// The sum of some mails of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub subject: Option<String>,
    pub snippet: Option<String>,
    pub participants: Vec<Participant>,
    pub count: i64,
}

/// Somebody who wrote or was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Participant {
    pub email: String,
    pub name: Option<String>,
    /// The time of the earliest mail that names the address.
    pub since: Timestamp,
}

impl Digest {
    /// The digest of nothing, to which mails are added.
    pub fn empty() -> Self {
        let never = Timestamp::from_micros(0).unwrap_or_else(|| crate::clock::Clock::system().now());
        Self { first_at: never, last_at: never, subject: None, snippet: None, participants: Vec::new(), count: 0 }
    }

    /// The digest of one mail.
    pub fn of<'a>(
        at: Timestamp,
        subject: Option<&str>,
        snippet: Option<&str>,
        people: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Self {
        let mut one = Self {
            first_at: at,
            last_at: at,
            subject: subject.map(str::to_owned),
            snippet: snippet.map(str::to_owned),
            participants: Vec::new(),
            count: 1,
        };
        for (email, name) in people.filter(|(email, _)| !email.is_empty()).take(MAX_PARTICIPANTS) {
            one.join(Participant { email: email.to_lowercase(), name: name.map(str::to_owned), since: at });
        }
        one
    }

    /// Adds the mails of another digest.
    pub fn add(&mut self, other: Self) {
        if self.count == 0 {
            // What a thread without mails said before no longer counts.
            *self = other;
            return;
        }
        if other.count == 0 {
            return;
        }
        self.count += other.count;
        if other.first_at < self.first_at {
            (self.first_at, self.subject) = (other.first_at, other.subject);
        }
        if other.last_at > self.last_at {
            (self.last_at, self.snippet) = (other.last_at, other.snippet);
        }
        for person in other.participants {
            self.join(person);
        }
    }

    fn join(&mut self, person: Participant) {
        match self.participants.iter_mut().find(|known| known.email == person.email) {
            Some(known) => {
                known.since = known.since.min(person.since);
                known.name = better(known.name.take(), person.name);
            }
            None => self.participants.push(person),
        }
        self.participants.sort_by(|a, b| (a.since, &a.email).cmp(&(b.since, &b.email)));
        self.participants.truncate(MAX_PARTICIPANTS);
    }

    /// The participants as they are stored.
    pub fn participants_json(&self) -> Json {
        let one =
            |person: &Participant| json!({"email": person.email, "name": person.name, "since": person.since.micros()});
        Json(Value::Array(self.participants.iter().map(one).collect()))
    }
}

/// Reads the participants of a stored thread.
pub(crate) fn participants(stored: &Json) -> Vec<Participant> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let one = |value: &Value| {
        Some(Participant {
            email: text(value, "email")?,
            name: text(value, "name"),
            since: Timestamp::from_micros(value.get("since")?.as_i64()?)?,
        })
    };
    stored.0.as_array().into_iter().flatten().filter_map(one).collect()
}

/// The fuller of two names, the same whichever comes first.
fn better(one: Option<String>, other: Option<String>) -> Option<String> {
    one.into_iter().chain(other).max_by(|a, b| (a.len(), a.as_str()).cmp(&(b.len(), b.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(seconds: i64, subject: &str, people: &[(&str, Option<&str>)]) -> Digest {
        let at = Timestamp::from_micros(seconds * 1_000_000).unwrap();
        Digest::of(at, Some(subject), Some(subject), people.iter().copied())
    }

    #[test]
    fn digests_add_up_to_the_same_in_any_order() {
        let mails = [
            mail(1, "Offer", &[("ann@a.example", Some("Ann")), ("bob@b.example", None)]),
            mail(3, "Re: Offer", &[("Bob@b.example", Some("Bob B.")), ("ann@a.example", Some("Ann A."))]),
            mail(2, "Re: Offer", &[("cy@c.example", None), ("bob@b.example", Some("Bob"))]),
        ];
        let sum = |order: [usize; 3]| {
            let mut sum = Digest::empty();
            order.iter().for_each(|index| sum.add(mails[*index].clone()));
            sum
        };
        let first = sum([0, 1, 2]);
        assert_eq!(first.subject.as_deref(), Some("Offer"));
        let people: Vec<_> = first.participants.iter().map(|p| (p.email.as_str(), p.name.as_deref())).collect();
        assert_eq!(
            people,
            [("ann@a.example", Some("Ann A.")), ("bob@b.example", Some("Bob B.")), ("cy@c.example", None)]
        );
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(sum(order), first);
        }
    }
}
