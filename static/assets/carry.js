// Carries changes of mail to the API, and takes them back.

import { change, get, listAll, Problem } from './api.js';
import { h } from './dom.js';
import { plural } from './format.js';
import { mailChanged, watch } from './store.js';
import { coalesce, each } from './timing.js';
import { toast, toastProblem } from './ui.js';
import { VERBS } from './verbs.js';

const BATCH = 1000;
const UNDO_MS = 10_000;
const REMEMBERED = 20;

let done = [];
let closeLast = () => {};

/** The mails of each conversation, in the order of `ids`. */
export const mailsOf = (ids) => each(ids, (id) => listAll('/api/email/messages', { thread_id: id, limit: 200 }));

/**
 * Does `verb` to the conversations `ids`. `extra` is `{ body, folder?, only? }` of verbs that ask where to, `only(mail)`
 * narrows the mails. Resolves with the operations that it became.
 */
export async function carry(verb, ids, view, { body, only = () => true } = {}) {
  const { pick, whole, body: own } = VERBS[verb];
  if (whole && ids.length === 1) return [(await change('PATCH', `/api/email/threads/${ids[0]}`, own)).operation];
  const mails = (await mailsOf(ids)).flatMap((found) => pick(found.filter(only), view).filter(Boolean));
  if (!mails.length) throw new Problem({ code: 'nothing', detail: 'There is nothing left to change here: the mail was changed or deleted meanwhile.' });
  const operations = [];
  for (let at = 0; at < mails.length; at += BATCH) {
    const part = mails.slice(at, at + BATCH).map((mail) => mail.id);
    operations.push((await change('POST', '/api/email/messages/batch', { ids: part, ...own, ...body })).operation);
  }
  return operations;
}

/** Tells what was done and offers to take it back; `back` is called after that. */
export function offerUndo(operations, text, back) {
  const entry = { operations, text, back };
  done = [...done, entry].slice(-REMEMBERED);
  closeLast();
  const button = h('button', { type: 'button', class: 'do', onclick: () => takeBack(entry) }, 'Undo', h('kbd', { 'aria-hidden': 'true' }, 'Z'));
  entry.close = closeLast = toast(`${text}.`, { action: button, ms: UNDO_MS });
}

/** Lets `undo()` be the next thing that Undo takes back, such as a mail that has not left yet. Returns its entry. */
export function offerCallback(undo) {
  const entry = { undo };
  done = [...done, entry].slice(-REMEMBERED);
  return entry;
}

/** It is too late for this one. */
export function forgetUndo(entry) {
  done = done.filter((other) => other !== entry);
}

/** Takes back what was done last on these pages and not taken back yet. */
export function undoLast() {
  const last = done.at(-1);
  if (last) takeBack(last);
  else toast('There is nothing to undo.');
}

async function takeBack(entry) {
  forgetUndo(entry);
  if (entry.undo) { entry.undo(); return; }
  entry.close();
  try {
    // Later parts first, as each stands on the one before.
    for (const operation of entry.operations.toReversed()) await change('POST', `/api/email/operations/${operation}/undo`);
    await entry.back?.();
    closeLast();
    closeLast = toast(`Undone: ${entry.text}.`);
  } catch (problem) {
    toastProblem(problem);
  }
  mailChanged();
}

/** What an operation did, in words; `undone` is the one that it took back, if that is known. */
export function wordsOf({ kind, email_ids: ids }, undone) {
  const mails = plural(ids.length, 'message');
  if (kind === 'undo') return undone ? `Took back: ${wordsOf(undone)}` : `Took back a change of ${mails}`;
  const words = { move: `Moved ${mails} to another folder`, batch: `Changed ${mails}` };
  return words[kind] ?? VERBS[{ labels: 'label' }[kind] ?? kind]?.said(mails) ?? `Changed ${mails}`;
}

/** Shows each change that the provider refused, with the reason and the way to the list of changes. */
export function tellFailures() {
  const failed = new Set();
  const tell = coalesce(async () => {
    const ids = [...failed];
    failed.clear();
    const link = h('a', { class: 'do', href: '/activity' }, 'Activity');
    if (ids.length > 2) { toast(`The provider refused ${plural(ids.length, 'change')}.`, { stay: true, tone: 'bad', action: link }); return; }
    for (const operation of await each(ids, (id) => get(`/api/email/operations/${id}`))) {
      toast(`Not carried out: ${wordsOf(operation)}. ${operation.error_message ?? ''}`, { stay: true, tone: 'bad', action: link.cloneNode(true) });
    }
  }, 1000);
  return watch((what, event) => {
    // Whoever signs in next must not take back what somebody else did.
    if (what === 'ended') { done = []; closeLast(); }
    if (what !== 'operations' || event?.data.state !== 'failed') return;
    failed.add(event.data.operation_id);
    tell();
  });
}
