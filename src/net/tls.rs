//! The one TLS configuration of the process: rustls over ring.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use super::certificate::{SelfSigned, Verifier};
use super::{NetError, TlsCause};

/// Trusts the system's authorities, the bundled ones, and those in the operator's file.
pub(super) fn client_config(extra: Option<&Path>) -> Result<ClientConfig, NetError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "some system certificates could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    let listed = extra.map(read_pem).transpose()?.unwrap_or_default();
    roots.add_parsable_certificates(listed.iter().cloned());

    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| NetError::Config(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NetError::Config(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { inner, listed }))
        .with_no_client_auth();
    Ok(config)
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        NetError::Config(format!("EXTRA_CA_CERTS: {} cannot be read as PEM certificates: {error}", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| unreadable(&error))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    if certificates.is_empty() {
        return Err(unreadable(&"it holds none"));
    }
    Ok(certificates)
}

/// Finds the plain cause in a failed handshake.
pub(super) fn cause(error: &std::io::Error) -> TlsCause {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(tls) => cause_of(tls),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof
            || error.kind() == std::io::ErrorKind::ConnectionReset =>
        {
            TlsCause::Closed
        }
        None => TlsCause::Other(error.to_string()),
    }
}

fn cause_of(error: &Error) -> TlsCause {
    match error {
        Error::InvalidCertificate(problem) => certificate_cause(problem),
        Error::InvalidMessage(_) => TlsCause::NotTls,
        Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            TlsCause::Other("the server offers no encryption that is still considered safe".into())
        }
        other => TlsCause::Other(other.to_string()),
    }
}

fn certificate_cause(problem: &CertificateError) -> TlsCause {
    use CertificateError as C;
    match problem {
        C::Expired | C::ExpiredContext { .. } => TlsCause::Expired,
        C::NotValidYet | C::NotValidYetContext { .. } => TlsCause::NotYetValid,
        C::NotValidForName | C::NotValidForNameContext { .. } => TlsCause::WrongName,
        C::UnknownIssuer => TlsCause::UnknownIssuer,
        C::Revoked => TlsCause::Revoked,
        C::Other(other) if other.0.is::<SelfSigned>() => TlsCause::SelfSigned,
        other => TlsCause::Other(format!("the server's certificate is not good: {other}")),
    }
}
