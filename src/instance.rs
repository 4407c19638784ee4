//! The name of this process in leases.
//!
//! A server that was killed comes back under the same name and frees at once what it had claimed; the name is kept in the
//! data folder, locked while it is in use. A second process on the same folder gets a name of its own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::Context;
use uuid::Uuid;

/// The name, and the lock that keeps it ours.
pub struct Instance {
    name: String,
    lock: Option<File>,
}

impl Instance {
    /// Takes the name that is kept in the data folder, or makes one.
    ///
    /// # Errors
    /// When the data folder cannot be written.
    pub fn claim(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("instance");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Self { name: Uuid::now_v7().to_string(), lock: None }),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
        let name = match Uuid::parse_str(text.trim()) {
            Ok(name) => name.to_string(),
            Err(_) => {
                let name = Uuid::now_v7().to_string();
                file.rewind()?;
                file.set_len(0)?;
                file.write_all(name.as_bytes())?;
                name
            }
        };
        Ok(Self { name, lock: Some(file) })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the name is the one of the folder, so that claims under it are left-overs of our own.
    pub fn is_lasting(&self) -> bool {
        self.lock.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_keeps_the_name_and_a_second_process_gets_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = Instance::claim(dir.path()).unwrap();
        let second = Instance::claim(dir.path()).unwrap();
        assert_ne!(first.name(), second.name());
        assert!(!second.is_lasting());
        let name = first.name().to_owned();
        drop(first);
        assert_eq!(Instance::claim(dir.path()).unwrap().name(), name);
    }
}
