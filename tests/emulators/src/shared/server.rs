//! A server on a port of its own, in a thread of its own, which stops when its handle is dropped.

use super::http::{Headers, Outcome, Reply, Request};
use actix_web::body::SizedStream;
use actix_web::dev::Extensions;
use actix_web::http::{StatusCode, header::ContentLength};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The largest body taken in, above what any provider accepts.
const LARGEST_BODY: usize = 300 * 1024 * 1024;

/// A future that may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What stands behind the server.
pub trait Service: Send + Sync + 'static {
    /// Handles one request.
    fn serve(self: Arc<Self>, request: Request) -> BoxFuture<Outcome>;

    /// Runs beside the requests until the server stops.
    fn run(self: Arc<Self>) -> BoxFuture<()>;
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Listens there and starts serving; port 0 takes a free one. The service is made once the URL is known.
    pub fn start<S: Service>(address: &str, make: impl FnOnce(&str) -> Arc<S>) -> io::Result<(Self, Arc<S>)> {
        let listener = TcpListener::bind(address)?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = make(&url);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let served = Arc::clone(&service);
        let thread = std::thread::Builder::new().name("emulator".to_owned()).spawn(move || {
            actix_web::rt::System::new().block_on(serve(listener, served, stopped, ready));
        })?;
        is_ready.recv().map_err(|_| io::Error::other("the emulator's thread ended before it served"))??;
        Ok((Self { url, stop: Some(stop), thread: Some(thread) }, service))
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    stopped: oneshot::Receiver<()>,
    ready: mpsc::Sender<io::Result<()>>,
) {
    let background = actix_web::rt::spawn(Arc::clone(&service).run());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(web::Data::from(Arc::clone(&service)))
            .default_service(web::to(answer::<S>))
    })
    .workers(2)
    .shutdown_timeout(0)
    .disable_signals()
    .on_connect(keep_socket)
    .listen(listener);
    let server = match server {
        Ok(server) => server.run(),
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let handle = server.handle();
    let _ = ready.send(Ok(()));
    let running = actix_web::rt::spawn(server);
    let _ = stopped.await;
    handle.stop(false).await;
    background.abort();
    let _ = running.await;
}

/// A second handle on the connection's socket, to close it without an answer.
struct Socket(TcpStream);

fn keep_socket(connection: &dyn Any, data: &mut Extensions) {
    let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>();
    if let Some(socket) = stream.and_then(|stream| stream.as_fd().try_clone_to_owned().ok()) {
        data.insert(Socket(TcpStream::from(socket)));
    }
}

async fn answer<S: Service>(incoming: HttpRequest, body: Bytes, service: web::Data<S>) -> HttpResponse {
    let headers = incoming
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let request = Request {
        method: incoming.method().as_str().to_owned(),
        path: incoming.uri().path().to_owned(),
        query: incoming.query_string().to_owned(),
        headers: Headers(headers.collect()),
        body,
    };
    match service.into_inner().serve(request).await {
        Outcome::Reply(reply) => whole(reply),
        Outcome::Cut(reply) => half(&reply),
        Outcome::Closed => {
            if let Some(socket) = incoming.conn_data::<Socket>() {
                let _ = socket.0.shutdown(Shutdown::Both);
            }
            HttpResponse::InternalServerError().force_close().finish()
        }
    }
}

fn head(reply: &Reply) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY));
    for (name, value) in &reply.headers.0 {
        response.append_header((name.as_str(), value.as_str()));
    }
    response
}

fn whole(reply: Reply) -> HttpResponse {
    head(&reply).body(reply.body)
}

/// Promises the whole body and sends half of it.
fn half(reply: &Reply) -> HttpResponse {
    let length = reply.body.len();
    let first = reply.body.slice(..length / 2);
    let broken = stream::once(async {
        // The first half has to be on its way before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let pieces = stream::iter([Ok(first)]).chain(broken);
    let body = SizedStream::new(length as u64, pieces);
    head(reply).insert_header(ContentLength(length)).body(body)
}
