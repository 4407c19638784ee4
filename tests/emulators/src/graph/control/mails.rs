//! Mails as "another client" changes them, and the state for comparisons.

use crate::graph::Graph;
use crate::graph::extended;
use crate::graph::ids::Kind;
use crate::graph::messages::mime_of;
use crate::graph::mime;
use crate::graph::model::{Attachment, Held, Mail, Mailbox};
use crate::graph::{folders, view};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A mail to be put into a mailbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The mail as in RFC 5322.
    pub raw: String,
    /// The same where it is no UTF-8; in base64 over HTTP it is `raw_base64`.
    #[serde(skip)]
    pub bytes: Option<Vec<u8>>,
    /// The folder, by id or well-known name; `inbox` if not set.
    pub folder: Option<String>,
    /// When it came, in milliseconds; now if not set.
    pub received: Option<i64>,
    /// What else is true of it.
    #[serde(flatten)]
    pub change: Change,
}

/// A change of a mail where it lies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// Whether somebody read it.
    pub is_read: Option<bool>,
    /// `notFlagged`, `flagged` or `complete`.
    pub flag: Option<String>,
    /// Categories.
    pub categories: Option<Vec<String>>,
    /// `low`, `normal` or `high`.
    pub importance: Option<String>,
    /// The subject, for drafts.
    pub subject: Option<String>,
}

impl Change {
    fn properties(&self) -> Vec<&'static str> {
        let set = [
            ("isRead", self.is_read.is_some()),
            ("flag", self.flag.is_some()),
            ("categories", self.categories.is_some()),
            ("importance", self.importance.is_some()),
            ("subject", self.subject.is_some()),
        ];
        set.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
    }

    fn apply(self, mail: &mut Mail) {
        mail.is_read = self.is_read.unwrap_or(mail.is_read);
        if let Some(status) = self.flag {
            mail.flag = json!({"flagStatus": status});
        }
        mail.categories = self.categories.unwrap_or_else(|| mail.categories.clone());
        mail.content.importance = self.importance.unwrap_or_else(|| mail.content.importance.clone());
        mail.content.subject = self.subject.unwrap_or_else(|| mail.content.subject.clone());
    }
}

/// The ids of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailIds {
    /// The one that changes when the mail moves.
    pub id: String,
    /// The one that lasts.
    pub immutable_id: String,
    /// The folder's.
    pub folder: String,
}

/// The ids of a mail.
pub(super) fn ids(mailbox: &Mailbox, key: u64) -> Option<MailIds> {
    let mail = mailbox.mails.get(&key)?;
    Some(MailIds {
        id: mailbox.ids.id(Kind::Moving, mail.place),
        immutable_id: mailbox.ids.id(Kind::Lasting, mail.key),
        folder: mailbox.ids.id(Kind::Folder, mail.folder),
    })
}

impl Graph {
    /// A mail arrives.
    pub fn add_mail(&self, user: &str, seed: Seed) -> Option<MailIds> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        let now = state.now();
        let raw = seed.bytes.unwrap_or_else(|| seed.raw.into_bytes());
        let folder = seed.folder.as_deref().unwrap_or("inbox");
        let is_draft = folder.eq_ignore_ascii_case("drafts");
        let is_sent = folder.eq_ignore_ascii_case("sentitems");
        let content = mime::content(&raw, now);
        let key = state.arrive(&id, content, folder, seed.received.unwrap_or(now), |mail| {
            (mail.is_draft, mail.is_sent) = (is_draft, is_sent);
            mail.is_read = is_draft || is_sent;
            seed.change.apply(mail);
        })?;
        let found = ids(state.mailboxes.get(&id)?, key);
        drop(state);
        self.bell.notify_waiters();
        found
    }

    /// A mail is changed where it lies.
    pub fn change_mail(&self, user: &str, mail: &str, change: Change) -> Option<()> {
        self.change(user, |mailbox, journal| {
            let key = mailbox.mail(mail).ok()?.key;
            mailbox.change(key, change.properties(), journal, |mail| change.apply(mail));
            Some(())
        })
    }

    /// Mails are moved; the ids of each afterwards.
    pub fn move_mails(&self, user: &str, mails: &[&str], folder: &str) -> Option<Vec<MailIds>> {
        self.change(user, |mailbox, journal| {
            let folder = mailbox.folder(folder).ok()?.number;
            let keys: Vec<u64> =
                mails.iter().map(|id| mailbox.mail(id).ok().map(|mail| mail.key)).collect::<Option<_>>()?;
            for key in &keys {
                mailbox.relocate(*key, folder, journal);
            }
            keys.into_iter().map(|key| ids(mailbox, key)).collect()
        })
    }

    /// Mails go for good.
    pub fn delete_mails(&self, user: &str, mails: &[&str]) -> Option<()> {
        self.change(user, |mailbox, journal| {
            for id in mails {
                let key = mailbox.mail(id).ok()?.key;
                mailbox.remove(key, journal);
            }
            Some(())
        })
    }

    /// A link to a file elsewhere is attached to a mail.
    pub fn attach_link(&self, user: &str, mail: &str, name: &str, link: &str) -> Option<()> {
        let modified = self.clock.now();
        self.change(user, |mailbox, journal| {
            let key = mailbox.mail(mail).ok()?.key;
            mailbox.change(key, vec!["hasAttachments"], journal, |mail| {
                let last = mail.content.attachments.iter().map(|one| one.number).max().unwrap_or(0);
                mail.content.attachments.push(Attachment {
                    number: last + 1,
                    name: name.to_owned(),
                    content_type: None,
                    content_id: None,
                    location: None,
                    is_inline: false,
                    modified,
                    held: Held::Reference(link.to_owned()),
                });
            });
            Some(())
        })
    }

    /// Sets a property of a client's own, which is no change that anybody is told of.
    pub fn set_single_value(&self, user: &str, mail: &str, id: &str, value: &str) -> Option<()> {
        let property = json!({"singleValueExtendedProperties": [{"id": id, "value": value}]});
        extended::check(&property).ok()?;
        self.change(user, |mailbox, journal| {
            let key = mailbox.mail(mail).ok()?.key;
            mailbox.change(key, Vec::new(), journal, |mail| extended::set(mail, &property));
            Some(())
        })
    }

    /// The MIME of a mail, put together anew.
    pub fn raw(&self, user: &str, mail: &str) -> Option<Vec<u8>> {
        let id = self.user_id(user)?;
        let state = self.state();
        let mail = state.mailboxes.get(&id)?.mail(mail).ok()?;
        Some(mime_of(mail, &state.random))
    }

    /// The whole mailbox as JSON, for comparisons.
    pub fn dump(&self, user: &str) -> Option<Value> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        state.settle();
        let (user, mailbox) = (state.directory.users.get(&id)?, state.mailboxes.get(&id)?);
        let folder_id = |folder| mailbox.ids.id(Kind::Folder, folder);
        let address = |one: &crate::graph::model::Recipient| one.address.clone();
        let mails = mailbox.mails.values().filter(|mail| mail.folder != 0).map(|mail| {
            let content = &mail.content;
            json!({
                "id": mailbox.ids.id(Kind::Moving, mail.place), "immutable_id": mailbox.ids.id(Kind::Lasting, mail.key),
                "folder": folder_id(mail.folder),
                "well_known": mailbox.folders.get(&mail.folder).and_then(|folder| folder.well_known),
                "subject": content.subject, "message_id": content.message_id, "is_read": mail.is_read,
                "is_draft": mail.is_draft, "flag": mail.flag["flagStatus"], "categories": mail.categories,
                "importance": content.importance, "received": mail.received, "conversation": mail.conversation,
                "to": content.to.iter().map(address).collect::<Vec<_>>(),
                "attachments": content.attachments.iter().map(|one| one.name.clone()).collect::<Vec<_>>(),
                "change_key": view::change_key(mail), "single_values": mail.single_values,
            })
        });
        let mails: Vec<Value> = mails.collect();
        let folders = folders::dump(mailbox, &mailbox.counts());
        Some(json!({"user": user, "mails": mails, "folders": folders, "last_change": mailbox.last_change}))
    }
}
