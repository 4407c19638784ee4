// Keys for programs: made here, shown once, revoked at any time.

import { del, listAll, post } from '../api.js';
import { h, icon } from '../dom.js';
import { ago, clean, shortTime } from '../format.js';
import { field, form, tick } from '../forms.js';
import { isAdmin } from '../store.js';
import { confirm, copyBox, dialog, emptyState, toast, toastProblem } from '../ui.js';

const SCOPES = [['read', 'Read mail and records'], ['write', 'Change them'], ['send', 'Send mail'], ['admin', 'Manage users and keys'], ['act_as', 'Act for other users']];

/** Builds the tab; `reload` builds it again. */
export async function keysTab(reload) {
  const keys = await listAll('/api/api-keys');
  const make = h('button', { type: 'button', class: 'btn pri', onclick: () => create(reload) }, icon('plus', 14), 'New key');
  return h('section', { class: 'card box' },
    h('div', { class: 'box-head' }, h('div', { class: 'grow' }, h('h2', null, 'API keys'), h('p', { class: 'hint' }, 'For your CRM’s server and for scripts. A key acts for the person who made it. ', h('a', { class: 'link', href: '/api/docs' }, 'How the API works'), '.')), make),
    keys.length ? h('ul', { class: 'people' }, keys.map((key) => row(key, reload))) : emptyState('key', 'No key yet', 'Make one when a program needs to call the API.'));
}

function row(key, reload) {
  const scopes = key.scopes?.length ? key.scopes.join(', ') : 'all rights';
  const used = key.last_used_at ? `used ${ago(key.last_used_at)}` : 'never used';
  const ends = key.expires_at ? `ends ${shortTime(key.expires_at)}` : null;
  return h('li', null, h('span', { class: 'pl' }, icon('key')), h('span', { class: 'grow' }, h('b', { class: 'clip' }, clean(key.name)), h('small', { class: 'clip' }, [key.prefix && `${key.prefix}…`, scopes, used, ends].filter(Boolean).join(' · '))),
    h('button', { type: 'button', class: 'btn ghost', onclick: () => revoke(key, reload) }, 'Revoke'));
}

async function create(reload) {
  await dialog('New API key', (close) => {
    const name = field({ label: 'Name', required: true, maxlength: 200, hint: 'What uses it, such as “CRM server”.', autofocus: true });
    const scopes = SCOPES.filter(([id]) => isAdmin() || !['admin', 'act_as'].includes(id)).map(([id, text]) => ({ id, ...tick(text, { checked: id === 'read' ? true : null }) }));
    const own = form({
      children: [name.el, h('fieldset', { class: 'scopes' }, h('legend', null, 'It may'), scopes.map(({ el }) => el), h('p', { class: 'hint' }, 'With nothing ticked it has all of your rights.'))],
      fields: { name }, action: 'Make the key', waiting: 'One moment…',
      extra: h('button', { type: 'button', class: 'btn ghost tall', onclick: () => close() }, 'Cancel'),
      send: async () => {
        const chosen = scopes.filter(({ el }) => el.querySelector('input').checked).map(({ id }) => id);
        const made = await post('/api/api-keys', { name: name.value, ...(chosen.length ? { scopes: chosen } : {}) });
        close();
        setTimeout(() => showKey(made.key));
      },
    });
    return own.el;
  });
  reload();
}

const showKey = (key) => dialog('Copy the key now', (close) => [
  h('p', { class: 'muted' }, 'It is shown only this once. Keep it where the program reads its secrets.'), copyBox(key, 'Key'),
  h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'btn pri', onclick: () => close() }, 'I have copied it'))]);

async function revoke(key, reload) {
  if (!await confirm(`Revoke “${clean(key.name)}”?`, 'Programs that use it stop working at once.', 'Revoke')) return;
  try {
    await del(`/api/api-keys/${key.id}`);
    toast('The key is revoked.');
    reload();
  } catch (problem) {
    toastProblem(problem);
  }
}
