//! `$search`: words in quotes, some of them about one property.

use crate::graph::errors::ApiError;
use crate::graph::mime;
use crate::graph::model::{Mail, Recipient};

/// One thing that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    property: Option<String>,
    text: String,
}

/// Everything that is looked for at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<Term>);

const PROPERTIES: [&str; 9] =
    ["subject", "from", "to", "cc", "bcc", "body", "participants", "recipients", "hasattachments"];

impl Search {
    /// Reads a search, which has to be in double quotes.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let syntax = |text: String| ApiError::new(400, "BadRequest", text);
        let inner = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let inner = inner.filter(|inner| !inner.trim().is_empty());
        let inner = inner.ok_or_else(|| syntax("Syntax error: the search has to be in double quotes.".to_owned()))?;
        let unescaped = inner.replace("\\\"", "\"");
        let mut terms = Vec::new();
        for word in unescaped.split_whitespace().filter(|word| *word != "AND") {
            let (property, text) = match word.split_once(':') {
                Some((name, text)) if PROPERTIES.contains(&name.to_ascii_lowercase().as_str()) => {
                    (Some(name.to_ascii_lowercase()), text)
                }
                Some((name, _)) => return Err(syntax(format!("'{name}' is no property that can be searched."))),
                None => (None, word),
            };
            terms.push(Term { property, text: text.trim_matches(['"', '*']).to_lowercase() });
        }
        Ok(Self(terms))
    }

    /// Whether a mail is found.
    pub fn finds(&self, mail: &Mail) -> bool {
        self.0.iter().all(|term| finds(term, mail))
    }
}

fn finds(term: &Term, mail: &Mail) -> bool {
    let content = &mail.content;
    let among = |people: &[Recipient]| {
        people
            .iter()
            .any(|one| one.name.to_lowercase().contains(&term.text) || one.address.to_lowercase().contains(&term.text))
    };
    let subject = || content.subject.to_lowercase().contains(&term.text);
    let from = || among(content.from.as_slice());
    let recipients = || among(&content.to) || among(&content.cc) || among(&content.bcc);
    let body = || {
        let text = content.text.clone().or_else(|| content.html.as_deref().map(mime::to_text)).unwrap_or_default();
        text.to_lowercase().contains(&term.text)
    };
    match term.property.as_deref() {
        Some("subject") => subject(),
        Some("from") => from(),
        Some("to") => among(&content.to),
        Some("cc") => among(&content.cc),
        Some("bcc") => among(&content.bcc),
        Some("body") => body(),
        Some("recipients") => recipients(),
        Some("participants") => from() || recipients(),
        Some("hasattachments") => mail.has_attachments().to_string() == term.text,
        _ => subject() || from() || recipients() || body(),
    }
}
