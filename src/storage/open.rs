//! Opens the object store that the settings name.

use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use anyhow::Context;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{ClientOptions, HttpClient, HttpConnector};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use super::Storage;
use crate::config::StorageConfig;
use crate::net::Net;

/// Answers of S3 begin well before; a hanging one is tried again by the client library.
const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

impl Storage {
    /// Opens the folder or bucket that the settings name, and writes to a folder once to see that it can.
    ///
    /// A folder is made when only its last part is absent. A bucket is not asked yet: see [`Storage::check`].
    ///
    /// # Errors
    /// One line that names the setting, when the folder cannot be used or the settings of the bucket make no sense.
    pub async fn open(config: &StorageConfig, net: &Net) -> anyhow::Result<Self> {
        match config {
            StorageConfig::Folder(path) => {
                let storage = folder(path)?;
                let checked = storage.check().await;
                checked.with_context(|| format!("cannot write to the folder {} of STORAGE_URL", path.display()))?;
                Ok(storage)
            }
            StorageConfig::S3 { bucket, prefix, region, endpoint, options } => {
                let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
                for (name, value) in options {
                    // Names that the client does not know, such as AWS_PROFILE, are not for it.
                    if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                        builder = builder.with_config(key, value.expose());
                    }
                }
                if let Some(region) = region {
                    builder = builder.with_region(region);
                }
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
                }
                let builder = builder.with_http_connector(Connector(net.tls_config()));
                let store = builder.build().context("the settings of S3 do not fit")?;
                let store = Arc::new(PrefixStore::new(store, Path::from(prefix.as_str())));
                Ok(Self { store: store.clone(), durable: store })
            }
        }
    }
}

/// Reaches S3 with the TLS settings of the whole process. The operator chose the endpoint, so it may be a private one.
#[derive(Debug)]
struct Connector(Arc<rustls::ClientConfig>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*self.0).clone())
            .connect_timeout(std::time::Duration::from_secs(5))
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(HttpClient::new(client))
    }
}

fn folder(path: &FilePath) -> anyhow::Result<Storage> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make the folder {} of STORAGE_URL", path.display()));
        }
        _ => {}
    }
    let open =
        || LocalFileSystem::new_with_prefix(path).with_context(|| format!("cannot use the folder {}", path.display()));
    Ok(Storage { store: Arc::new(open()?.with_automatic_cleanup(true)), durable: Arc::new(open()?.with_fsync(true)) })
}
