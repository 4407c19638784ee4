//! One WebSocket connection.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use futures_util::StreamExt;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::frame;
use crate::access::{Access, Scope};
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::error::{ApiError, ApiResult, Problem};
use crate::events::{Event, Events};

/// How often the other side is asked for a sign of life; proxies cut silent connections after a minute.
const PING: Duration = Duration::from_secs(25);

/// Rights are looked at again so often: a session that was ended must not go on listening.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Opens a WebSocket with the news of the caller's mailboxes: one JSON object a frame, `{id, type, occurred_at, data}`.
#[utoipa::path(tag = "realtime", operation_id = "open_events", responses((status = 101), (status = 401, body = Problem)))]
#[get("/api/ws")]
pub(super) async fn open(
    access: Access,
    request: HttpRequest,
    body: web::Payload,
    events: web::Data<Events>,
    accounts: web::Data<Accounts>,
    clock: web::Data<Clock>,
) -> ApiResult<HttpResponse> {
    access.require(Scope::Read)?;
    same_origin(&request)?;
    let (response, session, messages) =
        actix_ws::handle(&request, body).map_err(|error| ApiError::invalid("upgrade", error.to_string()))?;
    let listener = events.subscribe();
    actix_web::rt::spawn(talk(access, session, messages, listener, accounts, clock));
    Ok(response)
}

/// A page from elsewhere must not listen with our visitor's cookie: browsers send `Origin` with every WebSocket.
fn same_origin(request: &HttpRequest) -> ApiResult<()> {
    let Some(origin) = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    let info = request.connection_info();
    let same = Url::parse(origin).is_ok_and(|origin| {
        let host = match (origin.host_str(), origin.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return false,
        };
        host.eq_ignore_ascii_case(info.host())
    });
    if same { Ok(()) } else { Err(ApiError::forbidden("A page of another origin may not listen here.")) }
}

async fn talk(
    access: Access,
    mut session: Session,
    mut messages: MessageStream,
    mut listener: broadcast::Receiver<Event>,
    accounts: web::Data<Accounts>,
    clock: web::Data<Clock>,
) {
    let mut ping = tokio::time::interval(PING);
    let end = tokio::time::sleep(LIFETIME);
    tokio::pin!(end);
    let reason = loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(Ok(Message::Ping(bytes))) => if session.pong(&bytes).await.is_err() { return },
                Some(Ok(Message::Close(reason))) => break reason,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            event = listener.recv() => match event {
                Ok(event) if concerns(&event, &access) => {
                    if !tell(&mut session, &event, &accounts, &clock).await { return }
                }
                Ok(_) => {}
                // It fell behind: the client reads the lists again when it comes back.
                Err(RecvError::Lagged(_)) => break Some(CloseReason::from(CloseCode::Again)),
                Err(RecvError::Closed) => break Some(CloseReason::from(CloseCode::Restart)),
            },
            _ = ping.tick() => if session.ping(b"").await.is_err() { return },
            () = &mut end => break Some(CloseReason::from(CloseCode::Again)),
        }
    };
    if session.close(reason).await.is_err() {
        tracing::debug!("a WebSocket was gone before it could be closed");
    }
}

/// Whether the caller may hear of it: until mail is shared, only the owner of the mailbox.
fn concerns(event: &Event, access: &Access) -> bool {
    event.account().is_some_and(|account| account.org == access.org && account.user == access.user)
}

/// Sends the frame of an event; answers whether the connection still stands.
async fn tell(session: &mut Session, event: &Event, accounts: &Accounts, clock: &Clock) -> bool {
    match frame::of(event, accounts, clock.now()).await {
        Ok(Some(frame)) => match serde_json::to_string(&frame) {
            Ok(text) => session.text(text).await.is_ok(),
            Err(_) => true,
        },
        Ok(None) => true,
        Err(error) => {
            tracing::warn!(error = %error, "news could not be read for a WebSocket");
            true
        }
    }
}
