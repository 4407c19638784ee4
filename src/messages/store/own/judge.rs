//! What a mail in a folder of drafts is to a draft of ours. Pure.

use super::rows::OwnMail;
use crate::ids::EmailId;
use crate::mail::ParsedMail;

/// The header that we put into a draft before it goes into the mailbox: `<email id>/<revision>`.
pub(in crate::messages::store) const MARKER: &str = "x-duplex-draft";

/// Which draft a mail says it is a version of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub email: EmailId,
    pub revision: i64,
}

impl Marker {
    /// Reads the header.
    pub fn of(mail: &ParsedMail) -> Option<Self> {
        let (email, revision) = mail.header(MARKER)?.trim().split_once('/')?;
        Some(Self { email: email.parse().ok()?, revision: revision.parse().ok()? })
    }
}

/// A draft of the mailbox with the numbers that it has in the folder: generation and UID.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub own: OwnMail,
    pub numbers: Vec<(i64, i64)>,
}

/// What a mail is to a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A mail of its own.
    Stranger,
    /// A mail of its own, edited elsewhere while the draft was edited here: both stay, apart from each other.
    Conflict,
    /// Our own copy of this version.
    Copy(i64),
    /// It bears the mark of the version that the provider has already: our own copy unless its content differs, for some
    /// programs keep marks that they do not know.
    Compare(i64),
    /// Our own copy of a version that was replaced, or of a mail that is no draft any more: it is to be taken out.
    Stale,
    /// The draft as it was edited elsewhere.
    Edited,
}

impl Draft {
    /// Judges a mail with the number `at`: generation and UID.
    pub fn judge(&self, marker: Option<Marker>, at: (i64, i64)) -> Verdict {
        let outgoing = self.own.outgoing.as_ref();
        if let Some(outgoing) = outgoing.filter(|_| self.numbers.contains(&at)) {
            // The server told its number when we put it there.
            return Verdict::Copy(outgoing.mirrored_revision.unwrap_or(outgoing.revision));
        }
        let ours = marker.filter(|marker| marker.email == self.own.id).zip(outgoing);
        let Some((marker, outgoing)) = ours.filter(|(mark, out)| (1..=out.revision).contains(&mark.revision)) else {
            return self.judge_foreign(at);
        };
        let mirrored = outgoing.mirrored_revision.unwrap_or_default();
        if self.own.status != "draft" || marker.revision < mirrored {
            Verdict::Stale
        } else if marker.revision == mirrored && (!self.numbers.is_empty() || !self.own.is_local()) {
            Verdict::Compare(marker.revision)
        } else {
            Verdict::Copy(marker.revision)
        }
    }

    /// Judges a mail that another program wrote.
    pub fn judge_foreign(&self, (validity, uid): (i64, i64)) -> Verdict {
        let is_newest = self.numbers.iter().all(|known| known.0 == validity && known.1 < uid);
        if self.own.status != "draft" || !is_newest {
            return Verdict::Stranger;
        }
        match &self.own.outgoing {
            Some(outgoing) if outgoing.mirrored_revision != Some(outgoing.revision) => Verdict::Conflict,
            _ => Verdict::Edited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Outgoing;
    use super::*;
    use crate::clock::Timestamp;

    fn draft(revision: i64, mirrored_revision: Option<i64>) -> Draft {
        let outgoing = Outgoing { revision, mirrored_revision, handed_at: None, file_due_at: None };
        let own = OwnMail {
            id: EmailId::new(),
            external_id: "local-1".to_owned(),
            message_id: Some("d@mail.example".to_owned()),
            status: "draft".to_owned(),
            thread: None,
            received_at: Timestamp::from_micros(0).unwrap(),
            outgoing: Some(outgoing),
        };
        Draft { own, numbers: Vec::new() }
    }

    fn mark(draft: &Draft, revision: i64) -> Option<Marker> {
        Some(Marker { email: draft.own.id, revision })
    }

    #[test]
    fn a_marker_names_a_draft_and_its_version() {
        let id = EmailId::new();
        let read = |value: &str| {
            let headers = vec![(MARKER.to_owned(), value.to_owned())];
            Marker::of(&ParsedMail { headers, ..ParsedMail::default() })
        };
        assert_eq!(read(&format!(" {id}/3 ")), Some(Marker { email: id, revision: 3 }));
        for bad in ["", "3", "x/3", &format!("{id}"), &format!("{id}/x")] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn our_own_copies_are_known_by_their_mark() {
        let draft = Draft { numbers: vec![(1, 10)], ..draft(3, Some(2)) };
        assert_eq!(draft.judge(mark(&draft, 3), (1, 11)), Verdict::Copy(3));
        assert_eq!(draft.judge(mark(&draft, 2), (1, 11)), Verdict::Compare(2));
        assert_eq!(draft.judge(mark(&draft, 1), (1, 11)), Verdict::Stale);
        let first = self::draft(1, Some(1));
        assert_eq!(first.judge(mark(&first, 1), (1, 11)), Verdict::Copy(1));
    }

    #[test]
    fn a_copy_that_is_known_by_its_number_is_ours_whatever_it_says() {
        let draft = Draft { numbers: vec![(1, 10)], ..draft(2, Some(2)) };
        assert_eq!(draft.judge(mark(&draft, 2), (1, 10)), Verdict::Copy(2));
        assert_eq!(draft.judge(None, (1, 10)), Verdict::Copy(2));
    }

    #[test]
    fn a_mark_of_another_mail_or_of_no_version_counts_for_nothing() {
        let draft = draft(2, Some(2));
        let other = Some(Marker { email: EmailId::new(), revision: 1 });
        assert_eq!(draft.judge(other, (1, 11)), Verdict::Edited);
        assert_eq!(draft.judge(mark(&draft, 9), (1, 11)), Verdict::Edited);
        assert_eq!(draft.judge(mark(&draft, 0), (1, 11)), Verdict::Edited);
    }

    #[test]
    fn an_edit_elsewhere_counts_unless_there_are_changes_of_ours() {
        let mirrored = Draft { numbers: vec![(1, 10)], ..draft(2, Some(2)) };
        assert_eq!(mirrored.judge(None, (1, 11)), Verdict::Edited);
        assert_eq!(mirrored.judge(None, (1, 9)), Verdict::Stranger, "an older version");
        assert_eq!(mirrored.judge(None, (2, 11)), Verdict::Stranger, "numbers of another generation tell no order");
        assert_eq!(draft(3, Some(2)).judge(None, (1, 11)), Verdict::Conflict);
        assert_eq!(draft(1, None).judge(None, (1, 11)), Verdict::Conflict);
    }

    #[test]
    fn a_mail_on_its_way_is_not_changed_from_elsewhere() {
        for status in ["scheduled", "queued", "sending", "uncertain", "sent"] {
            let mut draft = draft(2, Some(2));
            draft.own.status = status.to_owned();
            assert_eq!(draft.judge(None, (1, 11)), Verdict::Stranger, "{status}");
            assert_eq!(draft.judge(mark(&draft, 2), (1, 11)), Verdict::Stale, "{status}");
        }
    }

    #[test]
    fn a_draft_that_was_made_elsewhere_is_taken_over_as_it_is() {
        let mut draft = Draft { numbers: vec![(1, 10)], ..draft(1, None) };
        draft.own.outgoing = None;
        assert_eq!(draft.judge(None, (1, 11)), Verdict::Edited);
    }
}
