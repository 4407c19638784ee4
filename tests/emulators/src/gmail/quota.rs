//! Allowances: quota units for each user and minute, and mails for each user and day.

use super::errors::ApiError;
use super::model::Mailbox;
use super::switches::Settings;
use crate::shared::clock::rfc3339;
use std::collections::{BTreeMap, VecDeque};

const PER_USER_AND_MINUTE: u32 = 6_000;
const PER_USER_AND_MINUTE_LEGACY: u32 = 15_000;
const PER_PROJECT_AND_MINUTE: u32 = 1_200_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const SENDS_A_DAY: usize = 500;
const SENDS_A_DAY_WORKSPACE: usize = 2_000;

/// What was used within the last minute.
#[derive(Debug, Default)]
struct Window {
    spent: VecDeque<(i64, u32)>,
    sum: u32,
}

impl Window {
    fn spend(&mut self, units: u32, allowance: u32, now: i64) -> Result<(), i64> {
        while let Some((_, old)) = self.spent.front().copied().filter(|(at, _)| *at + MINUTE <= now) {
            self.sum -= old;
            self.spent.pop_front();
        }
        if self.sum.saturating_add(units) > allowance {
            return Err(self.spent.front().map_or(MINUTE, |(at, _)| at + MINUTE - now));
        }
        self.sum += units;
        match self.spent.back_mut() {
            Some((at, spent)) if now - *at < 100 => *spent += units,
            _ => self.spent.push_back((now, units)),
        }
        Ok(())
    }
}

/// The windows of all users and projects.
#[derive(Debug, Default)]
pub struct Quota {
    users: BTreeMap<(String, String), Window>,
    projects: BTreeMap<String, Window>,
    refused: u64,
}

impl Quota {
    /// Takes units from a user's and a project's allowance, or refuses.
    pub fn spend(
        &mut self,
        project: &str,
        user: &str,
        units: u32,
        settings: &Settings,
        now: i64,
    ) -> Result<(), ApiError> {
        let Some(scale) = settings.quota_scale else {
            return Ok(());
        };
        let per_user = match settings.prices {
            super::switches::Prices::New => PER_USER_AND_MINUTE,
            super::switches::Prices::Legacy => PER_USER_AND_MINUTE_LEGACY,
        };
        let window = self.users.entry((project.to_owned(), user.to_owned())).or_default();
        let spent = window.spend(units, scaled(per_user, scale), now).map_err(|wait| ("userRateLimitExceeded", wait));
        let spent = spent.and_then(|()| {
            let window = self.projects.entry(project.to_owned()).or_default();
            window.spend(units, scaled(PER_PROJECT_AND_MINUTE, scale), now).map_err(|wait| ("rateLimitExceeded", wait))
        });
        spent.map_err(|(reason, wait)| self.refusal(reason, wait, settings, now))
    }

    /// Both forms mean the same; Google uses either.
    fn refusal(&mut self, reason: &str, wait: i64, settings: &Settings, now: i64) -> ApiError {
        self.refused += 1;
        let message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service \
                       'gmail.googleapis.com' for consumer 'project_number:1'.";
        let error = if settings.quota_is_forbidden.applies(self.refused) {
            ApiError::rate_forbidden(reason, message)
        } else {
            ApiError::too_many(message)
        };
        let seconds = u64::try_from(wait / 1000 + 1).unwrap_or(60);
        error.retry_after(settings.quota_retry_after.with(seconds).value(now))
    }

    /// Forgets what was used.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn scaled(allowance: u32, scale: f64) -> u32 {
    let scaled = f64::from(allowance) * scale;
    if scaled >= f64::from(u32::MAX) { u32::MAX } else { scaled.max(0.0) as u32 }
}

/// Counts a mail against the day's allowance, or refuses.
pub fn count_send(mailbox: &mut Mailbox, settings: &Settings, now: i64) -> Result<(), ApiError> {
    while mailbox.sent_at.front().is_some_and(|at| at + DAY <= now) {
        mailbox.sent_at.pop_front();
    }
    let usual = if mailbox.workspace { SENDS_A_DAY_WORKSPACE } else { SENDS_A_DAY };
    if mailbox.sent_at.len() >= settings.daily_sends.unwrap_or(usual) {
        let again = mailbox.sent_at.front().map_or(now + DAY, |at| at + DAY);
        return Err(ApiError::too_many(format!("User-rate limit exceeded.  Retry after {}", rfc3339(again))));
    }
    mailbox.sent_at.push_back(now);
    Ok(())
}
