// The mailboxes: a page that lists them, and one page for each with its import, folders and end.

import { del, get, patch } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { ago, count, folderName } from '../format.js';
import { tick } from '../forms.js';
import { go } from '../router.js';
import { account, dropAccount, foldersOf, putAccount, refreshAccounts, refreshFolders, state, watch } from '../store.js';
import { banner, dialog, emptyState, failedState, smallRing, toast, toastProblem } from '../ui.js';
import { completenessSection } from './completeness.js';
import { folderIcon, inOrder } from './folders.js';
import { sendingSection } from './mailbox-sending.js';
import { act, arrivalOf, doneOf, progressCard, PROVIDERS, statusOf } from './progress.js';
import { reconnect } from './reconnect.js';
import { customFolders, shell } from './shell.js';

const connectLink = (extra = '') => h('a', { class: `btn ${extra}`, href: '/connect' }, icon('plus', 14), 'Connect a mailbox');

/** The page `/mailboxes`. */
export function mailboxesPage() {
  const body = h('div', { class: 'page-in' });
  const draw = () => fill(body,
    h('div', { class: 'page-head' }, h('h1', { class: 'page-title' }, 'Mailboxes'), state.accounts.length > 0 && [h('a', { class: 'btn', href: '/activity' }, icon('activity', 14), 'Activity'), connectLink()]),
    state.accounts.length ? state.accounts.map(overview) : h('div', { class: 'card' }, emptyState('at', 'No mailbox yet', 'Connect one and its mail appears, newest first.', connectLink('pri'))));
  const page = shell(h('div', { class: 'page' }, body), 'wide');
  const stop = watch((what) => { if ((what === 'accounts' || what === 'folders') && !body.contains(document.activeElement)) draw(); });
  draw();
  return { el: page.el, title: 'Mailboxes', destroy: () => { stop(); page.destroy(); } };
}

function overview(item) {
  const { tone, chip, text } = statusOf(item);
  const inbox = foldersOf(item.id).find((folder) => folder.role === 'inbox');
  const folders = [inbox, ...customFolders(item.id)].filter(Boolean);
  return h('section', { class: 'card box', 'aria-label': item.email_address },
    h('div', { class: 'sh' }, h('span', { class: 'pl' }, icon('at', 18)),
      h('span', { class: 'grow' }, h('b', { class: 'clip' }, item.email_address), h('small', { class: 'clip' }, [PROVIDERS[item.provider] ?? item.provider, arrivalOf(item), `last looked ${ago(item.last_sync_at)}`].filter(Boolean).join(' · '))),
      h('span', { class: ['chip', chip] }, tone === 'busy' && smallRing(doneOf(item), 'Import'), text),
      h('a', { class: 'btn', href: `/mailboxes/${item.id}` }, 'Manage')),
    item.status === 'error' && h('div', { class: 'inset' }, accountBanner(item)),
    h('ul', { class: 'box-folders' }, folders.map((folder) => h('li', null, h('a', { href: `/inbox/${['inbox', 'drafts'].includes(folder.role) ? folder.role : folder.id}?account=${item.id}` },
      icon(folderIcon(folder.role)), h('span', { class: 'clip grow' }, folderName(folder)), folder.unread_count > 0 && h('span', { class: 'num n' }, count(folder.unread_count), h('span', { class: 'vh' }, ' unread')))))));
}

/** What is wrong with a mailbox, what still works, and the next step. */
export function accountBanner(item) {
  const signIn = /login|auth|password|token|credentials/.test(item.error_code ?? '');
  const title = signIn ? `${item.email_address} needs you to sign in again.` : `${item.email_address} cannot be read at the moment.`;
  const rest = [item.error_message, signIn ? 'What is here can still be read.' : 'It is tried again by itself; what is here can still be read.'].filter(Boolean).join(' ');
  const again = h('button', { type: 'button', class: 'btn' }, 'Try now');
  again.addEventListener('click', () => act(again, item.id, 'sync'));
  return banner(signIn ? 'red' : 'amber', title, rest, signIn ? h('button', { type: 'button', class: 'btn', onclick: () => reconnect(item) }, 'Sign in again') : again);
}

/** The page `/mailboxes/{id}`. */
export async function mailboxPage({ params: { id } }) {
  let problem = null;
  await get(`/api/email/accounts/${id}`).then(putAccount, (error) => { problem = error; });
  const body = h('div', { class: 'page-in' });
  const page = shell(h('div', { class: 'page' }, body), 'wide');
  if (problem) {
    fill(body, failedState(problem, () => go(location.pathname, { replace: true })));
    return { el: page.el, title: 'Mailbox', destroy: page.destroy };
  }
  const card = progressCard(id);
  const top = h('div', { class: 'page-top' });
  const folders = h('section', { class: 'card box', 'aria-label': 'Folders' });
  const drawTop = () => fill(top, headOf(account(id)));
  const stop = watch((what) => {
    if (!account(id)) return;
    if (what === 'accounts') drawTop();
    if (what === 'folders' && !folders.contains(document.activeElement)) drawFolders(folders, id);
  });
  drawTop();
  drawFolders(folders, id);
  const whole = completenessSection(id);
  const sending = account(id).user_id === state.me?.id && account(id).status !== 'disconnected' ? sendingSection(account(id)) : null;
  fill(body, top, card.el, folders, whole.el, sending?.el, endSection(id));
  return { el: page.el, title: account(id).email_address, destroy: () => { stop(); card.destroy(); whole.destroy(); sending?.destroy(); page.destroy(); } };
}

function headOf(item) {
  const sync = h('button', { type: 'button', class: 'btn' }, icon('sync', 14), 'Sync now');
  sync.addEventListener('click', () => act(sync, item.id, 'sync'));
  return [
    h('a', { class: 'crumb', href: '/mailboxes' }, icon('back', 13), 'Mailboxes'),
    h('div', { class: 'page-head' }, h('h1', { class: 'page-title clip', title: item.email_address }, item.email_address), item.status === 'active' && item.phase !== 'paused' && sync),
    item.status === 'error' && accountBanner(item),
  ];
}

function drawFolders(el, id) {
  const folders = inOrder(foldersOf(id));
  fill(el, h('h2', null, 'Folders'), h('p', { class: 'hint' }, 'A folder that is switched off is not read any more. What was imported stays.'),
    folders.length ? h('ul', { class: 'switches' }, folders.map((folder) => folderSwitch(id, folder))) : h('p', { class: 'muted' }, 'The folders appear when the mailbox has been read for the first time.'));
}

function folderSwitch(id, folder) {
  const own = tick([icon(folderIcon(folder.role), 15), h('span', { class: 'clip' }, folderName(folder))], { checked: folder.included !== false ? true : null });
  own.input.addEventListener('change', async () => {
    try {
      await patch(`/api/email/accounts/${id}/folders/${folder.id}`, { included: own.checked });
      await refreshFolders();
    } catch (problem) {
      own.input.checked = !own.checked;
      toastProblem(problem);
    }
  });
  const { stored_count: stored, provider_count: there } = folder;
  const words = there === null || there === undefined ? count(stored) : stored >= there ? count(stored) : `${count(stored)} of ${count(there)}`;
  return h('li', null, own.el, h('span', { class: 'num muted' }, words));
}

function endSection(id) {
  return h('section', { class: 'card box end' },
    h('div', { class: 'grow' }, h('h2', null, 'Disconnect'), h('p', { class: 'hint' }, 'Stops reading this mailbox. You choose whether its mail stays here. Nothing in the mailbox itself changes.')),
    h('button', { type: 'button', class: 'btn danger', onclick: () => disconnect(id) }, icon('unplug', 14), 'Disconnect…'));
}

async function disconnect(id) {
  const item = account(id);
  const choice = (value, title, text, checked) => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'keep', value, checked }), h('span', null, h('b', null, title), h('span', { class: 'hint' }, text)));
  const keep = await dialog(`Disconnect ${item.email_address}?`, (close) => {
    const choices = h('fieldset', { class: 'choices' }, h('legend', { class: 'vh' }, 'What happens to its mail here'),
      choice('true', 'Keep the mail', 'It stays here to read. Nothing new arrives.', true),
      choice('false', 'Erase the mail', 'Its mail and files are deleted from this server. This cannot be undone.', null));
    return [choices, h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'btn', onclick: () => close(null) }, 'Cancel'),
      h('button', { type: 'button', class: 'btn danger', onclick: () => close(choices.querySelector(':checked').value) }, 'Disconnect'))];
  });
  if (!keep) return;
  try {
    await del(`/api/email/accounts/${id}`, { query: { keep_mail: keep === 'true' ? 'true' : null } });
    if (keep === 'false') dropAccount(id);
    await refreshAccounts();
    toast(keep === 'true' ? 'Disconnected. The mail stays.' : 'Disconnected. Its mail is erased.');
    go('/mailboxes');
  } catch (problem) {
    toastProblem(problem);
  }
}

