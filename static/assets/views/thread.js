// One thread: its mails in order, each in a sandboxed frame that can run no script and load nothing. News of it are put in
// their places; what is being read stays where it is.

import { get } from '../api.js';
import { arrange, fill, h, icon } from '../dom.js';
import { clean, folderName, plural } from '../format.js';
import { account, ownAddresses } from '../store.js';
import { failedState, withSkeleton } from '../ui.js';
import { hasMore } from '../recipients.js';
import { answer, hostInline, isDiscarded, isOpen } from './compose/desk.js';
import { messageCard, when } from './message.js';
import { seenBy } from './seen.js';

const FOLD_FROM = 4;

/**
 * Makes the panel for a thread. `onThread(thread)` hears of each state of it, `onSeen()` when unread mails of it have been in
 * view. Returns `{ el, foot, refresh, destroy, facts, answer }`; `foot` belongs below `el`: what is being written lies there.
 */
export function threadPanel(id, { onThread, onSeen }) {
  const el = h('div', { class: 'scroll', tabindex: '-1' });
  const foot = h('div', { class: 'answers' });
  const leaveHost = hostInline(id, foot);
  const seen = seenBy(el, onSeen);
  let shown = null;
  let alive = true;
  const put = (thread) => {
    if (!alive) return;
    if (shown) shown.update(thread);
    else shown = cardsOf(el, thread, seen);
    onThread(thread);
  };
  const load = async () => {
    try {
      put(await withSkeleton(el, skeleton, get(`/api/email/threads/${id}`)));
      if (alive) el.focus({ preventScroll: true });
    } catch (problem) {
      if (alive) fill(el, failedState(problem, load));
    }
  };
  /** Looks again; what is gone for good stays on the screen until the reader turns away. */
  const refresh = async () => {
    if (!shown) return;
    try { put(await get(`/api/email/threads/${id}`)); } catch { /* the next news asks again */ }
  };
  load();
  return {
    el, foot, refresh, put, facts: () => shown?.facts() ?? null, answer: (action) => shown?.answer(action),
    destroy: () => { alive = false; leaveHost(); seen.stop(); shown?.destroy(); },
  };
}

function cardsOf(el, first, seen) {
  const own = ownAddresses();
  const known = new Map();
  const head = h('div');
  const stack = h('div');
  const ways = h('div', { class: 'ways', role: 'group', 'aria-label': 'Answer' });
  let fold = null;
  let messages = [];
  const update = (thread) => {
    // A draft that is being written, or was just thrown away, does not stand here as well.
    messages = (thread.messages ?? []).filter((mail) => !['draft', 'cancelled', 'failed'].includes(mail.status) || !(isOpen(mail.id) || isDiscarded(mail.id))).sort((a, b) => when(a).localeCompare(when(b)));
    drawHead(head, thread, messages);
    const here = new Set(messages.map((mail) => mail.id));
    for (const [id, card] of known) if (!here.has(id)) { card.destroy(); known.delete(id); }
    for (const mail of messages) {
      if (known.has(mail.id)) known.get(mail.id).update(mail);
      else known.set(mail.id, messageCard(mail, mail.is_read === false || mail === messages.at(-1), own, (one) => answer(one, 'reply')));
      if (mail.is_read === false && changeable(mail)) seen.watch(mail.id, known.get(mail.id).el);
    }
    drawWays();
    arrange(stack, messages.flatMap(({ id }) => (fold?.before === id && !fold.opened ? [fold.el, known.get(id).el] : [known.get(id).el])));
  };
  /** The mail that an answer to the conversation answers: the newest that has left or arrived. */
  const answered = () => messages.findLast((mail) => ['sent', 'delivered'].includes(mail.status)) ?? null;
  const answerIt = (action) => {
    const mail = answered();
    if (mail) answer(mail, action === 'reply_all' && !hasMore(mail, own) ? 'reply' : action);
  };
  const drawWays = () => {
    const mail = answered();
    const more = Boolean(mail && hasMore(mail, own));
    const now = `${Boolean(mail)} ${more}`;
    if (ways.dataset.now === now) return;
    ways.dataset.now = now;
    const way = (action, name, label, key) => h('button', { type: 'button', class: 'btn', title: `${label} (${key})`, onclick: () => answerIt(action) }, icon(name, 15), label);
    fill(ways, mail && [way('reply', 'reply', 'Reply', 'r'), more && way('reply_all', 'reply-all', 'Reply all', 'a'), way('forward', 'forward', 'Forward', 'f')]);
  };
  update(first);
  fold = foldMiddle(messages, known);
  if (fold) stack.insertBefore(fold.el, known.get(fold.before).el);
  fill(el, head, stack, ways);
  const unread = messages.find((mail) => mail.is_read === false);
  if (unread && unread !== messages[0]) known.get(unread.id).el.scrollIntoView({ block: 'start' });
  return {
    update, answer: answerIt,
    facts: () => ({ unread: messages.some((mail) => mail.is_read === false), starred: messages.some((mail) => mail.is_starred) }),
    destroy: () => known.forEach((card) => card.destroy()),
  };
}

/** Mail of a mailbox that was disconnected is kept as it is. */
const changeable = (mail) => account(mail.account_id)?.status !== 'disconnected';

function drawHead(el, thread, messages) {
  fill(el, h('h1', { class: 'subj' }, clean(thread.subject) || '(no subject)'),
    h('p', { class: 'facts' }, plural(thread.message_count ?? messages.length, 'message'), placeChips(messages)));
}

function placeChips(messages) {
  const names = new Map();
  for (const mail of messages) for (const folder of mail.folders ?? []) names.set(folder.id, folderName(folder));
  return [...names.values()].slice(0, 4).map((name) => h('span', { class: 'chip' }, icon('folder', 12), name));
}

/** Hides a long read middle behind one line. */
function foldMiddle(messages, known) {
  const last = messages.length - 1;
  const hidden = messages.filter((mail, index) => index > 0 && index < last - 1 && mail.is_read !== false);
  if (hidden.length < FOLD_FROM - 1) return null;
  const cards = hidden.map((mail) => known.get(mail.id));
  const fold = { before: hidden[0].id, opened: false };
  for (const card of cards) card.el.hidden = true;
  fold.el = h('button', { type: 'button', class: 'fold', onclick: () => {
    fold.opened = true;
    for (const card of cards) card.el.hidden = false;
    cards[0].el.querySelector('button')?.focus();
    fold.el.remove();
  } }, `${hidden.length} more messages`);
  return fold;
}

function skeleton() {
  return h('div', { class: 'sk-thread', 'aria-hidden': 'true' }, h('div', { class: 'sk' }), h('div', { class: 'sk' }), Array.from({ length: 6 }, () => h('div', { class: 'sk' })));
}
