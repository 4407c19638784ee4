use super::super::rows::Outgoing;
use super::*;
use crate::clock::Timestamp;

fn own(status: &str, external_id: &str, revision: i64, mirrored_revision: Option<i64>) -> OwnMail {
    OwnMail {
        id: EmailId::new(),
        external_id: external_id.to_owned(),
        message_id: None,
        status: status.to_owned(),
        thread: None,
        received_at: Timestamp::from_micros(0).unwrap(),
        deleted_at: None,
        outgoing: Some(Outgoing {
            revision,
            mirrored_revision,
            handed_at: None,
            file_due_at: None,
            mirror_due_at: None,
            draft_message_id: None,
        }),
    }
}

#[test]
fn our_mark_among_the_sent_mails_says_that_it_was_sent_whatever_was_thought() {
    for status in ["scheduled", "queued", "sending", "uncertain", "failed", "cancelled", "sent"] {
        assert_eq!(judge(&own(status, "local-1", 1, None), Mark::Mail, Spot::Sent, "s"), Verdict::Sent, "{status}");
    }
    // Written anew since, or known already: what was sent is a mail of its own.
    assert_eq!(judge(&own("draft", "local-1", 1, None), Mark::Mail, Spot::Sent, "s"), Verdict::Stranger);
    assert_eq!(judge(&own("sent", "s0", 1, None), Mark::Mail, Spot::Sent, "s"), Verdict::Stranger);
    // Anybody could write our mark into a mail that comes in.
    assert_eq!(judge(&own("uncertain", "local-1", 1, None), Mark::Mail, Spot::Elsewhere, "s"), Verdict::Stranger);
}

#[test]
fn the_draft_by_which_a_mail_is_sent_is_no_mail_of_its_own() {
    for status in ["scheduled", "queued", "sending", "uncertain"] {
        assert_eq!(
            judge(&own(status, "local-1", 1, None), Mark::Mail, Spot::Draft, "d"),
            Verdict::PassOver,
            "{status}"
        );
    }
    let mut failed = own("failed", "local-1", 1, None);
    assert_eq!(judge(&failed, Mark::Mail, Spot::Draft, "d"), Verdict::Stranger, "another program made it its own");
    failed.outgoing.as_mut().unwrap().draft_message_id = Some("d".to_owned());
    assert_eq!(judge(&failed, Mark::Mail, Spot::Draft, "d"), Verdict::PassOver, "it is about to be removed");
}

#[test]
fn a_draft_that_was_sent_elsewhere_is_not_sent_again_here() {
    for status in ["draft", "scheduled", "queued", "cancelled", "failed"] {
        let verdict = judge(&own(status, "d", 3, Some(2)), Mark::Draft(2), Spot::Sent, "s");
        assert_eq!(verdict, Verdict::SentElsewhere, "{status}");
    }
    for status in ["sending", "uncertain", "sent"] {
        assert_eq!(
            judge(&own(status, "d", 3, Some(2)), Mark::Draft(2), Spot::Sent, "s"),
            Verdict::Stranger,
            "{status}"
        );
    }
}

#[test]
fn a_version_of_a_draft_is_known_by_its_mark() {
    assert_eq!(judge(&own("draft", "local-1", 1, None), Mark::Draft(1), Spot::Draft, "d"), Verdict::Copy(1));
    assert_eq!(judge(&own("draft", "d1", 3, Some(2)), Mark::Draft(3), Spot::Draft, "d"), Verdict::Copy(3));
    assert_eq!(judge(&own("draft", "d1", 3, Some(2)), Mark::Draft(2), Spot::Draft, "d"), Verdict::Compare);
    assert_eq!(judge(&own("draft", "d1", 3, Some(2)), Mark::Draft(1), Spot::Draft, "d"), Verdict::PassOver);
    assert_eq!(judge(&own("draft", "d1", 3, Some(2)), Mark::Draft(9), Spot::Draft, "d"), Verdict::Stranger);
    assert_eq!(judge(&own("queued", "local-1", 3, Some(2)), Mark::Draft(2), Spot::Draft, "d"), Verdict::PassOver);
    assert_eq!(judge(&own("draft", "d1", 3, Some(2)), Mark::Draft(2), Spot::Elsewhere, "d"), Verdict::Renamed);
    let mut discarded = own("draft", "d1", 3, Some(2));
    discarded.deleted_at = Timestamp::from_micros(1);
    discarded.outgoing.as_mut().unwrap().mirror_due_at = Timestamp::from_micros(1);
    assert_eq!(judge(&discarded, Mark::Draft(3), Spot::Draft, "d"), Verdict::PassOver);
}

#[test]
fn what_takes_the_place_of_a_draft_is_its_new_version() {
    assert_eq!(judge(&own("draft", "d1", 2, Some(2)), Mark::Replaces, Spot::Draft, "d"), Verdict::Edited);
    let mut made_elsewhere = own("draft", "d1", 2, Some(2));
    made_elsewhere.outgoing = None;
    assert_eq!(judge(&made_elsewhere, Mark::Replaces, Spot::Draft, "d"), Verdict::Edited);
    assert_eq!(judge(&own("sent", "d1", 2, Some(2)), Mark::Replaces, Spot::Draft, "d"), Verdict::Stranger);
    assert_eq!(judge(&own("draft", "d1", 2, Some(2)), Mark::Replaces, Spot::Sent, "d"), Verdict::Stranger);
}
