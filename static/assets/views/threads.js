// The list of threads, newest first: cursor pages as one scrolls, new mail put on top without a jump.

import { get } from '../api.js';
import { add, fill, h, icon } from '../dom.js';
import { clean, count, dayHeading, fullTime, personName, rowTime } from '../format.js';
import { ownAddresses } from '../store.js';
import { avatar, failedState, withSkeleton } from '../ui.js';

const PAGE = 50;
const MAX_REFRESH = 200;
const AHEAD_PX = 800;

/**
 * Makes the list. `source()` gives the query of the first page, `hrefOf(thread)` each row's link,
 * `empty()` what an empty list shows.
 */
export function threadList({ source, hrefOf, empty }) {
  const list = h('div', { class: 'row-list', role: 'list', 'aria-label': 'Conversations' });
  const tail = h('div', { class: 'tail' });
  const pill = h('button', { type: 'button', class: 'pill', hidden: true }, icon('up', 13), h('span'));
  const rows = h('div', { class: 'rows' }, list, tail);
  const el = h('div', { class: 'rows-wrap' }, rows, pill);
  const known = new Map();
  let threads = [];
  let cursor = null;
  let loading = null;
  let selected = null;
  let fresh = 0;
  let turn = 0;

  const showPill = () => {
    pill.hidden = fresh === 0;
    pill.lastChild.textContent = `${count(fresh)} new`;
  };
  pill.addEventListener('click', () => { rows.scrollTo({ top: 0 }); list.querySelector('a')?.focus({ preventScroll: true }); });
  rows.addEventListener('scroll', () => {
    if (rows.scrollTop < 40 && fresh) { fresh = 0; showPill(); }
    if (cursor && rows.scrollHeight - rows.scrollTop - rows.clientHeight < AHEAD_PX) more();
  }, { passive: true });

  const fetchPage = (at, limit = PAGE) => get('/api/email/threads', { query: { ...source(), limit, cursor: at } });

  const draw = () => {
    const own = ownAddresses();
    const nodes = [];
    let heading = '';
    threads.forEach((thread, index) => {
      const day = dayHeading(thread.last_message_at);
      if (day !== heading) { nodes.push(h('div', { class: 'day', role: 'presentation' }, day)); heading = day; }
      const row = rowFor(thread, own);
      row.setAttribute('aria-posinset', index + 1);
      row.setAttribute('aria-setsize', cursor ? -1 : threads.length);
      nodes.push(row);
    });
    const anchor = firstVisible();
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    list.replaceChildren(...nodes);
    if (anchor?.row.isConnected) rows.scrollTop += anchor.row.getBoundingClientRect().top - anchor.top;
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    mark();
  };

  const rowFor = (thread, own) => {
    const before = known.get(thread.id);
    const stamp = JSON.stringify([thread, hrefOf(thread)]);
    if (before?.stamp === stamp) return before.row;
    const row = before?.row ?? h('div', { role: 'listitem' });
    const hadFocus = row.contains(document.activeElement);
    fill(row, threadRow(thread, hrefOf(thread), own));
    if (hadFocus) row.firstChild.focus();
    known.set(thread.id, { row, stamp });
    return row;
  };

  const firstVisible = () => {
    if (rows.scrollTop === 0) return null;
    const edge = rows.getBoundingClientRect().top;
    const row = [...list.children].find((node) => node.getAttribute('role') === 'listitem' && node.getBoundingClientRect().bottom > edge);
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  };

  const mark = () => {
    for (const [id, { row }] of known) {
      const on = id === selected;
      row.firstChild.classList.toggle('sel', on);
      if (on) row.firstChild.setAttribute('aria-current', 'true');
      else row.firstChild.removeAttribute('aria-current');
    }
  };

  const showTail = () => fill(tail, threads.length === 0 ? empty() : cursor ? skeletonRows(2) : null);

  /** Loads from the start and shows the list. */
  const load = async () => {
    const mine = ++turn;
    threads = [];
    known.clear();
    cursor = null;
    fresh = 0;
    showPill();
    list.replaceChildren();
    rows.scrollTop = 0;
    try {
      const page = await withSkeleton(tail, () => skeletonRows(7), fetchPage(null));
      if (mine !== turn) return;
      ({ items: threads, next_cursor: cursor } = page);
      draw();
      showTail();
    } catch (problem) {
      if (mine === turn) fill(tail, failedState(problem, load));
    }
  };

  const more = async () => {
    if (loading || !cursor) return;
    const mine = turn;
    const at = cursor;
    loading = fetchPage(at);
    try {
      const page = await loading;
      if (mine !== turn) return;
      const have = new Set(threads.map((thread) => thread.id));
      threads = [...threads, ...page.items.filter((thread) => !have.has(thread.id))];
      cursor = page.next_cursor;
      draw();
      showTail();
    } catch (problem) {
      if (mine === turn) fill(tail, failedState(problem, more));
    } finally {
      loading = null;
    }
  };

  /** Looks again and puts what is new in its place; the reader's place in the list stays. */
  const refresh = async () => {
    const mine = turn;
    const limit = Math.min(MAX_REFRESH, Math.max(PAGE, threads.length));
    let page;
    try { page = await fetchPage(null, limit); } catch { return; }
    if (mine !== turn) return;
    const have = new Set(threads.map((thread) => thread.id));
    const top = threads[0]?.last_message_at ?? '';
    const arrived = page.items.filter((thread) => !have.has(thread.id) && thread.last_message_at > top).length;
    const got = new Set(page.items.map((thread) => thread.id));
    const rest = threads.length > limit ? threads.slice(limit).filter((thread) => !got.has(thread.id)) : [];
    threads = [...page.items, ...rest];
    if (!rest.length) cursor = page.next_cursor;
    if (rows.scrollTop >= 40) fresh += arrived;
    showPill();
    draw();
    showTail();
  };

  /** Moves the focus by one row; gives the row's link. */
  const step = (by) => {
    const links = [...list.querySelectorAll('a.row')];
    const from = links.indexOf(document.activeElement);
    const at = from >= 0 ? from : links.findIndex((link) => link.classList.contains('sel'));
    const next = links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + by))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
    return next ?? null;
  };

  return {
    el, load, refresh, step,
    select: (id) => { selected = id; mark(); },
    position: (id) => ({ at: threads.findIndex((thread) => thread.id === id), total: threads.length, more: Boolean(cursor) }),
    neighbour: (id, by) => threads[threads.findIndex((thread) => thread.id === id) + by] ?? null,
    focus: (id) => (known.get(id)?.row.firstChild ?? list.querySelector('a.row'))?.focus(),
  };
}

/** Who a thread is with: others by name, "You" for oneself. */
export function participantsText(participants, own) {
  const names = (participants ?? []).map((person) => (own.has((person.email ?? person)?.toLowerCase?.()) ? 'You' : personName(person)));
  const unique = [...new Set(names)];
  if (unique.length > 1 && unique.length <= 2) return unique.filter((name) => name !== 'You').join(', ');
  const shown = unique.filter((name) => name !== 'You').slice(0, 3).map((name, _, all) => (all.length > 2 ? name.split(' ')[0] : name));
  return shown.join(', ') + (unique.length > 4 ? ` and ${unique.length - 4} more` : '') || unique[0] || 'Unknown';
}

function threadRow(thread, href, own) {
  const unread = thread.unread_count > 0;
  const other = (thread.participants ?? []).find((person) => !own.has(person.email?.toLowerCase())) ?? thread.participants?.[0];
  const attachments = thread.attachment_count ?? (thread.has_attachments ? '' : 0);
  return h('a', { class: ['row', unread && 'un'], href },
    avatar(other),
    h('div', { class: 'grow' },
      h('div', { class: 'l1' },
        h('span', { class: 'who clip' }, participantsText(thread.participants, own)),
        thread.message_count > 1 && h('span', { class: 'cnt num' }, thread.message_count, h('span', { class: 'vh' }, ' messages')),
        unread && h('span', { class: 'vh' }, 'unread'),
        h('time', { datetime: thread.last_message_at, title: fullTime(thread.last_message_at) }, rowTime(thread.last_message_at))),
      h('div', { class: 'sub clip' }, clean(thread.subject) || '(no subject)'),
      h('div', { class: 'snip' }, h('span', { class: 'clip grow' }, clean(thread.snippet)), attachments !== 0 && h('span', { class: 'at num' }, icon('clip', 13), attachments, h('span', { class: 'vh' }, ' attachments')))));
}

/** Grey rows in the shape of real ones. */
export function skeletonRows(number) {
  return add(h('div', { 'aria-hidden': 'true' }), Array.from({ length: number }, () => h('div', { class: 'row' }, h('span', { class: 'av sk' }),
    h('div', { class: 'grow sk-lines' }, h('div', { class: 'sk' }), h('div', { class: 'sk' }), h('div', { class: 'sk' })))));
}

