//! The floors: imports point down only.

use super::references::references;
use super::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Every module below the crate's root, floor by floor from the top. Within the floors of features and
/// protocols the order counts as well: the earlier may use the later.
const FLOORS: &[(u8, &str, &[&str])] = &[
    (4, "wiring", &["main", "cli", "app", "startup", "router", "schedule"]),
    (3, "features", &["realtime", "sending", "sync", "messages", "accounts", "outbox", "replay", "identity"]),
    (2, "protocols", &["providers", "mail"]),
    (
        1,
        "foundations",
        &["config", "telemetry", "http", "access", "db", "events", "storage", "net", "cache", "instance", "error"],
    ),
    (0, "basics", &["ids", "clock", "secret"]),
];

/// Where a module stands: its floor and its place on it from the top.
pub fn floor(module: &str) -> Option<(u8, usize)> {
    FLOORS
        .iter()
        .find_map(|(floor, _, modules)| modules.iter().position(|known| *known == module).map(|place| (*floor, place)))
}

/// Whether this module is a feature, with a front door.
pub fn is_feature(module: &str) -> bool {
    floor(module).is_some_and(|(floor, _)| floor == 3)
}

fn may_use(from: &str, to: &str) -> bool {
    let (Some(from), Some(to)) = (floor(from), floor(to)) else {
        return true;
    };
    match from.0.cmp(&to.0) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal if from.0 == 3 || from.0 == 2 => from.1 < to.1,
        std::cmp::Ordering::Equal => true,
    }
}

/// Imports that point up, or sideways where the order forbids it.
pub fn upward_imports(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/") && !source.is_test()) {
        let from = source.top().to_owned();
        for reference in references(source) {
            let Some(to) = reference.path.first() else {
                continue;
            };
            if from == "lib" || *to == from || may_use(&from, to) {
                continue;
            }
            violations.push(format!(
                "{}:{}: `{from}` ({}) uses `{to}` ({}), which stands above it.\n  Imports point down. Let `{to}` call \
                 `{from}` instead, hand the value in as an argument, or send the news up as an `events::Event`.",
                source.path,
                reference.line,
                place(&from),
                place(to),
            ));
        }
    }
    violations
}

fn place(module: &str) -> String {
    floor(module)
        .map_or_else(|| "on no floor".to_owned(), |(floor, place)| format!("floor {floor}, place {}", place + 1))
}

/// Circles of imports among the foundations, and among the basics: there the order is free, but an order
/// there must be.
pub fn cycles(sources: &[Source]) -> Vec<String> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/") && !source.is_test()) {
        let from = source.top();
        let Some((level, _)) = floor(from).filter(|(level, _)| *level < 2) else {
            continue;
        };
        for to in references(source).into_iter().filter_map(|reference| reference.path.into_iter().next()) {
            if to != from && floor(&to).is_some_and(|(other, _)| other == level) {
                uses.entry(from.to_owned()).or_default().insert(to);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for start in uses.keys() {
        if let Some(circle) = circle_from(start, &uses)
            && seen.insert(circle.iter().cloned().collect::<BTreeSet<_>>())
        {
            violations.push(format!(
                "These modules of one floor use each other in a circle: {}.\n  Move what both need into the lower of \
                 them, or hand it in as an argument.",
                circle.join(" → ")
            ));
        }
    }
    violations
}

fn circle_from(start: &str, uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut paths = vec![vec![start.to_owned()]];
    let mut visited = BTreeSet::new();
    while let Some(path) = paths.pop() {
        let last = path.last()?;
        for next in uses.get(last).into_iter().flatten() {
            let mut longer = path.clone();
            longer.push(next.clone());
            if next == start {
                return Some(longer);
            }
            if visited.insert(next.clone()) {
                paths.push(longer);
            }
        }
    }
    None
}

/// Modules that `lib.rs` declares and the table lacks, or the other way round.
pub fn unknown_modules(lib: &str) -> Vec<String> {
    let code = super::source::masked(lib);
    let declared: BTreeSet<&str> = code
        .lines()
        .map(|line| line.trim_start_matches("pub(crate) ").trim_start_matches("pub "))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let known: BTreeSet<&str> = FLOORS.iter().flat_map(|(_, _, modules)| modules.iter().copied()).collect();
    let missing = declared.difference(&known).map(|module| {
        format!("`{module}` stands on no floor.\n  Give it a place in FLOORS of tests/architecture/floors.rs and in docs/ARCHITECTURE.md.")
    });
    // `main` is the binary; `cache` may be folded into another foundation.
    let gone = known.difference(&declared).filter(|module| !["main", "cache"].contains(*module)).map(|module| {
        format!("The table of floors names `{module}`, but lib.rs does not declare it.\n  Take it out of FLOORS.")
    });
    missing.chain(gone).collect()
}

/// Uses of the database or the web server by the modules that speak protocols.
pub fn protocols_that_reach_out(sources: &[Source]) -> Vec<String> {
    const OURS: [&str; 4] = ["db", "http", "access", "storage"];
    const THEIRS: [&str; 4] = ["actix_web::", "actix_ws::", "diesel::", "diesel_async::"];
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| floor(source.top()).is_some_and(|(floor, _)| floor == 2)) {
        let ours = references(source).into_iter().filter_map(|found| {
            let module = found.path.into_iter().next()?;
            OURS.contains(&module.as_str()).then_some((found.line, module))
        });
        let theirs = THEIRS.iter().flat_map(|name| {
            source.code.match_indices(name).map(|(at, _)| (source.line(at), name.trim_end_matches(':').to_owned()))
        });
        for (line, name) in ours.chain(theirs) {
            violations.push(format!(
                "{}:{line}: a protocol module uses `{name}`.\n  Protocols turn bytes into values and back. Return the \
                 value and let the feature that called store or serve it.",
                source.path
            ));
        }
    }
    violations
}

#[test]
fn an_import_that_points_up_is_found() {
    let found = upward_imports(&[Source::new("src/db/mod.rs", "use crate::{ids::OrgId,\n  messages::Email};")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("src/db/mod.rs:1") && found[0].contains("`messages`"), "{}", found[0]);
}

#[test]
fn a_lower_feature_must_not_use_a_higher_one() {
    assert_eq!(upward_imports(&[Source::new("src/accounts/service.rs", "use crate::messages::Email;")]).len(), 1);
    assert!(upward_imports(&[Source::new("src/messages/service.rs", "use crate::accounts::Account;")]).is_empty());
}

#[test]
fn test_code_may_look_anywhere() {
    assert!(upward_imports(&[Source::new("src/db/x_tests.rs", "use crate::messages::Email;")]).is_empty());
    assert!(
        upward_imports(&[Source::new("src/db/x.rs", "#[cfg(test)]\nmod t { use crate::messages::Email; }")]).is_empty()
    );
}

#[test]
fn a_circle_is_found_once() {
    let sources = [
        Source::new("src/error/mod.rs", "use crate::db::Db;"),
        Source::new("src/db/mod.rs", "use crate::net::Net;"),
        Source::new("src/net/mod.rs", "use crate::error::E;"),
    ];
    let found = cycles(&sources);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(cycles(&sources[..2]).is_empty());
}

#[test]
fn a_module_without_a_floor_is_found() {
    let every: String =
        FLOORS.iter().flat_map(|(_, _, modules)| modules.iter()).map(|name| format!("pub mod {name};\n")).collect();
    assert!(unknown_modules(&every).is_empty());
    assert_eq!(unknown_modules(&format!("{every}pub mod gadgets;\n")).len(), 1);
    assert_eq!(unknown_modules(&every.replace("pub mod ids;\n", "")).len(), 1);
}

#[test]
fn a_protocol_that_queries_is_found() {
    let found =
        protocols_that_reach_out(&[Source::new("src/mail/mime.rs", "use crate::db::Db;\nuse diesel::prelude::*;")]);
    assert_eq!(found.len(), 2);
}
