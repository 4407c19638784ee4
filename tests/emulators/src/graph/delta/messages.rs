//! `mailFolders/{id}/messages/delta`.

use super::items::{Item, Kinds, one_that_left, pages, since, snapshot};
use super::rounds::{Asked, Round, Token};
use crate::graph::call::Call;
use crate::graph::errors::ApiError;
use crate::graph::ids::Kind;
use crate::graph::messages::{Filtered, check};
use crate::graph::model::Reason;
use crate::graph::query::{Expr, Op, Order, Scalar};
use crate::graph::view::View;
use crate::shared::http::Reply;
use serde_json::{Map, Value, json};

const PAGE: usize = 10;
/// A round that is filtered tells no more than this.
const MOST_FILTERED: usize = 5_000;

/// One call of a round, whichever it is.
pub fn messages(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let folder = call.mailbox()?.folder(&id)?.number;
    let token = call.options.get("$deltatoken").or_else(|| call.options.get("$skiptoken")).map(str::to_owned);
    match token.as_deref() {
        None | Some("") => {
            let asked = asked(call)?;
            first(call, folder, asked)
        }
        Some("latest") => {
            let asked = asked(call)?;
            latest(call, folder, asked)
        }
        Some(token) => go_on(call, folder, token),
    }
}

fn asked(call: &mut Call<'_>) -> Result<Asked, ApiError> {
    let mut options = call.options.clone();
    if options.select.iter().flatten().any(|name| name.starts_with('@')) {
        return Err(ApiError::bad_query("Syntax error: '@removed' is no property that can be selected."));
    }
    check(&mut options)?;
    if let Some(filter) = &options.filter {
        let fits =
            matches!(filter, Expr::Compare(name, Op::Ge | Op::Gt, Scalar::Time(_)) if name == "receivedDateTime");
        if !fits {
            let text = "Change tracking supports the filters receivedDateTime ge and receivedDateTime gt alone.";
            return Err(ApiError::new(400, "ErrorInvalidUrlQueryFilter", text));
        }
    }
    let newest_first = match options.order.as_slice() {
        [] => false,
        [Order { property, descending: true }] if property == "receivedDateTime" => true,
        _ => {
            let text = "Change tracking supports the order receivedDateTime desc alone.";
            return Err(ApiError::new(400, "ErrorInvalidUrlQuery", text));
        }
    };
    let kinds = Kinds::read(options.get("changeType"))?;
    Ok(Asked {
        select: options.select,
        expand: options.expand,
        filter: options.filter,
        newest_first,
        top: options.top,
        kinds,
    })
}

fn size(call: &Call<'_>, asked: &Asked) -> usize {
    let sizes = [call.prefer.page_size, asked.top];
    sizes.into_iter().flatten().min().unwrap_or(PAGE)
}

/// The first round: everything in the folder.
fn first(call: &mut Call<'_>, folder: u64, asked: Asked) -> Result<Reply, ApiError> {
    let now = call.state.now();
    let number = call.state.rounds.last + 1;
    let settings = call.state.settings.clone();
    let kind = call.prefer.kind();
    let mailbox = call.mailbox()?;
    let (mut items, reaches) = snapshot(mailbox, folder, now);
    let received = |item: &Item| match item {
        Item::Whole(key) => mailbox.mails.get(key).map_or(0, |mail| mail.received),
        _ => 0,
    };
    if asked.newest_first {
        items.sort_by_key(|item| std::cmp::Reverse(received(item)));
    }
    if let Some(filter) = &asked.filter {
        items.retain(|item| match item {
            Item::Whole(key) => {
                mailbox.mails.get(key).is_some_and(|mail| filter.holds(&Filtered { mail, mailbox, kind }))
            }
            _ => true,
        });
        items.truncate(MOST_FILTERED);
    }
    if !asked.kinds.created {
        items.clear();
    }
    if settings.delta_removed_at_first.applies(number) && asked.kinds.deleted {
        items.extend(one_that_left(mailbox, folder, now));
    }
    begin(call, folder, asked, items, reaches, false)
}

/// A link to the next round without a first one, which for mails is not to be relied on.
fn latest(call: &mut Call<'_>, folder: u64, asked: Asked) -> Result<Reply, ApiError> {
    let reaches = call.mailbox()?.last_change;
    begin(call, folder, asked, Vec::new(), reaches, true)
}

fn begin(
    call: &mut Call<'_>,
    folder: u64,
    asked: Asked,
    items: Vec<Item>,
    reaches: u64,
    is_lossy: bool,
) -> Result<Reply, ApiError> {
    let number = call.state.rounds.last + 1;
    let (size, keeps_order) = (size(call, &asked), asked.newest_first);
    let pages = pages(items, size, number, keeps_order, &call.state.settings, &call.state.random);
    let round = Round { user: call.user.clone(), folder, asked, pages, reaches, is_lossy };
    let number = call.state.rounds.add(round);
    page(call, number, 0)
}

fn go_on(call: &mut Call<'_>, folder: u64, token: &str) -> Result<Reply, ApiError> {
    let now = call.state.now();
    let (generation, links) = {
        let mailbox = call.mailbox()?;
        (mailbox.generation, mailbox.link_generation)
    };
    // The link holds everything; what is said beside it is refused.
    if call.options.pairs.len() > 1 {
        return Err(ApiError::bad_query("The link of a delta query takes no further options."));
    }
    let found = call.state.rounds.tokens.get(token).cloned();
    let (round, at) = match found {
        Some(Token::Page { round, page, expires, generations })
            if expires > now && generations == (generation, links) =>
        {
            (round, Some(page))
        }
        Some(Token::Next { round, generation: given }) if given == generation => (round, None),
        _ => return Err(lost(call)),
    };
    let own = call.state.rounds.rounds.get(&round).filter(|round| round.user == call.user && round.folder == folder);
    let Some(own) = own.cloned() else {
        return Err(lost(call));
    };
    if let Some(at) = at {
        return page(call, round, at);
    }
    let settings = call.state.settings.clone();
    let kind = call.prefer.kind();
    let (mut items, reaches) = since(call.mailbox()?, &own, now, kind, &settings);
    let Kinds { created, updated, deleted } = own.asked.kinds;
    items.retain(|item| match item {
        Item::Whole(_) => created || updated,
        Item::Part(..) => updated,
        _ => deleted,
    });
    if let Some(filter) = &own.asked.filter {
        let mailbox = call.mailbox()?;
        items.retain(|item| match item {
            Item::Whole(key) | Item::Part(key, _) => {
                mailbox.mails.get(key).is_some_and(|mail| filter.holds(&Filtered { mail, mailbox, kind }))
            }
            _ => true,
        });
    }
    begin(call, folder, own.asked.clone(), items, reaches, false)
}

/// The token is worth nothing any more.
fn lost(call: &mut Call<'_>) -> ApiError {
    let anew = format!("{}{}?$deltatoken=", call.state.url, call.request.path);
    let settings = call.state.settings.clone();
    call.state.rounds.lost(&settings, &anew, &call.state.random)
}

/// One page with the link to what follows it.
fn page(call: &mut Call<'_>, number: u64, at: usize) -> Result<Reply, ApiError> {
    let Some(round) = call.state.rounds.rounds.get(&number).cloned() else {
        return Err(lost(call));
    };
    let most_bytes = call.state.settings.most_page_bytes;
    let view = call.view()?;
    let items = round.pages.get(at).map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<Value> = items.iter().filter_map(|item| show(&view, item, &round)).collect();
    let (generation, links) = (view.mailbox.generation, view.mailbox.link_generation);
    let expires = call.state.now() + call.state.settings.next_link_seconds * 1000;
    let (option, name, token) = if at + 1 < round.pages.len() {
        let token = Token::Page { round: number, page: at + 1, expires, generations: (generation, links) };
        ("@odata.nextLink", "$skiptoken", token)
    } else {
        ("@odata.deltaLink", "$deltatoken", Token::Next { round: number, generation })
    };
    let token = call.state.rounds.give(token, &call.state.random);
    let context = format!("{}/$metadata#Collection(message)", call.state.base());
    let mut body = json!({"@odata.context": context, "value": shown});
    body[option] = json!(format!("{}{}?{name}={token}", call.state.url, call.request.path));
    let reply = Reply::json(200, &body);
    if most_bytes.is_some_and(|most| reply.body.len() > most) {
        return Err(ApiError::server(504));
    }
    Ok(reply)
}

/// What is told of one mail; nothing if it has gone in between, or if nobody selected what changed.
fn show(view: &View<'_>, item: &Item, round: &Round) -> Option<Value> {
    let select = round.asked.select.as_ref();
    let (key, parts) = match item {
        Item::Whole(key) => (key, None),
        Item::Part(key, parts) => (key, Some(parts)),
        Item::Gone(key, place, reason) => return Some(removed(view, *key, *place, *reason)),
        Item::Folder(_) | Item::FolderGone(_) => return None,
    };
    let mail = view.mailbox.mails.get(key).filter(|mail| mail.folder == round.folder)?;
    let Some(parts) = parts else {
        let mut value = view.message(mail, select, &round.asked.expand);
        if let Some(object) = value.as_object_mut()
            && !object.contains_key("@odata.type")
        {
            object.insert("@odata.type".to_owned(), json!("#microsoft.graph.message"));
        }
        return Some(value);
    };
    let mut shown = Map::new();
    for name in parts.iter().filter(|name| select.is_none_or(|select| select.iter().any(|wanted| wanted == *name))) {
        shown.extend(view.property(mail, name).map(|value| ((*name).to_owned(), value)));
    }
    if shown.is_empty() {
        return None;
    }
    shown.insert("@odata.type".to_owned(), json!("#microsoft.graph.message"));
    shown.insert("id".to_owned(), json!(view.id(mail)));
    shown.insert("parentFolderId".to_owned(), json!(view.folder_id(mail.folder)));
    Some(Value::Object(shown))
}

fn removed(view: &View<'_>, key: u64, place: u64, reason: Reason) -> Value {
    let number = if view.kind == Kind::Lasting { key } else { place };
    json!({
        "@odata.type": "#microsoft.graph.message", "id": view.mailbox.ids.id(view.kind, number),
        "@removed": {"reason": reason},
    })
}
