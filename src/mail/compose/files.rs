//! The parts of a mail that hold its files, with a mark where the content goes.

use std::borrow::Cow;

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};

use super::check::{ComposeError, check_text, is_id};
use super::model::OutgoingFile;

/// The part for one file. Its body is the number of the file between NUL characters: they can stand nowhere else in a
/// mail, so the place is found again in the finished octets.
pub(super) fn part(index: usize, file: &OutgoingFile, shown: bool) -> MimePart<'_> {
    let name = written_name(&file.file_name);
    let disposition = if shown { "inline" } else { "attachment" };
    let mut content_type = ContentType::new(media_type(&file.mime_type));
    let mut disposition = ContentType::new(disposition);
    if !name.is_empty() {
        content_type = content_type.attribute("name", name.clone());
        disposition = disposition.attribute("filename", name);
    }
    let mark = BodyPart::Binary(Cow::Owned(format!("\0{index}\0").into_bytes()));
    let part = MimePart::new(content_type, mark).header("Content-Disposition", disposition).transfer_encoding("base64");
    match file.content_id.as_deref() {
        // Some programs hide a file with a Content-ID, so only those that the text shows get one.
        Some(id) if shown => part.cid(id),
        _ => part,
    }
}

/// Checks what is said about the files.
pub(super) fn check(files: &[OutgoingFile]) -> Result<(), ComposeError> {
    for (at, file) in files.iter().enumerate() {
        check_text(&format!("files[{at}].file_name"), &file.file_name)?;
        check_text(&format!("files[{at}].mime_type"), &file.mime_type)?;
        check_text(&format!("files[{at}].content_id"), file.content_id.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// The Content-ID by which the text could show a file, in the form for comparing.
pub(super) fn reference(file: &OutgoingFile) -> Option<String> {
    file.content_id.as_deref().filter(|id| is_id(id)).map(str::to_lowercase)
}

/// A parameter has no way to say that `=?` means just that, and many readers decode it there.
fn written_name(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    if name.contains("=?") { Cow::Owned(name.replace("=?", "=_")) } else { Cow::Borrowed(name) }
}

/// The media type if it is one (RFC 2045 §5.1) and base64 is allowed for it: not for mails and multiparts (RFC 2046 §5).
fn media_type(raw: &str) -> Cow<'static, str> {
    const UNKNOWN: &str = "application/octet-stream";
    let essence = raw.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |text: &str| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.len() <= 127 && text.bytes().all(token)
    };
    match essence.split_once('/') {
        Some(("multipart" | "message", _)) => Cow::Borrowed(UNKNOWN),
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => Cow::Owned(essence),
        _ => Cow::Borrowed(UNKNOWN),
    }
}
