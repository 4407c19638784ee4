//! How a filter is read.

use super::filter::{Expr, Op, Scalar, invalid};
use crate::graph::errors::ApiError;
use chrono::DateTime;

/// Words, quoted text with its quote in front, and signs.
fn tokens(text: &str) -> Result<Vec<String>, ApiError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (value, after) = quoted(rest).ok_or_else(|| invalid("There is an unterminated string literal"))?;
            tokens.push(format!("'{value}"));
            rest = after.trim_start();
            continue;
        }
        if "(),:".contains(first) {
            tokens.push(first.to_string());
            rest = rest.get(1..).unwrap_or_default().trim_start();
            continue;
        }
        // A moment has colons of its own.
        let is_moment = first.is_ascii_digit();
        let ends = |c: char| c.is_whitespace() || "(),'".contains(c) || (c == ':' && !is_moment);
        let end = rest.find(ends).unwrap_or(rest.len()).max(1);
        let (word, after) = rest.split_at(end);
        tokens.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, in which a quote is written twice, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

/// Reads a filter.
pub fn parse(text: &str) -> Result<Expr, ApiError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(invalid(&format!("unexpected '{token}'"))),
    }
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, ApiError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| invalid("the expression ends too soon"))?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ApiError> {
        if self.takes(token) { Ok(()) } else { Err(invalid(&format!("'{token}' expected"))) }
    }

    fn or(&mut self) -> Result<Expr, ApiError> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, ApiError> {
        let mut left = self.term()?;
        while self.takes("and") {
            left = Expr::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expr, ApiError> {
        if self.takes("not") {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        if self.takes("(") {
            let inner = self.or()?;
            // A property alone may stand in parentheses as well, which this does not read.
            self.expect(")")?;
            return Ok(inner);
        }
        let name = self.next()?;
        match name.to_ascii_lowercase().as_str() {
            function @ ("startswith" | "contains") => {
                self.expect("(")?;
                let property = self.next()?;
                self.expect(",")?;
                let text = self.next()?;
                self.expect(")")?;
                let text = text.strip_prefix('\'').ok_or_else(|| invalid("text in quotes expected"))?.to_owned();
                Ok(Expr::Matches(property, function == "startswith", text))
            }
            lower if lower.ends_with("/any") => {
                let list = name.get(..name.len() - "/any".len()).unwrap_or_default().to_owned();
                self.expect("(")?;
                let variable = self.next()?;
                self.expect(":")?;
                let inner = self.or()?;
                self.expect(")")?;
                Ok(Expr::Any(list, variable, Box::new(inner)))
            }
            _ => {
                let op = self.next()?;
                let value = self.next()?;
                Ok(Expr::Compare(name, operator(&op)?, literal(&value)?))
            }
        }
    }
}

fn operator(word: &str) -> Result<Op, ApiError> {
    match word {
        "eq" => Ok(Op::Eq),
        "ne" => Ok(Op::Ne),
        "gt" => Ok(Op::Gt),
        "ge" => Ok(Op::Ge),
        "lt" => Ok(Op::Lt),
        "le" => Ok(Op::Le),
        _ => Err(invalid(&format!("'{word}' is no operator"))),
    }
}

fn literal(word: &str) -> Result<Scalar, ApiError> {
    if let Some(text) = word.strip_prefix('\'') {
        return Ok(Scalar::Text(text.to_owned()));
    }
    match word {
        "true" => return Ok(Scalar::Bool(true)),
        "false" => return Ok(Scalar::Bool(false)),
        "null" => return Ok(Scalar::Null),
        _ => {}
    }
    if let Ok(number) = word.parse::<f64>() {
        return Ok(Scalar::Number(number));
    }
    match DateTime::parse_from_rfc3339(word) {
        Ok(moment) => Ok(Scalar::Time(moment.timestamp_millis())),
        Err(_) => Err(invalid(&format!("'{word}' is no value"))),
    }
}
