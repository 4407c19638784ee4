//! A submission server that needs no login: it says who it is, and that is all a mailbox needs to be connected.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Listens on a free port and gives the `smtp` part of a request that connects a mailbox.
pub async fn start() -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move { drop(serve(stream).await) });
        }
    });
    json!({"host": "localhost", "port": port, "security": "none"})
}

async fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink.example ESMTP\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let verb = line.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-sink.example\r\n250 SIZE 36700160\r\n",
            "NOOP" => b"250 2.0.0 still here\r\n",
            "QUIT" => b"221 2.0.0 bye\r\n",
            _ => b"502 5.5.1 no such command\r\n",
        };
        stream.write_all(answer).await?;
        line.clear();
    }
    Ok(())
}
