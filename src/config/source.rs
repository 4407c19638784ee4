//! Where settings come from.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};

use crate::secret::Secret;

/// Every name that a settings file may hold.
const NAMES: &[&str] = &[
    "APP_URL",
    "BIND_ADDR",
    "DATA_DIR",
    "DATABASE_URL",
    "STORAGE_URL",
    "S3_BUCKET",
    "S3_REGION",
    "S3_ENDPOINT",
    "ENCRYPTION_KEY",
    "TRACKING_SECRET",
    "TRUSTED_PROXIES",
    "CORS_ALLOWED_ORIGINS",
    "ALLOW_PRIVATE_NETWORKS",
    "EXTRA_CA_CERTS",
    "SYNC_CRON",
    "LOG_FORMAT",
    "RUST_LOG",
];

/// Settings by name. An environment variable goes before the same name in the file; an empty one counts as absent.
#[derive(Clone, Default)]
pub struct Source(BTreeMap<String, Secret>);

impl Source {
    /// Reads the environment and, when given, a TOML file.
    ///
    /// # Errors
    /// When the file cannot be read or holds a name that does not exist.
    pub fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut settings = BTreeMap::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings file {}", path.display()))?;
            let table: toml::Table =
                text.parse().with_context(|| format!("the settings file {} is not valid TOML", path.display()))?;
            for (name, value) in table {
                if !NAMES.contains(&name.as_str()) && !name.starts_with("AWS_") {
                    bail!("{} in {} is no setting of Duplex; .env.example lists them all", name, path.display());
                }
                settings.insert(name, Secret::new(plain(value)));
            }
        }
        for (name, value) in std::env::vars() {
            if NAMES.contains(&name.as_str()) || name.starts_with("AWS_") {
                settings.insert(name, Secret::new(value));
            }
        }
        Ok(Self(settings))
    }

    /// Settings given directly, as tests do.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), Secret::new(value))).collect())
    }

    /// The value of a setting, if there is one.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.expose().trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// All settings whose name begins so.
    pub fn with_prefix(&self, prefix: &str) -> Vec<(String, Secret)> {
        let matching = self.0.iter().filter(|(name, _)| name.starts_with(prefix));
        matching.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// A TOML value as the environment would write it.
fn plain(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        toml::Value::Array(items) => items.into_iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
