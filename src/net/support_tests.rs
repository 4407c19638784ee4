//! Certificates and servers for tests.

use std::io::Write;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

use super::{Net, NetOptions};

/// A certificate of a server's own making.
pub(crate) struct TestCertificate {
    certified: CertifiedKey<KeyPair>,
}

impl TestCertificate {
    /// For `localhost` and 127.0.0.1.
    pub(crate) fn local() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        Self { certified: CertifiedKey { cert, signing_key } }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certified.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A net that may reach this machine and trusts the certificate.
    pub(crate) fn trusting_net(&self) -> Net {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(self.certified.cert.pem().as_bytes()).unwrap();
        Net::new(NetOptions {
            allow_private_networks: true,
            extra_ca_certs: Some(file.path().to_owned()),
            ..NetOptions::default()
        })
        .unwrap()
    }
}

/// A net that may reach this machine.
pub(crate) fn local_net() -> Net {
    Net::new(NetOptions { allow_private_networks: true, ..NetOptions::default() }).unwrap()
}
