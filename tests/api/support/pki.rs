//! A certificate authority for one test process, and its certificate for `localhost`.

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Certificates on disk, as the servers and `EXTRA_CA_CERTS` want them.
pub struct Pki {
    /// The authority's own certificate, PEM.
    pub authority: PathBuf,
    /// The certificate for `localhost` and 127.0.0.1, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    server: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
}

static PKI: LazyLock<Pki> = LazyLock::new(Pki::make);

/// The certificates of this test process.
pub fn pki() -> &'static Pki {
    &PKI
}

impl Pki {
    fn make() -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Authority of the Duplex tests");
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names.clone()).unwrap().signed_by(&key, &issuer).unwrap();
        let mut old = CertificateParams::new(names).unwrap();
        (old.not_before, old.not_after) = (rcgen::date_time_ymd(2024, 1, 1), rcgen::date_time_ymd(2025, 1, 1));
        let expired = old.signed_by(&key, &issuer).unwrap();

        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("pki-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            std::fs::write(&path, pem).unwrap();
            path
        };
        let server = |certificate: &Certificate| {
            let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            certificate: write("certificate.pem", certificate.pem()),
            key: write("key.pem", key.serialize_pem()),
            server: server(&certificate),
            expired: server(&expired),
        }
    }

    /// Takes TLS connections with the certificate for `localhost`.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.server.clone())
    }

    /// The same with a certificate that has expired.
    pub fn expired_acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.expired.clone())
    }
}
