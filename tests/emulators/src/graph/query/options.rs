//! The options of a query, each of which the method has to know.

use super::filter::Expr;
use super::search::Search;
use crate::graph::errors::ApiError;

/// The most items of a page.
const MOST: usize = 1000;

/// One property to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The property, with slashes.
    pub property: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A relation to be shown with each item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expand {
    /// Its name.
    pub name: String,
    /// Properties of what it leads to.
    pub select: Option<Vec<String>>,
    /// Which of them.
    pub filter: Option<Expr>,
}

/// The options of one query.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Everything as it came.
    pub pairs: Vec<(String, String)>,
    /// `$select`.
    pub select: Option<Vec<String>>,
    /// `$expand`.
    pub expand: Vec<Expand>,
    /// `$filter`.
    pub filter: Option<Expr>,
    /// `$orderby`.
    pub order: Vec<Order>,
    /// `$top`.
    pub top: Option<usize>,
    /// `$skip`.
    pub skip: usize,
    /// `$search`.
    pub search: Option<Search>,
    /// `$count`.
    pub count: bool,
}

impl Options {
    /// Reads the options, and refuses those that the method does not know.
    pub fn read(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, ApiError> {
        let mut options = Self::default();
        for (number, (name, value)) in pairs.iter().enumerate() {
            if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let text = format!("The query parameter '{name}' is not supported here.");
                return Err(ApiError::new(400, "ErrorInvalidUrlQuery", text));
            }
            if pairs.iter().take(number).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(ApiError::bad_query(format!("Query option '{name}' was specified more than once.")));
            }
            options.take(&name.to_ascii_lowercase(), value)?;
        }
        if options.search.is_some() && options.filter.is_some() {
            let text = "The query parameter '$filter' is not supported with '$search'.";
            return Err(ApiError::new(400, "SearchWithFilter", text));
        }
        if options.search.is_some() && !options.order.is_empty() {
            let text = "The query parameter '$orderBy' is not supported with '$search'.";
            return Err(ApiError::new(400, "SearchWithOrderBy", text));
        }
        options.check_order()?;
        options.pairs = pairs;
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "$select" => self.select = Some(names(value)),
            "$expand" => self.expand = split(value, ',').into_iter().map(expansion).collect::<Result<_, _>>()?,
            "$filter" => self.filter = Some(Expr::parse(value)?),
            "$orderby" => self.order = orders(value)?,
            "$top" => self.top = Some(number(name, value, 1, MOST)?),
            "$skip" => self.skip = number(name, value, 0, usize::MAX)?,
            "$search" => self.search = Some(Search::parse(value)?),
            "$count" => self.count = flag(name, value)?,
            "includehiddenfolders" => {
                flag(name, value)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// What orders must be filtered by as well, first and in the same order.
    fn check_order(&self) -> Result<(), ApiError> {
        let Some(filter) = self.filter.as_ref().filter(|_| !self.order.is_empty()) else {
            return Ok(());
        };
        let filtered = filter.properties();
        let fits = self.order.iter().enumerate().all(|(at, order)| filtered.get(at) == Some(&order.property));
        if fits {
            return Ok(());
        }
        let text = "The restriction or sort order is too complex for this operation.";
        Err(ApiError::new(400, "InefficientFilter", text))
    }

    /// The value of an option as it came.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether an option is there and true.
    pub fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

fn names(value: &str) -> Vec<String> {
    value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn number(name: &str, value: &str, least: usize, most: usize) -> Result<usize, ApiError> {
    let parsed = value.trim().parse::<usize>().ok().filter(|number| (least..=most).contains(number));
    parsed.ok_or_else(|| {
        ApiError::new(400, "ErrorInvalidUrlQuery", format!("Invalid value '{value}' for the {name} query option."))
    })
}

fn flag(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::bad_query(format!("Invalid value '{value}' for the {name} query option."))),
    }
}

fn orders(value: &str) -> Result<Vec<Order>, ApiError> {
    let mut found = Vec::new();
    for part in value.split(',') {
        let words: Vec<&str> = part.split_whitespace().collect();
        let (property, descending) = match words.as_slice() {
            [property] | [property, "asc"] => (*property, false),
            [property, "desc"] => (*property, true),
            _ => return Err(ApiError::bad_query(format!("Syntax error in $orderby: '{part}'."))),
        };
        found.push(Order { property: property.to_owned(), descending });
    }
    Ok(found)
}

fn expansion(text: &str) -> Result<Expand, ApiError> {
    let text = text.trim();
    let Some((name, inner)) = text.split_once('(') else {
        return Ok(Expand { name: text.to_owned(), ..Expand::default() });
    };
    let syntax = || ApiError::bad_query(format!("Syntax error in $expand: '{text}'."));
    let inner = inner.strip_suffix(')').ok_or_else(syntax)?;
    let mut expand = Expand { name: name.trim().to_owned(), ..Expand::default() };
    for option in split(inner, ';') {
        let (name, value) = option.split_once('=').ok_or_else(syntax)?;
        match name.trim().to_ascii_lowercase().as_str() {
            "$select" => expand.select = Some(names(value)),
            "$filter" => expand.filter = Some(Expr::parse(value)?),
            _ => return Err(syntax()),
        }
    }
    Ok(expand)
}

/// Cuts at a letter that is neither in parentheses nor in quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    for (place, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ if c == at && depth == 0 && !quoted => {
                parts.extend(text.get(start..place));
                start = place + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, ApiError> {
        let known = ["$select", "$expand", "$filter", "$orderby", "$top", "$search"];
        Options::read(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), &known)
    }

    #[test]
    fn what_is_ordered_must_be_filtered_first() {
        let code = |filter| match read(&[("$filter", filter), ("$orderby", "receivedDateTime desc")]) {
            Ok(_) => "fine".into(),
            Err(error) => error.code,
        };
        assert_eq!(&*code("receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false"), "fine");
        assert_eq!(&*code("isRead eq false and receivedDateTime ge 2026-01-01T00:00:00Z"), "InefficientFilter");
        assert_eq!(&*code("isRead eq false"), "InefficientFilter");
    }

    #[test]
    fn an_expansion_has_options_of_its_own() {
        let options = read(&[(
            "$expand",
            "attachments($select=id,name),singleValueExtendedProperties($filter=id eq 'String {x} Name a,b')",
        )]);
        let options = options.unwrap();
        assert_eq!(options.expand.len(), 2);
        assert_eq!(options.expand[0].select, Some(vec!["id".to_owned(), "name".to_owned()]));
        assert!(options.expand[1].filter.is_some());
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        assert!(read(&[("$top", "0")]).is_err() && read(&[("$top", "1001")]).is_err());
        assert!(read(&[("$tpo", "1")]).is_err() && read(&[("$top", "1"), ("$top", "2")]).is_err());
        assert!(read(&[("$search", "\"x\""), ("$filter", "isRead eq true")]).is_err());
    }
}
