// Where mails that are being written lie: docked at the bottom right, below the thread they answer, or over the whole screen
// of a phone. They outlive the page that they were opened from.

import { del, get, versioned } from '../../api.js';
import { fill, h } from '../../dom.js';
import { outgoingChanged } from '../../outgoing.js';
import { mailChanged, state, watch } from '../../store.js';
import { coalesce } from '../../timing.js';
import { toast, toastProblem } from '../../ui.js';
import { composer } from './composer.js';
import { dropCopy, keepCopy, leftCopies } from './copies.js';
import { answerLetter, freshLetter, letterOf, senders } from './letter.js';
import { follow } from './sent.js';

const UNDO_MS = 8000;
const PHONE = window.matchMedia('(max-width: 719px)');

const open = new Set();
const told = () => { mailChanged(); outgoingChanged(); };
const discarded = new Map();
let dock = null;
/** The place below the open thread: `{ thread, el }`. */
let inlineHost = null;

/** Begins: what was not saved comes back, and drafts in work follow the news. */
export function startDesk() {
  dock = document.getElementById('dock');
  PHONE.addEventListener('change', arrangeAll);
  window.addEventListener('popstate', onBack);
  window.addEventListener('pagehide', () => { for (const forever of discarded.values()) forever(true); });
  let restored = false;
  const look = coalesce(() => Promise.all([...open].map((one) => one.look())), 600);
  watch((what, event) => {
    if (what === 'accounts' && state.loaded && !restored) { restored = true; setTimeout(restoreUnsaved); }
    if (what === 'ended') restored = false;
    if (what === 'ended') { for (const one of [...open]) one.finish({ keepCopy: one.keep.changed() }); return; }
    if (what !== 'mail' || !open.size) return;
    const about = event?.data?.email_id;
    if (!about || [...open].some((one) => one.id === about)) look();
  });
}

/** Offers what was left over on this device; what this window itself had open simply comes back. */
function restoreUnsaved() {
  const { mine, others } = leftCopies();
  for (const copy of mine) restore(copy);
  for (const copy of others) {
    const button = h('button', { type: 'button', class: 'do', onclick: () => { close(); restore(copy); } }, 'Open');
    const close = toast(`A message was not saved: ${copy.subject || 'no subject'}.`, { stay: true, action: button });
  }
}

function restore(copy) {
  dropCopy(copy.key);
  put(composer({ ...copy, unsaved: true }, desk), { folded: open.size > 0, quiet: true });
}

/** Whether a draft lies open here. */
export const isOpen = (id) => [...open].some((one) => one.id === id && !one.ended);

/** Writes a new mail. */
export function compose(known) {
  if (!senders().length) { toast('Connect a mailbox first: mail is sent from it.'); return; }
  put(composer(freshLetter(known), desk));
}

/** Answers or forwards a mail: below its thread when that is on the screen. */
export function answer(mail, action) {
  if (!senders().length) { toast('Connect a mailbox first: mail is sent from it.'); return; }
  const same = [...open].find((one) => one.source === mail.id && one.action === action);
  if (same) { show(same); return; }
  // A look at another way of answering does not leave an empty sheet behind.
  for (const one of [...open]) if (one.el.classList.contains('inline') && one.source === mail.id && !one.keep.changed() && !one.id) one.finish();
  put(composer({ ...answerLetter(mail, action), thread_id: mail.thread_id }, desk));
}

/** Opens a draft, or one that was called back. */
export async function openDraft(id) {
  const known = [...open].find((one) => one.id === id);
  if (known) { show(known); return; }
  discarded.get(id)?.(false);
  try {
    const { body, etag } = await versioned('GET', `/api/email/messages/${id}`);
    if (!['draft', 'cancelled', 'failed'].includes(body.status)) { toast('This message has been sent or is on its way: it cannot be changed.'); return; }
    const letter = { ...letterOf(body), etag };
    if (letter.source) letter.original = await get(`/api/email/messages/${letter.source}`).catch(() => null);
    put(composer(letter, desk));
    told();
  } catch (problem) {
    toastProblem(problem);
  }
}

/** The thread on the screen has a place for answers. Returns how to give it up: what is being written moves to the dock. */
export function hostInline(thread, el) {
  const host = { thread, el };
  inlineHost = host;
  for (const one of open) if (one.inlineFor === thread) place(one);
  return () => {
    if (inlineHost === host) inlineHost = null;
    for (const one of [...open]) {
      if (!host.el.contains(one.el)) continue;
      if (one.keep.changed() || one.id) place(one, { folded: true });
      else one.finish();
    }
  };
}

function put(one, { folded = false, quiet = false } = {}) {
  one.opener = document.activeElement;
  one.inlineFor = one.source ? one.thread : null;
  open.add(one);
  place(one, { folded });
  if (!quiet && !folded) one.focus();
  if (!quiet) told();
}

/** Puts a composer where it belongs now. */
function place(one, { folded = false } = {}) {
  const inline = !PHONE.matches && one.inlineFor && inlineHost?.thread === one.inlineFor && !one.poppedOut;
  const home = inline ? inlineHost.el : dock;
  one.folded = folded && !inline;
  if (one.el.parentElement !== home) home.append(one.el);
  one.el.hidden = Boolean(one.away);
  one.el.classList.toggle('inline', Boolean(inline));
  // Below a thread there is room for one; the one before waits in the dock.
  if (inline) for (const other of open) if (other !== one && other.el.parentElement === home) { other.poppedOut = true; place(other, { folded: true }); }
  if (!inline && !one.folded) for (const other of open) if (other !== one && other.el.parentElement === dock) other.folded = true;
  arrange();
}

/** Folds and unfolds in the dock; on a phone the page below does not take part. */
function arrange() {
  for (const one of open) {
    const docked = one.el.parentElement === dock;
    one.el.classList.toggle('folded', docked && Boolean(one.folded));
    let handle = one.el.querySelector(':scope > .c-handle');
    if (docked && one.folded && !handle) {
      handle = h('button', { type: 'button', class: 'c-handle', onclick: () => show(one) });
      one.el.prepend(handle);
    } else if (handle && !(docked && one.folded)) handle.remove();
    if (handle) fill(handle, h('span', { class: 'clip' }, one.title), h('span', { class: 'vh' }, ', open'));
  }
  const full = PHONE.matches && [...open].some((one) => !one.folded && !one.away);
  document.getElementById('app').inert = full;
  inHistory(full);
  document.body.classList.toggle('writing', full);
  document.body.classList.toggle('docked', [...open].some((one) => one.el.parentElement === dock && !one.folded && !one.away));
}

/** On a phone the way back leads out of the sheet, not out of the page below it. */
let entered = false;
function inHistory(full) {
  if (full === entered) return;
  entered = full;
  if (full) history.pushState({ writing: true }, '');
  else if (history.state?.writing) history.back();
}

function onBack() {
  if (!entered || history.state?.writing) return;
  entered = false;
  for (const one of [...open]) if (!one.folded && !one.away) one.close();
}

function arrangeAll() {
  for (const one of open) place(one, { folded: one.folded });
}

function show(one) {
  one.away = false;
  place(one);
  one.focus();
}

/** Gives the focus back to where it came from. */
function leaveTo(one) {
  if (one.opener?.isConnected && one.opener !== document.body) one.opener.focus({ preventScroll: true });
  else if (!document.activeElement || document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true });
}

const desk = {
  placed: (one) => { if (open.has(one)) arrange(); },
  fold: (one) => { one.folded = true; arrange(); leaveTo(one); },
  popOut: (one) => { one.poppedOut = true; place(one); one.focus(); },
  putAway: (one) => { one.away = true; one.el.hidden = true; arrange(); leaveTo(one); },
  bringBack: (one, how) => { one.away = false; place(one, how); },
  closed: (one) => {
    const inside = one.el.contains(document.activeElement) || document.activeElement === document.body;
    one.el.remove();
    open.delete(one);
    arrange();
    if (inside) leaveTo(one);
    told();
  },
  sent: (mail) => follow(mail, openDraft),
  discard: (one) => discard(one),
};

/** Throws a draft away. The server hears of it when nobody has taken it back. */
function discard(one) {
  if (one.sending) return;
  const { id } = one;
  const letter = { ...one.read(), id, etag: one.keep.etag, key: one.keep.key };
  const blank = !id && !one.keep.changed();
  one.finish();
  if (blank) return;
  if (!id) keepCopy(letter.key, letter);
  const end = (gone) => {
    clearTimeout(timer);
    closeNotice();
    discarded.delete(id ?? letter.key);
    if (!gone) return;
    dropCopy(letter.key);
    if (id) del(`/api/email/drafts/${id}`, { keepalive: true }).catch((problem) => { if (problem.status !== 404) toastProblem(problem); }).finally(() => state.me && told());
  };
  const back = () => {
    end(false);
    dropCopy(letter.key);
    put(composer({ ...letter, unsaved: !id }, desk));
  };
  const button = h('button', { type: 'button', class: 'do', onclick: back }, 'Undo');
  const closeNotice = toast('Draft discarded.', { action: button, stay: true });
  const wait = () => { timer = setTimeout(() => (button.parentElement?.matches(':hover, :focus-within') ? wait() : end(true)), UNDO_MS); };
  let timer = 0;
  wait();
  discarded.set(id ?? letter.key, end);
}

/** Drafts that were discarded a moment ago are not shown, though the server still has them. */
export const isDiscarded = (id) => discarded.has(id);

/** Discards a draft from a list. */
export async function discardById(id) {
  const known = [...open].find((one) => one.id === id);
  if (known) { discard(known); return; }
  const { body, etag } = await versioned('GET', `/api/email/messages/${id}`);
  discard(composer({ ...letterOf(body), etag }, desk));
  told();
}
