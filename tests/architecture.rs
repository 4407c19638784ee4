//! The rules of the house, checked on the sources themselves.
//!
//! `docs/ARCHITECTURE.md` draws the floors and gives the reasons. Each failure here names the file, the
//! line, the rule and the way out. The checkers are tested on small texts beside their code.

mod architecture {
    pub mod floors;
    pub mod front_door;
    pub mod house;
    pub mod migrations;
    pub mod references;
    pub mod settings;
    pub mod source;
}

use architecture::{floors, front_door, house, migrations, settings, source::Source};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n\n{}\n", violations.join("\n\n"));
}

#[test]
fn imports_point_down() {
    none(floors::upward_imports(&Source::all(root(), &["src"])));
}

#[test]
fn modules_of_one_floor_have_no_cycles() {
    none(floors::cycles(&Source::all(root(), &["src"])));
}

#[test]
fn the_table_of_floors_names_every_module() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    none(floors::unknown_modules(&lib));
}

#[test]
fn protocols_know_neither_database_nor_web_server() {
    none(floors::protocols_that_reach_out(&Source::all(root(), &["src"])));
}

#[test]
fn features_meet_at_their_front_doors() {
    none(front_door::back_door_imports(&Source::all(root(), &["src"])));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    none(house::long_files(&Source::all(root(), &["src", "tests", "benches"])));
}

#[test]
fn queries_live_in_stores() {
    none(house::queries_outside_stores(&Source::all(root(), &["src"])));
}

#[test]
fn nothing_panics_and_no_lint_is_silenced_outside_tests() {
    none(house::shortcuts(&Source::all(root(), &["src"])));
}

#[test]
fn no_promise_of_later_work_is_left() {
    none(house::promises(&Source::all(root(), &["src", "tests", "benches"])));
}

#[test]
fn migrations_are_twins() {
    let folder = root().join("migrations");
    let sqlite = migrations::read(&folder.join("sqlite"));
    let postgres = migrations::read(&folder.join("postgres"));
    none(migrations::differences(&sqlite, &postgres));
}

#[test]
fn the_schema_in_code_is_the_schema_of_the_migrations() {
    let migrated = migrations::read(&root().join("migrations/postgres"));
    let sources = Source::all(root(), &["src/db"]);
    let schema: String = sources
        .iter()
        .filter(|source| source.modules().contains(&"schema"))
        .map(|source| source.text.as_str())
        .collect();
    none(migrations::schema_differences(&schema, &migrated));
}

#[test]
fn the_manual_of_settings_lists_what_the_code_reads() {
    let code = std::fs::read_to_string(root().join("src/config/source.rs")).unwrap();
    let manual = std::fs::read_to_string(root().join(".env.example")).unwrap();
    none(settings::differences(&code, &manual));
}

#[test]
fn the_record_of_decisions_lists_every_note() {
    let folder = root().join("docs/adr");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name != "README.md" && !index.contains(&format!("({name})")) {
            missing.push(format!("docs/adr/README.md does not list {name}.\n  Add a line, so that it is found."));
        }
    }
    none(missing);
}
