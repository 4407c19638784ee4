// The list of threads, newest first: cursor pages as one scrolls, new mail put on top without a jump. What a person does is
// shown at once and laid over the server's answer until that is known.

import { get, listAll } from '../api.js';
import { arrange, fill, h, icon } from '../dom.js';
import { count, dayHeading } from '../format.js';
import { ownAddresses } from '../store.js';
import { failedState, withSkeleton } from '../ui.js';
import { leave, skeletonRows, threadRow } from './row.js';
import { selection } from './selection.js';

const PAGE = 50;
const MAX_REFRESH = 200;
const AHEAD_PX = 800;

/**
 * Makes the list. `source()` gives the query of the first page, `hrefOf(thread)` each row's link, `empty()` what an empty list
 * shows, `bar` the actions that follow pointer and focus, `onPicked()` hears of the selection.
 */
export function threadList({ source, hrefOf, empty, bar, onPicked }) {
  const list = h('div', { class: 'row-list', role: 'list', 'aria-label': 'Conversations' });
  const tail = h('div', { class: 'tail' });
  const pill = h('button', { type: 'button', class: 'pill', hidden: true }, icon('up', 13), h('span'));
  const rows = h('div', { class: 'rows' }, list, tail);
  const el = h('div', { class: 'rows-wrap' }, rows, pill);
  const known = new Map();
  const days = new Map();
  const laid = new Map();
  const data = { threads: [], starred: new Set(), cursor: null };
  let loading = null;
  let selected = null;
  let current = null;
  let fresh = 0;
  let turn = 0;
  let looks = 0;
  let applied = 0;

  const shown = () => data.threads.filter((thread) => !laid.get(thread.id)?.gone);
  const seen = (thread) => ({ ...thread, starred: data.starred.has(thread.id), ...laid.get(thread.id) });
  const picked = selection(() => shown().map((thread) => thread.id), () => { mark(); onPicked(); });

  const showPill = () => {
    pill.hidden = fresh === 0;
    pill.lastChild.textContent = `${count(fresh)} new`;
  };
  pill.addEventListener('click', () => { rows.scrollTo({ top: 0 }); list.querySelector('a')?.focus({ preventScroll: true }); });
  rows.addEventListener('scroll', () => {
    if (rows.scrollTop < 40 && fresh) { fresh = 0; showPill(); }
    if (data.cursor && rows.scrollHeight - rows.scrollTop - rows.clientHeight < AHEAD_PX) more();
  }, { passive: true });

  const fetchPage = (at, limit = PAGE) => get('/api/email/threads', { query: { ...source(), limit, cursor: at } });
  const fetchStarred = async () => {
    const mails = await listAll('/api/email/messages', { account_id: source().account_id, is_starred: true, limit: MAX_REFRESH });
    return new Set(mails.map((mail) => mail.thread_id));
  };

  const draw = () => {
    const own = ownAddresses();
    const nodes = [];
    const headings = new Set();
    const all = shown();
    all.forEach((thread, index) => {
      const day = dayHeading(thread.last_message_at);
      if (!headings.has(day)) {
        headings.add(day);
        if (!days.has(day)) days.set(day, h('div', { class: 'day', role: 'presentation' }, day));
        nodes.push(days.get(day));
      }
      const row = known.get(thread.id) ?? newRow(thread.id);
      row.show(seen(thread), hrefOf(thread), own);
      row.el.setAttribute('aria-posinset', index + 1);
      row.el.setAttribute('aria-setsize', data.cursor ? -1 : all.length);
      nodes.push(row.el);
    });
    const anchor = firstVisible();
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    arrange(list, nodes);
    for (const [id, row] of known) if (!row.el.isConnected) known.delete(id);
    if (anchor?.row.isConnected) rows.scrollTop += anchor.row.getBoundingClientRect().top - anchor.top;
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    picked.retain();
    mark();
    fill(tail, all.length === 0 ? empty() : data.cursor ? skeletonRows(2) : null);
  };

  const newRow = (id) => {
    const row = threadRow((event) => (event.shiftKey ? picked.extend(id) : picked.toggle(id)));
    row.el.addEventListener('pointerenter', () => bar.goTo(id, row.el));
    row.el.addEventListener('focusin', () => { current = id; rove(); bar.goTo(id, row.el); });
    row.link.addEventListener('click', (event) => { if (event.shiftKey) { event.preventDefault(); picked.extend(id); } });
    known.set(id, row);
    return row;
  };

  const firstVisible = () => {
    if (rows.scrollTop === 0) return null;
    const edge = rows.getBoundingClientRect().top;
    const row = [...list.children].find((node) => node.getAttribute('role') === 'listitem' && node.getBoundingClientRect().bottom > edge);
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  };

  const mark = () => {
    for (const [id, row] of known) row.mark({ selected: id === selected, picked: picked.has(id) });
    list.classList.toggle('picking', picked.size > 0);
    rove();
  };

  /** Only one row is reached by Tab; the others by j and k. */
  const rove = () => {
    const at = [current, selected, shown()[0]?.id].find((id) => known.has(id));
    for (const [id, row] of known) for (const stop of row.el.querySelectorAll(':scope > a, :scope > label input')) stop.tabIndex = id === at ? 0 : -1;
  };

  /** Loads from the start and shows the list. */
  const load = async () => {
    const mine = ++turn;
    for (const each of [known, laid, days]) each.clear();
    Object.assign(data, { threads: [], cursor: null });
    fresh = 0;
    showPill();
    picked.clear();
    list.replaceChildren();
    rows.scrollTop = 0;
    try {
      const [page, starred] = await withSkeleton(tail, () => skeletonRows(7), Promise.all([fetchPage(null), fetchStarred()]));
      if (mine !== turn) return;
      Object.assign(data, { threads: page.items, cursor: page.next_cursor, starred });
      draw();
    } catch (problem) {
      if (mine === turn) fill(tail, failedState(problem, load));
    }
  };

  const more = async () => {
    if (loading || !data.cursor) return;
    const mine = turn;
    loading = fetchPage(data.cursor);
    try {
      const page = await loading;
      if (mine !== turn) return;
      const have = new Set(data.threads.map((thread) => thread.id));
      data.threads = [...data.threads, ...page.items.filter((thread) => !have.has(thread.id))];
      data.cursor = page.next_cursor;
      draw();
    } catch (problem) {
      if (mine === turn) fill(tail, failedState(problem, more));
    } finally {
      loading = null;
    }
  };

  /** Looks again and puts what is new in its place; the reader's place in the list stays. */
  const refresh = async () => {
    const mine = turn;
    const look = ++looks;
    const limit = Math.min(MAX_REFRESH, Math.max(PAGE, data.threads.length));
    let answers;
    try { answers = await Promise.all([fetchPage(null, limit), fetchStarred()]); } catch { return; }
    const [page, starred] = answers;
    if (mine !== turn || look < applied) return;
    applied = look;
    const have = new Set(data.threads.map((thread) => thread.id));
    const top = data.threads[0]?.last_message_at ?? '';
    const arrived = page.items.filter((thread) => !have.has(thread.id) && thread.last_message_at > top).length;
    const got = new Set(page.items.map((thread) => thread.id));
    const rest = data.threads.length > limit ? data.threads.slice(limit).filter((thread) => !got.has(thread.id) && !laid.get(thread.id)?.gone) : [];
    Object.assign(data, { threads: [...page.items, ...rest], starred });
    if (!rest.length) data.cursor = page.next_cursor;
    if (rows.scrollTop >= 40) fresh += arrived;
    showPill();
    draw();
  };

  /** Shows what a change will make of these threads. Returns how to show the server's word again. */
  const expect = (ids, change) => {
    for (const id of ids) {
      laid.set(id, { ...laid.get(id), ...change });
      if (!change.gone || !known.has(id)) continue;
      leave(known.get(id).el);
      known.delete(id);
    }
    draw();
    return () => {
      for (const id of ids) {
        const left = Object.entries(laid.get(id) ?? {}).filter(([name, value]) => change[name] !== value);
        if (left.length) laid.set(id, Object.fromEntries(left));
        else laid.delete(id);
      }
      draw();
    };
  };

  const neighbour = (id, by) => {
    const all = shown();
    const at = all.findIndex((thread) => thread.id === id);
    return at < 0 ? null : all[at + by] ?? null;
  };

  return {
    el, load, refresh, expect, picked, neighbour,
    select: (id) => {
      selected = id;
      current = id ?? current;
      mark();
      known.get(id)?.el.scrollIntoView({ block: 'nearest' });
    },
    thread: (id) => { const found = data.threads.find((thread) => thread.id === id); return found ? seen(found) : null; },
    position: (id) => ({ at: shown().findIndex((thread) => thread.id === id), total: shown().length, more: Boolean(data.cursor) }),
    /** The row that the keyboard is at. */
    focused: () => (list.contains(document.activeElement) ? current : null),
    focus: (id) => (known.get(id)?.link ?? list.querySelector('a.row'))?.focus(),
    /** Moves the focus by one row. */
    step: (by) => {
      const next = current && known.has(current) && list.contains(document.activeElement) ? neighbour(current, by) : shown().find((thread) => thread.id === (selected ?? current)) ?? shown()[0];
      if (next) { known.get(next.id).link.focus(); known.get(next.id).el.scrollIntoView({ block: 'nearest' }); }
      return next?.id ?? null;
    },
  };
}
