//! One mail on a connection to the sink.

use super::plan::Phase;
use super::session::{Course, Session};
use super::syntax::{self, MailParameters, Path};
use super::{Accepted, Delivery};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// The longest line of a mail without its end (RFC 5321, section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// From whom and to whom a mail is.
pub(super) struct Envelope {
    from: String,
    to: Vec<String>,
    parameters: MailParameters,
}

impl Session<'_> {
    pub(super) async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.greeted || self.mail.is_some() {
            return self.out_of_order("503 5.5.1 MAIL is not next").await;
        }
        if self.user.is_none() {
            return self.say("530 5.7.0 sign in first").await;
        }
        if self.at(Phase::Mail).await? == Course::Answered {
            return Ok(());
        }
        if self.offers.mails_a_connection.is_some_and(|most| self.taken >= most) || self.is_too_fast() {
            return self.leave("421 4.7.0 slow down").await;
        }
        let read = Path::parse(rest, "FROM:").and_then(|path| {
            let parameters = syntax::mail_parameters(&path.parameters, &self.offers)?;
            if !path.address.is_empty() {
                path.check_address(parameters.smtputf8)?;
            }
            Ok(Envelope { from: path.address, to: Vec::new(), parameters })
        });
        match read {
            Ok(envelope) => {
                self.mail = Some(envelope);
                self.say("250 2.1.0 ok").await
            }
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    fn is_too_fast(&self) -> bool {
        let Some((most, time)) = self.offers.rate else { return false };
        let since = SystemTime::now() - time;
        self.state.accepted.lock().unwrap().iter().rev().take_while(|mail| mail.at > since).count() >= most
    }

    /// Refuses what a client should have known to be wrong.
    async fn refuse(&mut self, refusal: &str) -> io::Result<()> {
        if !refusal.starts_with("552") {
            self.note_violation(refusal);
        }
        self.say(refusal).await
    }

    pub(super) async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let Some(mail) = &self.mail else {
            // It may have come along with a MAIL that was refused.
            return self.say("503 5.5.1 MAIL first").await;
        };
        let (utf8, named) = (mail.parameters.smtputf8, mail.to.len());
        let read = Path::parse(rest, "TO:").and_then(|path| {
            path.check_address(utf8)?;
            syntax::check_rcpt_parameters(&path.parameters, &self.offers).map(|()| path.address)
        });
        let address = match read {
            Ok(address) => address,
            Err(refusal) => return self.refuse(refusal).await,
        };
        if self.at(Phase::Rcpt).await? == Course::Answered {
            return Ok(());
        }
        if self.offers.recipients.is_some_and(|most| named >= most) {
            return self.say("452 4.5.3 too many recipients").await;
        }
        let refusal = self.state.refused.lock().unwrap().get(&address).copied();
        let scripted = self.state.answers.lock().unwrap().get_mut(&address).and_then(VecDeque::pop_front);
        let answer = refusal.or(scripted).unwrap_or("250 2.1.5 ok");
        if answer.starts_with("421") {
            return self.leave(answer).await;
        }
        if answer.starts_with('2')
            && let Some(mail) = &mut self.mail
        {
            mail.to.push(address);
        }
        self.say(answer).await
    }

    pub(super) async fn data(&mut self) -> io::Result<()> {
        let Some(mail) = self.mail.take_if(|mail| !mail.to.is_empty()) else {
            return self.out_of_order("503 5.5.1 RCPT first").await;
        };
        if self.at(Phase::Data).await? == Course::Answered {
            return Ok(());
        }
        self.say("354 end with a dot").await?;
        let raw = self.body().await?;
        if self.at(Phase::Dot).await? == Course::Answered {
            return Ok(());
        }
        if let Some(refusal) = self.flaw(&raw, &mail.parameters) {
            return self.refuse(refusal).await;
        }
        self.take(mail, raw).await;
        if self.at(Phase::Taken).await? == Course::GoOn {
            self.say("250 2.0.0 kept").await?;
        }
        self.at(Phase::Answered).await.map(|_| ())
    }

    async fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut raw = Vec::new();
        let mut begun = false;
        loop {
            let line = self.line(LONGEST_LINE + 1).await?;
            if !std::mem::replace(&mut begun, true) {
                self.at(Phase::Body).await?;
            }
            if line == b"." {
                return Ok(raw);
            }
            let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
            if unstuffed.len() > LONGEST_LINE {
                return Err(self.violated("a line that is too long").await);
            }
            raw.extend_from_slice(unstuffed);
            raw.extend_from_slice(b"\r\n");
        }
    }

    /// Why a mail is not as it was announced.
    fn flaw(&self, raw: &[u8], announced: &MailParameters) -> Option<&'static str> {
        let size = raw.len() as u64;
        let head = raw.windows(4).position(|end| end == b"\r\n\r\n").map_or(raw, |end| &raw[..end]);
        if self.offers.size.is_some_and(|limit| limit > 0 && size > limit) {
            Some("552 5.3.4 the mail is larger than the limit")
        } else if announced.size.is_some_and(|announced| size > announced) {
            Some("554 5.6.0 the mail is larger than it was announced")
        } else if !announced.smtputf8 && !head.is_ascii() {
            Some("554 5.6.7 a header beyond ASCII without SMTPUTF8")
        } else if !announced.smtputf8 && !announced.eight_bit && !raw.is_ascii() {
            Some("554 5.6.3 a mail beyond ASCII without BODY=8BITMIME")
        } else {
            None
        }
    }

    /// Takes a mail over: from here on it counts.
    async fn take(&mut self, mail: Envelope, raw: Vec<u8>) {
        self.taken += 1;
        let accepted = Accepted {
            from: mail.from,
            to: mail.to,
            raw,
            user: self.user.clone().unwrap_or_default(),
            connection: self.number,
            size: mail.parameters.size,
            smtputf8: mail.parameters.smtputf8,
            envelope_id: mail.parameters.envelope_id,
            at: SystemTime::now(),
        };
        self.state.accepted.lock().unwrap().push(accepted.clone());
        let deliveries: Vec<Arc<Delivery>> = self.state.deliveries.lock().unwrap().clone();
        let wanted = deliveries.into_iter().filter(|delivery| match &delivery.recipient {
            None => true,
            Some(address) => accepted.to.contains(address),
        });
        for delivery in wanted {
            let from = &accepted.from;
            let (raw, flags) = match delivery.recipient {
                None => (accepted.raw.clone(), &["\\Seen"][..]),
                Some(_) => ([format!("Return-Path: <{from}>\r\n").as_bytes(), &accepted.raw].concat(), &[][..]),
            };
            let put = move || delivery.peer.append(&delivery.folder, &[raw], flags);
            if tokio::task::spawn_blocking(put).await.is_err() {
                self.note_violation("a mail could not be put into its mailbox");
            }
        }
    }
}
