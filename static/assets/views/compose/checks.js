// What is asked before a mail leaves: gaps that nobody wants to find out about afterwards.

import { h } from '../../dom.js';
import { dialog } from '../../ui.js';

const FILES = /\b(?:attached|attachments?|enclosed|i attach|anbei|angehängt|im anhang|beigefügt|ci-joint|pièce jointe|adjunto|in allegato)\b/i;

/** Asks about a missing subject or file; resolves to whether the mail is to be sent as it is. */
export async function mindGaps({ subject, text, files, action }) {
  const gaps = [
    !subject.trim() && 'It has no subject.',
    !files && action !== 'forward' && FILES.test(text) && 'It speaks of an attachment, but there is none.',
  ].filter(Boolean);
  if (!gaps.length) return true;
  return Boolean(await dialog('Send it like this?', (close) => [
    gaps.map((gap) => h('p', { class: 'muted' }, gap)),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'btn', onclick: () => close(false) }, 'Keep writing'),
      h('button', { type: 'button', class: 'btn pri', onclick: () => close(true) }, 'Send anyway'))]));
}
