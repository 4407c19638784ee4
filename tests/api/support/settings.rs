//! The settings that a test gives the application.

use super::pki::pki;
use std::collections::BTreeMap;
use std::path::Path;

/// Names and values as the environment would hold them.
#[derive(Clone, Debug, Default)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    /// What every test needs: a free port, a folder, a database, loopback mail servers with our authority.
    pub fn for_test(data_dir: &Path, database_url: Option<&str>) -> Self {
        let mut settings = Self::default();
        settings.set("BIND_ADDR", "127.0.0.1:0");
        settings.set("DATA_DIR", &data_dir.to_string_lossy());
        settings.set("ALLOW_PRIVATE_NETWORKS", "true");
        settings.set("EXTRA_CA_CERTS", &pki().authority.to_string_lossy());
        settings.set("ENCRYPTION_KEY", &"5a".repeat(32));
        settings.set("TRACKING_SECRET", "a secret for the tests alone");
        if let Some(url) = database_url {
            settings.set("DATABASE_URL", url);
        }
        settings
    }

    /// Sets one value.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves one setting to its default.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.0.remove(name);
        self
    }
}
