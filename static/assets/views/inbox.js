// The inbox: sidebar, list and thread side by side; on phones the thread is a screen of its own.

import { h, icon, iconButton } from '../dom.js';
import { count, folderName } from '../format.js';
import { go, setTitle } from '../router.js';
import { account, foldersOf, refreshFolders, state, watch } from '../store.js';
import { emptyState, toast, toastProblem } from '../ui.js';
import { post } from '../api.js';
import { accountBanner } from './mailboxes.js';
import { folderIcon, ROLES } from './folders.js';
import { place, shell } from './shell.js';
import { threadPanel } from './thread.js';
import { threadList } from './threads.js';
import { setKeys } from '../keys.js';

const REFRESH_MS = 1200;

/** The page `/` and `/inbox/…`; a second visit with the same list is an update in place. */
export function inboxPage(match, current) {
  return current?.isInbox ? current : buildInbox(match);
}

function buildInbox(match) {
  const bannerSlot = h('div', { class: 'list-banner' });
  const title = h('h1', { class: 'clip' });
  const sync = iconButton('sync', 'Sync now', () => syncNow(sync));
  const head = h('div', { class: 'lh' }, title, sync);
  const panel = h('section', { class: 'thread', 'aria-label': 'Conversation' });
  let where = placeOf(match);
  const list = threadList({ source: () => sourceOf(where), hrefOf: (thread) => pathOf(where, thread.id), empty: () => emptyList(where) });
  const content = [h('section', { class: 'list', 'aria-label': 'Conversation list' }, head, bannerSlot, list.el), panel];
  const page = shell(content, 'mail');
  let open = null;
  let timer = 0;

  const headline = () => {
    const { name, unread } = nameOf(where);
    title.replaceChildren(name);
    title.title = where.account ? `${name}, ${account(where.account)?.email_address ?? ''}` : name;
    if (unread) title.append(h('span', { class: 'num' }, count(unread), h('span', { class: 'vh' }, ' unread')));
    sync.hidden = !state.accounts.some((item) => item.status === 'active' && item.phase !== 'paused');
    const broken = state.accounts.find((item) => item.status === 'error' && (!where.account || item.id === where.account));
    bannerSlot.replaceChildren(...(broken ? [accountBanner(broken)] : []));
    if (!where.thread) setTitle(name);
  };

  const showThread = () => {
    open?.destroy();
    open = null;
    page.el.classList.toggle('reading', Boolean(where.thread));
    list.select(where.thread);
    if (!where.thread) {
      panel.replaceChildren(h('div', { class: 'tb' }), emptyState('mail', state.accounts.length ? 'Choose a conversation' : 'Nothing to read yet',
        state.accounts.length ? 'Select one from the list, or move with j and k and open with Enter.' : 'Connect a mailbox first; its newest mail shows here within seconds.'));
      return;
    }
    open = threadPanel(where.thread, { onTitle: setTitle });
    panel.replaceChildren(toolbar(list, where), open.el);
  };

  const later = () => {
    if (timer) return;
    timer = setTimeout(() => { timer = 0; list.refresh().then(() => updatePosition(panel, list, where)); }, REFRESH_MS);
  };
  const stop = watch((what) => {
    if (what === 'mail') later();
    else headline();
  });
  const releaseKeys = setKeys({
    j: () => move(1), k: () => move(-1), o: () => document.activeElement?.closest('a.row')?.click(),
    Escape: () => { if (where.thread) closeThread(); },
  });
  const move = (by) => {
    const next = where.thread && list.neighbour(where.thread, by);
    if (next) go(pathOf(where, next.id), { replace: true });
    else if (!where.thread) list.step(by);
  };
  const closeThread = async () => {
    const id = where.thread;
    await go(pathOf(where));
    list.focus(id);
  };

  const self = {
    el: page.el, isInbox: true, title: nameOf(where).name,
    update(next) {
      const before = where;
      where = placeOf(next);
      page.refresh();
      if (before.view !== where.view || before.account !== where.account) list.load().then(() => updatePosition(panel, list, where));
      if (before.thread !== where.thread || before.view !== where.view || before.account !== where.account) showThread();
      headline();
      updatePosition(panel, list, where);
    },
    destroy() { stop(); releaseKeys(); open?.destroy(); page.destroy(); clearTimeout(timer); },
  };
  headline();
  showThread();
  list.load().then(() => { list.select(where.thread); updatePosition(panel, list, where); });
  return self;
}

function placeOf({ params }) {
  const { view, account: id } = place();
  return { view, account: id, thread: params.thread ?? null };
}

function sourceOf({ view, account: id }) {
  return { folder: view === 'all' ? null : view, account_id: id };
}

function pathOf({ view, account: id }, thread) {
  const query = id ? `?account=${encodeURIComponent(id)}` : '';
  return `/inbox/${encodeURIComponent(view)}${thread ? `/${thread}` : ''}${query}`;
}

function nameOf({ view, account: id }) {
  const role = ROLES.find(([known]) => known === view);
  const pool = id ? foldersOf(id) : [...state.folders.values()].flat();
  const folders = pool.filter((folder) => folder.id === view || folder.role === view);
  const unread = folders.reduce((sum, folder) => sum + (folder.unread_count ?? 0), 0);
  if (view === 'all') return { name: 'All mail', unread: 0 };
  return { name: role?.[1] ?? (folderName(folders[0]) || 'Folder'), unread };
}

function emptyList(where) {
  if (state.loaded && !state.accounts.length) {
    return emptyState('at', 'Connect a mailbox', 'Your mail appears here, newest first.', h('a', { class: 'btn pri', href: '/connect' }, 'Connect a mailbox'));
  }
  const importing = state.accounts.find((item) => item.phase === 'backfill' && item.status === 'active' && (!where.account || item.id === where.account));
  if (importing) return emptyState('sync', 'The first mail is on its way', 'It appears here by itself.', h('a', { class: 'btn', href: `/mailboxes/${importing.id}` }, 'Watch the import'));
  const role = ROLES.find(([known]) => known === where.view)?.[0];
  if (role === 'inbox') return emptyState('done', 'All caught up', 'New mail appears here by itself.');
  return emptyState(folderIcon(role), 'Nothing in this folder', 'Mail that lies in it in the mailbox shows here.');
}

function toolbar(list, where) {
  const turn = (by, name, label) => iconButton(name, label, () => {
    const next = list.neighbour(where.thread, by);
    if (next) go(pathOf(where, next.id), { replace: true });
  }, { 'data-by': by });
  return h('div', { class: 'tb' },
    h('a', { class: 'ib back', href: pathOf(where), 'aria-label': 'Back to the list', title: 'Back to the list (Esc)' }, icon('back')),
    h('span', { class: 'grow' }), h('span', { class: 'pos num' }), turn(-1, 'up', 'Newer conversation (k)'), turn(1, 'down', 'Older conversation (j)'));
}

function updatePosition(panel, list, where) {
  const words = panel.querySelector('.pos');
  if (!words) return;
  const { at, total, more } = list.position(where.thread);
  words.textContent = at < 0 ? '' : `${count(at + 1)} of ${count(total)}${more ? '+' : ''}`;
  for (const button of panel.querySelectorAll('[data-by]')) button.disabled = at < 0 || !list.neighbour(where.thread, Number(button.dataset.by));
}

/** Rings for every mailbox that can sync. */
async function syncNow(button) {
  button.disabled = true;
  button.classList.add('turning');
  try {
    const ready = state.accounts.filter((item) => item.status !== 'disconnected' && item.phase !== 'paused');
    await Promise.all(ready.map((item) => post(`/api/email/accounts/${item.id}/sync`)));
    toast('Looking for new mail.');
    setTimeout(() => refreshFolders().catch(() => {}), REFRESH_MS);
  } catch (problem) {
    toastProblem(problem);
  } finally {
    button.disabled = false;
    button.classList.remove('turning');
  }
}
