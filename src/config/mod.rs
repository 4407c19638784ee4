//! The settings: environment variables, or the same names in a TOML file given by `--config`.
//!
//! Each is read once, at the start, into a type that cannot hold a bad value. A feature gets its own part, never the whole.
//! `.env.example` is the manual.

mod keys;
mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ipnet::IpNet;
use url::Url;

use crate::db::DatabaseUrl;
use crate::secret::Secret;

pub use keys::{KeyMaterial, Keys};
pub use source::Source;

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where people and providers reach this server; without a trailing slash. Empty port 0 is filled in when bound.
    pub app_url: Option<String>,
    /// The address to listen on.
    pub bind_addr: SocketAddr,
    /// The folder of database, files and generated keys.
    pub data_dir: PathBuf,
    /// The database.
    pub database_url: DatabaseUrl,
    /// The object store, `file://…` or `s3://…`.
    pub storage: StorageConfig,
    /// The keys that seal credentials, and the secret of tracking tokens.
    pub keys: Keys,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins that may call the API from a browser.
    pub cors_allowed_origins: Vec<String>,
    /// Whether users may name hosts with private addresses.
    pub allow_private_networks: bool,
    /// A PEM file of further certificate authorities.
    pub extra_ca_certs: Option<PathBuf>,
    /// When the periodic sync runs, with seconds, in UTC.
    pub sync_cron: String,
    /// How logs look.
    pub log_format: LogFormat,
    /// What is logged (`RUST_LOG`).
    pub log_filter: String,
}

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageConfig {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of S3 or something that speaks like it.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix of every key, without slashes at its ends.
        prefix: String,
        /// The region.
        region: Option<String>,
        /// The endpoint, for MinIO and kin.
        endpoint: Option<String>,
        /// `AWS_…` variables as the client library reads them.
        options: Vec<(String, Secret)>,
    },
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads and checks the settings; makes the default data folder and missing keys.
    ///
    /// # Errors
    /// One line that names the setting and the remedy.
    pub fn load(source: &Source) -> anyhow::Result<Self> {
        let data_dir = data_dir(source)?;
        let database_url = database_url(source, &data_dir)?;
        Ok(Self {
            app_url: app_url(source)?,
            bind_addr: parsed(source, "BIND_ADDR", "127.0.0.1:8080", "an address such as 127.0.0.1:8080")?,
            storage: storage(source, &data_dir)?,
            keys: Keys::load(source, &data_dir, &database_url)?,
            trusted_proxies: proxies(source)?,
            cors_allowed_origins: list(source, "CORS_ALLOWED_ORIGINS"),
            allow_private_networks: parsed(source, "ALLOW_PRIVATE_NETWORKS", "false", "true or false")?,
            extra_ca_certs: existing_file(source, "EXTRA_CA_CERTS")?,
            sync_cron: source.get("SYNC_CRON").unwrap_or_else(|| "0 */10 * * * *".to_owned()),
            log_format: log_format(source)?,
            log_filter: source.get("RUST_LOG").unwrap_or_else(|| "info".to_owned()),
            data_dir,
            database_url,
        })
    }

    /// Where people reach this server, once the port is known.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        self.app_url.clone().unwrap_or_else(|| format!("http://{bound}"))
    }
}

/// The data folder: the default one is created, a named one must be there, so that a typo never makes an empty database.
fn data_dir(source: &Source) -> anyhow::Result<PathBuf> {
    let Some(named) = source.get("DATA_DIR") else {
        let default = PathBuf::from("./data");
        std::fs::create_dir_all(&default)
            .context("cannot create the folder ./data; set DATA_DIR to a folder that can be written")?;
        return Ok(default);
    };
    let path = PathBuf::from(&named);
    if !path.is_dir() {
        bail!("DATA_DIR {named} is not a folder; create it first, or correct the setting");
    }
    Ok(path)
}

fn database_url(source: &Source, data_dir: &Path) -> anyhow::Result<DatabaseUrl> {
    let Some(url) = source.get("DATABASE_URL") else { return Ok(DatabaseUrl::Sqlite(data_dir.join("duplex.db"))) };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Url::parse(&url).map_err(|error| anyhow::anyhow!("DATABASE_URL is not a valid address: {error}"))?;
        return Ok(DatabaseUrl::Postgres(Secret::new(url)));
    }
    let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) else {
        bail!("DATABASE_URL must begin with sqlite:// or postgres://");
    };
    let path = PathBuf::from(path);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!(
            "the folder {} of DATABASE_URL does not exist; create it first, or correct the setting",
            folder.display()
        );
    }
    Ok(DatabaseUrl::Sqlite(path))
}

fn app_url(source: &Source) -> anyhow::Result<Option<String>> {
    let Some(text) = source.get("APP_URL") else { return Ok(None) };
    let url = Url::parse(&text).context("APP_URL must be an address such as https://mail.example.com")?;
    if !matches!(url.scheme(), "http" | "https")
        || url.host().is_none()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        bail!("APP_URL must be an http or https address without query, such as https://mail.example.com");
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

fn storage(source: &Source, data_dir: &Path) -> anyhow::Result<StorageConfig> {
    let url = match (source.get("STORAGE_URL"), source.get("S3_BUCKET")) {
        (Some(url), _) => url,
        (None, Some(bucket)) => format!("s3://{bucket}"),
        (None, None) => return Ok(StorageConfig::Folder(data_dir.join("attachments"))),
    };
    if let Some(path) = url.strip_prefix("file://") {
        return Ok(StorageConfig::Folder(PathBuf::from(path)));
    }
    let Some(rest) = url.strip_prefix("s3://").filter(|rest| !rest.is_empty()) else {
        bail!("STORAGE_URL must begin with file:// or s3://");
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    Ok(StorageConfig::S3 {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        region: source.get("S3_REGION"),
        endpoint: source.get("S3_ENDPOINT"),
        options: source.with_prefix("AWS_"),
    })
}

fn proxies(source: &Source) -> anyhow::Result<Vec<IpNet>> {
    list(source, "TRUSTED_PROXIES")
        .iter()
        .map(|text| {
            text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(|_| {
                anyhow::anyhow!("TRUSTED_PROXIES: {text} is neither an address nor a range such as 10.0.0.0/8")
            })
        })
        .collect()
}

fn log_format(source: &Source) -> anyhow::Result<LogFormat> {
    use std::io::IsTerminal;
    match source.get("LOG_FORMAT").as_deref() {
        Some("pretty") => Ok(LogFormat::Pretty),
        Some("json") => Ok(LogFormat::Json),
        Some(_) => bail!("LOG_FORMAT must be pretty or json"),
        None if std::io::stderr().is_terminal() => Ok(LogFormat::Pretty),
        None => Ok(LogFormat::Json),
    }
}

fn existing_file(source: &Source, name: &str) -> anyhow::Result<Option<PathBuf>> {
    let Some(path) = source.get(name).map(PathBuf::from) else { return Ok(None) };
    if !path.is_file() {
        bail!("{name}: there is no file {}", path.display());
    }
    Ok(Some(path))
}

fn list(source: &Source, name: &str) -> Vec<String> {
    let text = source.get(name).unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn parsed<T: std::str::FromStr>(source: &Source, name: &str, default: &str, wanted: &str) -> anyhow::Result<T> {
    let text = source.get(name).unwrap_or_else(|| default.to_owned());
    text.trim().parse().map_err(|_| anyhow::anyhow!("{name} must be {wanted}, not \"{text}\""))
}

#[cfg(test)]
mod config_tests;
