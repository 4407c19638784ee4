// The pages in front of the door: first set-up, sign-in, invitation, new password.

import { del, get, post } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { field, form, newPassword } from '../forms.js';
import { go } from '../router.js';
import { begin, end, loadMe, state } from '../store.js';
import { emptyState, failedState, logo, toast } from '../ui.js';

/** The common look: a logo, a title, one card, a line below. */
function door(title, lead, body, after) {
  return h('main', { id: 'main', class: 'bare', tabindex: '-1' },
    h('div', { class: 'door' }, logo(20), h('h1', { class: 'page-title' }, title), lead && h('p', { class: 'lead' }, lead), body, after && h('p', { class: 'after' }, after)));
}

/** Where to go after signing in: only a path of this site, never another host. */
export function safeNext(text) {
  if (!text?.startsWith('/') || /^\/[/\\]/.test(text)) return '/';
  const url = new URL(text, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : '/';
}

async function enter(next) {
  await loadMe();
  await begin().catch(() => {});
  go(next, { replace: true });
}

/** Signs in with what was just typed, unless the answer already brought a session. */
async function enterAs(email, password, next) {
  try {
    await loadMe();
  } catch {
    await post('/api/session', { email, password }, { quiet401: true });
  }
  await enter(next);
}

export async function setupPage({ query }) {
  const token = query.get('token') ?? '';
  const title = 'Set up Duplex';
  const { needed } = await get('/api/setup').catch(() => ({ needed: true }));
  const toLogin = h('a', { class: 'btn pri', href: '/login' }, 'Sign in');
  if (!needed) return { title, el: door('Already set up', 'This server has its first administrator.', h('div', { class: 'card' }, emptyState('lock', 'Set-up is closed', 'The link worked once. Sign in, or ask your administrator for an invitation.', toLogin))) };
  if (!token) return { title, el: door('Open the set-up link', 'This server waits for its first administrator.', h('div', { class: 'card' }, emptyState('key', 'The link is in the server’s log', 'Look for the line with “/setup?token=” where the server was started, and open that address here.'))) };

  const organization = field({ label: 'Organization', autocomplete: 'organization', required: true, maxlength: 200, 'data-autofocus': true });
  const name = field({ label: 'Your name', autocomplete: 'name', required: true, maxlength: 200 });
  const email = field({ label: 'Email address', type: 'email', autocomplete: 'username', required: true, hint: 'You sign in with it. It need not be a mailbox you connect.' });
  const password = newPassword();
  const own = form({
    children: [organization.el, name.el, email.el, password.el],
    fields: { organization, name, email, password },
    action: 'Create the first account', waiting: 'Creating…',
    send: async () => {
      await post('/api/setup', { token, organization: organization.value, name: name.value, email: email.value, password: password.raw }, { quiet401: true });
      await enterAs(email.value, password.raw, '/connect');
    },
  });
  own.el.classList.add('card');
  return { title, el: door('Set up Duplex', 'You become the owner. Next you connect a mailbox and watch its mail arrive.', own.el, 'Everything stays on this server. The password is stored only as a hash.') };
}

export async function loginPage({ query }) {
  const next = safeNext(query.get('next'));
  const { needed } = await get('/api/setup').catch(() => ({ needed: false }));
  if (needed) {
    history.replaceState(null, '', '/setup');
    return setupPage({ query: new URLSearchParams() });
  }
  const email = field({ label: 'Email address', type: 'email', autocomplete: 'username', required: true, 'data-autofocus': true });
  const password = field({ label: 'Password', type: 'password', autocomplete: 'current-password', required: true });
  const own = form({
    children: [email.el, password.el],
    fields: { email, password },
    action: 'Sign in', waiting: 'Signing in…',
    send: async () => {
      await post('/api/session', { email: email.value, password: password.raw }, { quiet401: true });
      await enter(next);
    },
  });
  own.el.classList.add('card');
  return { title: 'Sign in', el: door('Sign in', null, own.el, 'Forgot the password? An administrator can make you a reset link under Settings, Team.') };
}

export async function invitePage({ query }) {
  const title = 'Join';
  const path = `/api/invitations/${encodeURIComponent(query.get('token') || '-')}`;
  let invitation;
  try {
    invitation = await get(path, { quiet401: true });
  } catch (problem) {
    return { title, el: deadLink('This invitation does not work', 'It was used already, has expired or was withdrawn. Ask for a new one.', problem) };
  }
  const name = field({ label: 'Your name', autocomplete: 'name', required: true, maxlength: 200, value: invitation.name ?? '', 'data-autofocus': true });
  const password = newPassword();
  const own = form({
    children: [
      h('div', { class: 'field' }, h('span', { class: 'label' }, 'Email address'), h('span', null, invitation.email)),
      h('input', { class: 'vh', type: 'email', autocomplete: 'username', value: invitation.email, readonly: true, tabindex: '-1', 'aria-hidden': 'true' }),
      name.el, password.el,
    ],
    fields: { name, password },
    action: 'Join', waiting: 'Joining…',
    send: async () => {
      await post(path, { name: name.value, password: password.raw }, { quiet401: true });
      await enterAs(invitation.email, password.raw, '/');
    },
  });
  own.el.classList.add('card');
  const where = invitation.organization?.name ?? invitation.organization ?? 'your team';
  return { title, el: door(`Join ${where}`, 'Choose a password, and you are in.', own.el) };
}

export async function resetPage({ query }) {
  const token = query.get('token') ?? '';
  const password = newPassword('New password');
  password.input.setAttribute('data-autofocus', '');
  const own = form({
    children: [password.el],
    fields: { password },
    action: 'Save the new password', waiting: 'Saving…',
    send: async () => {
      await post('/api/password-reset', { token, password: password.raw }, { quiet401: true });
      toast('The new password is saved. Sign in with it.');
      go('/login', { replace: true });
    },
  });
  own.el.classList.add('card');
  return { title: 'New password', el: door('Choose a new password', 'It replaces the old one at once and signs out every other browser.', own.el) };
}

function deadLink(title, text, problem) {
  const box = h('div', { class: 'card' });
  if (problem.status === 404 || problem.status === 410 || problem.status === 422) fill(box, emptyState('info', title, text, h('a', { class: 'btn', href: '/login' }, 'Sign in')));
  else fill(box, failedState(problem, () => location.reload()));
  return door('Invitation', null, box);
}

/** Ends the session and returns to the sign-in page. */
export async function signOut() {
  await del('/api/session', { quiet401: true }).catch(() => {});
  end();
  go('/login');
}

/** A page for addresses that lead nowhere. */
export function lostPage() {
  const home = h('a', { class: 'btn pri', href: '/' }, state.me ? 'Go to the inbox' : 'Sign in');
  return { title: 'Not found', el: door('Nothing here', null, h('div', { class: 'card' }, emptyState('info', 'This address leads nowhere', 'Check the link, or start from the inbox.', home))) };
}

/** The bar on top of pages outside the inbox. */
export function topBar(...actions) {
  return h('header', { class: 'top' },
    h('a', { class: 'brand', href: '/' }, logo(), h('span', { class: 'clip' }, state.me?.organization || 'Duplex')),
    h('div', { class: 'end' }, actions));
}

/** A plain line with an icon, for promises and small print. */
export function smallPrint(name, text) {
  return h('p', { class: 'safe' }, icon(name, 14), h('span', null, text));
}
