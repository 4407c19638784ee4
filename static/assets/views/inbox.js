// The inbox: sidebar, list and thread side by side; on phones the thread is a screen of its own.

import { post } from '../api.js';
import { fill, h, icon, iconButton } from '../dom.js';
import { clean, count, folderName } from '../format.js';
import { setKeys } from '../keys.js';
import { go, setTitle } from '../router.js';
import { account, foldersOf, mailChanged, state, watch } from '../store.js';
import { coalesce } from '../timing.js';
import { emptyState, toast, toastProblem } from '../ui.js';
import { viewOf } from '../verbs.js';
import { bulkBar, rowBar, threadBar } from './actions.js';
import { folderIcon, ROLES } from './folders.js';
import { hands } from './handle.js';
import { mailKeys } from './mailKeys.js';
import { accountBanner } from './mailboxes.js';
import { sendingTabs } from './sending.js';
import { place, shell } from './shell.js';
import { threadPanel } from './thread.js';
import { threadList } from './threads.js';

const REFRESH_MS = 500;

/** The page `/` and `/inbox/…`; a second visit with the same list is an update in place. */
export function inboxPage(match, current) {
  return current?.isInbox ? current : buildInbox(match);
}

function buildInbox(match) {
  let where = placeOf(match);
  let open = null;
  const view = () => viewOf(where);
  const bar = rowBar({ thread: (id) => list.thread(id), view, run: (...what) => hand.run(...what) });
  const list = threadList({ source: () => sourceOf(where), hrefOf: (thread) => pathOf(where, thread.id), empty: () => emptyList(where), bar, onPicked: () => head.picked() });
  const head = listHead({ list, view, run: (...what) => hand.run(...what) });
  const panel = h('section', { class: 'thread', 'aria-label': 'Conversation' });
  const page = shell([h('section', { class: 'list', 'aria-label': 'Conversation list' }, head.el, list.el), panel], 'mail');

  const goTo = (id, how) => go(pathOf(where, id), how);
  const close = async () => {
    const id = where.thread;
    await goTo(null);
    list.focus(id);
  };
  /** Conversations leave, or are put off: whoever reads one goes on to the next, and so does the focus. */
  const left = (ids, gone) => {
    const row = list.focused();
    const after = gone && ids.includes(row) ? nextOf(list, row, ids) : null;
    if (after) list.focus(after.id);
    if (!ids.includes(where.thread)) return;
    const next = gone ? nextOf(list, where.thread, ids) : null;
    if (next) goTo(next.id, { replace: true });
    else if (gone) goTo(null, { replace: true });
    else close();
  };
  const back = ([id]) => { if (page.el.isConnected && !where.thread) list.focus(id); };
  const hand = hands({ list, view, left, back });

  const showThread = () => {
    open?.destroy();
    open = null;
    page.el.classList.toggle('reading', Boolean(where.thread));
    list.select(where.thread);
    if (!where.thread) { fill(panel, h('div', { class: 'tb' }), nothingOpen()); return; }
    const id = where.thread;
    const bars = toolbar(list, where, threadBar({ view, run: (verb, button) => hand.run(verb, [id], button) }));
    const mine = threadPanel(id, {
      onThread: (thread) => { setTitle(clean(thread.subject) || '(no subject)'); bars.acts.update(factsOf(thread)); },
      onSeen: () => hand.markRead(id, (thread) => mine.put(thread)),
    });
    open = mine;
    fill(panel, bars.el, mine.el, mine.foot);
  };

  const later = coalesce(async () => { await list.refresh(); bar.update(); updatePosition(panel, list, where); }, REFRESH_MS);
  const laterThread = coalesce(() => open?.refresh(), REFRESH_MS);
  const stop = watch((what, event) => {
    if (what === 'operations') return;
    if (what !== 'mail') { head.draw(where); return; }
    later();
    const about = event?.data ?? {};
    if (event?.type === 'thread.merged' && about.merged_thread_id === where.thread) goTo(about.thread_id, { replace: true });
    else if (!about.thread_id || about.thread_id === where.thread) laterThread();
  });
  const releaseKeys = setKeys(mailKeys({ list, hand, view, close, open: () => where.thread, facts: () => open?.facts(), answer: (action) => open?.answer(action), goTo }));

  const self = {
    el: page.el, isInbox: true, title: nameOf(where).name,
    update(next) {
      const before = where;
      where = placeOf(next);
      const moved = before.view !== where.view || before.account !== where.account;
      page.refresh();
      if (moved) list.load().then(() => updatePosition(panel, list, where));
      if (moved || before.thread !== where.thread) showThread();
      head.draw(where);
      if (!where.thread) self.title = nameOf(where).name;
      updatePosition(panel, list, where);
    },
    destroy() { stop(); releaseKeys(); open?.destroy(); page.destroy(); later.cancel(); laterThread.cancel(); },
  };
  head.draw(where);
  showThread();
  list.load().then(() => { list.select(where.thread); updatePosition(panel, list, where); });
  return self;
}

/** The nearest conversation that stays: the older one first, as one reads. */
function nextOf(list, from, without) {
  for (const by of [1, -1]) {
    let next = list.neighbour(from, by);
    while (next && without.includes(next.id)) next = list.neighbour(next.id, by);
    if (next) return next;
  }
  return null;
}

const factsOf = ({ messages = [] }) => ({ unread: messages.some((mail) => mail.is_read === false), starred: messages.some((mail) => mail.is_starred) });

/** Name and count above the list; the actions take their place while conversations are ticked. */
function listHead({ list, view, run }) {
  const title = h('h1', { class: 'clip' });
  const sync = iconButton('sync', 'Sync now', () => syncNow(sync));
  const select = iconButton('select', 'Select all conversations that are shown', () => list.picked.all());
  const plain = h('div', { class: 'lh' }, title, select, sync);
  const bannerSlot = h('div', { class: 'list-banner' });
  const tabs = h('div');
  const bulk = bulkBar({ view, run: (verb, button) => run(verb, list.picked.ids, button), all: () => list.picked.all(), clear: () => list.picked.clear() });
  const draw = (where) => {
    const { name, unread } = nameOf(where);
    fill(title, name, unread > 0 && h('span', { class: 'num' }, count(unread), h('span', { class: 'vh' }, ' unread')));
    title.title = where.account ? `${name}, ${account(where.account)?.email_address ?? ''}` : name;
    sync.hidden = !state.accounts.some((item) => item.status === 'active' && item.phase !== 'paused');
    const broken = state.accounts.find((item) => item.status === 'error' && (!where.account || item.id === where.account));
    fill(bannerSlot, broken && accountBanner(broken));
    fill(tabs, where.view === 'sent' && sendingTabs('sent'));
    if (!where.thread) setTitle(name);
  };
  const picked = () => {
    const threads = list.picked.ids.map((id) => list.thread(id));
    const hadFocus = bulk.el.contains(document.activeElement);
    bulk.update(threads, list.position(null).total);
    plain.hidden = threads.length > 0;
    if (hadFocus && !threads.length) select.focus();
  };
  return { el: [plain, bulk.el, tabs, bannerSlot], draw, picked };
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

function nothingOpen() {
  return state.accounts.length ? emptyState('mail', 'Choose a conversation', 'Select one from the list, or move with j and k and open with Enter.')
    : emptyState('mail', 'Nothing to read yet', 'Connect a mailbox first; its newest mail shows here within seconds.');
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

function toolbar(list, where, acts) {
  const turn = (by, name, label) => iconButton(name, label, () => {
    const next = list.neighbour(where.thread, by);
    if (next) go(pathOf(where, next.id), { replace: true });
  }, { 'data-by': by, class: 'ib turn' });
  const el = h('div', { class: 'tb' },
    h('a', { class: 'ib back', href: pathOf(where), 'aria-label': 'Back to the list', title: 'Back to the list (Esc)' }, icon('back')), acts.el,
    h('span', { class: 'grow' }), h('span', { class: 'pos num' }), turn(-1, 'up', 'Newer conversation (k)'), turn(1, 'down', 'Older conversation (j)'));
  return { el, acts };
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
    setTimeout(mailChanged, 1000);
  } catch (problem) {
    toastProblem(problem);
  } finally {
    button.disabled = false;
    button.classList.remove('turning');
  }
}
