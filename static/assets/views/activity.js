// What was changed, and what became of it at the provider: live, with a way back.

import { change, get } from '../api.js';
import { wordsOf } from '../carry.js';
import { arrange, fill, h, icon } from '../dom.js';
import { ago, clean, fullTime, plural, shortTime } from '../format.js';
import { mailChanged, watch } from '../store.js';
import { coalesce, each } from '../timing.js';
import { VERBS } from '../verbs.js';
import { busy, emptyState, failedState, toast, toastProblem, withSkeleton } from '../ui.js';
import { shell } from './shell.js';

const PAGE = 50;
const MOST = 200;
const REFRESH_MS = 500;
const SHOWN_MAILS = 20;

const STATES = {
  pending: ['On its way', 'c-iris', 'clock'], confirmed: ['Confirmed', 'c-green', 'check'], failed: ['Failed', 'c-red', 'warn'],
  undone: ['Undone', '', 'undo'], superseded: ['Overtaken by a later change', '', 'next'],
};
const TABS = [['', 'All'], ['pending', 'On their way'], ['failed', 'Failed']];

/** The page `/activity`. */
export function activityPage(match, current) {
  return current?.isActivity ? current : build(match);
}

function build(match) {
  let state = match.query.get('state') ?? '';
  const tabs = h('nav', { class: 'tabs', 'aria-label': 'Which changes' });
  const list = h('ul', { class: 'ops' });
  const tail = h('div');
  const body = h('div', { class: 'page-in' },
    h('div', { class: 'page-top' }, h('h1', { class: 'page-title' }, 'Activity'), h('p', { class: 'muted' }, 'Everything you changed, and whether your mailbox has it too.'), tabs),
    h('section', { class: 'card box', 'aria-label': 'Changes' }, list, tail));
  const page = shell(h('div', { class: 'page' }, body), 'wide');
  const known = new Map();
  let operations = [];
  let cursor = null;
  let turn = 0;

  const draw = () => {
    const byId = new Map(operations.map((operation) => [operation.id, operation]));
    for (const operation of operations) {
      if (!known.has(operation.id)) known.set(operation.id, operationRow());
      known.get(operation.id).show(operation, byId.get(operation.undoes));
    }
    arrange(list, operations.map(({ id }) => known.get(id).el));
    fill(tail, !operations.length && nothing(state), cursor && h('button', { type: 'button', class: 'btn', onclick: more }, 'Show older changes'));
  };
  const fetchPage = (at, limit = PAGE) => get('/api/email/operations', { query: { state, limit, cursor: at } });
  const look = async () => {
    const mine = ++turn;
    const page = await fetchPage(null, Math.min(MOST, Math.max(PAGE, operations.length)));
    if (mine !== turn) return;
    ({ items: operations, next_cursor: cursor } = page);
    draw();
  };
  const more = async () => {
    try {
      const next = await fetchPage(cursor);
      operations = [...operations, ...next.items];
      cursor = next.next_cursor;
      draw();
    } catch (problem) { toastProblem(problem); }
  };
  const load = async () => {
    fill(tabs, TABS.map(([word, text]) => h('a', { href: word ? `/activity?state=${word}` : '/activity', 'aria-current': word === state ? 'page' : null }, text)));
    list.replaceChildren();
    operations = [];
    try { await withSkeleton(tail, () => h('div', { class: 'sk-lines' }, h('div', { class: 'sk' }), h('div', { class: 'sk' })), look()); } catch (problem) { fill(tail, failedState(problem, load)); }
  };
  const later = coalesce(look, REFRESH_MS);
  const stop = watch((what) => { if (what === 'operations') later(); });
  load();
  return {
    el: page.el, title: 'Activity', isActivity: true,
    update(next) { state = next.query.get('state') ?? ''; page.refresh(); load(); },
    destroy() { stop(); later.cancel(); turn += 1; page.destroy(); },
  };
}

function nothing(state) {
  if (state === 'failed') return emptyState('done', 'Nothing failed', 'Every change reached its mailbox or is on its way.');
  if (state === 'pending') return emptyState('done', 'Nothing is on its way', 'Your mailboxes have every change.');
  return emptyState('activity', 'Nothing was changed yet', 'Archive, star or move a mail, and it is listed here.', h('a', { class: 'btn', href: '/inbox/inbox' }, 'Open the inbox'));
}

/** One change; its mails are looked up when somebody wants to see them. */
function operationRow() {
  const words = h('b');
  const mark = h('span', { class: 'op-icon' });
  const about = h('div', { class: 'op-state' });
  const undo = h('button', { type: 'button', class: 'btn' }, icon('undo', 14), 'Undo');
  const mails = h('ul', { class: 'op-mails', hidden: true });
  const shows = h('button', { type: 'button', class: 'link-btn', 'aria-expanded': 'false' }, 'Show messages');
  const el = h('li', null, mark, h('div', { class: 'grow' }, words, h('div', { class: 'op-line' }, about, shows), mails), undo);
  let stamp = '';
  let now = null;
  const show = (operation, undone) => {
    now = operation;
    const next = JSON.stringify([operation, undone?.id, ago(operation.created_at)]);
    if (next === stamp) return;
    stamp = next;
    fill(mark, icon(iconOf(operation.kind), 15));
    fill(words, wordsOf(operation, undone));
    fill(about, stateWords(operation));
    undo.hidden = !['pending', 'confirmed', 'superseded'].includes(operation.state);
    undo.setAttribute('aria-label', `Undo: ${wordsOf(operation, undone)}`);
    shows.hidden = !operation.email_ids.length;
    if (!mails.hidden) showMails(mails, operation.id);
  };
  undo.addEventListener('click', () => busy(undo, 'Undoing…', async () => {
    try {
      await change('POST', `/api/email/operations/${now.id}/undo`);
      toast(`Undone: ${wordsOf(now)}.`);
    } catch (problem) { toastProblem(problem); }
    mailChanged();
  }));
  shows.addEventListener('click', () => {
    mails.hidden = !mails.hidden;
    shows.setAttribute('aria-expanded', String(!mails.hidden));
    fill(shows, mails.hidden ? 'Show messages' : 'Hide messages');
    if (!mails.hidden) showMails(mails, now.id);
  });
  return { el, show };
}

const iconOf = (kind) => ({ undo: 'undo', labels: 'label', batch: 'activity' }[kind] ?? VERBS[kind]?.icon ?? 'activity');

function stateWords({ state, error_message: error, created_at: at, confirmed_at: confirmed }) {
  const [text, tone, pic] = STATES[state] ?? [state, '', 'info'];
  const waits = state === 'pending' && error;
  return [
    h('span', { class: ['chip', tone] }, icon(pic, 12), text),
    h('time', { datetime: at, title: fullTime(at) }, ago(at)),
    state === 'confirmed' && confirmed && h('span', { class: 'vh' }, `The mailbox had it ${shortTime(confirmed)}`),
    error && h('p', { class: state === 'failed' ? 'bad-text' : 'hint' }, waits ? `It is tried again: ${error}` : error),
  ];
}

/** The mails of a change with what became of each. */
async function showMails(el, id) {
  try {
    const { items } = await get(`/api/email/operations/${id}`);
    const mails = await each(items.slice(0, SHOWN_MAILS), (item) => get(`/api/email/messages/${item.email_id}`).catch(() => null));
    const rest = items.length - mails.length;
    fill(el, mails.map((mail, index) => mailLine(mail, items[index])), rest > 0 && h('li', { class: 'muted' }, `and ${plural(rest, 'more message', 'more messages')}`));
  } catch (problem) {
    fill(el, h('li', { class: 'bad-text' }, problem.message));
  }
}

function mailLine(mail, item) {
  const title = clean(mail?.subject) || (mail ? '(no subject)' : 'A message that is not here any more');
  const link = mail?.thread_id ? h('a', { class: 'clip grow', href: `/inbox/all/${mail.thread_id}` }, title) : h('span', { class: 'clip grow muted' }, title);
  return h('li', null, link, item.state !== 'confirmed' && h('span', { class: 'muted' }, STATES[item.state]?.[0] ?? item.state), item.error_message && h('p', { class: 'bad-text' }, item.error_message));
}
