//! Google's service accounts: tokens for a signed statement, without a person (RFC 7523).

use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::refusal::Step;
use super::wire::{Endpoint, Tokens};
use super::{Scopes, Vendor};
use crate::net::Net;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// How long a statement is good; Google takes an hour at most.
const STATEMENT_SECONDS: i64 = 3600;

/// Reading and acknowledging notifications.
const PUBSUB: &str = "https://www.googleapis.com/auth/pubsub";

/// The file that Google's console gives.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: Secret,
    private_key_id: Option<String>,
    token_uri: String,
}

/// A service account of the operator's Google project.
pub struct ServiceAccount {
    email: String,
    key: RsaKeyPair,
    key_id: Option<String>,
    endpoint: Endpoint,
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// One line with the remedy.
    pub fn read(net: &Net, path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the service account's key file {} cannot be read", path.display()))?;
        Self::parse(net, &text).with_context(|| {
            format!(
                "{} is no key file of a Google service account; make a new JSON key in Google's console",
                path.display()
            )
        })
    }

    fn parse(net: &Net, text: &str) -> anyhow::Result<Self> {
        // The reader's own words could quote the key.
        let file: KeyFile = serde_json::from_str(text).map_err(|_| anyhow::anyhow!("a field is missing"))?;
        if file.kind != "service_account" {
            bail!("it is of type {}", file.kind.chars().take(40).collect::<String>());
        }
        let url = Url::parse(&file.token_uri).context("its token_uri is no address")?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("its token_uri is no http address");
        }
        let key = key_pair(file.private_key.expose()).context("its private_key is no RSA key")?;
        let endpoint = Endpoint { http: net.http(), vendor: Vendor::Google, url };
        Ok(Self { email: file.client_email, key, key_id: file.private_key_id, endpoint })
    }

    /// A token to act for a user of the Workspace (domain-wide delegation).
    pub async fn for_mailbox(&self, address: &str, now: DateTime<Utc>) -> Result<Tokens, ProviderError> {
        self.token(&Scopes::own(Vendor::Google).joined(), Some(address), now).await
    }

    /// A token of the account itself, to pull notifications.
    pub async fn for_pubsub(&self, now: DateTime<Utc>) -> Result<Tokens, ProviderError> {
        self.token(PUBSUB, None, now).await
    }

    async fn token(&self, scope: &str, subject: Option<&str>, now: DateTime<Utc>) -> Result<Tokens, ProviderError> {
        let statement = self.statement(scope, subject, now).ok_or_else(|| {
            ProviderError::new(
                ProviderErrorKind::NeedsOperator,
                "service_account_refused",
                "The key of the service account cannot sign. The operator of this server must make a new JSON key.",
            )
        })?;
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", statement.expose())];
        self.endpoint.ask(&form, Step::Service).await
    }

    /// The signed statement, a JWT (RS256).
    fn statement(&self, scope: &str, subject: Option<&str>, now: DateTime<Utc>) -> Option<Secret> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.key_id {
            header["kid"] = json!(id);
        }
        let issued = now.timestamp();
        let mut claims = json!({
            "iss": self.email, "scope": scope, "aud": self.endpoint.url.as_str(),
            "iat": issued, "exp": issued + STATEMENT_SECONDS,
        });
        if let Some(subject) = subject {
            claims["sub"] = json!(subject);
        }
        let encode = |part: &serde_json::Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).ok()?;
        Some(Secret::new(format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))))
    }
}

/// Reads a key in PEM, as PKCS#8 or as PKCS#1.
fn key_pair(pem: &str) -> anyhow::Result<RsaKeyPair> {
    let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64.decode(body.as_bytes()).map_err(|_| anyhow::anyhow!("it is not in PEM"))?;
    let read =
        if pem.contains("BEGIN RSA PRIVATE KEY") { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
    read.map_err(|_| anyhow::anyhow!("it cannot be used"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    const PEM: &str = include_str!("../../../tests/emulators/keys/test-only-service-account-key.pem");

    fn file(kind: &str, key: &str) -> String {
        json!({"type": kind, "client_email": "robot@p.iam.gserviceaccount.com", "private_key": key,
            "private_key_id": "k1", "token_uri": "https://oauth2.googleapis.com/token", "project_id": "p"})
        .to_string()
    }

    fn net() -> Net {
        Net::new(crate::net::NetOptions::default()).unwrap()
    }

    #[test]
    fn a_statement_names_who_asks_for_what_and_is_signed() {
        let account = ServiceAccount::parse(&net(), &file("service_account", PEM)).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let statement = account.statement("scope", Some("ann@example.com"), now).unwrap();
        let parts: Vec<&str> = statement.expose().split('.').collect();
        let read = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(read(parts[0]), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
        assert_eq!(
            read(parts[1]),
            json!({"iss": "robot@p.iam.gserviceaccount.com", "sub": "ann@example.com", "scope": "scope",
                "aud": "https://oauth2.googleapis.com/token", "iat": 1_800_000_000, "exp": 1_800_003_600})
        );
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(account.key.public());
        let signature = BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap();
        let message = format!("{}.{}", parts[0], parts[1]);
        public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_is_refused_without_quoting_it() {
        for text in
            [file("authorized_user", PEM), file("service_account", "geheim"), "{}".to_owned(), "geheim".to_owned()]
        {
            let Err(error) = ServiceAccount::parse(&net(), &text) else { panic!("{text}") };
            assert!(!format!("{error:#}").contains("geheim"), "{error:#}");
        }
    }
}
