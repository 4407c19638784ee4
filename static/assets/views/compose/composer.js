// One mail being written: its lines, its text, its files, and what Send, Close and Discard do to it.

import { post } from '../../api.js';
import { announce, fill, h, icon, iconButton } from '../../dom.js';
import { clock } from '../../format.js';
import { uuid } from '../../ids.js';
import { imagesIn } from '../../richtext.js';
import { banner, busy, toast } from '../../ui.js';
import { mindGaps } from './checks.js';
import { editor } from './editor.js';
import { headFields } from './fields.js';
import { fileList } from './files.js';
import { keeper } from './keeper.js';
import { askWhen } from './later.js';
import { letterOf } from './letter.js';
import { choice, conflictNote, goneNote, hasSignature, originalNote } from './notes.js';

const TITLES = { reply: 'Reply', reply_all: 'Reply to all', forward: 'Forward' };

/**
 * Makes a composer for a letter. `desk` is what it lies on: `placed(self)` after a change of what it is called, `closed(self)`
 * when it is done, `sent(mail)` after it was handed in, `discard(self)` to throw it away.
 */
export function composer(letter, desk) {
  const touched = () => { fill(alerts); head.clear(); own.keep?.touch(); retitle(); };
  const head = headFields({ onChange: () => touched() });
  const text = editor({ onInput: () => touched(), onFiles: (added) => files.add(added) });
  const files = fileList({ onChange: () => touched() });
  const own = { keep: null, original: null, letter, sending: null, ended: false };
  const alerts = h('div', { class: 'alerts c-alerts' });
  const notes = h('div', { class: 'alerts c-alerts' });
  const below = h('div', { class: 'c-below' });
  const status = h('span', { class: 'c-state num' });
  const title = h('h2', { class: 'clip' });
  const el = h('section', { class: 'composer', role: 'dialog' });

  const read = () => {
    const said = text.value;
    const { id, etag, action, source, thread_id: thread } = own.letter;
    return { id, etag, action, source, thread_id: thread, ...head.read(), ...said, attachment_ids: [...files.ids, ...imagesIn(said.body_html)], files: files.here };
  };
  const name = () => own.letter.source ? TITLES[own.letter.action] ?? 'Reply' : 'New message';
  const retitle = () => {
    const shown = own.letter.source ? name() : head.subject.input.value.trim() || 'New message';
    title.textContent = shown;
    el.setAttribute('aria-label', shown);
    desk.placed(self);
  };

  const load = (next, { unsaved = false } = {}) => {
    own.letter = next;
    head.set(next);
    text.set(next);
    files.set(next.files);
    own.original?.destroy();
    own.original = next.whole ? null : originalNote(next);
    fill(below, own.original?.el, !next.whole && hasSignature(next) && h('p', { class: 'hint' }, 'Your signature is added.'));
    if (text.lost) fill(notes, choice('Pictures in the text are not shown here', 'They go when you change this draft.', []));
    if (!own.keep) own.keep = keep(next);
    if (unsaved) own.keep.unsaved();
    retitle();
  };

  const say = (words, tone = '') => { status.className = `c-state num ${tone}`; fill(status, tone === 'bad' && icon('warn', 12), h('span', null, words)); status.title = words; };
  const keep = (next) => keeper({
    key: next.key, id: next.id ?? null, etag: next.etag ?? null, read,
    onState: (state) => {
      if (state.name === 'saving') say('Saving…');
      if (state.name === 'saved') say(`Saved ${clock(state.at)}`);
      if (state.name !== 'failed') return;
      say(`Not saved: ${state.problem.message}`, 'bad');
      announce(`Not saved: ${state.problem.message}${state.again ? ' What you have written is kept on this device.' : ''}`);
      if (!state.again) complain(state.problem);
    },
    onStored: (detail, body, made) => {
      const carried = made && own.letter.action === 'forward' && !own.letter.id;
      own.letter = { ...own.letter, id: detail.id, thread_id: detail.thread_id };
      own.original?.stored();
      if (made) desk.placed(self);
      return files.adopt(detail.attachments, body.attachment_ids ?? [], carried);
    },
    onConflict: (theirs, etag) => {
      say('Not saved', 'bad');
      fill(notes, conflictNote(theirs, { load: () => takeTheirs(theirs, etag), keep: keepMine }));
    },
    onGone: () => {
      // One that was sent in part cannot be written on: what a person makes of it is a mail of its own.
      if (own.letter.status === 'failed' || own.letter.status === 'cancelled') { keepMine(); return; }
      say('Not saved', 'bad');
      fill(notes, goneNote('This draft was sent or discarded elsewhere', { keep: keepMine, close: () => finish() }));
    },
  });
  const takeTheirs = (theirs, etag) => {
    fill(notes);
    load({ ...letterOf(theirs), etag });
    own.keep.adopt(theirs, etag);
    text.focus();
  };
  const keepMine = async () => {
    fill(notes);
    own.letter = { ...own.letter, id: null, etag: null };
    own.keep.detach();
    text.focus();
    try {
      await own.keep.flush({ force: true });
    } catch (problem) { complain(problem); }
  };

  /** Puts what the server says beside what it is about; the rest above the buttons. */
  const complain = (problem) => {
    let first = null;
    const rest = (problem.errors ?? []).filter(({ field, message }) => {
      const input = head.complain(field ?? '', sentence(message));
      first ??= input;
      return !input;
    });
    if (!problem.errors?.length || rest.length) fill(alerts, banner('red', '', [problem.errors?.length ? '' : problem.message, ...rest.map((each) => sentence(each.message))].filter(Boolean).join(' ')));
    if (el.contains(document.activeElement)) first?.focus();
  };

  /** Hands the mail in; with a time, for then. The same key goes with the same words, so that trying again sends once. */
  const send = async (when) => {
    if (own.sending || own.ended) return;
    head.commit();
    fill(alerts);
    const gap = head.wrong ?? (head.any ? null : head.first);
    if (gap) {
      if (!head.any) head.people.to.complain('Give at least one recipient.');
      gap.focus();
      return;
    }
    if (files.failed) { fill(alerts, banner('red', '', 'A file could not be attached. Try it again or remove it, then send.')); return; }
    if (!await mindGaps({ subject: head.subject.input.value, text: text.text, files: files.count, action: own.letter.action })) { text.focus(); return; }
    own.sending = busy(sendButton, files.coming ? 'Attaching…' : 'Sending…', async () => {
      await files.settled();
      if (files.failed) throw new Error('A file could not be attached.');
      await own.keep.flush({ force: true });
      const stamp = `${own.keep.id} ${own.keep.etag} ${when ?? ''}`;
      if (own.sendStamp !== stamp) Object.assign(own, { sendStamp: stamp, sendKey: uuid() });
      return post(`/api/email/drafts/${own.keep.id}/send`, when ? { scheduled_at: when } : {}, { headers: { 'Idempotency-Key': own.sendKey } });
    });
    el.classList.add('sending');
    try {
      const mail = await own.sending;
      finish();
      desk.sent(mail);
    } catch (problem) {
      if (!own.keep.halted) complain(problem);
    } finally {
      own.sending = null;
      el.classList.remove('sending');
    }
  };

  /** Ends it; nothing is saved any more. */
  const finish = ({ keepCopy = false } = {}) => {
    own.ended = true;
    own.keep.end({ keep: keepCopy });
    own.original?.destroy();
    files.stop();
    text.destroy();
    desk.closed(self);
  };

  /** Puts it away: what is written is saved; what was never touched leaves no trace. */
  const close = async () => {
    if (own.ended || own.sending) return;
    head.commit();
    const empty = !head.any && !head.subject.input.value.trim() && text.empty && !files.count;
    if (empty && own.keep.id && !own.keep.halted) { desk.discard(self); return; }
    if (empty || (!own.keep.changed() && !files.coming)) { finish(); return; }
    desk.putAway(self);
    try {
      await files.settled();
      await own.keep.flush();
      finish();
    } catch (problem) {
      if (own.ended) return;
      // It stays in work out of sight until it is saved; if a person has to choose, it comes back.
      if (own.keep.halted || (problem.status >= 400 && problem.status < 500 && problem.status !== 429)) desk.bringBack(self);
      else { toast('Not saved yet. It is kept on this device and tried again.', { tone: 'bad' }); desk.bringBack(self, { folded: true }); }
    }
  };

  const sendButton = h('button', { type: 'button', class: 'btn pri', title: 'Send (Ctrl+Enter)', onclick: () => send() }, 'Send');
  const laterButton = h('button', { type: 'button', class: 'btn pri', 'aria-label': 'Send later', title: 'Send later (Ctrl+Shift+Enter)', 'aria-haspopup': 'dialog', onclick: () => later() }, icon('down', 14));
  const later = () => { head.commit(); askWhen(laterButton, own.letter.scheduled_at, (when) => send(when)); };
  const picker = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': 'Attach files', onchange: () => { files.add([...picker.files]); picker.value = ''; } });
  const fold = iconButton('minimize', 'Minimise', () => desk.fold(self), { class: 'ib c-fold' });
  const out = iconButton('expand', 'Open in a window of its own', () => desk.popOut(self), { class: 'ib c-out' });
  const closer = iconButton('close', 'Save and close (Esc)', () => close());
  fill(el,
    h('header', { class: 'c-head' }, iconButton('back', 'Save and go back', () => close(), { class: 'ib c-back' }), own.letter.source && icon(own.letter.action === 'forward' ? 'forward' : 'reply', 14), title, status, fold, out, closer),
    h('div', { class: 'c-scroll' }, notes, h('div', { class: 'c-lines' }, head.el), text.el, below, files.el), alerts,
    h('footer', { class: 'c-foot' }, h('span', { class: 'c-send' }, sendButton, laterButton), text.bar,
      iconButton('clip', 'Attach files', () => picker.click()), picker, h('span', { class: 'grow' }), iconButton('trash', 'Discard', () => desk.discard(self))));
  el.addEventListener('keydown', (event) => onKey(event, { send, later, close }));
  receiveFiles(el, (added) => files.add(added));

  const self = {
    el, close, finish, load, read, retitle, name,
    get id() { return own.keep?.id ?? own.letter.id ?? null; },
    get source() { return own.letter.source; },
    get action() { return own.letter.action; },
    get thread() { return own.letter.thread_id ?? null; },
    get keep() { return own.keep; },
    get title() { return title.textContent; },
    get ended() { return own.ended; },
    get sending() { return Boolean(own.sending); },
    focus: () => { (own.letter.source && own.letter.action !== 'forward') || head.any ? text.focus() : head.first.focus(); },
    /** Looks whether the draft has changed elsewhere. */
    look: () => own.keep.look((theirs, etag) => { takeTheirs(theirs, etag); toast('This draft was changed elsewhere. You see the newest version.'); }).catch(() => {}),
  };
  load(letter, { unsaved: letter.unsaved });
  return self;
}

/** Makes a sentence of the server's short note. */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

/** The keys of a composer; the single keys of the page below do not work in it. */
function onKey(event, { send, later, close }) {
  event.stopPropagation();
  if (event.isComposing || event.defaultPrevented) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key === 'Enter') {
    event.preventDefault();
    if (event.shiftKey) later();
    else send();
  } else if (event.key === 'Escape') {
    event.preventDefault();
    close();
  }
}

/** Files may be dropped anywhere on the composer. */
function receiveFiles(el, add) {
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  let depth = 0;
  const mark = (on) => el.classList.toggle('dropping', on);
  el.addEventListener('dragenter', (event) => { if (holds(event)) { depth += 1; mark(true); } });
  el.addEventListener('dragleave', (event) => { if (holds(event)) { depth -= 1; mark(depth > 0); } });
  el.addEventListener('dragover', (event) => { if (holds(event)) { event.preventDefault(); event.dataTransfer.dropEffect = 'copy'; } });
  el.addEventListener('drop', (event) => {
    depth = 0;
    mark(false);
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}
