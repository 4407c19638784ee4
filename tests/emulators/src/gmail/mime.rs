//! Mails as Gmail shows them: the tree of parts, the snippet, and what searches look at.

use data_encoding::BASE64URL;
use mailparse::{DispositionType, MailAddr, MailHeaderMap, ParsedMail};
use serde_json::{Value, json};

/// What lists, searches and threads need of a mail, read once.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Its Message-ID with the angle brackets.
    pub message_id: String,
    /// Message-IDs of `References` and `In-Reply-To`.
    pub references: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// Addresses of From, in lower case.
    pub from: Vec<String>,
    /// Addresses of To, Cc and Bcc, in lower case.
    pub to: Vec<String>,
    /// The beginning of the text.
    pub snippet: String,
    /// `Date` in milliseconds.
    pub date: Option<i64>,
    /// Whether a part has a file name.
    pub has_attachment: bool,
}

/// Reads a mail's facts; what cannot be read is empty.
pub fn facts(raw: &[u8]) -> Facts {
    let Ok(mail) = mailparse::parse_mail(raw) else {
        return Facts::default();
    };
    let text = |name: &str| mail.headers.get_first_value(name).unwrap_or_default();
    let references = format!("{} {}", text("References"), text("In-Reply-To"));
    Facts {
        message_id: ids(&text("Message-ID")).into_iter().next().unwrap_or_default(),
        references: ids(&references),
        subject: text("Subject"),
        from: addresses(&mail, &["From"]),
        to: addresses(&mail, &["To", "Cc", "Bcc"]),
        snippet: snippet(&mail),
        date: mailparse::dateparse(&text("Date")).ok().map(|seconds| seconds * 1000),
        has_attachment: mail.parts().any(|part| !filename(part).is_empty()),
    }
}

/// The Message-IDs in a field, with their angle brackets.
fn ids(field: &str) -> Vec<String> {
    field
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| format!("<{}>", id.split_whitespace().collect::<String>()))
        .collect()
}

fn addresses(mail: &ParsedMail<'_>, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        for header in mail.headers.get_all_headers(name) {
            let Ok(list) = mailparse::addrparse_header(header) else {
                // Kept as it is, so that a mail to nobody and a mail to nonsense are two things.
                found.push(header.get_value().trim().to_lowercase());
                continue;
            };
            for address in list.iter() {
                match address {
                    MailAddr::Single(one) => found.push(one.addr.to_lowercase()),
                    MailAddr::Group(group) => found.extend(group.addrs.iter().map(|one| one.addr.to_lowercase())),
                }
            }
        }
    }
    found
}

fn snippet(mail: &ParsedMail<'_>) -> String {
    let texts = |kind: &str| {
        mail.parts()
            .find(|part| part.ctype.mimetype == kind && filename(part).is_empty())
            .and_then(|part| part.get_body().ok())
    };
    let text = texts("text/plain").or_else(|| texts("text/html").map(|html| without_tags(&html))).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(200).collect();
    short.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            _ => text.push(c),
        }
    }
    text
}

/// A subject as threads compare it: without `Re:` and `Fwd:`, in lower case.
pub fn plain_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((prefix, after)) = rest.split_once(':') {
        if !["re", "fw", "fwd"].contains(&prefix.trim().to_ascii_lowercase().as_str()) {
            break;
        }
        rest = after.trim();
    }
    rest.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn filename(part: &ParsedMail<'_>) -> String {
    let disposition = part.get_content_disposition();
    let named = disposition.params.get("filename").or_else(|| part.ctype.params.get("name")).cloned();
    match (named, &disposition.disposition) {
        (Some(name), _) => name,
        (None, DispositionType::Attachment) if part.ctype.mimetype == "message/rfc822" => "noname.eml".to_owned(),
        (None, DispositionType::Attachment) => "noname".to_owned(),
        (None, _) => String::new(),
    }
}

/// How much of the payload is shown.
#[derive(Clone, Copy)]
pub enum Detail<'a> {
    /// The whole tree; the function names an attachment for this call.
    Full(&'a dyn Fn(&str) -> String),
    /// Fields of the head alone: these, or all if none are named.
    Metadata(&'a [String]),
}

/// The `payload` of a message.
pub fn payload(raw: &[u8], detail: Detail<'_>) -> Value {
    let Ok(mail) = mailparse::parse_mail(raw) else {
        return json!({"partId": "", "mimeType": "text/plain", "filename": "", "headers": [], "body": {"size": 0}});
    };
    match detail {
        Detail::Full(attachment) => part(&mail, "", attachment),
        Detail::Metadata(names) => json!({"mimeType": mail.ctype.mimetype, "headers": headers(&mail, names)}),
    }
}

fn headers(mail: &ParsedMail<'_>, names: &[String]) -> Vec<Value> {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
    let headers = mail.headers.iter().filter(|header| wanted(&header.get_key()));
    headers.map(|header| json!({"name": header.get_key(), "value": header.get_value()})).collect()
}

fn part(mail: &ParsedMail<'_>, id: &str, attachment: &dyn Fn(&str) -> String) -> Value {
    let filename = filename(mail);
    let mut shown = json!({
        "partId": id, "mimeType": mail.ctype.mimetype, "filename": filename, "headers": headers(mail, &[]),
    });
    let inner: Vec<Value> = mail
        .subparts
        .iter()
        .enumerate()
        .map(|(number, inner)| {
            let id = if id.is_empty() { number.to_string() } else { format!("{id}.{number}") };
            part(inner, &id, attachment)
        })
        .collect();
    let content = if inner.is_empty() { mail.get_body_raw().unwrap_or_default() } else { Vec::new() };
    let is_text = mail.ctype.mimetype.starts_with("text/");
    let mut body = json!({"size": content.len()});
    if !filename.is_empty() || (!is_text && !content.is_empty()) {
        body["attachmentId"] = json!(attachment(id));
    } else if !content.is_empty() {
        body["data"] = json!(BASE64URL.encode(&content));
    }
    shown["body"] = body;
    if !inner.is_empty() {
        shown["parts"] = Value::Array(inner);
    }
    shown
}

/// The decoded content of one part.
pub fn content(raw: &[u8], part_id: &str) -> Option<Vec<u8>> {
    let mail = mailparse::parse_mail(raw).ok()?;
    let mut part = &mail;
    for number in part_id.split('.').filter(|number| !number.is_empty()) {
        part = part.subparts.get(number.parse::<usize>().ok()?)?;
    }
    part.get_body_raw().ok()
}
