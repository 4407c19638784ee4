//! `$filter`: read, checked, and held against items.

use super::parse::parse;
use crate::graph::errors::ApiError;
use std::cmp::Ordering;

/// A single value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A moment, in milliseconds.
    Time(i64),
    /// A number.
    Number(f64),
    /// Nothing.
    Null,
}

impl Scalar {
    fn compared(&self, other: &Self, to_the_letter: bool) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) if to_the_letter => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            _ => None,
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
    /// `lt`
    Lt,
    /// `le`
    Le,
}

impl Op {
    fn holds(self, order: Option<Ordering>) -> bool {
        match (self, order) {
            (Self::Ne, order) => order != Some(Ordering::Equal),
            (_, None) => false,
            (Self::Eq, Some(order)) => order.is_eq(),
            (Self::Gt, Some(order)) => order.is_gt(),
            (Self::Ge, Some(order)) => order.is_ge(),
            (Self::Lt, Some(order)) => order.is_lt(),
            (Self::Le, Some(order)) => order.is_le(),
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Both hold.
    And(Box<Expr>, Box<Expr>),
    /// One of them holds.
    Or(Box<Expr>, Box<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A property beside a value.
    Compare(String, Op, Scalar),
    /// A property begins with this, or contains it.
    Matches(String, bool, String),
    /// One item of a list fits; properties of the item begin with the variable.
    Any(String, String, Box<Expr>),
}

/// What a filter is held against.
pub trait Item {
    /// The value of a property; none if there is no such property to filter by.
    fn scalar(&self, property: &str) -> Option<Scalar>;

    /// The items of a list, each with its properties; a plain value has the empty name.
    fn list(&self, name: &str) -> Option<Vec<Vec<(String, String)>>>;

    /// Whether text has to be the same in upper and lower case as well.
    fn is_to_the_letter(&self) -> bool {
        false
    }
}

impl Expr {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        parse(text)
    }

    /// Every property it names, in order, each once.
    pub fn properties(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut Vec<String>) {
        let name = match self {
            Self::And(a, b) | Self::Or(a, b) => {
                a.collect(found);
                b.collect(found);
                return;
            }
            Self::Not(inner) => return inner.collect(found),
            Self::Compare(name, ..) | Self::Matches(name, ..) | Self::Any(name, ..) => name,
        };
        if !found.contains(name) {
            found.push(name.clone());
        }
    }

    /// Refuses properties that cannot be filtered by, tried on any item.
    pub fn check(&self, item: &dyn Item) -> Result<(), ApiError> {
        match self {
            Self::And(a, b) | Self::Or(a, b) => a.check(item).and_then(|()| b.check(item)),
            Self::Not(inner) => inner.check(item),
            Self::Any(name, ..) => {
                item.list(name).map(|_| ()).ok_or_else(|| invalid(&format!("'{name}' cannot be filtered by")))
            }
            Self::Matches(name, ..) => match item.scalar(name) {
                Some(Scalar::Text(_) | Scalar::Null) => Ok(()),
                _ => Err(invalid(&format!("'{name}' is no text that can be filtered by"))),
            },
            Self::Compare(name, _, value) => {
                let known = item.scalar(name).ok_or_else(|| invalid(&format!("'{name}' cannot be filtered by")))?;
                let same = std::mem::discriminant(&known) == std::mem::discriminant(value);
                if same || known == Scalar::Null || *value == Scalar::Null {
                    return Ok(());
                }
                Err(invalid("A binary operator with incompatible types was detected"))
            }
        }
    }

    /// Whether it holds for an item.
    pub fn holds(&self, item: &dyn Item) -> bool {
        match self {
            Self::And(a, b) => a.holds(item) && b.holds(item),
            Self::Or(a, b) => a.holds(item) || b.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(name, op, value) => {
                item.scalar(name).is_some_and(|found| op.holds(found.compared(value, item.is_to_the_letter())))
            }
            Self::Matches(name, from_start, text) => match item.scalar(name) {
                Some(Scalar::Text(found)) => {
                    let (found, text) = (found.to_lowercase(), text.to_lowercase());
                    if *from_start { found.starts_with(&text) } else { found.contains(&text) }
                }
                _ => false,
            },
            Self::Any(name, variable, inner) => item
                .list(name)
                .unwrap_or_default()
                .iter()
                .any(|properties| inner.holds(&Listed { variable, properties })),
        }
    }
}

/// An item of a list.
struct Listed<'a> {
    variable: &'a str,
    properties: &'a [(String, String)],
}

impl Item for Listed<'_> {
    fn scalar(&self, property: &str) -> Option<Scalar> {
        let name = property.strip_prefix(self.variable)?.trim_start_matches('/');
        let found = self.properties.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| Scalar::Text(value.clone()))
    }

    fn list(&self, _: &str) -> Option<Vec<Vec<(String, String)>>> {
        None
    }

    fn is_to_the_letter(&self) -> bool {
        true
    }
}

/// 400: a filter that cannot be read.
pub fn invalid(text: &str) -> ApiError {
    ApiError::new(400, "ErrorInvalidUrlQueryFilter", format!("Invalid filter clause: {text}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mail;

    impl Item for Mail {
        fn scalar(&self, property: &str) -> Option<Scalar> {
            match property {
                "isRead" => Some(Scalar::Bool(false)),
                "subject" => Some(Scalar::Text("It's here".to_owned())),
                "receivedDateTime" => Some(Scalar::Time(1_800_000_000_000)),
                _ => None,
            }
        }

        fn list(&self, name: &str) -> Option<Vec<Vec<(String, String)>>> {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            (name == "props").then(|| vec![vec![pair("id", "String {a} Name b"), pair("value", "7")]])
        }
    }

    fn holds(text: &str) -> bool {
        let expr = Expr::parse(text).unwrap();
        expr.check(&Mail).unwrap();
        expr.holds(&Mail)
    }

    #[test]
    fn conditions_hold_or_do_not() {
        assert!(holds("isRead eq false and subject eq 'it''s here'"));
        assert!(holds("not (isRead eq true) and receivedDateTime ge 2026-01-01T00:00:00Z"));
        assert!(holds("startswith(subject,'It') or isRead eq true"));
        assert!(!holds("contains(subject, 'nothing')"));
        assert!(holds("props/Any(ep: ep/id eq 'String {a} Name b' and ep/value eq '7')"));
        assert!(!holds("props/any(ep:ep/id eq 'String {a} Name b' and ep/value eq '8')"));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "isRead", "isRead eq", "isRead is true", "(isRead eq true", "isRead eq 'x", "isRead eq true true"]
        {
            assert!(Expr::parse(text).is_err(), "{text}");
        }
        assert!(Expr::parse("isRead eq 'true'").unwrap().check(&Mail).is_err());
        assert!(Expr::parse("body eq 'x'").unwrap().check(&Mail).is_err());
    }
}
