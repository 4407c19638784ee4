//! From the rows of a mail to its octets.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::model::Outgoing;
use crate::mail::compose::{self, ComposeError, Composed, OutgoingFile, WrongSize};
use crate::storage::{Storage, StorageError};

/// The header field that marks our own versions of a draft at its provider: `<email id>/<revision>`.
const DRAFT_MARK: &str = "X-Duplex-Draft";

/// What the octets are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The recipients: without those of a blind copy.
    Sent,
    /// The author's own copy.
    Copy,
    /// The provider's copy of a draft.
    Draft,
}

/// Why the octets of a mail, or what goes with them, cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// A file cannot be read.
    #[error("a file of the mail cannot be read: {0}")]
    Storage(#[from] StorageError),
    /// A file is not what it was when it was attached.
    #[error("a file of the mail has another size than when it was attached")]
    Changed,
    /// The database.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

impl From<WrongSize> for BodyError {
    fn from(_: WrongSize) -> Self {
        Self::Changed
    }
}

/// Builds a mail; its files are read when it is streamed.
pub fn build(mail: &Outgoing, form: Form) -> Result<Composed, ComposeError> {
    let marks = match form {
        Form::Draft => vec![(DRAFT_MARK, format!("{}/{}", mail.id, mail.revision))],
        Form::Sent | Form::Copy => Vec::new(),
    };
    compose::compose(&compose::Outgoing {
        message_id: mail.message_id.clone(),
        date: mail.sent_at.utc(),
        from: mail.from.clone(),
        to: mail.people("to"),
        cc: mail.people("cc"),
        bcc: mail.people("bcc"),
        reply_to: mail.people("reply_to"),
        subject: mail.subject.clone(),
        in_reply_to: mail.in_reply_to.clone(),
        references: mail.references.clone(),
        text: mail.body_text.clone(),
        html: mail.body_html.clone(),
        files: mail.files.iter().map(file).collect(),
        headers: mail.plan.headers.clone(),
        marks,
        keep_bcc: form != Form::Sent,
    })
}

fn file(file: &crate::messages::WrittenFile) -> OutgoingFile {
    OutgoingFile {
        file_name: file.file_name.clone(),
        mime_type: file.mime_type.clone(),
        content_id: file.content_id.clone(),
        is_inline: file.is_inline,
        size: file.size,
    }
}

/// The octets of a mail that was built, its files read from the storage while they pass.
pub fn octets(
    storage: &Storage,
    mail: &Outgoing,
    composed: &Composed,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Unpin + Send + use<> {
    let paths: Vec<String> = mail.files.iter().map(|file| file.storage_path.clone()).collect();
    let (storage, org) = (storage.clone(), mail.org);
    let open = move |index: usize| -> BoxStream<'static, Result<Bytes, BodyError>> {
        let (storage, path) = (storage.clone(), paths.get(index).cloned().unwrap_or_default());
        let opened = async move {
            let content = storage.attachment(org, &path, None).await?;
            Ok::<_, BodyError>(content.map_err(BodyError::from))
        };
        stream::once(opened).try_flatten().boxed()
    };
    composed.stream(open).boxed()
}
