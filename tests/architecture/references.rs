//! Finds the paths by which one module of the crate names another.

use super::source::Source;

/// One path into the crate, from its root.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// The line it stands on.
    pub line: usize,
    /// `crate::accounts::store::find` is `accounts`, `store`, `find`.
    pub path: Vec<String>,
}

/// Every path of the file that starts at `crate::`, or at `super::` and leaves the file's top module.
pub fn references(source: &Source) -> Vec<Reference> {
    let code = source.code.as_str();
    let mut found = Vec::new();
    for (at, prefix) in starts(source) {
        let line = source.line(at.0);
        for path in tree(&mut code.get(at.1..).unwrap_or_default(), &prefix) {
            found.push(Reference { line, path });
        }
    }
    found
}

/// Where paths begin: (place of the keyword, place behind `::`) and the modules the keyword stands for.
fn starts(source: &Source) -> Vec<((usize, usize), Vec<String>)> {
    let code = source.code.as_str();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !preceded_by_word(code, at) {
            found.push(((at, at + "crate::".len()), Vec::new()));
        }
    }
    for (at, _) in code.match_indices("super::") {
        if preceded_by_word(code, at) || code[..at].ends_with("super::") {
            continue;
        }
        let mut modules: Vec<String> = source.modules().into_iter().map(str::to_owned).collect();
        let mut behind = at;
        while code[behind..].starts_with("super::") {
            modules.pop();
            behind += "super::".len();
        }
        found.push(((at, behind), modules));
    }
    found
}

fn preceded_by_word(code: &str, at: usize) -> bool {
    code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Reads a path or a tree of paths (`a::{b, c::d}`) and leaves `rest` behind it.
fn tree(rest: &mut &str, prefix: &[String]) -> Vec<Vec<String>> {
    *rest = rest.trim_start();
    if let Some(inner) = rest.strip_prefix('{') {
        *rest = inner;
        return group(rest, prefix);
    }
    if let Some(behind) = rest.strip_prefix('*') {
        *rest = behind;
        return vec![prefix.to_vec()];
    }
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (word, behind) = rest.split_at(length);
    *rest = behind;
    if word.is_empty() {
        return vec![prefix.to_vec()];
    }
    let mut path = prefix.to_vec();
    if word != "self" {
        path.push(word.to_owned());
    }
    match behind.strip_prefix("::") {
        Some(next) if next.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{' || c == '*') => {
            *rest = next;
            tree(rest, &path)
        }
        _ => vec![path],
    }
}

fn group(rest: &mut &str, prefix: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    loop {
        *rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('}') {
            *rest = behind;
            return found;
        }
        if rest.is_empty() {
            return found;
        }
        found.extend(tree(rest, prefix));
        // Behind an entry stand a comma, the end of the group or a rename.
        let next = rest.find([',', '}']).unwrap_or(rest.len());
        *rest = &rest[next..];
        *rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[cfg(test)]
fn paths(path: &str, text: &str) -> Vec<String> {
    references(&Source::new(path, text)).into_iter().map(|found| found.path.join("::")).collect()
}

#[test]
fn plain_paths_and_groups_are_read() {
    let text = "use crate::{db::{Db, schema::emails}, ids::*, error::ApiError as E};\nfn f() { crate::clock::Clock::system() }";
    assert_eq!(
        paths("src/messages/store.rs", text),
        ["db::Db", "db::schema::emails", "ids", "error::ApiError", "clock::Clock::system"]
    );
}

#[test]
fn macros_of_the_crate_count_too() {
    assert_eq!(paths("src/db/mod.rs", "match c { $crate::db::DbConn::Sqlite(c) => {} }"), ["db::DbConn::Sqlite"]);
}

#[test]
fn paths_that_climb_are_resolved() {
    assert_eq!(paths("src/messages/store.rs", "use super::super::accounts::store;"), ["accounts::store"]);
    assert_eq!(paths("src/messages/store.rs", "use super::model::Email;"), ["messages::model::Email"]);
}

#[test]
fn words_in_comments_and_longer_names_are_no_paths() {
    assert!(paths("src/a.rs", "// crate::x\nlet s = \"crate::y\"; use mycrate::z;").is_empty());
}
