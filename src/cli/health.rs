//! Asks a running server whether it is well, for container health checks.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends `GET /healthz` to the address that the server listens on.
pub(super) async fn check(mut address: SocketAddr) -> anyhow::Result<()> {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), ask(address)).await;
    let answer = answer
        .context("the server does not answer in time")?
        .with_context(|| format!("nothing answers at {address}"))?;
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("the server answers, but is not well: {}", answer.lines().next().unwrap_or_default());
    }
    Ok(())
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    Ok(answer)
}
