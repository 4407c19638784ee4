//! Migrations are twins: the same steps, tables and columns on SQLite and PostgreSQL, and in the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Tables and columns that one database needs for its own full-text search and the other has not.
const OWN_WAYS: [&str; 0] = [];

/// What a folder of migrations builds.
#[derive(Default)]
pub struct Migrations {
    /// The names of its steps.
    pub steps: BTreeSet<String>,
    /// Steps that lack `up.sql` or `down.sql`.
    pub incomplete: Vec<String>,
    /// The columns of each table after the last step.
    pub tables: Tables,
}

/// The columns of each table.
pub type Tables = BTreeMap<String, BTreeSet<String>>;

/// Reads the migrations of one database, in order.
pub fn read(folder: &Path) -> Migrations {
    let mut found = Migrations::default();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !path.join("down.sql").is_file() {
            found.incomplete.push(path.join("down.sql").display().to_string());
        }
        match std::fs::read_to_string(path.join("up.sql")) {
            Ok(sql) => apply(&sql, &mut found.tables),
            Err(_) => found.incomplete.push(path.join("up.sql").display().to_string()),
        }
        found.steps.insert(name);
    }
    found
}

/// Applies the statements that make, change and drop tables.
pub fn apply(sql: &str, tables: &mut Tables) {
    for statement in without_comments(sql).split(';') {
        let words: Vec<String> = statement.split_whitespace().take(12).map(plain).collect();
        let words: Vec<&str> =
            words.iter().map(String::as_str).filter(|word| !["if", "not", "exists", "only"].contains(word)).collect();
        match words.as_slice() {
            ["create", "table", name, ..] => {
                tables.insert((*name).to_owned(), columns(statement));
            }
            ["drop", "table", name, ..] => {
                tables.remove(*name);
            }
            ["alter", "table", name, "rename", "to", new, ..] => {
                let moved = tables.remove(*name).unwrap_or_default();
                tables.insert((*new).to_owned(), moved);
            }
            ["alter", "table", name, "rename", "column", old, "to", new, ..] => {
                let table = tables.entry((*name).to_owned()).or_default();
                table.remove(*old);
                table.insert((*new).to_owned());
            }
            ["alter", "table", name, ..] => alter(statement, tables.entry((*name).to_owned()).or_default()),
            _ => {}
        }
    }
}

/// A name as both databases know it, without quotes and what stands right behind it.
fn plain(word: &str) -> String {
    let word = word.split('(').next().unwrap_or_default();
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_').to_lowercase()
}

fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The columns between the outer parentheses of a CREATE TABLE.
fn columns(statement: &str) -> BTreeSet<String> {
    const NO_COLUMNS: [&str; 6] = ["primary", "unique", "check", "foreign", "constraint", "exclude"];
    let inner = statement.split_once('(').map_or("", |(_, inner)| inner);
    top_level_parts(inner)
        .iter()
        .filter_map(|part| part.split_whitespace().next().map(plain))
        .filter(|name| !name.is_empty() && !NO_COLUMNS.contains(&name.as_str()))
        .collect()
}

/// Parts between commas that stand in no inner parentheses, up to the one that closes the outer pair.
fn top_level_parts(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0_i32);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
}

fn alter(statement: &str, columns: &mut BTreeSet<String>) {
    for part in top_level_parts(statement) {
        let words: Vec<String> = part.split_whitespace().map(plain).collect();
        for (at, pair) in words.windows(2).enumerate() {
            let name = match words.get(at + 2).map(String::as_str) {
                Some("if") => words.iter().skip(at + 2).find(|word| !["if", "not", "exists"].contains(&word.as_str())),
                Some(_) => words.get(at + 2),
                None => None,
            };
            match (pair[0].as_str(), pair[1].as_str(), name) {
                ("add", "column", Some(name)) => {
                    columns.insert(name.clone());
                }
                ("drop", "column", Some(name)) => {
                    columns.remove(name);
                }
                _ => {}
            }
        }
    }
}

/// Where the twins differ.
pub fn differences(sqlite: &Migrations, postgres: &Migrations) -> Vec<String> {
    let mut found: Vec<String> =
        sqlite.incomplete.iter().chain(&postgres.incomplete).map(|path| format!("{path} is missing.")).collect();
    for (mine, other, name) in [(sqlite, postgres, "postgres"), (postgres, sqlite, "sqlite")] {
        for step in mine.steps.difference(&other.steps) {
            found.push(format!(
                "migrations/{name}/{step} is missing.\n  Migrations are twins: the same names on both databases."
            ));
        }
        found.extend(missing(&mine.tables, &other.tables, &format!("migrations/{name}")));
    }
    found
}

fn missing(mine: &Tables, other: &Tables, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (table, columns) in mine.iter().filter(|(table, _)| !OWN_WAYS.contains(&table.as_str())) {
        let Some(others) = other.get(table) else {
            found.push(format!("{place} lacks the table `{table}`, which the other side has."));
            continue;
        };
        for column in
            columns.difference(others).filter(|column| !OWN_WAYS.contains(&format!("{table}.{column}").as_str()))
        {
            found.push(format!("{place} lacks the column `{table}.{column}`, which the other side has."));
        }
    }
    found
}

/// Where the tables in the code differ from those of the migrations.
pub fn schema_differences(schema: &str, migrated: &Migrations) -> Vec<String> {
    let declared = declared_tables(schema);
    let mut found = missing(&declared, &migrated.tables, "the migrations");
    found.extend(missing(&migrated.tables, &declared, "src/db/schema"));
    found
}

/// The tables that diesel's `table!` blocks declare.
fn declared_tables(schema: &str) -> Tables {
    let mut tables = Tables::new();
    let (mut table, mut renamed): (Option<String>, Option<String>) = (None, None);
    for line in schema.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("#[sql_name = \"").and_then(|rest| rest.split('"').next()) {
            renamed = Some(name.to_owned());
        } else if let Some((column, _)) = line.split_once(" -> ") {
            let column = renamed.take().unwrap_or_else(|| column.trim_start_matches("r#").to_owned());
            if let Some(name) = &table {
                tables.entry(name.clone()).or_default().insert(column);
            }
        } else if line.starts_with('}') {
            table = None;
        } else if line.ends_with('{') && line.contains('(') {
            let name = line.split('(').next().unwrap_or_default().trim();
            table = Some(renamed.take().unwrap_or_else(|| name.rsplit('.').next().unwrap_or_default().to_owned()));
        }
    }
    tables
}

#[cfg(test)]
fn built(sql: &str) -> Migrations {
    let mut found = Migrations { steps: BTreeSet::from(["1_a".to_owned()]), ..Migrations::default() };
    apply(sql, &mut found.tables);
    found
}

#[test]
fn different_spellings_of_one_table_are_equal() {
    let sqlite = built(
        "CREATE TABLE \"a\" (id BLOB PRIMARY KEY NOT NULL, -- key\n n INTEGER DEFAULT (1+2), CHECK (n IN (1,2)), PRIMARY KEY (id, n));\nCREATE VIRTUAL TABLE f USING fts5(b);",
    );
    let postgres = built("create table if not exists a(id uuid primary key, n numeric(10, 2));");
    assert_eq!(differences(&sqlite, &postgres), Vec::<String>::new());
    assert_eq!(sqlite.tables["a"], BTreeSet::from(["id".to_owned(), "n".to_owned()]));
}

#[test]
fn a_missing_column_table_or_step_is_found() {
    let one = built("CREATE TABLE a (id INT, b TEXT); CREATE TABLE c (id INT);");
    let mut two = built("CREATE TABLE a (id INT);");
    two.steps.insert("2_b".to_owned());
    let found = differences(&one, &two);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn later_steps_change_tables() {
    let found = built(
        "CREATE TABLE a (id INT, old INT, gone INT); ALTER TABLE a ADD COLUMN IF NOT EXISTS b TEXT, ADD COLUMN c INT;
         ALTER TABLE a RENAME COLUMN old TO new; ALTER TABLE a DROP COLUMN gone; ALTER TABLE a RENAME TO z; DROP TABLE IF EXISTS q;",
    );
    let names: Vec<&str> = found.tables["z"].iter().map(String::as_str).collect();
    assert_eq!(names, ["b", "c", "id", "new"]);
}

#[test]
fn a_column_that_the_code_does_not_know_is_found() {
    let schema = "diesel::table! {\n    a (id) {\n        id -> Uid,\n        #[sql_name = \"references\"]\n        refs -> Nullable<Doc>,\n    }\n}";
    assert!(schema_differences(schema, &built("CREATE TABLE a (id INT, \"references\" TEXT);")).is_empty());
    assert_eq!(schema_differences(schema, &built("CREATE TABLE a (id INT, \"references\" TEXT, x INT);")).len(), 1);
    assert_eq!(schema_differences(schema, &built("CREATE TABLE a (id INT);")).len(), 1);
}
