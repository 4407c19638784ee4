// The buttons for what one can do with conversations: beside a row, above a thread, and above the list for those ticked.

import { fill, h, iconButton } from '../dom.js';
import { plural } from '../format.js';
import { VERBS, verbsFor } from '../verbs.js';

/** Buttons for the verbs that make sense. `run(verb, button)` hears which one was pressed. */
function buttons(verbs, run) {
  return verbs.map((verb) => {
    const { label, icon, key, pressed } = VERBS[verb];
    const asks = verb === 'move' || verb === 'label';
    const button = iconButton(icon, label, () => run(verb, button), { 'data-verb': verb, class: ['ib', pressed && 'on'].filter(Boolean).join(' '), 'aria-haspopup': asks ? 'dialog' : null });
    button.title = key ? `${label} (${key})` : label;
    return button;
  });
}

/** Draws the buttons anew and keeps the focus on the one with the same place. */
function redraw(el, verbs, run) {
  const key = verbs.join();
  if (el.dataset.verbs === key) return;
  el.dataset.verbs = key;
  const at = [...el.children].indexOf(document.activeElement);
  fill(el, buttons(verbs, run));
  if (at >= 0) el.children[Math.min(at, el.children.length - 1)]?.focus();
}

const factsOf = (thread) => ({ unread: thread.unread_count > 0, starred: Boolean(thread.starred) });

/** The bar that follows pointer and focus from row to row. `thread(id)` looks one up, `view()` tells where they lie. */
export function rowBar({ thread, view, run }) {
  const el = h('div', { class: 'row-acts', role: 'toolbar', 'aria-label': 'Actions' });
  let at = null;
  const show = () => {
    const found = at && thread(at);
    if (found) redraw(el, verbsFor(view(), factsOf(found)), (verb, button) => run(verb, [at], button));
  };
  return {
    /** The newest state of the conversation it stands at. */
    update: show,
    goTo(id, row) {
      if (el.contains(document.activeElement) && !row.contains(el)) return;
      at = id;
      show();
      if (el.parentElement !== row) row.append(el);
    },
  };
}

/** The actions above an open thread. */
export function threadBar({ view, run }) {
  const el = h('div', { class: 'acts', role: 'toolbar', 'aria-label': 'Conversation actions' });
  return { el, update: (facts) => redraw(el, verbsFor(view(), { ...facts, unread: false }), run) };
}

/** The bar in the place of the list's head while conversations are ticked. */
export function bulkBar({ view, run, all, clear }) {
  const box = h('input', { type: 'checkbox', 'aria-label': 'Select all that are shown', onclick: () => (box.checked ? all() : clear()) });
  const words = h('span', { class: 'grow clip num', role: 'status' });
  const acts = h('div', { class: 'acts', role: 'toolbar', 'aria-label': 'Actions for the selection' });
  const el = h('div', { class: 'lh bulk', hidden: true }, h('label', { class: 'all' }, box), words, acts, iconButton('close', 'End the selection (Esc)', clear));
  const update = (threads, total) => {
    el.hidden = threads.length === 0;
    if (!threads.length) return;
    box.checked = threads.length === total;
    box.indeterminate = threads.length < total;
    words.title = `${plural(threads.length, 'conversation')} selected`;
    fill(words, threads.length, h('span', { class: 'wide' }, ' selected'));
    redraw(acts, verbsFor(view(), { unread: threads.some((thread) => thread.unread_count > 0), starred: threads.every((thread) => thread.starred) }), run);
  };
  return { el, update };
}
