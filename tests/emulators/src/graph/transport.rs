//! The transport: what becomes of a mail after it was accepted.

use super::ids::Kind;
use super::mailbox::Journal;
use super::mime::{self, Form};
use super::model::{Content, Mail};
use super::sending::everybody;
use super::state::State;
use crate::shared::clock::mail_date;
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeSet;

/// A mail that was accepted.
#[derive(Clone, Debug)]
pub struct Transit {
    /// Whose it is, by object id.
    pub user: String,
    /// The mail.
    pub key: u64,
    /// When the next thing happens to it, in milliseconds.
    pub due: i64,
    /// Whether a copy is kept.
    pub saves: bool,
}

/// A mail that left for the world.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// The address it left from.
    pub user: String,
    /// The id that lasts.
    pub immutable_id: String,
    /// Every address of To, Cc and Bcc, in lower case.
    pub recipients: Vec<String>,
    /// Its Message-ID as the world sees it.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// When, in milliseconds.
    pub at: i64,
    /// As recipients get it: without Bcc.
    #[serde(skip)]
    pub raw: Bytes,
}

impl State {
    /// Does what is due by now; says when more will be.
    pub fn settle(&mut self) -> Option<i64> {
        let now = self.now();
        while let Some(at) = self.transit.iter().position(|transit| transit.due <= now) {
            let transit = self.transit.remove(at);
            self.go_on(transit);
        }
        self.transit.iter().map(|transit| transit.due).min()
    }

    /// A mail leaves its folder; a while later it lies in Sent Items, and has been delivered.
    fn go_on(&mut self, transit: Transit) {
        let Some(mail) = self.mailboxes.get(&transit.user).and_then(|mailbox| mailbox.mails.get(&transit.key)) else {
            return;
        };
        if mail.folder != 0 {
            let mut journal = Journal::new();
            if let Some(mailbox) = self.mailboxes.get_mut(&transit.user) {
                mailbox.relocate(transit.key, 0, &mut journal);
            }
            self.commit(&transit.user, journal);
            let due = transit.due + self.settings.send_gap_millis;
            self.transit.push(Transit { due, ..transit });
            return;
        }
        let mut mail = mail.clone();
        let now = self.now();
        self.leave(&mut mail, now);
        let mut journal = Journal::new();
        if let Some(mailbox) = self.mailboxes.get_mut(&transit.user) {
            mailbox.mails.insert(mail.key, mail.clone());
            mailbox.index(&mail);
            let folder = mailbox.the("sentitems");
            if transit.saves {
                mailbox.relocate(mail.key, folder, &mut journal);
            } else {
                mailbox.remove(mail.key, &mut journal);
            }
        }
        self.commit(&transit.user, journal);
        self.deliver(&transit.user, &mail, now);
    }

    /// What transport does to the mail itself.
    fn leave(&mut self, mail: &mut Mail, now: i64) {
        (mail.is_draft, mail.is_sent, mail.is_read, mail.is_leaving) = (false, true, true, false);
        (mail.sent, mail.received) = (now, now);
        let value = |id: &str| mail.single_values.get(id).cloned();
        // The same fields by their numbers, for clients that write JSON.
        if let Some(id) = value("String 0x1042") {
            mail.content.in_reply_to = id;
        }
        if let Some(ids) = value("String 0x1039") {
            mail.content.references = ids;
        }
        if let Some(list) = value("String 0x1045") {
            mail.content.headers.push(("List-Unsubscribe".to_owned(), list));
        }
        let number = u64::try_from(self.sent.len()).unwrap_or(0) + 1;
        if self.settings.changes_message_id.applies(number) || mail.content.message_id.is_empty() {
            mail.content.message_id = format!("<{}@transport.outlook.example>", self.random.token(24));
        }
    }

    /// Hands a mail to the recipients who are users here, and reports those who are not and should be.
    fn deliver(&mut self, user: &str, mail: &Mail, now: i64) {
        let open = Content { bcc: Vec::new(), ..mail.content.clone() };
        let raw = mime::written(&open, now, Form::Written, &self.random);
        let recipients: BTreeSet<String> =
            everybody(&mail.content).into_iter().map(|one| one.address.to_lowercase()).collect();
        let received = format!(
            "Received: from {} by mx.outlook.example with Microsoft SMTP Server; {}\r\n",
            self.random.token(8),
            mail_date(now)
        );
        let arriving = [received.as_bytes(), &raw].concat();
        let mut reached = BTreeSet::new();
        for recipient in &recipients {
            let bounces = self.bouncing.contains(recipient);
            let found = self.directory.find(recipient).map(|user| user.id.clone()).filter(|_| !bounces);
            match found {
                Some(id) if reached.insert(id.clone()) => {
                    self.arrive(&id, mime::content(&arriving, now), "inbox", now, |_| ());
                }
                Some(_) => {}
                None if bounces || self.directory.hosts(recipient) => self.report(user, mail, recipient, now),
                None => {}
            }
        }
        let mailbox = self.mailboxes.get(user);
        self.sent.push(Sent {
            user: self.directory.users.get(user).map(|user| user.mail.clone()).unwrap_or_default(),
            immutable_id: mailbox.map(|mailbox| mailbox.ids.id(Kind::Lasting, mail.key)).unwrap_or_default(),
            recipients: recipients.into_iter().collect(),
            message_id: mail.content.message_id.clone(),
            subject: mail.content.subject.clone(),
            at: now,
            raw: Bytes::from(raw),
        });
    }

    /// A report that a mail could not be delivered, as a mail.
    fn report(&mut self, user: &str, mail: &Mail, recipient: &str, now: i64) {
        let Some(to) = self.directory.users.get(user).map(|user| user.mail.clone()) else {
            return;
        };
        let (subject, id) = (&mail.content.subject, &mail.content.message_id);
        let boundary = self.random.token(24);
        let domain = to.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
        let raw = format!(
            "Received: from mx.outlook.example; {date}\r\n\
             From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{domain}>\r\n\
             To: {to}\r\nSubject: Undeliverable: {subject}\r\nDate: {date}\r\nMessage-ID: <{own}@{domain}>\r\n\
             In-Reply-To: {id}\r\nReferences: {id}\r\nAuto-Submitted: auto-replied\r\nX-MS-Exchange-Message-Is-Ndr: \r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"{boundary}\"\r\n\r\n\
             --{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
             <html><body><p>Your message to {recipient} couldn't be delivered.</p></body></html>\r\n\
             --{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns;mx.outlook.example\r\n\r\n\
             Final-Recipient: rfc822;{recipient}\r\nAction: failed\r\nStatus: 5.1.10\r\n\
             Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {recipient} not found by SMTP \
             address lookup\r\n\r\n\
             --{boundary}\r\nContent-Type: message/rfc822\r\n\r\n\
             From: {to}\r\nTo: {recipient}\r\nSubject: {subject}\r\nMessage-ID: {id}\r\n\r\n--{boundary}--\r\n",
            date = mail_date(now),
            own = self.random.token(24),
        );
        self.arrive(user, mime::content(raw.as_bytes(), now), "inbox", now, |_| ());
    }
}
