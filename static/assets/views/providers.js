// Signing in at Google or Microsoft: the buttons, how it ended, and the way back in when access was lost.

import { get, post } from '../api.js';
import { fill, h, icon, svg } from '../dom.js';
import { banner, busy, toast } from '../ui.js';

const MARKS = {
  gmail: [
    ['#4285f4', 'M14.9 8.2c0-.5 0-.9-.1-1.3H8v2.6h3.9a3.3 3.3 0 0 1-1.5 2.2v1.8h2.4c1.4-1.3 2.1-3.1 2.1-5.3z'],
    ['#34a853', 'M8 15.2c2 0 3.6-.6 4.8-1.7l-2.4-1.8c-.6.4-1.5.7-2.4.7a4.3 4.3 0 0 1-4-2.9H1.6v1.9A7.2 7.2 0 0 0 8 15.2z'],
    ['#fbbc05', 'M4 9.4a4.3 4.3 0 0 1 0-2.8V4.7H1.6a7.2 7.2 0 0 0 0 6.5z'],
    ['#ea4335', 'M8 3.7c1.1 0 2.1.4 2.8 1.1l2.1-2.1A7.2 7.2 0 0 0 1.6 4.7L4 6.6a4.3 4.3 0 0 1 4-2.9z'],
  ],
  outlook: [['#f25022', 'M1.5 1.5h6v6h-6z'], ['#7fba00', 'M8.5 1.5h6v6h-6z'], ['#00a4ef', 'M1.5 8.5h6v6h-6z'], ['#ffb900', 'M8.5 8.5h6v6h-6z']],
};

const OFFERS = [['gmail', 'Google', 'Gmail and Workspace'], ['outlook', 'Microsoft', 'Outlook and 365']];

const VENDORS = { gmail: 'Google', outlook: 'Microsoft' };

/** What the codes of a sign-in mean where the server has no words for it: nobody may put words into this page by a link. */
const WORDS = {
  access_denied: 'Access was not granted, so nothing was connected. Start again whenever you like.',
  oauth_state_invalid: 'This sign-in was not begun here, or has long been over. Start again.',
  oauth_state_expired: 'The sign-in took longer than ten minutes. Start again.',
  oauth_state_used: 'This sign-in was used already. Start again.',
  oauth_session_mismatch: 'This sign-in was begun in another browser or by somebody else. Start again here.',
  oauth_scope_missing: 'Not all that is needed was granted. Start again and leave every box ticked.',
  oauth_other_mailbox: 'You signed in to another mailbox than the one to be connected again. Nothing was changed.',
  account_exists: 'This mailbox was connected here in another way already.',
  unavailable: 'The server was busy with itself. Start again in a minute.',
};

/** The provider's mark; an at sign for everybody else. */
export function providerMark(provider, size = 18) {
  const paths = MARKS[provider];
  if (!paths) return icon('at', size);
  return svg('svg', { class: 'g', width: size, height: size, viewBox: '0 0 16 16', 'aria-hidden': 'true' }, ...paths.map(([colour, d]) => svg('path', { fill: colour, d })));
}

/** The two big buttons. */
export function providerButtons() {
  const slot = h('div', { class: 'slot', 'aria-live': 'polite' });
  const button = ([provider, name, text]) => {
    const el = h('button', { type: 'button' }, providerMark(provider, 22), h('span', null, name, h('small', null, text)), icon('out', 15));
    el.addEventListener('click', () => leaveFor(el, slot, () => post('/api/email/accounts/connect', { provider, return_to: '/connect' })));
    return el;
  };
  return h('div', null, h('div', { class: 'pv' }, OFFERS.map(button)), slot);
}

/** A button that connects a mailbox again at its provider and comes back to its page. */
export function reconnectButton(item) {
  const el = h('button', { type: 'button', class: 'btn' }, `Sign in at ${VENDORS[item.provider]}`);
  const again = () => post(`/api/email/accounts/${item.id}/reconnect`, { return_to: `/mailboxes/${item.id}` });
  el.addEventListener('click', () => leaveFor(el, null, again));
  return el;
}

/** Whether somebody can sign in to the mailbox at a provider. */
export const signsInElsewhere = (item) => Boolean(VENDORS[item.provider]) && item.credentials !== 'service' && item.credentials !== 'shared';

async function leaveFor(button, slot, begin) {
  try {
    await busy(button, 'One moment…', async () => {
      const { authorization_url: url } = await begin();
      location.assign(url);
    });
  } catch (problem) {
    if (slot) fill(slot, banner('amber', 'This cannot be connected yet.', problem.message));
    else toast(problem.message, { stay: true, tone: 'bad' });
  }
}

/**
 * How a sign-in ended, read from the page's address and then taken out of it. `place` is where a banner goes;
 * resolves to the id of the mailbox that was connected, or null.
 */
export async function showOutcome(query, place) {
  const [connected, error, id, warning] = ['account_id', 'error', 'connect_id', 'warning'].map((name) => query.get(name));
  if (!connected && !error) return null;
  history.replaceState(null, '', location.pathname);
  if (connected) {
    if (warning === 'oauth_testing') fill(place, banner('amber', 'Connected, for seven days.', 'Google ends this access in a week, because the Google project of this server is in “Testing”. Its operator can make it Internal or publish it to Production.'));
    return connected;
  }
  let words = WORDS[error] ?? 'The provider did not give access. Start again; if it stays so, tell the operator of this server.';
  if (/^[0-9a-f-]{36}$/.test(id ?? '')) {
    const outcome = await get(`/api/email/accounts/connect/${id}`).catch(() => null);
    if (outcome?.error_code === error && outcome.error_message) words = outcome.error_message;
  }
  const calm = error === 'access_denied';
  fill(place, banner(calm ? 'amber' : 'red', calm ? 'Nothing was connected.' : 'The mailbox could not be connected.', words));
  return null;
}
