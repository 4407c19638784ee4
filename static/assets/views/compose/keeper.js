// Keeps a draft safe: on this device at once, with the server a moment later, again and again until it is there.

import { Problem, versioned } from '../../api.js';
import { uuid } from '../../ids.js';
import { dropCopy, keepCopy } from './copies.js';
import { bodyOf, sameAs } from './letter.js';

const PAUSE_MS = 800;
const COPY_MS = 250;
const AGAIN_MS = [3000, 6000, 12_000, 30_000, 60_000];

/** What can be written on: a draft, and what was called back or could not be sent. */
const WRITABLE = new Set(['draft', 'cancelled', 'failed']);

/** Whether trying again later can help. */
const passing = (problem) => problem.code === 'offline' || problem.status >= 500 || problem.status === 429 || problem.status === 401;

/**
 * Makes the keeper of one draft. `read()` gives the letter; `onState(state)` hears `{ name: 'saving' | 'saved' | 'failed', … }`,
 * `onStored(detail, body, made)` what the server made of it and gives the ids of its files, `onConflict(detail, etag)` that it
 * was changed elsewhere, `onGone()` that it is no draft any more.
 */
export function keeper({ key = uuid(), id = null, etag = null, read, onState, onStored, onConflict, onGone }) {
  let saved = JSON.stringify(bodyOf(read()));
  /** The mailbox that the draft lies in. */
  let home = id ? read().account_id : null;
  let attempted = null;
  let creating = null;
  let halted = false;
  let running = null;
  let timer = 0;
  let copyTimer = 0;
  let failures = 0;
  let ended = false;

  const now = () => JSON.stringify(bodyOf(read()));
  const changed = () => now() !== saved;
  const copy = () => {
    clearTimeout(copyTimer);
    copyTimer = 0;
    if (!ended && (changed() || creating)) keepCopy(key, { ...read(), id, etag });
  };

  const create = async () => {
    // The same words under the same key until there is an answer: a lost one must not make a second draft.
    creating ??= { key: uuid(), body: bodyOf(read()) };
    const sent = creating;
    try {
      const { body, etag: version } = await versioned('POST', '/api/email/drafts', sent.body, { headers: { 'Idempotency-Key': sent.key } });
      [id, etag, home, creating] = [body.id, version, sent.body.account_id, null];
      stored(body, sent.body, true);
    } catch (problem) {
      if (!passing(problem)) creating = null;
      throw problem;
    }
  };

  const stored = (detail, body, made) => {
    const ids = onStored(detail, body, made);
    saved = JSON.stringify({ ...body, attachment_ids: ids.length ? ids : undefined });
  };

  /** A draft stays in its mailbox: written from another one, it is a new draft, and the old one goes. */
  const moveHome = async () => {
    const old = id;
    await create();
    await versioned('DELETE', `/api/email/drafts/${old}`).catch(() => {});
  };

  const update = async () => {
    const body = bodyOf(read());
    try {
      const answer = await versioned('PUT', `/api/email/drafts/${id}`, body, { headers: etag ? { 'If-Match': etag } : {} });
      [etag, attempted] = [answer.etag, null];
      stored(answer.body, body, false);
    } catch (problem) {
      if (passing(problem)) attempted = body;
      if (problem.status !== 412) throw problem;
      await compare(body);
    }
  };

  /** The version has moved on. It may be our own words, whose answer was lost, or only the mailbox's copy of them. */
  const compare = async () => {
    const { body: theirs, etag: version } = await versioned('GET', `/api/email/messages/${id}`);
    if (!WRITABLE.has(theirs.status)) throw new Problem({ status: 409 });
    const known = [body, attempted, JSON.parse(saved)].filter(Boolean).some((body) => sameAs(theirs, body));
    if (!known) { halt(); onConflict(theirs, version); throw new Problem({ status: 412, code: 'changed_elsewhere', detail: 'This draft was changed elsewhere.' }); }
    etag = version;
    attempted = null;
    await update();
  };

  const halt = () => { halted = true; clearTimeout(timer); };

  const once = async () => {
    onState({ name: 'saving' });
    do {
      if (!id) await create();
      else if (home && bodyOf(read()).account_id !== home) await moveHome();
      else await update();
    } while (changed() && !halted);
    failures = 0;
    dropCopy(key);
    onState({ name: 'saved', at: new Date() });
  };

  /** Saves until there is nothing left to save; throws the problem that prevents it. */
  const flush = async ({ force = false } = {}) => {
    clearTimeout(timer);
    if (running) await running.catch(() => {});
    if (halted) throw new Problem({ status: 412, code: 'changed_elsewhere', detail: 'Choose first which version of this draft counts.' });
    if (!changed() && !creating && !(force && !id)) return;
    copy();
    running = once();
    try {
      await running;
    } catch (problem) {
      failed(problem);
      throw problem;
    } finally {
      running = null;
    }
  };

  const failed = (problem) => {
    if (halted || ended) return;
    if (id && (problem.status === 404 || problem.status === 409)) { halt(); onGone(problem); return; }
    const again = passing(problem);
    onState({ name: 'failed', problem, again });
    if (!again) return;
    const wait = Math.max(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)], (problem.retryAfter ?? 0) * 1000);
    failures += 1;
    timer = setTimeout(attempt, wait);
  };

  const attempt = () => { if (!halted && !ended) flush().catch(() => {}); };
  const touch = () => {
    if (ended || (!changed() && !creating)) return;
    copyTimer ||= setTimeout(copy, COPY_MS);
    if (halted || running) return;
    clearTimeout(timer);
    timer = setTimeout(attempt, failures ? AGAIN_MS[0] : PAUSE_MS);
  };
  const online = () => { if (failures) attempt(); };
  window.addEventListener('online', online);
  window.addEventListener('pagehide', copy);

  return {
    key, touch, flush, changed,
    get id() { return id; },
    get etag() { return etag; },
    get busy() { return Boolean(running); },
    get halted() { return halted; },
    /** Stands on another version from here on: the one that the server has now. */
    adopt: (detail, version) => { [id, etag, home, halted, attempted, saved] = [detail.id, version, detail.account_id, false, null, now()]; dropCopy(key); onState({ name: 'saved', at: new Date() }); },
    /** Becomes a draft of its own: what is written is saved as a new one. */
    detach: () => { [id, etag, home, halted, attempted, creating, saved] = [null, null, null, false, null, null, '{}']; },
    /** What is here counts as not saved, such as a copy that was left over. */
    unsaved: () => { saved = '{}'; touch(); },
    /** Looks whether the draft has changed elsewhere; `theirs(detail, version)` hears of a version with other words. */
    look: async (theirs) => {
      if (!id || running || halted || ended) return;
      const { body, etag: version } = await versioned('GET', `/api/email/messages/${id}`);
      if (running || halted || ended || version === etag) return;
      if (!WRITABLE.has(body.status)) { halt(); onGone(new Problem({ status: 409 }), body); return; }
      if (sameAs(body, JSON.parse(saved))) etag = version;
      else if (!changed()) theirs(body, version);
      else { halt(); onConflict(body, version); }
    },
    halt,
    /** Ends: nothing is saved any more. `keep` leaves the copy on this device. */
    end: ({ keep = false } = {}) => {
      ended = true;
      clearTimeout(timer);
      clearTimeout(copyTimer);
      if (!keep) dropCopy(key);
      window.removeEventListener('online', online);
      window.removeEventListener('pagehide', copy);
    },
  };
}
