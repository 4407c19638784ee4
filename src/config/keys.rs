//! The keys: given as settings, or generated once into `DATA_DIR/secrets.toml` for a server on SQLite.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use ring::rand::{SecureRandom, SystemRandom};

use super::Source;
use crate::db::DatabaseUrl;
use crate::secret::Secret;

const FILE: &str = "secrets.toml";

/// A key of 256 bits.
#[derive(Clone)]
pub struct KeyMaterial(pub [u8; 32]);

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// The keys of this server.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The keys that open credentials; the first one seals.
    pub encryption: Vec<KeyMaterial>,
    /// The secret of tracking tokens.
    pub tracking: Secret,
}

impl Keys {
    /// Reads the keys; on SQLite the missing ones are generated and kept.
    pub(super) fn load(source: &Source, data_dir: &Path, database: &DatabaseUrl) -> anyhow::Result<Self> {
        let mut encryption = source.get("ENCRYPTION_KEY");
        let mut tracking = source.get("TRACKING_SECRET");
        if encryption.is_none() || tracking.is_none() {
            match database {
                DatabaseUrl::Postgres(_) => bail!(
                    "with PostgreSQL, ENCRYPTION_KEY (64 hex digits) and TRACKING_SECRET must be set, the same on every copy; make each with: openssl rand -hex 32"
                ),
                DatabaseUrl::Sqlite(_) => {
                    let kept = kept_or_generated(data_dir)?;
                    encryption = encryption.or(Some(kept.0));
                    tracking = tracking.or(Some(kept.1));
                }
            }
        }
        let encryption = parse_encryption(&encryption.unwrap_or_default())?;
        let tracking = tracking.unwrap_or_default();
        if tracking.len() < 16 {
            bail!("TRACKING_SECRET is too short to be secret; make one with: openssl rand -hex 32");
        }
        Ok(Self { encryption, tracking: Secret::new(tracking) })
    }
}

/// Reads `HEX` or `kid:HEX,kid:HEX`. The names are for people: sealed values name their key by a digest of it.
fn parse_encryption(text: &str) -> anyhow::Result<Vec<KeyMaterial>> {
    let keys = text
        .split(',')
        .map(|item| {
            let hex = item.rsplit_once(':').map_or(item, |(_, hex)| hex).trim();
            let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
            Some(KeyMaterial(bytes.try_into().ok()?))
        })
        .collect::<Option<Vec<_>>>();
    keys.context(
        "ENCRYPTION_KEY must be 64 hex digits, or kid:hex,kid:hex while rotating; make one with: openssl rand -hex 32",
    )
}

fn kept_or_generated(data_dir: &Path) -> anyhow::Result<(String, String)> {
    let path = data_dir.join(FILE);
    if !path.exists() {
        generate(&path)?;
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table =
        text.parse().with_context(|| format!("{} is damaged; restore it from a backup", path.display()))?;
    let value = |name: &str| table.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    match (value("ENCRYPTION_KEY"), value("TRACKING_SECRET")) {
        (Some(encryption), Some(tracking)) => Ok((encryption, tracking)),
        _ => bail!("{} lacks ENCRYPTION_KEY or TRACKING_SECRET; restore it from a backup", path.display()),
    }
}

/// Writes a new file beside and links it into place: of two processes that start at once, one wins and both read it.
fn generate(path: &Path) -> anyhow::Result<()> {
    let text = format!(
        "# Made by Duplex at its first start. Without this file stored credentials cannot be opened: back it up, keep it secret.\nENCRYPTION_KEY = \"{}\"\nTRACKING_SECRET = \"{}\"\n",
        random_hex()?,
        random_hex()?
    );
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .with_context(|| format!("cannot write {}", draft.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("cannot write {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(HEXLOWER_PERMISSIVE.encode(&bytes))
}
