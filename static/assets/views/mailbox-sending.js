// How mail is sent from a mailbox: the name beside the address, further addresses, the signature, the time to call back.

import { patch } from '../api.js';
import { h } from '../dom.js';
import { field, form } from '../forms.js';
import { complaintAbout, parseList } from '../recipients.js';
import { putAccount } from '../store.js';
import { toast } from '../ui.js';
import { editor } from './compose/editor.js';

const SECONDS = [[0, 'At once'], [5, '5 seconds'], [10, '10 seconds'], [20, '20 seconds'], [30, '30 seconds'], [60, '1 minute'], [120, '2 minutes']];

/** The section on a mailbox's page. Returns `{ el, destroy }`. */
export function sendingSection(item) {
  const { undo_send_seconds: seconds = 10, signature_html: html } = item.settings ?? {};
  const name = field({ label: 'Your name, as recipients see it', value: item.display_name ?? '', maxlength: 200, autocomplete: 'name' });
  const aliases = field({ label: 'Further addresses of this mailbox', value: (item.aliases ?? []).join(', '), hint: 'Separated by commas. You can write from them, and answers to them count as yours.', autocomplete: 'off', spellcheck: 'false' });
  const known = SECONDS.some(([at]) => at === seconds) ? SECONDS : [...SECONDS, [seconds, `${seconds} seconds`]].sort(([a], [b]) => a - b);
  const undo = field({ label: 'Time to call a message back after Send', options: known, value: seconds });
  const text = editor({ onInput: () => {}, onFiles: () => {}, label: 'Signature', hint: 'No signature' });
  text.set({ body_html: html || undefined, plain: false });
  const own = form({
    children: [h('div', { class: 'two' }, name.el, undo.el), aliases.el,
      h('div', { class: 'field' }, h('span', { class: 'label' }, 'Signature'), h('div', { class: 'signature' }, text.el, text.bar))],
    fields: { display_name: name, aliases, undo_send_seconds: undo }, action: 'Save', waiting: 'Saving…',
    send: async () => {
      const list = parseList(aliases.value).map(({ email }) => email);
      const wrong = list.map(complaintAbout).find(Boolean);
      if (wrong) { aliases.error(wrong); aliases.input.focus(); return; }
      putAccount(await patch(`/api/email/accounts/${item.id}`, {
        display_name: name.value || null, aliases: list, settings: { undo_send_seconds: Number(undo.value), signature_html: text.value.body_html ?? null },
      }));
      toast('Saved. It counts for the next message.');
    },
  });
  return { el: h('section', { class: 'card box sending', 'aria-label': 'Sending' }, h('h2', null, 'Sending'), own.el), destroy: text.destroy };
}
