// Does to conversations what a person asks for: at once on the screen, then at the server, with a way back.

import { change } from '../api.js';
import { carry, offerUndo } from '../carry.js';
import { plural } from '../format.js';
import { mailChanged } from '../store.js';
import { toastProblem } from '../ui.js';
import { leaves, VERBS } from '../verbs.js';
import { askFolder, askLabels } from './places.js';

/**
 * Makes the hands of a list. `view()` tells what it shows, `left(ids, verb)` is called when conversations leave it or are put
 * off, before they do, `back(ids)` when they have come back.
 */
export function hands({ list, view, left, back }) {
  const perform = async (verb, ids, extra = {}) => {
    const at = view();
    const gone = leaves(verb, at);
    const text = VERBS[verb].said(plural(ids.length, 'conversation'), extra);
    if (gone || verb === 'unread') left(ids, gone);
    const settle = list.expect(ids, gone ? { gone: true } : VERBS[verb].shows ?? {});
    list.picked.clear();
    try {
      const operations = await carry(verb, ids, at, extra);
      offerUndo(operations, text, async () => { await list.refresh(); if (gone) back(ids); });
      await list.refresh();
    } catch (problem) {
      toastProblem(problem);
      await list.refresh();
    }
    settle();
    mailChanged();
  };

  /** What was unread and has been looked at becomes read. It is no act of a person's, so it fails in silence. */
  const markRead = async (id, put) => {
    const settle = list.expect([id], { unread_count: 0 });
    try {
      put((await change('PATCH', `/api/email/threads/${id}`, { is_read: true })).body);
      await list.refresh();
    } catch { /* it stays unread */ }
    settle();
  };

  /** Asks what has to be asked, then does it; `anchor` is the button that was pressed. */
  const run = (verb, ids, anchor) => {
    if (!ids.length) return;
    const done = (extra) => perform(verb, ids, extra);
    if (verb === 'move') askFolder(anchor, ids, view(), done);
    else if (verb === 'label') askLabels(anchor, ids, done);
    else perform(verb, ids);
  };
  return { run, markRead };
}
