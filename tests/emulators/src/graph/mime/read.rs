//! A mail taken apart: what Exchange keeps of it.

use crate::graph::model::{Attachment, Content, Held, Recipient};
use bytes::Bytes;
use data_encoding::BASE64;
use mailparse::{DispositionType, MailAddr, MailHeader, MailHeaderMap, ParsedMail};

/// Takes a mail apart; what cannot be read is empty.
pub fn content(raw: &[u8], now: i64) -> Content {
    let Ok(mail) = mailparse::parse_mail(raw) else {
        let text = Some(String::from_utf8_lossy(raw).into_owned());
        return Content { text, importance: "normal".to_owned(), ..Content::default() };
    };
    let text = |name: &str| mail.headers.get_first_value(name).unwrap_or_default();
    let one = |name: &str| recipients(&mail, name).into_iter().next();
    let from = one("From");
    let mut content = Content {
        subject: text("Subject"),
        sender: one("Sender").or_else(|| from.clone()),
        from,
        to: recipients(&mail, "To"),
        cc: recipients(&mail, "Cc"),
        bcc: recipients(&mail, "Bcc"),
        reply_to: recipients(&mail, "Reply-To"),
        headers: mail.headers.iter().map(field).collect(),
        message_id: ids(&text("Message-ID")).into_iter().next().unwrap_or_default(),
        in_reply_to: ids(&text("In-Reply-To")).join(" "),
        references: ids(&text("References")).join(" "),
        importance: importance(&text("Importance"), &text("X-Priority")).to_owned(),
        date: mailparse::dateparse(&text("Date")).ok().map(|seconds| seconds * 1000),
        wants_read_receipt: mail.headers.get_first_header("Disposition-Notification-To").is_some(),
        wants_delivery_receipt: mail.headers.get_first_header("Return-Receipt-To").is_some(),
        thread_index: BASE64.decode(text("Thread-Index").trim().as_bytes()).unwrap_or_default(),
        ..Content::default()
    };
    let mut taken = Taken { content: &mut content, now };
    match mail.ctype.mimetype.as_str() {
        "multipart/signed" => taken.signed(&mail),
        "multipart/report" => taken.report(&mail),
        "multipart/encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime" => taken.encrypted(&mail),
        _ => taken.part(&mail, Inside::Mixed),
    }
    content
}

/// A field unfolded, its words still encoded.
fn field(header: &MailHeader<'_>) -> (String, String) {
    let value = String::from_utf8_lossy(header.get_value_raw()).into_owned();
    let unfolded: Vec<&str> = value.split(['\r', '\n']).filter(|line| !line.is_empty()).map(str::trim).collect();
    (header.get_key(), unfolded.join(" "))
}

fn importance(importance: &str, priority: &str) -> &'static str {
    let priority = priority.trim().chars().next();
    match importance.trim().to_ascii_lowercase().as_str() {
        "high" => "high",
        "low" => "low",
        "normal" => "normal",
        _ if matches!(priority, Some('1' | '2')) => "high",
        _ if matches!(priority, Some('4' | '5')) => "low",
        _ => "normal",
    }
}

/// The Message-IDs in a field, with their angle brackets.
pub fn ids(field: &str) -> Vec<String> {
    let inner = field.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    inner.map(|(id, _)| format!("<{}>", id.split_whitespace().collect::<String>())).collect()
}

fn recipients(mail: &ParsedMail<'_>, name: &str) -> Vec<Recipient> {
    let mut found = Vec::new();
    for header in mail.headers.get_all_headers(name) {
        let Ok(list) = mailparse::addrparse_header(header) else {
            let value = header.get_value().trim().to_owned();
            found.extend((!value.is_empty()).then(|| Recipient { name: value.clone(), address: value }));
            continue;
        };
        let mut add = |info: &mailparse::SingleInfo| {
            let name = info.display_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| info.addr.clone());
            found.push(Recipient { name, address: info.addr.clone() });
        };
        for address in list.iter() {
            match address {
                MailAddr::Single(one) => add(one),
                MailAddr::Group(group) => group.addrs.iter().for_each(&mut add),
            }
        }
    }
    found
}

/// What kind of multipart a part lies in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Mixed,
    Related,
}

struct Taken<'a> {
    content: &'a mut Content,
    now: i64,
}

impl Taken<'_> {
    fn part(&mut self, part: &ParsedMail<'_>, inside: Inside) {
        let kind = part.ctype.mimetype.as_str();
        let is_attached = part.get_content_disposition().disposition == DispositionType::Attachment;
        let is_named = !name(part).is_empty();
        match kind {
            "multipart/related" => part.subparts.iter().for_each(|part| self.part(part, Inside::Related)),
            _ if kind.starts_with("multipart/") && !part.subparts.is_empty() => {
                part.subparts.iter().for_each(|part| self.part(part, inside));
            }
            "text/html" if !is_attached && !is_named => {
                let html = part.get_body().unwrap_or_default();
                self.content.html.get_or_insert_default().push_str(&html);
            }
            "text/plain" if !is_attached && !is_named => {
                let text = part.get_body().unwrap_or_default();
                self.content.text.get_or_insert_default().push_str(&text);
            }
            "text/calendar" if !is_attached => self.content.is_meeting = true,
            "message/rfc822" => self.attach(part, Held::Item(raw_body(part)), inside),
            _ => self.attach(part, Held::File(decoded(part)), inside),
        }
    }

    fn attach(&mut self, part: &ParsedMail<'_>, held: Held, inside: Inside) {
        let number = u16::try_from(self.content.attachments.len()).unwrap_or(u16::MAX - 1) + 1;
        let content_id = part.headers.get_first_value("Content-ID");
        let content_id = content_id.map(|id| id.trim().trim_matches(['<', '>']).to_owned()).filter(|id| !id.is_empty());
        let disposition = part.get_content_disposition();
        let says_inline = disposition.disposition == DispositionType::Inline
            && part.headers.get_first_header("Content-Disposition").is_some();
        let is_inline = says_inline
            || (inside == Inside::Related
                && content_id.is_some()
                && disposition.disposition != DispositionType::Attachment);
        let subject = match &held {
            Held::Item(raw) => mailparse::parse_headers(raw).ok().and_then(|(head, _)| head.get_first_value("Subject")),
            _ => None,
        };
        let named = Some(name(part)).filter(|name| !name.is_empty()).or(subject);
        self.content.attachments.push(Attachment {
            number,
            name: named.unwrap_or_else(|| format!("ATT{number:05}.bin")),
            content_type: matches!(held, Held::File(_)).then(|| part.ctype.mimetype.clone()),
            content_id,
            location: part.headers.get_first_value("Content-Location"),
            is_inline,
            modified: self.now,
            held,
        });
    }

    /// A signed mail: the text is read, and all of it is attached as Exchange keeps it.
    fn signed(&mut self, mail: &ParsedMail<'_>) {
        let whole = entity(mail);
        if let Some(first) = mail.subparts.first() {
            self.part(first, Inside::Mixed);
        }
        self.content.attachments.clear();
        self.keep(&whole, "smime.p7m", "multipart/signed");
    }

    fn encrypted(&mut self, mail: &ParsedMail<'_>) {
        let whole = entity(mail);
        let kind = mail.ctype.mimetype.clone();
        self.keep(&whole, "smime.p7m", &kind);
    }

    fn keep(&mut self, whole: &Bytes, name: &str, content_type: &str) {
        self.content.verbatim = Some(whole.clone());
        self.content.attachments.push(Attachment {
            number: 1,
            name: name.to_owned(),
            content_type: Some(content_type.to_owned()),
            content_id: None,
            location: None,
            is_inline: false,
            modified: self.now,
            held: Held::File(whole.clone()),
        });
    }

    /// A report: what people read of it is shown, and the rest is in the MIME alone.
    fn report(&mut self, mail: &ParsedMail<'_>) {
        self.content.verbatim = Some(entity(mail));
        if let Some(first) = mail.subparts.first() {
            self.part(first, Inside::Mixed);
        }
    }
}

/// The fields about content, an empty line, and the body as it came.
fn entity(mail: &ParsedMail<'_>) -> Bytes {
    let mut whole = Vec::new();
    for header in &mail.headers {
        if header.get_key_ref().to_ascii_lowercase().starts_with("content-") {
            whole.extend_from_slice(header.get_key_raw());
            whole.extend_from_slice(b": ");
            whole.extend_from_slice(header.get_value_raw());
            whole.extend_from_slice(b"\r\n");
        }
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(&raw_body(mail));
    Bytes::from(whole)
}

fn raw_body(part: &ParsedMail<'_>) -> Bytes {
    let (_, body) = match mailparse::parse_headers(part.raw_bytes) {
        Ok((_, start)) => part.raw_bytes.split_at_checked(start).unwrap_or_default(),
        Err(_) => Default::default(),
    };
    // An attached mail may be encoded all the same.
    let encoding = part.headers.get_first_value("Content-Transfer-Encoding").unwrap_or_default();
    if part.ctype.mimetype == "message/rfc822" && ["base64", "quoted-printable"].contains(&encoding.trim()) {
        return decoded(part);
    }
    Bytes::copy_from_slice(body)
}

fn decoded(part: &ParsedMail<'_>) -> Bytes {
    Bytes::from(part.get_body_raw().unwrap_or_default())
}

fn name(part: &ParsedMail<'_>) -> String {
    let disposition = part.get_content_disposition();
    let named = disposition.params.get("filename").or_else(|| part.ctype.params.get("name"));
    named.cloned().unwrap_or_default()
}
