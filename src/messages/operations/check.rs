//! Whether a change makes sense by itself.

use std::collections::BTreeSet;

use super::model::Change;
use crate::error::{ApiError, ApiResult};
use crate::ids::EmailId;

/// Most mails in one operation.
pub(super) const MOST_MAILS: usize = 1_000;

/// Most labels in one operation, each way.
const MOST_LABELS: usize = 50;

/// Most characters of a label.
const LONGEST_LABEL: usize = 200;

/// The mails of a batch, each once.
pub(super) fn mails(ids: Vec<EmailId>) -> ApiResult<BTreeSet<EmailId>> {
    let count = ids.len();
    let ids: BTreeSet<EmailId> = ids.into_iter().collect();
    if ids.is_empty() || count > MOST_MAILS {
        return Err(ApiError::invalid("ids", format!("give 1 to {MOST_MAILS} ids")));
    }
    Ok(ids)
}

/// Refuses a change that says nothing, or two things that cannot both be; tidies its labels.
pub(super) fn change(mut change: Change) -> ApiResult<Change> {
    if change == Change::default() {
        return Err(ApiError::invalid(
            "body",
            "say what to change: is_read, is_starred, is_archived, trash, folder_id, add_labels or remove_labels",
        ));
    }
    let both = |one: &str, other: &str| {
        ApiError::invalid(one, format!("{one} and {other} contradict each other; send one of them"))
    };
    if change.trash.is_some() && change.folder_id.is_some() {
        return Err(both("trash", "folder_id"));
    }
    if change.is_archived.is_some() && change.folder_id.is_some() {
        return Err(both("is_archived", "folder_id"));
    }
    if change.trash.is_some() && change.is_archived.is_some() {
        return Err(both("trash", "is_archived"));
    }
    if change.from_folder_id.is_some() && change.folder_id.is_none() {
        return Err(ApiError::invalid("from_folder_id", "it goes with folder_id only"));
    }
    if change.from_folder_id.is_some() && change.from_folder_id == change.folder_id {
        return Err(both("from_folder_id", "folder_id"));
    }
    change.add_labels = labels("add_labels", change.add_labels)?;
    change.remove_labels = labels("remove_labels", change.remove_labels)?;
    if change.trash == Some(true) && !(change.add_labels.is_empty() && change.remove_labels.is_empty()) {
        return Err(ApiError::invalid(
            "trash",
            "a mail leaves all its labels when it goes to the trash; send only trash",
        ));
    }
    if let Some(name) = change.add_labels.iter().find(|name| change.remove_labels.contains(name)) {
        return Err(ApiError::invalid("remove_labels", format!("\"{name}\" is to be added and removed at once")));
    }
    Ok(change)
}

fn labels(field: &'static str, names: Vec<String>) -> ApiResult<Vec<String>> {
    if names.len() > MOST_LABELS {
        return Err(ApiError::invalid(field, format!("give at most {MOST_LABELS} names")));
    }
    let mut tidy: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_LABEL {
            return Err(ApiError::invalid(field, format!("a name has 1 to {LONGEST_LABEL} characters")));
        }
        if name.contains(char::is_control) {
            return Err(ApiError::invalid(field, "a name holds no line breaks and no control characters"));
        }
        if name.split('/').any(|level| level.trim().is_empty()) {
            return Err(ApiError::invalid(field, "each level of a name, between `/`, needs at least one character"));
        }
        if !tidy.contains(&name) {
            tidy.push(name);
        }
    }
    Ok(tidy)
}

/// The word of the journal for a change.
pub(super) fn kind(change: &Change) -> &'static str {
    let word =
        |value: Option<bool>, yes: &'static str, no: &'static str| value.map(|value| if value { yes } else { no });
    let labels = !(change.add_labels.is_empty() && change.remove_labels.is_empty());
    let words = [
        word(change.is_read, "read", "unread"),
        word(change.is_starred, "star", "unstar"),
        word(change.is_archived, "archive", "unarchive"),
        word(change.trash, "trash", "untrash"),
        change.folder_id.map(|_| "move"),
        labels.then_some("labels"),
    ];
    let mut words = words.into_iter().flatten();
    match (words.next(), words.next()) {
        (Some(only), None) => only,
        _ => "batch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::FolderId;

    fn refused(bad: Change) -> String {
        change(bad).unwrap_err().errors[0].field.clone()
    }

    #[test]
    fn contradictions_are_refused_by_field() {
        let none = Change::default();
        let folder = Some(FolderId::new());
        assert_eq!(refused(none.clone()), "body");
        assert_eq!(refused(Change { trash: Some(true), folder_id: folder, ..none.clone() }), "trash");
        assert_eq!(refused(Change { trash: Some(false), is_archived: Some(true), ..none.clone() }), "trash");
        assert_eq!(refused(Change { is_archived: Some(false), folder_id: folder, ..none.clone() }), "is_archived");
        assert_eq!(refused(Change { from_folder_id: folder, is_read: Some(true), ..none.clone() }), "from_folder_id");
        assert_eq!(refused(Change { from_folder_id: folder, folder_id: folder, ..none.clone() }), "from_folder_id");
        assert_eq!(refused(Change { trash: Some(true), add_labels: vec!["A".into()], ..none.clone() }), "trash");
        let twice = Change { add_labels: vec!["A".into()], remove_labels: vec![" A ".into()], ..none.clone() };
        assert_eq!(refused(twice), "remove_labels");
        for name in ["", "  ", "a//b", "/a", "a/", "a\u{7}b", &"x".repeat(201)] {
            assert_eq!(refused(Change { add_labels: vec![name.to_owned()], ..none.clone() }), "add_labels", "{name:?}");
        }
    }

    #[test]
    fn labels_are_tidied_and_the_journal_has_a_word_for_each_change() {
        let labelled = Change { add_labels: vec![" A ".into(), "A".into(), "b/C".into()], ..Change::default() };
        let labelled = change(labelled).unwrap();
        assert_eq!(labelled.add_labels, ["A", "b/C"]);
        assert_eq!(kind(&labelled), "labels");
        assert_eq!(kind(&Change { is_read: Some(false), ..Change::default() }), "unread");
        assert_eq!(kind(&Change { is_read: Some(true), trash: Some(true), ..Change::default() }), "batch");
        assert_eq!(kind(&Change { folder_id: Some(FolderId::new()), ..Change::default() }), "move");
    }

    #[test]
    fn a_batch_has_a_thousand_mails_at_most_and_each_counts_once() {
        let id = EmailId::new();
        assert_eq!(mails(vec![id, id]).unwrap().len(), 1);
        assert!(mails(Vec::new()).is_err());
        assert!(mails(vec![id; 1_001]).is_err());
    }
}
