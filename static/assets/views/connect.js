// Connecting a mailbox: the address finds the settings, the password comes last, and the import
// shows beside the form as soon as the server accepts it.

import { post } from '../api.js';
import { announce, fill, h, icon } from '../dom.js';
import { count } from '../format.js';
import { field, form, tick } from '../forms.js';
import { putAccount, state, watch } from '../store.js';
import { banner } from '../ui.js';
import { smallPrint, topBar } from './door.js';
import { doneOf, progressCard, statusOf } from './progress.js';
import { CONNECT_CODES, providerHint, SECURITY, securityText, sourceText, usualPort } from './remedies.js';

const LOOKS_LIKE_ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** The page `/connect`. */
export function connectPage() {
  const side = h('div', { class: 'beside' });
  let card = null;
  const showCard = (item) => {
    card?.destroy();
    card = progressCard(item.id);
    fill(side, card.el);
    side.classList.add('first');
    card.el.focus();
    card.el.scrollIntoView?.({ block: 'nearest' });
    announce(`${item.email_address} is connected. The import has begun.`);
  };
  const importing = state.accounts.find((item) => item.phase === 'backfill' && item.status === 'active');
  if (importing) {
    card = progressCard(importing.id);
    fill(side, card.el);
  } else {
    fill(side, promises());
  }
  const slot = h('div');
  const fresh = () => fill(slot, connectForm((item) => { fresh(); showCard(item); }));
  fresh();
  const own = h('div');
  const drawOwn = () => fill(own, ownList());
  const stop = watch((what) => { if (what === 'accounts') drawOwn(); });
  drawOwn();
  const first = state.accounts.length === 0;
  const el = h('div', { class: 'bare' },
    topBar(state.accounts.length ? h('a', { class: 'btn ghost', href: '/' }, 'Inbox') : null),
    h('main', { id: 'main', class: 'wrap', tabindex: '-1' },
      h('section', { 'aria-labelledby': 'connect-title' },
        h('h1', { id: 'connect-title', class: 'page-title' }, first ? 'Connect the mailbox you work from' : 'Connect another mailbox'),
        h('p', { class: 'lead' }, 'Its mail arrives newest first, and you can read while the rest follows. Everything stays on this server.'),
        slot, own, smallPrint('lock', 'Passwords are encrypted with this server’s key and never shown again. Nothing in the mailbox is changed by the import.')),
      side));
  return { el, title: 'Connect a mailbox', destroy: () => { stop(); card?.destroy(); } };
}

function promises() {
  const step = (name, title, text) => h('li', null, h('span', { class: 'pl' }, icon(name, 17)), h('div', null, h('b', null, title), h('p', null, text)));
  return h('aside', { class: 'card promises', 'aria-label': 'What happens next' }, h('h2', null, 'What happens next'),
    h('ol', null,
      step('bolt', 'Settings are found for you', 'The address is enough for most providers. You can change every setting by hand.'),
      step('lock', 'Sign-in is tested first', 'Incoming and outgoing mail are both tried before anything is saved.'),
      step('inbox', 'The newest mail comes first', 'Counts, speed and time left show live. Start reading after seconds.'),
      step('live', 'Then it stays fresh', 'New mail is picked up by itself. After a restart the import goes on where it was.')));
}

function ownList() {
  if (!state.accounts.length) return null;
  return h('ul', { class: 'card own', 'aria-label': 'Connected mailboxes' }, state.accounts.map((item) => {
    const { chip, text } = statusOf(item);
    const done = doneOf(item);
    return h('li', null, icon('at', 18), h('a', { class: 'clip', href: `/mailboxes/${item.id}` }, h('b', null, item.email_address)),
      h('span', { class: 'm num' }, item.progress?.synced ? `${count(item.progress.synced)} messages` : ''),
      h('span', { class: ['chip num', chip] }, item.phase === 'backfill' && item.status === 'active' && done !== null ? `${done}%` : text));
  }));
}

/** Host, port, protection and user of one direction. */
function serverFields(protocol) {
  const name = protocol.toUpperCase();
  const own = {
    host: field({ label: `${name} server`, required: true, autocapitalize: 'none', spellcheck: 'false', placeholder: `${protocol}.company.com` }),
    port: field({ label: 'Port', type: 'number', required: true, min: 1, max: 65535, inputmode: 'numeric', value: usualPort(protocol, 'tls') }),
    security: field({ label: 'Protection', options: SECURITY, value: 'tls' }),
    username: field({
      label: 'User name', required: protocol === 'imap', autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off',
      hint: protocol === 'smtp' && 'Empty if the server asks for none.',
    }),
  };
  own.security.input.addEventListener('change', () => { own.port.value = usualPort(protocol, own.security.value); });
  own.read = () => ({ host: own.host.value, port: Number(own.port.value), security: own.security.value, username: own.username.value });
  own.write = (found) => { for (const part of ['host', 'port', 'security', 'username']) if (found?.[part]) own[part].value = found[part]; };
  own.el = h('fieldset', { class: 'server' }, h('legend', null, protocol === 'imap' ? 'Incoming mail (IMAP)' : 'Outgoing mail (SMTP)'),
    h('div', { class: 'host-port' }, own.host.el, own.port.el), h('div', { class: 'two' }, own.security.el, own.username.el));
  return own;
}

function connectForm(onConnected) {
  const email = field({ label: 'Email address', type: 'email', autocomplete: 'email', required: true, placeholder: 'you@company.com', 'data-autofocus': true });
  const password = field({ label: 'Password or app password', type: 'password', autocomplete: 'off', required: true });
  const smtpPassword = field({ label: 'Password for sending', type: 'password', autocomplete: 'off', required: true });
  const imap = serverFields('imap');
  const smtp = serverFields('smtp');
  const apart = tick('Sending uses another password');
  const found = h('div', { class: 'slot', 'aria-live': 'polite' });
  const manual = h('div', { class: 'manual', hidden: true }, imap.el, smtp.el, apart.el, smtpPassword.el);
  const hintSlot = h('div', { class: 'slot' });
  const rest = h('div', { class: 'form', hidden: true }, manual, hintSlot, password.el);
  smtpPassword.el.hidden = true;
  apart.input.addEventListener('change', () => { smtpPassword.el.hidden = !apart.checked; });

  let asked = '';
  let looking = null;
  let settings = null;
  const openManual = () => { manual.hidden = false; editButton.hidden = true; };
  const editButton = h('button', { type: 'button', class: 'btn ghost tall', hidden: true, onclick: () => { openManual(); imap.host.input.focus(); } }, 'Edit by hand');
  const showHint = () => {
    const hint = providerHint(email.value, imap.host.value);
    fill(hintSlot, hint && banner(hint.warn ? 'amber' : '', '', hint.text,
      hint.link && h('a', { class: 'link', href: hint.link, target: '_blank', rel: 'noopener noreferrer' }, 'Open settings')));
  };
  const look = async () => {
    asked = email.value;
    settings = null;
    rest.hidden = true;
    fill(found, h('p', { class: 'looking' }, h('span', { class: 'spin', 'aria-hidden': 'true' }), `Looking up the settings for ${asked.split('@').pop()} …`));
    let answer = null;
    try {
      answer = await post('/api/email/accounts/discover', { email_address: asked });
    } catch (problem) {
      if (problem.errors?.length) {
        asked = '';
        fill(found);
        email.error(problem.errors[0].message);
        return;
      }
    }
    for (const server of [imap, smtp]) server.username.value = asked;
    imap.write(answer?.imap);
    smtp.write(answer?.smtp);
    settings = answer?.imap?.host ? answer : null;
    fill(found, settings ? foundBox(settings) : banner('amber', 'No settings were found for this address.', 'Enter the servers by hand. Your provider lists them in its help under “IMAP”.'));
    rest.hidden = false;
    editButton.hidden = !manual.hidden;
    if (!settings) openManual();
    showHint();
    own.setAction('Test and connect');
    (settings ? password : imap.host).input.focus();
  };
  const discover = () => (looking ??= look().finally(() => { looking = null; }));
  email.input.addEventListener('change', () => { if (LOOKS_LIKE_ADDRESS.test(email.value) && email.value !== asked) discover(); });

  const smtpBody = () => {
    const { username, ...server } = smtp.read();
    return username ? { ...server, username, password: apart.checked ? smtpPassword.raw : password.raw } : server;
  };
  const fields = {
    email_address: email, password, 'imap.password': password, 'smtp.password': smtpPassword,
    'imap.host': imap.host, 'imap.port': imap.port, 'imap.security': imap.security, 'imap.username': imap.username,
    'smtp.host': smtp.host, 'smtp.port': smtp.port, 'smtp.security': smtp.security, 'smtp.username': smtp.username,
  };
  const own = form({
    children: [h('h2', null, icon('at'), 'IMAP and SMTP'), email.el, found, rest],
    fields, codes: CONNECT_CODES, action: 'Find the settings', waiting: 'One moment…', extra: editButton,
    'aria-label': 'Connect by IMAP',
    send: async () => {
      if (looking || asked !== email.value) return discover();
      const body = {
        provider: 'imap', email_address: email.value,
        imap: { ...imap.read(), password: password.raw },
        smtp: smtpBody(),
      };
      announce('Testing the sign-in for incoming and outgoing mail.');
      try {
        const item = await post('/api/email/accounts', body);
        putAccount(item);
        return onConnected(item);
      } catch (problem) {
        if (problem.code?.startsWith('smtp_') || CONNECT_CODES[problem.code]?.includes('.')) openManual();
        if (problem.code === 'smtp_login_failed') { apart.input.checked = true; smtpPassword.el.hidden = false; }
        showHint();
        throw problem;
      }
    },
  });
  own.el.classList.add('card', 'im');
  rest.addEventListener('input', () => { if (settings && !manual.hidden) fill(found); });
  return own.el;
}

function foundBox({ imap, smtp, source }) {
  const row = (name, server) => h('div', { class: 'r' }, h('span', { class: source === 'guess' ? 'l' : 'ok' }, icon(source === 'guess' ? 'info' : 'done', 15)), h('span', { class: 'l' }, name),
    h('span', { class: 'num clip' }, `${server.host} : ${server.port}`), h('span', { class: 'e' }, securityText(server.security)));
  return h('div', null,
    h('div', { class: 'disc' }, row('IMAP', imap), smtp?.host && row('SMTP', smtp)),
    h('p', { class: 'hint' }, sourceText(source)));
}
