//! Shows how mails are read.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::mail;

/// Prints one JSON line a file; folders are walked, in the order of their names.
pub(super) fn print(paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in paths {
        for file in files(path)? {
            let raw = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let mut line = mail::inspect(&raw);
            if let Some(object) = line.as_object_mut() {
                object.insert("file".to_owned(), file.display().to_string().into());
            }
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
    let mut inside = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    inside.sort();
    let mut all = Vec::new();
    for entry in inside {
        all.extend(files(&entry)?);
    }
    Ok(all)
}
