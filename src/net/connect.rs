//! TCP and TLS connections to hosts that users named.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Net, NetError, tls};

/// At most this many addresses of one name are tried.
const MAX_ADDRESSES: usize = 6;

impl Net {
    /// Connects to a host by name or address, trying its addresses in turn.
    ///
    /// # Errors
    /// [`NetError`]: unresolved, private, unreachable or too slow.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, NetError> {
        let mut last =
            NetError::Unreachable { host: host.to_owned(), port, detail: "the name has no address".to_owned() };
        for address in self.resolve(host).await?.into_iter().take(MAX_ADDRESSES) {
            match self.connect_to(host, address, port).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(&self, host: &str, ip: IpAddr, port: u16) -> Result<TcpStream, NetError> {
        let limit = self.inner.options.connect_timeout;
        let attempt = open(SocketAddr::new(ip, port));
        match tokio::time::timeout(limit, attempt).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(NetError::Unreachable { host: host.to_owned(), port, detail: plain_reason(&error) }),
            Err(_elapsed) => Err(NetError::Timeout { host: host.to_owned() }),
        }
    }

    /// Sets up TLS over a connection and checks that the certificate belongs to `server_name`.
    ///
    /// # Errors
    /// [`NetError::Tls`] with the cause, or [`NetError::Timeout`].
    pub async fn tls<S>(&self, stream: S, server_name: &str) -> Result<TlsStream<S>, NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let bare = server_name.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.trim_end_matches('.').to_owned())
            .map_err(|_invalid| NetError::Dns { host: server_name.to_owned() })?;
        let handshake = TlsConnector::from(self.tls_config()).connect(name, stream);
        match tokio::time::timeout(self.inner.options.connect_timeout, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(NetError::Tls { host: server_name.to_owned(), cause: tls::cause(&error) }),
            Err(_elapsed) => Err(NetError::Timeout { host: server_name.to_owned() }),
        }
    }
}

async fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_nodelay(true)?;
    // Half-open connections are the chief cause of syncs that silently stop.
    socket.set_keepalive(true)?;
    socket.connect(address).await
}

fn plain_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "the connection was refused (is the port right?)".to_owned(),
        Kind::NetworkUnreachable | Kind::HostUnreachable => "no way to that network".to_owned(),
        Kind::ConnectionReset | Kind::ConnectionAborted => "the connection was reset".to_owned(),
        Kind::TimedOut => "no answer".to_owned(),
        _ => error.to_string(),
    }
}

/// How long closing a connection politely may take.
pub(crate) const GOODBYE: Duration = Duration::from_secs(3);
