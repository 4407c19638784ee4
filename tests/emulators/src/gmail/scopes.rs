//! What a token may do.

/// Scopes of Gmail's methods, without the prefix they share.
pub mod names {
    /// Everything, deleting for good as well.
    pub const FULL: &str = "https://mail.google.com/";
    /// Reading, writing and sending.
    pub const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
    /// Reading.
    pub const READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
    /// Drafts and sending.
    pub const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
    /// Putting mails into the mailbox.
    pub const INSERT: &str = "https://www.googleapis.com/auth/gmail.insert";
    /// Heads and labels alone.
    pub const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
    /// Labels.
    pub const LABELS: &str = "https://www.googleapis.com/auth/gmail.labels";
    /// Sending alone.
    pub const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
    /// Settings.
    pub const SETTINGS: &str = "https://www.googleapis.com/auth/gmail.settings.basic";
    /// Settings that reach beyond the mailbox.
    pub const SHARING: &str = "https://www.googleapis.com/auth/gmail.settings.sharing";
    /// Pub/Sub.
    pub const PUBSUB: &str = "https://www.googleapis.com/auth/pubsub";
    /// The whole cloud project.
    pub const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
}

/// Scopes that a client may ask a person for.
pub fn is_known(scope: &str) -> bool {
    use names::{CLOUD, COMPOSE, FULL, INSERT, LABELS, METADATA, MODIFY, PUBSUB, READONLY, SEND, SETTINGS, SHARING};
    const OTHERS: [&str; 5] = [
        "openid",
        "email",
        "profile",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/userinfo.profile",
    ];
    [FULL, MODIFY, READONLY, COMPOSE, INSERT, METADATA, LABELS, SEND, SETTINGS, SHARING, PUBSUB, CLOUD].contains(&scope)
        || OTHERS.contains(&scope)
}

/// Whether it opens a mailbox: a change of the password ends such grants.
pub fn is_of_gmail(scope: &str) -> bool {
    scope == names::FULL || scope.starts_with("https://www.googleapis.com/auth/gmail.")
}
