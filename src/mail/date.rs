//! Dates of the Date and Received headers (RFC 5322 §3.3), with the forms that occur besides.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};

/// Reads a date; nothing if it names no day and time.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = without_comments(text);
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.with_timezone(&Utc));
    }
    let tokens: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|token| !token.is_empty()).take(12).collect();
    let mut read = Reading::default();
    for token in tokens {
        read.token(token);
    }
    read.finish()
}

/// The date after the last semicolon of a Received header.
pub fn of_received(text: &str) -> Option<DateTime<Utc>> {
    let (_, date) = text.rsplit_once(';')?;
    parse(date)
}

#[derive(Default)]
struct Reading {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i32>,
    time: Option<(u32, u32, u32)>,
    offset: Option<i32>,
    afternoon: Option<bool>,
}

impl Reading {
    fn token(&mut self, token: &str) {
        if token.contains(':') && self.time.is_none() {
            self.clock(token);
        } else if let Some(month) = month(token) {
            self.month.get_or_insert(month);
        } else if self.time.is_some() && self.offset.is_none() && numeric_zone(token).is_some() {
            self.offset = numeric_zone(token);
        } else if let Ok(number) = token.trim_end_matches(['.', 't', 'h', 's', 'n', 'd', 'r']).parse() {
            self.number(number, token.len());
        } else if token.contains('-') || token.contains('/') {
            self.joined(token);
        } else if let Some(pm) = meridiem(token) {
            self.afternoon = Some(pm);
        } else if self.time.is_some() && self.offset.is_none() {
            self.offset = named_zone(token);
        }
    }

    fn number(&mut self, number: u32, digits: usize) {
        if digits <= 2 && self.day.is_none() && (1..=31).contains(&number) {
            self.day = Some(number);
        } else if self.year.is_none() {
            self.year = year(number, digits);
        }
    }

    /// `10:20`, `10:20:30`, `10:20:30.5`, also with a zone attached.
    fn clock(&mut self, token: &str) {
        let cut = token.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.');
        let (clock, zone) = token.split_at(cut.unwrap_or(token.len()));
        let mut fields = clock.split(':').map(|field| {
            let whole = field.split('.').next().unwrap_or_default();
            whole.parse::<u32>().ok()
        });
        let (Some(Some(hour)), Some(Some(minute))) = (fields.next(), fields.next()) else {
            return;
        };
        let second = fields.next().flatten().unwrap_or(0);
        if hour < 24 && minute < 60 && second <= 60 {
            self.time = Some((hour, minute, second.min(59)));
        }
        if let Some(pm) = meridiem(zone) {
            self.afternoon = Some(pm);
        } else if !zone.is_empty() {
            self.offset = numeric_zone(zone).or_else(|| named_zone(zone));
        }
    }

    /// `12-Jan-2010`, `2010-01-12`, `01/12/2010`.
    fn joined(&mut self, token: &str) {
        let fields: Vec<&str> = token.split(['-', '/']).collect();
        let [first, second, third] = fields.as_slice() else {
            return;
        };
        if let Some(month) = month(second) {
            self.month = Some(month);
            self.day = first.parse().ok();
            self.year = third.parse().ok().and_then(|value| year(value, third.len()));
        } else if first.len() == 4 {
            self.year = first.parse().ok();
            self.month = second.parse().ok();
            self.day = third.parse().ok();
        } else {
            self.month = first.parse().ok();
            self.day = second.parse().ok();
            self.year = third.parse().ok().and_then(|value| year(value, third.len()));
        }
    }

    fn finish(self) -> Option<DateTime<Utc>> {
        let day = NaiveDate::from_ymd_opt(self.year?, self.month?, self.day?)?;
        let (mut hour, minute, second) = self.time?;
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let local: NaiveDateTime = day.and_hms_opt(hour, minute, second)?;
        let offset = FixedOffset::east_opt(self.offset.unwrap_or(0))?;
        let date = offset.from_local_datetime(&local).single()?;
        Some(date.with_timezone(&Utc))
    }
}

/// Two digits count as RFC 5322 §4.3 says, three are years since 1900.
fn year(number: u32, digits: usize) -> Option<i32> {
    let number = i32::try_from(number).ok()?;
    match (digits, number) {
        (..=2, 0..50) => Some(2000 + number),
        (..=3, 0..1000) => Some(1900 + number),
        (4, 1900..10_000) => Some(number),
        _ => None,
    }
}

fn numeric_zone(token: &str) -> Option<i32> {
    let token = token.trim_start_matches("GMT").trim_start_matches("UTC");
    let sign = match token.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = token.chars().skip(1).filter(char::is_ascii_digit).collect();
    let value: i32 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        1 | 2 => (value, 0),
        3 | 4 => (value / 100, value % 100),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// The zones of RFC 5322 §4.3; the military letters there mean nothing certain and count as UTC.
fn named_zone(token: &str) -> Option<i32> {
    let hours = match token.to_ascii_uppercase().as_str() {
        "UT" | "UTC" | "GMT" | "Z" | "WET" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "BST" | "CET" | "MET" => 1,
        "CEST" | "EET" | "MEST" => 2,
        "EEST" | "MSK" => 3,
        "JST" | "KST" => 9,
        _ => return None,
    };
    Some(hours * 3600)
}

fn meridiem(token: &str) -> Option<bool> {
    match token.to_ascii_lowercase().trim_end_matches('.') {
        "pm" | "p.m" => Some(true),
        "am" | "a.m" => Some(false),
        _ => None,
    }
}

/// A month by its English name, or by the names of other languages that mail programs write.
fn month(token: &str) -> Option<u32> {
    let lower = token.trim_end_matches('.').to_lowercase();
    let names: [&[&str]; 12] = [
        &["jan", "january", "januar", "janv", "janvier", "ene", "enero", "gen", "gennaio", "янв"],
        &["feb", "february", "februar", "févr", "fév", "février", "febrero", "febbraio", "фев"],
        &["mar", "march", "mär", "märz", "mrz", "mars", "marzo", "мар"],
        &["apr", "april", "avr", "avril", "abr", "abril", "aprile", "апр"],
        &["may", "mai", "mayo", "mag", "maggio", "mei", "май"],
        &["jun", "june", "juni", "juin", "junio", "giu", "giugno", "июн"],
        &["jul", "july", "juli", "juil", "juillet", "julio", "lug", "luglio", "июл"],
        &["aug", "august", "août", "aou", "ago", "agosto", "авг"],
        &["sep", "sept", "september", "septembre", "septiembre", "set", "settembre", "сен"],
        &["oct", "october", "okt", "oktober", "octobre", "octubre", "ott", "ottobre", "окт"],
        &["nov", "november", "novembre", "noviembre", "ноя"],
        &["dec", "december", "dez", "dezember", "déc", "décembre", "dic", "diciembre", "дек"],
    ];
    let found = names.iter().position(|forms| forms.contains(&lower.as_str()))?;
    u32::try_from(found + 1).ok()
}

fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len().min(200));
    for c in text.chars().take(500) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
