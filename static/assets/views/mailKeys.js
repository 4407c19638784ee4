// The single keys of the mail pages.

import { VERBS, verbsFor } from '../verbs.js';

/** `open()` is the conversation being read and `facts()` its state, `goTo(id, how)` opens another, `close()` goes back, `answer(action)` answers. */
export function mailKeys({ list, hand, view, open, facts, answer, close, goTo }) {
  const targets = () => {
    if (list.picked.size) return list.picked.ids;
    const id = open() ?? list.focused();
    return id ? [id] : [];
  };
  const stateOf = (ids) => {
    if (open() && !list.picked.size) return { unread: false, starred: Boolean(facts()?.starred) };
    const threads = ids.map((id) => list.thread(id)).filter(Boolean);
    return { unread: threads.some((thread) => thread.unread_count > 0), starred: threads.every((thread) => thread.starred) };
  };
  const does = (key) => () => {
    const ids = targets();
    const verb = verbsFor(view(), stateOf(ids)).find((name) => VERBS[name].key === key);
    if (verb) hand.run(verb, ids);
  };
  const move = (by) => () => {
    const next = open() && list.neighbour(open(), by);
    if (next) goTo(next.id, { replace: true });
    else if (!open()) list.step(by);
  };
  const extend = (by) => () => {
    const from = list.focused() ?? open();
    if (from) list.picked.extend(from);
    const next = list.step(by);
    if (next) list.picked.extend(next);
  };
  return {
    j: move(1), k: move(-1), J: extend(1), K: extend(-1),
    o: () => { const id = list.focused(); if (id) goTo(id); },
    x: () => { const id = list.focused() ?? open(); if (id) list.picked.toggle(id); },
    r: () => answer('reply'), a: () => answer('reply_all'), f: () => answer('forward'),
    e: does('e'), '#': does('#'), s: does('s'), u: does('u'),
    Escape: () => { if (list.picked.size) list.picked.clear(); else if (open()) close(); },
  };
}
