// Who works here: users with their roles, invitations by link, and reset links.

import { del, listAll, patch, post } from '../api.js';
import { h, icon } from '../dom.js';
import { clean, shortTime } from '../format.js';
import { field, form } from '../forms.js';
import { state } from '../store.js';
import { avatar, confirm, copyBox, dialog, toast, toastProblem } from '../ui.js';

const ROLES = [['member', 'Member'], ['admin', 'Administrator'], ['owner', 'Owner']];
const roleName = (role) => ROLES.find(([id]) => id === role)?.[1] ?? role;
const grantable = () => ROLES.filter(([id]) => id !== 'owner' || state.me.role === 'owner');

/** Builds the tab; `reload` builds it again. */
export async function teamTab(reload) {
  const users = await listAll('/api/users');
  const invitations = await listAll('/api/invitations').catch(() => []);
  return [
    h('section', { class: 'card box' },
      h('div', { class: 'box-head' }, h('div', { class: 'grow' }, h('h2', null, 'People'), h('p', { class: 'hint' }, 'A person joins by a link and chooses a password.')),
        h('button', { type: 'button', class: 'btn pri', onclick: () => invite(reload) }, icon('plus', 14), 'Invite')),
      h('ul', { class: 'people' }, users.map((user) => person(user, reload)))),
    invitations.length > 0 && h('section', { class: 'card box' }, h('h2', null, 'Open invitations'),
      h('ul', { class: 'people' }, invitations.map((item) => waiting(item, reload)))),
  ];
}

function person(user, reload) {
  const me = user.id === state.me.id;
  const locked = me || (user.role === 'owner' && state.me.role !== 'owner');
  return h('li', null, avatar(user), h('span', { class: 'grow' }, h('b', { class: 'clip' }, clean(user.name), me && ' (you)'), h('small', { class: 'clip' }, user.email)),
    locked ? h('span', { class: 'chip' }, roleName(user.role)) : roleSelect(user, reload),
    !locked && h('button', { type: 'button', class: 'btn ghost', onclick: () => resetLink(user) }, 'Reset link'),
    !locked && h('button', { type: 'button', class: 'ib', 'aria-label': `Remove ${clean(user.name)}`, title: 'Remove', onclick: () => remove(user, reload) }, icon('trash')));
}

function roleSelect(user, reload) {
  const select = h('select', { 'aria-label': `Role of ${clean(user.name)}` }, grantable().map(([id, label]) => h('option', { value: id, selected: id === user.role }, label)));
  select.addEventListener('change', async () => {
    try {
      await patch(`/api/users/${user.id}`, { role: select.value });
      toast(`${clean(user.name)} is now ${roleName(select.value).toLowerCase()}.`);
    } catch (problem) {
      toastProblem(problem);
      reload();
    }
  });
  return h('div', { class: 'in role' }, select);
}

function waiting(item, reload) {
  const withdraw = async () => {
    try {
      await del(`/api/invitations/${item.id}`);
      reload();
    } catch (problem) {
      toastProblem(problem);
    }
  };
  return h('li', null, avatar(item), h('span', { class: 'grow' }, h('b', { class: 'clip' }, clean(item.name) || item.email), h('small', { class: 'clip' }, [item.email, item.expires_at && `open until ${shortTime(item.expires_at)}`].filter(Boolean).join(' · '))),
    h('span', { class: 'chip' }, roleName(item.role)), h('button', { type: 'button', class: 'btn ghost', onclick: withdraw }, 'Withdraw'));
}

async function invite(reload) {
  await dialog('Invite a person', (close) => {
    const name = field({ label: 'Name', required: true, maxlength: 200, autofocus: true });
    const email = field({ label: 'Email address', type: 'email', required: true });
    const role = field({ label: 'Role', options: grantable(), value: 'member' });
    const own = form({
      children: [name.el, email.el, role.el], fields: { name, email, role }, codes: { conflict: 'email' },
      action: 'Make the link', waiting: 'One moment…',
      extra: h('button', { type: 'button', class: 'btn ghost tall', onclick: () => close() }, 'Cancel'),
      send: async () => {
        const { link } = await post('/api/invitations', { email: email.value, name: name.value, role: role.value });
        close();
        setTimeout(() => showLink('Invitation link', `Give this link to ${name.value}. It works once.`, link));
      },
    });
    return own.el;
  });
  reload();
}

async function resetLink(user) {
  try {
    const { link } = await post(`/api/users/${user.id}/password-reset`);
    await showLink('Password reset link', `Give this link to ${clean(user.name)}. It works once and only for a short time.`, link);
  } catch (problem) {
    toastProblem(problem);
  }
}

const showLink = (title, text, link) => dialog(title, (close) => [
  h('p', { class: 'muted' }, text), copyBox(new URL(link, location.origin).href, 'Link'),
  h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'btn pri', onclick: () => close() }, 'Done'))]);

async function remove(user, reload) {
  if (!await confirm(`Remove ${clean(user.name)}?`, 'They are signed out everywhere and cannot sign in again.', 'Remove')) return;
  try {
    await del(`/api/users/${user.id}`);
    toast(`${clean(user.name)} is removed.`);
    reload();
  } catch (problem) {
    toastProblem(problem);
  }
}
