//! Connecting mailboxes: with a password, in the browser at the provider, or as an administrator.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::show_one;
use crate::access::Access;
use crate::accounts::Accounts;
use crate::accounts::connect::{NewImapAccount, checked_address};
use crate::accounts::dto::{
    AccountDto, ConnectBegun, ConnectOutcome, ConnectRequest, CredentialsKind, NewAccountRequest, ReconnectRequest,
};
use crate::accounts::model::{Account, Provider};
use crate::accounts::oauth::{Answer, Begun, ConnectOrder};
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::http::{Body, ClientIp, PathId};
use crate::ids::{AccountId, ConnectId};
use crate::secret::Secret;

/// Connects a mailbox: over IMAP after signing in to both of its servers; with `credentials: "service"` (admins) by what an
/// administrator of the Workspace or tenant granted to this server; with `shared_via` through the mailbox of somebody with
/// whom it is shared.
#[utoipa::path(tag = "accounts", operation_id = "connect_account", request_body = NewAccountRequest, responses(
    (status = 201, body = AccountDto), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/accounts")]
pub(super) async fn create(
    access: Access,
    accounts: web::Data<Accounts>,
    body: Body<NewAccountRequest>,
) -> ApiResult<HttpResponse> {
    let account = connect(&access, &accounts, body.0).await?;
    let location = format!("/api/email/accounts/{}", account.id);
    let shown = show_one(&accounts, account).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).insert_header((LOCATION, location)).json(shown))
}

async fn connect(access: &Access, accounts: &Accounts, new: NewAccountRequest) -> ApiResult<Account> {
    let NewAccountRequest { provider, email_address, display_name, imap, smtp, credentials, shared_via } = new;
    let by_password = imap.is_some() || smtp.is_some();
    match (credentials, shared_via) {
        (None, None) if provider == Provider::Imap => {
            let imap = imap.ok_or_else(|| ApiError::invalid("imap", "give the IMAP server"))?;
            let smtp = smtp.ok_or_else(|| ApiError::invalid("smtp", "give the SMTP server"))?;
            accounts.connect_imap(access, NewImapAccount { email_address, display_name, imap, smtp }).await
        }
        (None, None) => Err(ApiError::new(
            ErrorCode::ProviderNotAvailable,
            "Mailboxes of Google and Microsoft are connected in the browser: POST /api/email/accounts/connect. With a \
             password, choose provider \"imap\".",
        )),
        (Some(_), Some(_)) => Err(ApiError::invalid("shared_via", "give either this or credentials")),
        _ if by_password => Err(ApiError::invalid("imap", "servers and passwords are for provider \"imap\"")),
        (Some(CredentialsKind::Service), None) => {
            let address = checked_address(&email_address)?;
            accounts.connect_by_service(access, provider, &address, display_name).await
        }
        (None, Some(_)) if provider != Provider::Outlook => {
            Err(ApiError::invalid("shared_via", "only Outlook mailboxes are shared this way"))
        }
        (None, Some(via)) => {
            let address = checked_address(&email_address)?;
            accounts.connect_shared(access, &address, via, display_name).await
        }
    }
}

/// Begins to connect a Gmail or Outlook mailbox: a browser goes to `authorization_url` within ten minutes.
#[utoipa::path(tag = "accounts", operation_id = "begin_connect", request_body = ConnectRequest, responses(
    (status = 200, body = ConnectBegun), (status = 422, body = Problem)))]
#[post("/api/email/accounts/connect")]
pub(super) async fn begin(
    access: Access,
    accounts: web::Data<Accounts>,
    body: Body<ConnectRequest>,
) -> ApiResult<HttpResponse> {
    let ConnectRequest { provider, login_hint, return_to, shared } = body.0;
    let order = ConnectOrder { login_hint, return_to, shared };
    Ok(begun(accounts.begin_connect(&access, provider, order).await?))
}

/// Tells how a sign-in at a provider ended, in words; the redirect carries the code alone.
#[utoipa::path(tag = "accounts", operation_id = "read_connect", params(("id" = ConnectId, Path)), responses(
    (status = 200, body = ConnectOutcome), (status = 404, body = Problem)))]
#[get("/api/email/accounts/connect/{id}")]
pub(super) async fn show(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<ConnectId>,
) -> ApiResult<web::Json<ConnectOutcome>> {
    Ok(web::Json(accounts.connect_outcome(&access, id.0).await?))
}

/// Where the provider sends the browser back to. Ends in a redirect to `return_to` or the product's own page, with
/// `account_id=` or `error=` and a code.
#[utoipa::path(tag = "accounts", operation_id = "finish_connect", security(()),
    params(("state" = Option<String>, Query), ("code" = Option<String>, Query), ("error" = Option<String>, Query)),
    responses((status = 302)))]
#[get("/email/callback")]
pub(super) async fn finish(
    request: HttpRequest,
    access: Option<Access>,
    accounts: web::Data<Accounts>,
    ip: ClientIp,
) -> HttpResponse {
    let answer = read(request.query_string());
    let session = access.and_then(|access| access.session);
    let page = accounts.finish_connect(answer, session, ip.0).await;
    HttpResponse::Found()
        .insert_header((LOCATION, page))
        .insert_header((CACHE_CONTROL, "no-store"))
        // The address that is left holds a code.
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// Reads the address; whatever stands there, a person must come to a page.
fn read(query: &str) -> Answer {
    let mut answer = Answer::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => answer.state = value.into_owned(),
            "code" => answer.code = Some(Secret::new(value)).filter(|code| !code.is_empty()),
            "error" => answer.error = Some(value.into_owned()).filter(|error| !error.is_empty()),
            "error_subcode" => answer.subcode = value.into_owned(),
            _ => {}
        }
    }
    answer
}

/// Connects a mailbox again: an IMAP mailbox with new credentials after signing in with them (200 with the mailbox), one of
/// Google or Microsoft in the browser (200 with `authorization_url`).
#[utoipa::path(tag = "accounts", operation_id = "reconnect_account", params(("id" = AccountId, Path)), request_body = ReconnectRequest, responses(
    (status = 200, body = AccountDto), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/accounts/{id}/reconnect")]
pub(super) async fn reconnect(
    request: HttpRequest,
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
    body: Result<Body<ReconnectRequest>, ApiError>,
) -> ApiResult<HttpResponse> {
    let body = match body {
        Ok(body) => body.0,
        // Nothing needs to be said where a person signs in at the provider.
        Err(_) if !request.headers().contains_key(CONTENT_TYPE) => ReconnectRequest::default(),
        Err(error) => return Err(error),
    };
    let account = accounts.managed(&access, id.0).await?;
    if account.provider == Provider::Imap {
        if body.return_to.is_some() || body.shared {
            return Err(ApiError::invalid("return_to", "this is for mailboxes of Google and Microsoft"));
        }
        let account = accounts.reconnect_imap(&access, account, body).await?;
        return Ok(HttpResponse::Ok().json(show_one(&accounts, account).await?));
    }
    if body.imap.is_some() || body.smtp.is_some() || body.password.is_some() {
        return Err(ApiError::invalid(
            "password",
            "this mailbox is connected again in the browser, without a password here",
        ));
    }
    let order = ConnectOrder { login_hint: None, return_to: body.return_to, shared: body.shared };
    Ok(begun(accounts.begin_reconnect(&access, &account, order).await?))
}

/// The address holds a state: no cache may keep it, nor our own of first answers.
fn begun(begun: Begun) -> HttpResponse {
    let answer = ConnectBegun { authorization_url: begun.url.into(), connect_id: begun.id };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer)
}
