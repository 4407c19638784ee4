//! One WebSocket connection.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use url::Url;
use utoipa::IntoParams;

use super::feed::Feed;
use super::frame;
use crate::access::{Access, Scope};
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::error::{ApiError, ApiResult, Problem};
use crate::events::{AccountRef, Event, Events};
use crate::http::QueryParams;
use crate::outbox::{After, Outbox};

/// How often the other side is asked for a sign of life; proxies cut silent connections after a minute.
const PING: Duration = Duration::from_secs(25);

/// How long a frame may wait for a client that does not read.
const PATIENCE: Duration = Duration::from_secs(30);

/// When news that could not be read are looked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Rights are looked at again so often: a session that was ended must not go on listening.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Where a connection starts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SocketParams {
    /// The last `seq` that is known: what followed it is sent first. Without it the news begin now.
    #[param(value_type = Option<i64>)]
    after: Option<After>,
}

/// Opens a WebSocket with the news of the caller's mailboxes: one JSON object a frame.
///
/// Events are the same as in `GET /api/events`: `{id, type, seq, occurred_at, data}`, each once and in the order of `seq`.
/// `sync.progress` comes without `seq`, and so does `events.expired`: the first frame when what follows `after` is not kept
/// any more. Its `data.earliest_seq` is where the events then begin; read the lists again.
#[utoipa::path(tag = "realtime", operation_id = "open_events", params(SocketParams), responses(
    (status = 101), (status = 401, body = Problem), (status = 422, body = Problem),
))]
#[get("/api/ws")]
pub(super) async fn open(
    access: Access,
    request: HttpRequest,
    QueryParams(params): QueryParams<SocketParams>,
    body: web::Payload,
    (events, outbox): (web::Data<Events>, web::Data<Outbox>),
    (accounts, clock): (web::Data<Accounts>, web::Data<Clock>),
) -> ApiResult<HttpResponse> {
    access.require(Scope::Read)?;
    same_origin(&request)?;
    // Before the first look: what rings from here on is not lost.
    let listener = events.subscribe();
    let feed = Feed::start(outbox.into_inner(), &access, params.after.map(|after| after.0)).await?;
    let (response, session, messages) =
        actix_ws::handle(&request, body).map_err(|error| ApiError::invalid("upgrade", error.to_string()))?;
    let talk = Talk { access, session, feed, accounts, clock, behind: true };
    actix_web::rt::spawn(talk.run(messages, listener));
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

/// One connection.
struct Talk {
    access: Access,
    session: Session,
    feed: Feed,
    accounts: web::Data<Accounts>,
    clock: web::Data<Clock>,
    /// Facts may wait to be sent.
    behind: bool,
}

/// The other side has gone.
struct Gone;

impl Talk {
    async fn run(mut self, messages: MessageStream, listener: broadcast::Receiver<Event>) {
        let Ok(reason) = self.talk(messages, listener).await else { return };
        if self.session.close(reason).await.is_err() {
            tracing::debug!("a WebSocket was gone before it could be closed");
        }
    }

    /// Talks until one side ends it; answers why.
    async fn talk(
        &mut self,
        mut messages: MessageStream,
        mut listener: broadcast::Receiver<Event>,
    ) -> Result<Option<CloseReason>, Gone> {
        if let Some(earliest) = self.feed.expired {
            self.send(&frame::expired(earliest, self.clock.now())).await?;
        }
        self.catch_up().await?;
        let mut ping = tokio::time::interval(PING);
        let mut again = tokio::time::interval(AGAIN);
        let end = tokio::time::sleep(LIFETIME);
        tokio::pin!(end);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(Message::Ping(bytes))) => self.session.pong(&bytes).await.map_err(|_| Gone)?,
                    Some(Ok(Message::Close(reason))) => return Ok(reason),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(Gone),
                },
                event = listener.recv() => match event {
                    Ok(Event::FactsNumbered(org)) if org == self.access.org => self.catch_up().await?,
                    Ok(Event::SyncProgress(account)) if self.may_see(account) => self.tell_progress(Some(account)).await?,
                    Ok(_) => {}
                    // It fell behind: the facts are in the outbox, and how mailboxes stand in their rows.
                    Err(RecvError::Lagged(_)) => {
                        self.catch_up().await?;
                        self.tell_progress(None).await?;
                    }
                    Err(RecvError::Closed) => return Ok(Some(CloseReason::from(CloseCode::Restart))),
                },
                _ = again.tick(), if self.behind => self.catch_up().await?,
                _ = ping.tick() => self.session.ping(b"").await.map_err(|_| Gone)?,
                () = &mut end => return Ok(Some(CloseReason::from(CloseCode::Again))),
            }
        }
    }

    /// Whether the caller may hear of a mailbox: until mail is shared, only its owner.
    fn may_see(&self, account: AccountRef) -> bool {
        account.org == self.access.org && account.user == self.access.user
    }

    /// Sends the facts that were not sent yet.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        self.behind = true;
        while self.behind {
            match self.feed.next().await {
                Ok((facts, more)) => {
                    for fact in &facts {
                        self.send(fact).await?;
                    }
                    self.behind = more;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "facts could not be read for a WebSocket; trying again");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends how far one mailbox is, or each of the caller's.
    async fn tell_progress(&mut self, of: Option<AccountRef>) -> Result<(), Gone> {
        let frames = async {
            let found = match of {
                Some(at) => self.accounts.find(at.org, at.account).await?.into_iter().collect(),
                None => self.accounts.list(&self.access, false).await?,
            };
            let mut frames = Vec::with_capacity(found.len());
            for account in &found {
                frames.push(frame::progress(account, &self.accounts, self.clock.now()).await?);
            }
            Ok::<_, ApiError>(frames)
        };
        match frames.await {
            Ok(frames) => {
                for frame in &frames {
                    self.send(frame).await?;
                }
            }
            Err(error) => tracing::warn!(error = %error, "progress could not be read for a WebSocket"),
        }
        Ok(())
    }

    async fn send(&mut self, frame: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(frame).map_err(|_| Gone)?;
        match tokio::time::timeout(PATIENCE, self.session.text(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
