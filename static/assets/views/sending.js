// Drafts, mail that waits for its time, and the outbox: lists of single mails. A draft opens to be written on; the others open
// the conversation that they belong to.

import { arrange, fill, h, icon, iconButton } from '../dom.js';
import { clean, count, moment, personName, rowTime } from '../format.js';
import { setKeys } from '../keys.js';
import { LISTS, outgoing, outgoingProblem, refreshOutgoing, watchOutgoing } from '../outgoing.js';
import { go, setTitle } from '../router.js';
import { account, state, watch } from '../store.js';
import { coalesce } from '../timing.js';
import { avatar, emptyState, failedState, toastProblem } from '../ui.js';
import { discardById, isDiscarded, openDraft } from './compose/desk.js';
import { statusChips } from './delivery.js';
import { shell } from './shell.js';
import { skeletonRows } from './row.js';
import { threadPanel } from './thread.js';

const EMPTY = {
  drafts: ['No drafts', 'What you begin to write is saved here by itself.'],
  scheduled: ['Nothing is scheduled', 'Choose “Send later” beside Send, and the message waits here for its time.'],
  outbox: ['Nothing is on its way', 'Messages that are being sent, and those that could not be sent, show here.'],
};

/** Where a list, or a conversation in it, is. */
const pathOf = (name, thread, of) => `/inbox/${name}${thread ? `/${thread}` : ''}${of ? `?account=${encodeURIComponent(of)}` : ''}`;

/** On a phone: from list to list of what one sends. */
export function sendingTabs(current) {
  const tab = (name, label, number) => h('a', { href: `/inbox/${name}`, 'aria-current': name === current ? 'page' : null }, label, number > 0 && h('span', { class: 'num n' }, ` ${count(number)}`));
  return h('nav', { class: 'tabs only-phone list-tabs', 'aria-label': 'What you send' }, tab('sent', 'Sent', 0), Object.entries(LISTS).map(([name, { label }]) => tab(name, label, outgoing(name)?.length)));
}

/** The pages `/inbox/drafts`, `/inbox/scheduled` and `/inbox/outbox`. */
export const sendingPage = (name) => (match, current) => (current?.sending === name ? current : build(name, match));

function build(name, match) {
  const { label } = LISTS[name];
  const rows = new Map();
  let thread = match.params.thread ?? null;
  let of = match.query.get('account');
  let open = null;
  const title = h('h1', { class: 'clip' });
  const tabs = h('div');
  const list = h('div', { class: 'row-list', role: 'list', 'aria-label': label });
  const tail = h('div', { class: 'tail' });
  const panel = h('section', { class: 'thread', 'aria-label': 'Conversation' });
  const page = shell([h('section', { class: 'list', 'aria-label': label }, h('div', { class: 'lh' }, title), tabs, h('div', { class: 'rows-wrap' }, h('div', { class: 'rows' }, list, tail))), panel], 'mail');

  const mails = () => outgoing(name)?.filter((mail) => (!of || mail.account_id === of) && !isDiscarded(mail.id)) ?? null;
  const draw = () => {
    const found = mails();
    fill(tabs, sendingTabs(name));
    fill(title, label, found?.length > 0 && h('span', { class: 'num' }, count(found.length)));
    title.title = of ? `${label}, ${account(of)?.email_address ?? ''}` : label;
    if (!found) { fill(tail, outgoingProblem() ? failedState(outgoingProblem(), refreshOutgoing) : skeletonRows(4)); return; }
    const here = new Set(found.map((mail) => mail.id));
    for (const id of rows.keys()) if (!here.has(id)) rows.delete(id);
    arrange(list, found.map((mail, index) => {
      if (!rows.has(mail.id)) rows.set(mail.id, mailRow(name, of));
      const row = rows.get(mail.id);
      row.show(mail, mail.thread_id !== null && mail.thread_id === thread);
      row.el.setAttribute('aria-posinset', index + 1);
      row.el.setAttribute('aria-setsize', found.length);
      return row.el;
    }));
    fill(tail, !found.length && emptyState(LISTS[name].icon, ...EMPTY[name]));
  };
  const showThread = () => {
    open?.destroy();
    open = null;
    page.el.classList.toggle('reading', Boolean(thread));
    if (!thread) {
      fill(panel, h('div', { class: 'tb' }), emptyState(LISTS[name].icon, name === 'drafts' ? 'Choose a draft' : 'Choose a message', name === 'drafts' ? 'It opens to be written on.' : 'Its conversation shows here.'));
      return;
    }
    open = threadPanel(thread, { onThread: (shown) => setTitle(clean(shown.subject) || '(no subject)'), onSeen: () => {} });
    fill(panel, h('div', { class: 'tb' }, h('a', { class: 'ib back', href: pathOf(name, null, of), 'aria-label': 'Back to the list', title: 'Back to the list (Esc)' }, icon('back'))), open.el, open.foot);
  };
  const step = (by) => {
    const links = [...list.querySelectorAll('a.row')];
    const at = links.indexOf(document.activeElement);
    (links[at < 0 ? 0 : at + by] ?? links[at])?.focus();
  };
  const later = coalesce(() => open?.refresh(), 500);
  const stops = [
    watchOutgoing(draw),
    watch((what, event) => { if (what === 'mail' && (!event?.data?.thread_id || event.data.thread_id === thread)) later(); if (what === 'accounts') draw(); }),
    setKeys({
      j: () => step(1), k: () => step(-1), o: () => document.activeElement?.matches?.('a.row') && document.activeElement.click(),
      r: () => open?.answer('reply'), a: () => open?.answer('reply_all'), f: () => open?.answer('forward'),
      Escape: () => { if (thread) go(pathOf(name, null, of)); },
    }),
  ];
  draw();
  showThread();
  refreshOutgoing();
  return {
    el: page.el, title: label, sending: name,
    update(next) {
      const before = thread;
      thread = next.params.thread ?? null;
      of = next.query.get('account');
      page.refresh();
      draw();
      if (before !== thread) showThread();
      if (!thread) setTitle(label);
    },
    destroy() { stops.forEach((stop) => stop()); open?.destroy(); later.cancel(); page.destroy(); },
  };
}

/** One mail in the list. */
function mailRow(name, of) {
  const link = h('a', { class: 'row' });
  const el = h('div', { role: 'listitem' }, link);
  let mail = null;
  let stamp = '';
  const remove = iconButton('trash', 'Discard', () => discardById(mail.id).catch(toastProblem));
  if (name === 'drafts') {
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openDraft(mail.id);
    });
    el.append(h('div', { class: 'row-acts' }, remove));
  }
  const show = (next, selected) => {
    mail = next;
    link.classList.toggle('sel', selected);
    const now = JSON.stringify(next);
    if (now === stamp) return;
    stamp = now;
    link.setAttribute('href', name === 'drafts' ? `/compose/${mail.id}` : pathOf(name, mail.thread_id, of));
    remove.setAttribute('aria-label', `Discard the draft ${clean(mail.subject) || 'without a subject'}`);
    fill(link, content(name, mail));
  };
  return { el, show };
}

function content(name, mail) {
  const people = [...(mail.to ?? []), ...(mail.cc ?? []), ...(mail.bcc ?? [])];
  const time = name === 'scheduled' ? mail.scheduled_at : mail.updated_at;
  const many = state.accounts.length > 1;
  return [
    avatar(people[0] ?? { email: '?' }),
    h('div', { class: 'grow' },
      h('div', { class: 'l1' }, h('span', { class: 'who clip' }, people.length ? people.slice(0, 3).map((person) => personName(person)).join(', ') + (people.length > 3 ? ` and ${people.length - 3} more` : '') : 'Nobody yet'),
        mail.has_attachments && h('span', { class: 'cnt' }, icon('clip', 12), h('span', { class: 'vh' }, 'with files')),
        h('time', { datetime: time, title: moment(time) }, name === 'scheduled' ? moment(time) : rowTime(time))),
      h('div', { class: 'sub clip' }, clean(mail.subject) || '(no subject)'),
      h('div', { class: 'snip' }, h('span', { class: 'clip grow' }, clean(mail.error_message && name === 'outbox' ? mail.error_message : mail.snippet)), (name === 'outbox' || mail.status === 'cancelled') && statusChips(mail)),
      many && h('div', { class: 'snip' }, h('span', { class: 'clip' }, `from ${clean(mail.from?.email)}`))),
  ];
}
