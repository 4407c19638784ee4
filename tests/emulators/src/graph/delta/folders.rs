//! `mailFolders/delta`: all folders, flat, and what became of them.

use super::items::{Item, pages};
use super::rounds::{Asked, Round, Token};
use crate::graph::call::Call;
use crate::graph::errors::ApiError;
use crate::graph::ids::Kind;
use crate::graph::model::{Mailbox, What};
use crate::graph::view::{FOLDER, check_select};
use crate::graph::well_known::ROOT;
use crate::shared::http::Reply;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: usize = 10;

/// One call of a round, whichever it is.
pub fn folders(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let token = call.options.get("$deltatoken").or_else(|| call.options.get("$skiptoken")).map(str::to_owned);
    let now = call.state.now();
    let (generation, links) = {
        let mailbox = call.mailbox()?;
        (mailbox.generation, mailbox.link_generation)
    };
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        check_select(call.options.select.as_ref(), &FOLDER, "microsoft.graph.mailFolder")?;
        let asked = Asked { select: call.options.select.clone(), ..Asked::default() };
        let mailbox = call.mailbox()?;
        let shown = mailbox.folders.values().filter(|folder| is_told(mailbox, folder.number));
        let items = shown.map(|folder| Item::Folder(folder.number)).collect();
        let reaches = mailbox.last_change;
        return begin(call, asked, items, reaches);
    };
    let (round, at) = match call.state.rounds.tokens.get(&token).cloned() {
        Some(Token::Page { round, page, expires, generations })
            if expires > now && generations == (generation, links) =>
        {
            (round, Some(page))
        }
        Some(Token::Next { round, generation: given }) if given == generation => (round, None),
        _ => return Err(lost(call)),
    };
    let own =
        call.state.rounds.rounds.get(&round).filter(|round| round.user == call.user && round.folder == 0).cloned();
    let own = match own {
        Some(own) => own,
        None => return Err(lost(call)),
    };
    if let Some(at) = at {
        return page(call, round, at);
    }
    let (items, reaches) = since(call.mailbox()?, own.reaches, now);
    begin(call, own.asked.clone(), items, reaches)
}

fn is_told(mailbox: &Mailbox, folder: u64) -> bool {
    folder != mailbox.the(ROOT)
        && mailbox.is_visible(folder)
        && mailbox.folders.get(&folder).is_some_and(|one| !one.is_hidden)
}

/// A folder changes with what lies in it as well: its counts do.
fn since(mailbox: &Mailbox, after: u64, now: i64) -> (Vec<Item>, u64) {
    let mut told: BTreeMap<u64, bool> = BTreeMap::new();
    let mut reaches = after;
    let changes = mailbox.changes.iter().filter(|change| change.number > after);
    for change in changes.take_while(|change| change.visible_from <= now) {
        reaches = change.number;
        match change.what {
            What::Folder { folder, is_gone } => {
                told.insert(folder, is_gone);
            }
            What::Entered { folder, .. } | What::Changed { folder, .. } | What::Left { folder, .. } => {
                told.entry(folder).or_insert(false);
            }
        }
    }
    let items = told.into_iter().filter_map(|(folder, is_gone)| match is_gone {
        true => Some(Item::FolderGone(folder)),
        false => is_told(mailbox, folder).then_some(Item::Folder(folder)),
    });
    (items.collect(), reaches)
}

fn begin(call: &mut Call<'_>, asked: Asked, items: Vec<Item>, reaches: u64) -> Result<Reply, ApiError> {
    let size = call.prefer.page_size.unwrap_or(PAGE);
    let number = call.state.rounds.last + 1;
    let pages = pages(items, size, number, false, &call.state.settings, &call.state.random);
    let round = Round { user: call.user.clone(), folder: 0, asked, pages, reaches, is_lossy: false };
    let number = call.state.rounds.add(round);
    page(call, number, 0)
}

fn lost(call: &mut Call<'_>) -> ApiError {
    let anew = format!("{}{}?$deltatoken=", call.state.url, call.request.path);
    let settings = call.state.settings.clone();
    call.state.rounds.lost(&settings, &anew, &call.state.random)
}

fn page(call: &mut Call<'_>, number: u64, at: usize) -> Result<Reply, ApiError> {
    let Some(round) = call.state.rounds.rounds.get(&number).cloned() else {
        return Err(lost(call));
    };
    let view = call.view()?;
    let counts = view.mailbox.counts();
    let items = round.pages.get(at).map(Vec::as_slice).unwrap_or_default();
    let shown = items.iter().filter_map(|item| match item {
        Item::Folder(number) => {
            view.mailbox.folders.get(number).map(|folder| view.folder(folder, &counts, round.asked.select.as_ref()))
        }
        Item::FolderGone(number) => {
            Some(json!({"id": view.mailbox.ids.id(Kind::Folder, *number), "@removed": {"reason": "deleted"}}))
        }
        _ => None,
    });
    let shown: Vec<Value> = shown.collect();
    let (generation, links) = (view.mailbox.generation, view.mailbox.link_generation);
    let expires = call.state.now() + call.state.settings.next_link_seconds * 1000;
    let (option, name, token) = if at + 1 < round.pages.len() {
        let token = Token::Page { round: number, page: at + 1, expires, generations: (generation, links) };
        ("@odata.nextLink", "$skiptoken", token)
    } else {
        ("@odata.deltaLink", "$deltatoken", Token::Next { round: number, generation })
    };
    let token = call.state.rounds.give(token, &call.state.random);
    let context = format!("{}/$metadata#Collection(mailFolder)", call.state.base());
    let mut body = json!({"@odata.context": context, "value": shown});
    body[option] = json!(format!("{}{}?{name}={token}", call.state.url, call.request.path));
    Ok(Reply::json(200, &body))
}
