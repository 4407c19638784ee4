// Signing in to a mailbox again after its password has changed.

import { post } from '../api.js';
import { h } from '../dom.js';
import { field, form } from '../forms.js';
import { putAccount, refreshAccounts } from '../store.js';
import { dialog, toast } from '../ui.js';

/** Asks for the new password and tries it before it is kept. */
export function reconnect(item) {
  return dialog('Sign in again', (close) => {
    const password = field({ label: 'Password or app password', type: 'password', autocomplete: 'off', required: true, autofocus: true });
    const own = form({
      children: [h('p', { class: 'muted' }, item.email_address), password.el],
      fields: { password },
      codes: { imap_login_failed: 'password', smtp_login_failed: 'password' },
      action: 'Test and save', waiting: 'Signing in…',
      extra: h('button', { type: 'button', class: 'btn ghost tall', onclick: () => close() }, 'Cancel'),
      send: async () => {
        const answer = await post(`/api/email/accounts/${item.id}/reconnect`, { password: password.raw });
        if (answer?.authorization_url) { location.assign(answer.authorization_url); return; }
        if (answer?.id) putAccount(answer);
        else await refreshAccounts();
        toast('Signed in. The mail that waited is on its way.');
        close();
      },
    });
    return own.el;
  });
}
