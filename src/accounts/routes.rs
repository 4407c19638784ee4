//! The HTTP routes of mailboxes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::connect::NewImapAccount;
use super::dto::{
    AccountDto, DeleteParams, DiscoverRequest, DiscoverResponse, ListParams, PatchRequest, Progress, ReconnectRequest,
    ServerDto,
};
use super::model::{Account, Provider};
use super::service::{Accounts, Changes};
use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, Keyset, Page, PathId, QueryParams};
use crate::ids::AccountId;
use crate::providers::discover::{Discovered, Endpoint, MailProvider};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(discover)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .service(sync)
        .service(sweep)
        .service(pause)
        .service(resume)
        .service(reconnect);
}

async fn show(accounts: &Accounts, found: Vec<Account>) -> ApiResult<Vec<AccountDto>> {
    let mut progress = accounts.progress(&found).await?;
    Ok(found
        .into_iter()
        .map(|account| {
            let mine = progress.remove(&account.id).unwrap_or_else(|| Progress::new(Vec::new(), None));
            AccountDto::new(account, mine)
        })
        .collect())
}

async fn show_one(accounts: &Accounts, account: Account) -> ApiResult<AccountDto> {
    let progress = accounts.progress(std::slice::from_ref(&account)).await?.remove(&account.id);
    Ok(AccountDto::new(account, progress.unwrap_or_else(|| Progress::new(Vec::new(), None))))
}

/// Lists the mailboxes of the caller, or all of the organization for an admin.
#[utoipa::path(tag = "accounts", operation_id = "list_accounts", params(ListParams), responses((status = 200, body = Page<AccountDto>), (status = 403, body = Problem)))]
#[get("/api/email/accounts")]
async fn list(
    access: Access,
    accounts: web::Data<Accounts>,
    params: QueryParams<ListParams>,
) -> ApiResult<web::Json<Page<AccountDto>>> {
    let mut found = accounts.list(&access, params.all).await?;
    // A person has few mailboxes: the page is cut here.
    found.retain(|account| params.cursor.is_none_or(|cursor| account.id.uuid() > cursor.id));
    let page = Page::cut(found, params.limit, |account| Keyset { at: account.created_at, id: account.id.uuid() });
    Ok(web::Json(Page { items: show(&accounts, page.items).await?, next_cursor: page.next_cursor }))
}

/// Finds the servers of an address.
#[utoipa::path(tag = "accounts", operation_id = "discover_servers", request_body = DiscoverRequest, responses((status = 200, body = DiscoverResponse), (status = 422, body = Problem)))]
#[post("/api/email/accounts/discover")]
async fn discover(
    _: Access,
    accounts: web::Data<Accounts>,
    body: Body<DiscoverRequest>,
) -> ApiResult<web::Json<DiscoverResponse>> {
    Ok(web::Json(accounts.discover(&body.email_address).await?))
}

/// Connects an IMAP mailbox after signing in to both of its servers.
#[utoipa::path(tag = "accounts", operation_id = "connect_account", request_body = NewImapAccount, responses(
    (status = 201, body = AccountDto), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/accounts")]
async fn create(access: Access, accounts: web::Data<Accounts>, body: Body<NewImapAccount>) -> ApiResult<HttpResponse> {
    let account = accounts.connect_imap(&access, body.0).await?;
    let location = format!("/api/email/accounts/{}", account.id);
    let shown = show_one(&accounts, account).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).insert_header(("Location", location)).json(shown))
}

/// Shows a mailbox.
#[utoipa::path(tag = "accounts", operation_id = "read_account", params(("id" = AccountId, Path)), responses((status = 200, body = AccountDto), (status = 404, body = Problem)))]
#[get("/api/email/accounts/{id}")]
async fn read(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
) -> ApiResult<web::Json<AccountDto>> {
    let account = accounts.managed(&access, id.0).await?;
    Ok(web::Json(show_one(&accounts, account).await?))
}

/// Changes name, aliases or settings of a mailbox.
#[utoipa::path(tag = "accounts", operation_id = "update_account", params(("id" = AccountId, Path)), request_body = PatchRequest, responses(
    (status = 200, body = AccountDto), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[patch("/api/email/accounts/{id}")]
async fn update(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
    body: Body<PatchRequest>,
) -> ApiResult<web::Json<AccountDto>> {
    let PatchRequest { display_name, aliases, settings } = body.0;
    let account = accounts.patch(&access, id.0, Changes { display_name, aliases, settings }).await?;
    Ok(web::Json(show_one(&accounts, account).await?))
}

/// Disconnects a mailbox and erases its mail, or keeps it read-only.
#[utoipa::path(tag = "accounts", operation_id = "disconnect_account", params(("id" = AccountId, Path), DeleteParams), responses((status = 204), (status = 404, body = Problem)))]
#[delete("/api/email/accounts/{id}")]
async fn remove(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
    params: QueryParams<DeleteParams>,
) -> ApiResult<HttpResponse> {
    accounts.remove(&access, id.0, params.keep_mail).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Asks for a sync now; a running one is joined.
#[utoipa::path(tag = "accounts", operation_id = "sync_account", params(("id" = AccountId, Path)), responses(
    (status = 202, body = AccountDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/accounts/{id}/sync")]
async fn sync(access: Access, accounts: web::Data<Accounts>, id: PathId<AccountId>) -> ApiResult<HttpResponse> {
    let account = accounts.request_sync(&access, id.0, false).await?;
    Ok(HttpResponse::Accepted().json(show_one(&accounts, account).await?))
}

/// Compares every mail with the provider's now and mends what differs; `GET` of the same path tells what is proven.
#[utoipa::path(tag = "accounts", operation_id = "prove_completeness", params(("id" = AccountId, Path)), responses(
    (status = 202, body = AccountDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/accounts/{id}/completeness")]
async fn sweep(access: Access, accounts: web::Data<Accounts>, id: PathId<AccountId>) -> ApiResult<HttpResponse> {
    let account = accounts.request_sync(&access, id.0, true).await?;
    Ok(HttpResponse::Accepted().json(show_one(&accounts, account).await?))
}

/// Stops the syncing of a mailbox until it is resumed.
#[utoipa::path(tag = "accounts", operation_id = "pause_account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/accounts/{id}/pause")]
async fn pause(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
) -> ApiResult<web::Json<AccountDto>> {
    let account = accounts.pause(&access, id.0).await?;
    Ok(web::Json(show_one(&accounts, account).await?))
}

/// Lets a paused mailbox go on.
#[utoipa::path(tag = "accounts", operation_id = "resume_account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/accounts/{id}/resume")]
async fn resume(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
) -> ApiResult<web::Json<AccountDto>> {
    let account = accounts.resume(&access, id.0).await?;
    Ok(web::Json(show_one(&accounts, account).await?))
}

/// Takes new credentials for a mailbox after signing in with them.
#[utoipa::path(tag = "accounts", operation_id = "reconnect_account", params(("id" = AccountId, Path)), request_body = ReconnectRequest, responses(
    (status = 200, body = AccountDto), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/accounts/{id}/reconnect")]
async fn reconnect(
    access: Access,
    accounts: web::Data<Accounts>,
    id: PathId<AccountId>,
    body: Body<ReconnectRequest>,
) -> ApiResult<web::Json<AccountDto>> {
    let account = accounts.reconnect_imap(&access, id.0, body.0).await?;
    Ok(web::Json(show_one(&accounts, account).await?))
}

impl From<Discovered> for DiscoverResponse {
    fn from(found: Discovered) -> Self {
        let server = |endpoint: Endpoint| ServerDto {
            host: endpoint.host,
            port: endpoint.port,
            security: endpoint.security,
            username: Some(endpoint.username),
        };
        let provider = match found.provider {
            MailProvider::Gmail => Provider::Gmail,
            MailProvider::Outlook => Provider::Outlook,
            MailProvider::Imap => Provider::Imap,
        };
        Self {
            provider,
            imap: server(found.imap),
            smtp: server(found.smtp),
            source: found.source,
            confirmed: found.confirmed,
        }
    }
}
