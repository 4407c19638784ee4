//! Which request needs what: the one table of rules.
//!
//! The first line that fits counts. What no line names needs `read` to look at and `write` to change; a session, and a
//! key without scopes, have all scopes. Roles and ownership are the routes' own matter.

use actix_web::http::Method;

use crate::access::Scope;

/// What a request must bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing; a token that comes along is not looked at.
    Open,
    /// Nothing, but who is signed in is noted.
    Noted,
    /// Any token that counts.
    SignedIn,
    /// A token with this scope.
    Scope(Scope),
}

/// Methods (`*`: any), path (`*`: one segment, `**` at the end: any number), what it needs.
type Rule = (&'static [&'static str], &'static str, Gate);

const ANY: &[&str] = &["*"];

const RULES: &[Rule] = &[
    (ANY, "/api/setup", Gate::Open),
    (&["POST"], "/api/session", Gate::Open),
    (ANY, "/api/password-reset", Gate::Open),
    (&["GET", "POST"], "/api/invitations/*", Gate::Open),
    (ANY, "/api/email/webhooks/**", Gate::Open),
    (ANY, "/api/email/track/**", Gate::Open),
    (ANY, "/api/email/unsubscribe/**", Gate::Open),
    (&["GET"], "/api/openapi.json", Gate::Open),
    (&["GET"], "/api/docs/**", Gate::Open),
    (&["GET"], "/mail-img/**", Gate::Scope(Scope::Read)),
    (&["GET"], "/email/callback", Gate::Noted),
    (&["GET"], "/api/me", Gate::SignedIn),
    (&["DELETE"], "/api/session", Gate::SignedIn),
    (&["GET"], "/api/users/**", Gate::Scope(Scope::Read)),
    (&["GET"], "/api/api-keys/**", Gate::Scope(Scope::Read)),
    (ANY, "/api/users/**", Gate::Scope(Scope::Admin)),
    (ANY, "/api/api-keys/**", Gate::Scope(Scope::Admin)),
    (ANY, "/api/me/**", Gate::Scope(Scope::Admin)),
    (ANY, "/api/sessions/**", Gate::Scope(Scope::Admin)),
    (ANY, "/api/invitations/**", Gate::Scope(Scope::Admin)),
    (ANY, "/api/audit/**", Gate::Scope(Scope::Admin)),
    (&["PATCH"], "/api/organization", Gate::Scope(Scope::Admin)),
    (&["POST"], "/api/email/messages", Gate::Scope(Scope::Send)),
    (&["POST"], "/api/email/messages/*/retry", Gate::Scope(Scope::Send)),
    (&["POST"], "/api/email/drafts/*/send", Gate::Scope(Scope::Send)),
    (&["GET", "HEAD", "OPTIONS"], "/api/**", Gate::Scope(Scope::Read)),
    (ANY, "/api/**", Gate::Scope(Scope::Write)),
];

/// What a request must bring; everything outside the API is open.
pub(super) fn gate(method: &Method, path: &str) -> Gate {
    let fits = |(methods, pattern, _): &&Rule| {
        (methods.contains(&"*") || methods.contains(&method.as_str())) && path_fits(pattern, path)
    };
    RULES.iter().find(fits).map_or(Gate::Open, |(_, _, gate)| *gate)
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        match (part, segments.next()) {
            ("**", _) => return true,
            ("*", Some(segment)) if !segment.is_empty() => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_finds_its_rule() {
        for (method, path, gate_of) in [
            (Method::POST, "/api/session", Gate::Open),
            (Method::DELETE, "/api/session", Gate::SignedIn),
            (Method::GET, "/api/me", Gate::SignedIn),
            (Method::PUT, "/api/me/password", Gate::Scope(Scope::Admin)),
            (Method::GET, "/api/users", Gate::Scope(Scope::Read)),
            (Method::PATCH, "/api/users/1", Gate::Scope(Scope::Admin)),
            (Method::POST, "/api/invitations", Gate::Scope(Scope::Admin)),
            (Method::POST, "/api/invitations/abc", Gate::Open),
            (Method::DELETE, "/api/invitations/abc", Gate::Scope(Scope::Admin)),
            (Method::GET, "/api/audit", Gate::Scope(Scope::Admin)),
            (Method::GET, "/api/email/messages", Gate::Scope(Scope::Read)),
            (Method::POST, "/api/email/messages", Gate::Scope(Scope::Send)),
            (Method::POST, "/api/email/messages/1/move", Gate::Scope(Scope::Write)),
            (Method::PATCH, "/api/email/messages/1", Gate::Scope(Scope::Write)),
            (Method::DELETE, "/api/email/messages/1", Gate::Scope(Scope::Write)),
            (Method::POST, "/api/email/messages/batch", Gate::Scope(Scope::Write)),
            (Method::PATCH, "/api/email/threads/1", Gate::Scope(Scope::Write)),
            (Method::GET, "/api/email/operations", Gate::Scope(Scope::Read)),
            (Method::POST, "/api/email/operations/1/undo", Gate::Scope(Scope::Write)),
            (Method::POST, "/api/email/messages/1/retry", Gate::Scope(Scope::Send)),
            (Method::POST, "/api/email/webhooks/outlook/lifecycle", Gate::Open),
            (Method::GET, "/api/events", Gate::Scope(Scope::Read)),
            (Method::GET, "/mail-img/cid/1", Gate::Scope(Scope::Read)),
            (Method::GET, "/email/callback", Gate::Noted),
            (Method::GET, "/api/anything/else", Gate::Scope(Scope::Read)),
            (Method::GET, "/", Gate::Open),
        ] {
            assert_eq!(gate(&method, path), gate_of, "{method} {path}");
        }
    }
}
