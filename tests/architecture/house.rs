//! The house style as far as a machine can see it.

use super::source::Source;

/// The most lines a hand-written file may have.
const MOST_LINES: usize = 400;

/// Files that grew too long.
pub fn long_files(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter_map(|source| {
            let lines = source.text.lines().count();
            (lines > MOST_LINES).then(|| {
                format!(
                    "{} has {lines} lines, {MOST_LINES} are allowed.\n  Split it where its subject changes; a file that \
                     answers one question stays near 100–200.",
                    source.path
                )
            })
        })
        .collect()
}

/// Queries outside `db/` and the stores.
pub fn queries_outside_stores(sources: &[Source]) -> Vec<String> {
    const QUERIES: [&str; 2] = ["on_conn!", "insert_rows!"];
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test() && !may_query(source)) {
        for query in QUERIES {
            for (at, _) in source.code.match_indices(query) {
                violations.push(format!(
                    "{}:{}: `{query}` outside a store.\n  All SQL of a feature stands in its `store.rs` or `store/`: add \
                     a function there that takes `&mut DbConn`, and call it from here.",
                    source.path,
                    source.line(at)
                ));
            }
        }
    }
    violations
}

fn may_query(source: &Source) -> bool {
    let modules = source.modules();
    source.top() == "db" || modules.contains(&"store") || modules.last().is_some_and(|name| name.ends_with("_store"))
}

/// What may panic or hide a warning in code that ships, and what to write instead.
const SHORTCUTS: [(&str, &str); 9] = [
    (".unwrap()", "Handle the other case, or pass it on with `?`."),
    (".expect(", "Handle the other case, or pass it on with `?`."),
    ("todo!(", "Write it, or leave the function out."),
    ("unimplemented!(", "Write it, or leave the function out."),
    ("panic!(", "Return an error: one bad mail must not stop the others."),
    ("unreachable!(", "Let the types say so, or return an internal error."),
    ("#[allow(", "Use `#[expect(lint, reason = \"…\")]`, which tells why and goes stale loudly."),
    ("#![allow(", "Use `#![expect(lint, reason = \"…\")]`, which tells why and goes stale loudly."),
    ("unsafe ", "Find the safe way; this project has none that is not."),
];

/// Panicking calls and silenced lints outside tests.
pub fn shortcuts(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        for (shortcut, way_out) in SHORTCUTS {
            for at in words(&source.code, shortcut) {
                violations.push(format!(
                    "{}:{}: `{}` outside tests.\n  {way_out}",
                    source.path,
                    source.line(at),
                    shortcut.trim_end_matches('(').trim_end()
                ));
            }
        }
        violations.extend(silent_expectations(source));
    }
    violations
}

/// Places where the pattern stands and is not the end of a longer name.
fn words<'a>(code: &'a str, pattern: &'a str) -> impl Iterator<Item = usize> + 'a {
    let starts_a_word = pattern.starts_with(|c: char| c.is_alphabetic());
    code.match_indices(pattern).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        !(starts_a_word && before.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    })
}

fn silent_expectations(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    for (at, _) in source.code.match_indices("[expect(") {
        let attribute = source.code[at..].split(']').next().unwrap_or_default();
        if !attribute.contains("reason") {
            violations.push(format!(
                "{}:{}: an expected lint without its reason.\n  Write `#[expect(lint, reason = \"why it is right here\")]`.",
                source.path,
                source.line(at)
            ));
        }
    }
    violations
}

/// Words that promise work for later. Taken apart, so that this file does not hold them.
const PROMISES: [&str; 5] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK"), concat!("st", "ub")];

/// Words that promise work for later.
pub fn promises(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            for word in PROMISES.iter().filter(|word| line.contains(**word)) {
                violations.push(format!(
                    "{}:{}: `{word}`.\n  Do it now, or write it down where the team plans its work.",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    violations
}

#[test]
fn a_long_file_is_found() {
    let text = "//\n".repeat(MOST_LINES);
    assert!(long_files(&[Source::new("src/a.rs", &text)]).is_empty());
    assert_eq!(long_files(&[Source::new("src/a.rs", &format!("{text}//\n"))]).len(), 1);
}

#[test]
fn a_query_in_a_service_is_found() {
    let text = "fn f() { on_conn!(c, |c| q.load(c).await) }";
    assert_eq!(queries_outside_stores(&[Source::new("src/messages/service.rs", text)]).len(), 1);
    for store in
        ["src/messages/store.rs", "src/messages/store/read.rs", "src/db/migrate.rs", "src/messages/service_tests.rs"]
    {
        assert!(queries_outside_stores(&[Source::new(store, text)]).is_empty(), "{store}");
    }
}

#[test]
fn shortcuts_are_found_outside_tests_alone() {
    let text = "fn f() { a.unwrap(); b.expect(\"x\"); todo!(); }\n#[allow(dead_code)]\nunsafe fn g() {}";
    assert_eq!(shortcuts(&[Source::new("src/a.rs", text)]).len(), 5);
    assert!(shortcuts(&[Source::new("src/a_tests.rs", text)]).is_empty());
    assert!(shortcuts(&[Source::new("src/a.rs", &format!("#[cfg(test)]\nmod tests {{ {text} }}"))]).is_empty());
    assert!(shortcuts(&[Source::new("src/a.rs", "a.unwrap_or(1); a.expect_err(2); // b.unwrap()")]).is_empty());
}

#[test]
fn an_expected_lint_needs_its_reason() {
    assert_eq!(shortcuts(&[Source::new("src/a.rs", "#[expect(dead_code)]\nfn f() {}")]).len(), 1);
    assert!(shortcuts(&[Source::new("src/a.rs", "#[expect(dead_code, reason = \"x\")]\nfn f() {}")]).is_empty());
}

#[test]
fn promises_are_found_in_comments_too() {
    let text = format!("// {}: later", PROMISES[0]);
    assert_eq!(promises(&[Source::new("src/a.rs", &text)]).len(), 1);
}
