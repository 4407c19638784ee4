//! Rust sources as the checkers see them: with comments and literals blanked, and without test code.

use std::path::Path;

/// One source file.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// The text as written.
    pub text: String,
    /// The text with comments, literals and test-only items replaced by spaces; lines keep their numbers.
    pub code: String,
    /// Whether another file declares it under `#[cfg(test)]`.
    declared_for_tests: bool,
}

impl Source {
    /// A source from its path and text.
    pub fn new(path: &str, text: &str) -> Self {
        let code = without_test_items(&masked(text));
        Self { path: path.to_owned(), text: text.to_owned(), code, declared_for_tests: false }
    }

    /// All Rust files below these folders of the repository, by path.
    pub fn all(root: &Path, folders: &[&str]) -> Vec<Self> {
        let mut found = Vec::new();
        for folder in folders {
            collect(root, &root.join(folder), &mut found);
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let for_tests: Vec<Vec<String>> = found.iter().flat_map(Self::modules_for_tests).collect();
        for source in &mut found {
            let modules = source.modules();
            let declared = for_tests
                .iter()
                .any(|prefix| modules.iter().zip(prefix).filter(|(a, b)| *a == b).count() == prefix.len());
            source.declared_for_tests = declared;
        }
        found
    }

    /// Whether the whole file is compiled for tests alone.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.declared_for_tests
            || !self.path.starts_with("src/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.path.contains("/tests/")
    }

    /// The files that this one declares for tests alone, as module paths.
    fn modules_for_tests(&self) -> Vec<Vec<String>> {
        let here: Vec<String> = self.modules().into_iter().map(str::to_owned).collect();
        let code = masked(&self.text);
        let after_marks = code.split("#[cfg(test)]").skip(1);
        let names = after_marks.filter_map(|after| {
            let item = after.split_once(';')?.0.trim();
            let name = item.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").strip_prefix("mod ")?;
            (!name.contains('{')).then(|| name.trim().to_owned())
        });
        names.map(|name| here.iter().cloned().chain([name]).collect()).collect()
    }

    /// The module path: `src/messages/store/read.rs` is `messages`, `store`, `read`.
    pub fn modules(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let mut modules: Vec<&str> = inner.split('/').collect();
        if modules.last() == Some(&"mod") || modules == ["lib"] {
            modules.pop();
        }
        modules
    }

    /// The module right below the crate's root that this file belongs to.
    pub fn top(&self) -> &str {
        self.modules().first().copied().unwrap_or("lib")
    }

    /// The line that holds this byte of the text.
    pub fn line(&self, at: usize) -> usize {
        self.code.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Blanks comments, strings and characters, byte for byte.
pub fn masked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("blanking replaces whole characters")
}

/// Where the comment or literal that starts here ends; `at` itself when none starts.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment_length(rest);
    }
    if rest[0] == b'"' {
        return at + quoted_length(rest);
    }
    if !after_word && (rest[0] == b'r' || rest.starts_with(b"br") || rest.starts_with(b"cr")) {
        let prefix = if rest[0] == b'r' { 1 } else { 2 };
        let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
        if rest.get(prefix + hashes) == Some(&b'"') {
            let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
            let start = prefix + hashes + 1;
            let length = rest[start..].windows(close.len()).position(|part| part == close);
            return at + length.map_or(rest.len(), |length| start + length + close.len());
        }
    }
    if rest[0] == b'\'' {
        return at + character_length(rest);
    }
    at
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal's length; 0 for a lifetime.
fn character_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|byte| *byte == b'\'');
        return close.map_or(0, |close| close + 4);
    }
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
    let width = text.chars().next().map_or(0, char::len_utf8);
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// Blanks every item under `#[cfg(test)]`.
pub fn without_test_items(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    while let Some(start) = out.find(MARK) {
        let end = item_end(out.as_bytes(), start + MARK.len());
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// The end of the item that starts here: its semicolon or the brace that closes its body.
fn item_end(bytes: &[u8], from: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others -= 1,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 && others == 0 {
                    return at + 1;
                }
            }
            b';' if braces == 0 && others == 0 => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "let a = \"crate::x \\\" y\"; // crate::y\n/* a /* b */ crate::z */ let c = 'c'; let d = '\\''; f::<'a>(r#\"crate::\"q\"#)";
    let code = masked(text);
    assert_eq!(code.len(), text.len());
    assert!(!code.contains("crate"), "{code}");
    assert!(code.contains("let c =") && code.contains("f::<'a>("), "{code}");
}

#[test]
fn items_for_tests_are_blanked() {
    let code = without_test_items(
        "use a;\n#[cfg(test)]\nmod tests {\n  fn f() { x.unwrap() }\n}\n#[cfg(test)]\nmod more;\nfn g() {}",
    );
    assert!(!code.contains("unwrap") && !code.contains("more"), "{code}");
    assert!(code.contains("use a;") && code.contains("fn g()"), "{code}");
    assert_eq!(code.lines().count(), 8);
}

#[test]
fn modules_come_from_the_path() {
    assert_eq!(Source::new("src/messages/store/read.rs", "").modules(), ["messages", "store", "read"]);
    assert_eq!(Source::new("src/messages/mod.rs", "").modules(), ["messages"]);
    assert_eq!(Source::new("src/ids.rs", "").top(), "ids");
    assert!(Source::new("src/messages/store_tests.rs", "").is_test());
    assert!(!Source::new("src/messages/store.rs", "").is_test());
}

#[test]
fn a_file_that_is_declared_for_tests_is_found() {
    let parent = Source::new(
        "src/net/mod.rs",
        "mod a;\n#[cfg(test)]\npub(crate) mod testing;\n#[cfg(test)]\nmod tests { fn f() {} }",
    );
    assert_eq!(parent.modules_for_tests(), [["net", "testing"]]);
}
