// What stands around the text of a mail: the original that goes along, and what a person has to know or to choose.

import { get } from '../../api.js';
import { fill, h, icon } from '../../dom.js';
import { clean, fullTime, personName, plural } from '../../format.js';
import { account } from '../../store.js';
import { banner } from '../../ui.js';
import { mailFrame } from '../frame.js';

/** The original below an answer or in a forward, folded. The server adds it; here it can only be read. */
export function originalNote({ id, source, action, original }) {
  if (!source) return null;
  const body = h('div', { class: 'c-quote' });
  const words = h('span', null, action === 'forward' ? 'The original goes along' : 'The original is added below');
  const el = h('details', { class: 'c-original' }, h('summary', null, icon('next', 12), words), body);
  let frame = null;
  const known = original ? Promise.resolve(original) : get(`/api/email/messages/${source}`);
  known.then((mail) => {
    const files = (mail.attachments ?? []).filter((file) => !file.is_inline).length;
    if (action === 'forward' && files && !id) words.textContent = `The original and its ${plural(files, 'file')} go along`;
    el.addEventListener('toggle', () => {
      if (!el.open || frame) return;
      frame = mailFrame(mail, `The original from ${personName(mail.from)}`);
      fill(body, h('p', { class: 'muted' }, `${personName(mail.from)}, ${fullTime(mail.received_at ?? mail.sent_at)}`), frame.el);
    });
  }).catch(() => { el.hidden = true; });
  /** From now on the files of the original stand among those of the draft. */
  const stored = () => { if (action === 'forward') words.textContent = 'The original goes along'; };
  return { el, stored, destroy: () => frame?.destroy() };
}

/** Whether the mailbox has a signature, which the server adds. */
export const hasSignature = (letter) => Boolean(account(letter.account_id)?.settings?.signature_html?.replace(/<[^>]*>|&nbsp;|\s/g, ''));

/** The draft was changed elsewhere while it was changed here. */
export function conflictNote(theirs, { load, keep }) {
  return choice('This draft was changed elsewhere', `There it says: “${clean(theirs.snippet || theirs.subject).slice(0, 120) || 'nothing yet'}”`,
    [['Load theirs', load], ['Keep mine as a new draft', keep]]);
}

/** The draft is no draft any more. */
export function goneNote(text, { keep, close }) {
  return choice(text, 'What you have written is still here.', [['Keep mine as a new draft', keep], ['Close', close]]);
}

/** A banner with things to press. */
export function choice(title, text, actions) {
  const el = banner('amber', title, text);
  el.setAttribute('role', 'alert');
  el.querySelector('.grow').append(h('span', { class: 'c-choices' }, actions.map(([label, onclick]) => h('button', { type: 'button', class: 'btn', onclick }, label))));
  return el;
}
