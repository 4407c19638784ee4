//! Scopes: what there is to be allowed, and for which resource.

use std::collections::BTreeSet;

/// The resource that this emulator is.
pub const GRAPH: &str = "https://graph.microsoft.com/";
/// The resource of IMAP and SMTP.
pub const OUTLOOK: &str = "https://outlook.office.com/";

/// Scopes of sign-in itself, which belong to no resource.
pub const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Scopes of Graph that people or administrators allow.
pub const DELEGATED: [&str; 14] = [
    "User.Read",
    "User.ReadBasic.All",
    "User.Read.All",
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.Send",
    "Mail.Read.Shared",
    "Mail.ReadWrite.Shared",
    "Mail.Send.Shared",
    "Mail-Advanced.ReadWrite",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
    "MailboxFolder.ReadWrite",
];

/// Scopes of the older protocols.
pub const OUTLOOK_SCOPES: [&str; 3] = ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"];

/// What an application may be allowed by itself.
pub const ROLES: [&str; 6] =
    ["Mail.Read", "Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read", "User.Read.All", "Mail-Advanced.ReadWrite"];

/// Scopes that only an administrator may allow.
const FOR_ADMINS: [&str; 2] = ["User.Read.All", "Mail-Advanced.ReadWrite"];

/// What a request for scopes came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The scopes by their proper names, those of other resources with it in front.
    pub scopes: BTreeSet<String>,
    /// Whether everything allowed before is wanted, by `.default`.
    pub all: bool,
    /// The resource, if any scope belongs to one.
    pub resource: Option<&'static str>,
}

/// Why scopes cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// There is no such scope.
    Unknown(String),
    /// They belong to more than one resource.
    Mixed,
}

/// Reads scopes, which may be named with or without their resource and in any case.
pub fn read(words: &[String]) -> Result<Wanted, Mistake> {
    let mut wanted = Wanted::default();
    for word in words {
        if let Some(known) = named(word, &OPENID) {
            wanted.scopes.insert(known.to_owned());
            continue;
        }
        let (resource, scope) = split(word);
        if wanted.resource.is_some_and(|other| other != resource) {
            return Err(Mistake::Mixed);
        }
        wanted.resource = Some(resource);
        if scope.eq_ignore_ascii_case(".default") {
            wanted.all = true;
            continue;
        }
        let known = if resource == GRAPH { named(scope, &DELEGATED) } else { named(scope, &OUTLOOK_SCOPES) };
        let known = known.ok_or_else(|| Mistake::Unknown(word.clone()))?;
        let prefix = if resource == GRAPH { "" } else { OUTLOOK };
        wanted.scopes.insert(format!("{prefix}{known}"));
    }
    Ok(wanted)
}

fn named(word: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().find(|name| name.eq_ignore_ascii_case(word)).copied()
}

fn split(word: &str) -> (&'static str, &str) {
    for resource in [GRAPH, OUTLOOK] {
        if let Some(start) = word.get(..resource.len())
            && start.eq_ignore_ascii_case(resource)
        {
            return (resource, word.get(resource.len()..).unwrap_or_default());
        }
    }
    (GRAPH, word)
}

/// The resource that a scope by its proper name belongs to; none for those of sign-in.
pub fn resource_of(scope: &str) -> Option<&'static str> {
    if OPENID.contains(&scope) {
        return None;
    }
    Some(if scope.starts_with(OUTLOOK) { OUTLOOK } else { GRAPH })
}

/// Whether a person may not allow it.
pub fn needs_admin(scope: &str) -> bool {
    FOR_ADMINS.contains(&scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_scope_has_one_name_however_it_is_written() {
        let wanted = read(&words("openid mail.read https://graph.microsoft.com/Mail.Read")).unwrap();
        assert_eq!(wanted.scopes, ["Mail.Read".to_owned(), "openid".to_owned()].into());
    }

    #[test]
    fn two_resources_do_not_mix() {
        let mixed = words("Mail.Read https://outlook.office.com/SMTP.Send");
        assert_eq!(read(&mixed), Err(Mistake::Mixed));
        assert_eq!(read(&words("Mail.Raed")), Err(Mistake::Unknown("Mail.Raed".to_owned())));
    }
}
