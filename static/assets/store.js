// What every page shares: who is signed in, the mailboxes and their folders, kept fresh by events.

import { get, listAll, setCsrf } from './api.js';
import { connect, disconnect, listen } from './live.js';
import { coalesce } from './timing.js';

const SOON_MS = 500;
const IMPORT_MS = 2000;

/** Read it freely; only this module writes. `me` is null while signed out. */
export const state = { me: null, accounts: [], folders: new Map(), loaded: false };

const watchers = new Set();
let stopListening = null;

/**
 * Calls `watcher(what, event)` after a change; `what` is `accounts`, `folders`, `mail`, `operations` or `ended`
 * (signed out), `event` the news behind it, if there is one. Returns how to stop.
 */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function changed(what, event = null) {
  for (const watcher of [...watchers]) watcher(what, event);
}

/** Says that mail was changed from this page, so that everything that shows it looks again. */
export function mailChanged() {
  changed('mail');
  laterFolders();
}

/** Asks who is signed in; throws a Problem with status 401 when nobody is. */
export async function loadMe() {
  const me = await get('/api/me', { quiet401: true });
  setCsrf(me.csrf_token);
  state.me = { ...me, organization: me.organization?.name ?? '' };
  return state.me;
}

/** Loads mailboxes and folders, then keeps them fresh. */
export async function begin() {
  if (stopListening) return;
  stopListening = listen(onEvent);
  await refreshAccounts();
  connect();
}

/** Forgets everything, for example after signing out. */
export function end() {
  disconnect();
  stopListening?.();
  stopListening = null;
  Object.assign(state, { me: null, accounts: [], folders: new Map(), loaded: false });
  setCsrf('');
  changed('ended');
}

export const account = (id) => state.accounts.find((item) => item.id === id) ?? null;
export const foldersOf = (id) => state.folders.get(id) ?? [];
export const isAdmin = () => ['owner', 'admin'].includes(state.me?.role);

/** Every address that is "me". */
export function ownAddresses() {
  const own = new Set([state.me?.email?.toLowerCase()]);
  for (const item of state.accounts) {
    own.add(item.email_address?.toLowerCase());
    for (const alias of item.aliases ?? []) own.add(String(alias?.email ?? alias).toLowerCase());
  }
  return own;
}

/** Roles that exist in any mailbox, with their unread mail added up. */
export function roleCounts() {
  const counts = new Map();
  for (const folders of state.folders.values()) {
    for (const folder of folders) {
      if (folder.role) counts.set(folder.role, (counts.get(folder.role) ?? 0) + (folder.unread_count ?? 0));
    }
  }
  return counts;
}

export async function refreshAccounts() {
  const all = await listAll('/api/email/accounts');
  state.accounts = all.filter((item) => item.status !== 'disconnected' || item.last_sync_at);
  state.loaded = true;
  changed('accounts');
  await refreshFolders();
}

export async function refreshFolders() {
  const lists = await Promise.all(state.accounts.map(async (item) => {
    try {
      return [item.id, await listAll(`/api/email/accounts/${item.id}/folders`)];
    } catch {
      return [item.id, foldersOf(item.id)];
    }
  }));
  state.folders = new Map(lists);
  changed('folders');
}

/** Puts the server's newest answer about one mailbox in its place. */
export function putAccount(item) {
  if (!item?.id) return;
  const at = state.accounts.findIndex((known) => known.id === item.id);
  if (at < 0) state.accounts = [...state.accounts, item];
  else state.accounts = state.accounts.with(at, { ...state.accounts[at], ...item });
  changed('accounts');
}

export function dropAccount(id) {
  state.accounts = state.accounts.filter((item) => item.id !== id);
  state.folders.delete(id);
  changed('accounts');
}

async function refreshAccount(id) {
  try {
    putAccount(await get(`/api/email/accounts/${id}`));
  } catch (problem) {
    if (problem.status === 404) dropAccount(id);
  }
}

function onEvent(event) {
  const { type, data } = event;
  if (type === 'sync.progress') {
    const { account_id: id, phase, status, last_sync_at: lastSync, ...progress } = data;
    const known = account(id);
    if (known) putAccount({ id, phase: phase ?? known.phase, status: status ?? known.status, last_sync_at: lastSync ?? known.last_sync_at, progress });
    else refreshAccount(id);
    laterImported();
  } else if (type?.startsWith('account.')) {
    refreshAccount(data.account_id).then(laterFolders);
  } else if (type === 'poll') {
    refreshAccounts().then(() => { changed('mail'); changed('operations'); }).catch(() => {});
  } else if (type === 'operation.updated') {
    changed('operations', event);
  } else if (type === 'opened') {
    mailChanged();
  } else if (type?.startsWith('email.') || type === 'thread.merged') {
    changed('mail', event);
    laterFolders();
  }
}

/** Folder counts follow at once, however many events arrive, yet not with each of them. */
const laterFolders = coalesce(() => state.me && refreshFolders(), SOON_MS);

/** Mail that an import brings in has no event of its own: the lists follow its progress. */
const laterImported = coalesce(() => state.me && mailChanged(), IMPORT_MS);
