// Whether every mail of a mailbox is here: counted against the provider folder by folder, and proven on demand.

import { get, post } from '../api.js';
import { announce, fill, h, icon } from '../dom.js';
import { ago, count, folderName, fullTime, plural } from '../format.js';
import { account, watch } from '../store.js';
import { coalesce } from '../timing.js';
import { busy, toastProblem } from '../ui.js';
import { folderIcon, inOrder } from './folders.js';

const REFRESH_MS = 2000;
const CHECK_EVERY_MS = 700;
const CHECK_MOST_MS = 90_000;

/** The section for one mailbox. Returns `{ el, destroy }`. */
export function completenessSection(id) {
  const words = h('p', { class: 'hint' });
  const table = h('div', { class: 'whole', tabindex: '0', role: 'region', 'aria-label': 'Folders and what is stored of them', hidden: true });
  const check = h('button', { type: 'button', class: 'btn' }, icon('shield', 14), 'Check now');
  const el = h('section', { class: 'card box', 'aria-label': 'Completeness' },
    h('div', { class: 'box-head' }, h('div', { class: 'grow' }, h('h2', null, 'Completeness'), words), check), table);
  const path = `/api/email/accounts/${id}/completeness`;
  let folders = [];
  let alive = true;

  const look = async () => {
    ({ folders = [] } = await get(path));
    if (!alive) return;
    folders = inOrder(folders);
    fill(words, summary(folders));
    table.hidden = !folders.length;
    fill(table, tableOf(folders));
  };
  const prove = async () => {
    const before = new Map(folders.map((folder) => [folder.id, folder.proven_at]));
    await post(path);
    const until = Date.now() + CHECK_MOST_MS;
    while (alive && Date.now() < until) {
      await new Promise((resolve) => { setTimeout(resolve, CHECK_EVERY_MS); });
      await look();
      if (folders.every((folder) => folder.proven_at && folder.proven_at !== before.get(folder.id))) break;
    }
    if (alive) announce(summary(folders));
  };
  check.addEventListener('click', () => busy(check, 'Checking…', prove).catch(toastProblem));
  const later = coalesce(look, REFRESH_MS);
  const stop = watch((what) => {
    if (what === 'accounts' || what === 'folders') later();
    check.hidden = account(id)?.status !== 'active';
  });
  check.hidden = account(id)?.status !== 'active';
  later();
  return { el, destroy: () => { alive = false; stop(); later.cancel(); } };
}

function summary(folders) {
  if (!folders.length) return 'The folders appear when the mailbox has been read for the first time.';
  const missing = folders.reduce((sum, folder) => sum + folder.missing, 0);
  const unknown = folders.filter((folder) => folder.provider_count === null).length;
  if (unknown) return `${plural(unknown, 'folder was', 'folders were')} not counted yet.`;
  if (missing) return `${plural(missing, 'message is', 'messages are')} not here yet; a check fetches what is missing.`;
  const proven = folders.map((folder) => folder.proven_at).sort();
  if (proven.some((at) => !at)) return 'By their numbers all messages are here. A check compares them one by one.';
  return `All messages are here, compared one by one ${ago(proven[0])}.`;
}

function tableOf(folders) {
  const head = ['Folder', 'In the mailbox', 'Stored', 'Set aside', 'Missing', 'Proof'];
  return h('table', null,
    h('thead', null, h('tr', null, head.map((text, at) => h('th', { scope: 'col', class: at > 0 && at < 5 ? 'n' : null }, text)))),
    h('tbody', null, folders.map(folderLine)));
}

function folderLine(folder) {
  const { provider_count: there, stored_count: stored, skipped = {}, missing, proven_at: proven } = folder;
  const aside = Object.entries(skipped);
  const reasons = aside.map(([reason, number]) => `${count(number)} ${reason.replaceAll('_', ' ')}`).join(', ');
  const cell = (name, value, tone) => h('td', { class: ['n num', tone], 'data-name': name }, value);
  return h('tr', null,
    h('th', { scope: 'row' }, h('span', { class: 'fold-name' }, icon(folderIcon(folder.role), 15), h('span', { class: 'clip' }, folderName(folder)))),
    cell('In the mailbox', there === null ? '–' : count(there)),
    cell('Stored', count(stored)),
    cell('Set aside', aside.length ? h('span', { title: reasons }, count(aside.reduce((sum, [, number]) => sum + number, 0)), h('small', null, reasons)) : '0'),
    cell('Missing', count(missing), missing > 0 && 'bad'),
    h('td', { class: 'proof' }, proofOf(folder, proven)));
}

function proofOf({ missing }, proven) {
  if (missing > 0) return h('span', { class: 'chip c-amber' }, icon('warn', 12), 'Incomplete');
  if (!proven) return h('span', { class: 'muted' }, 'Not proven yet');
  return h('span', { class: 'chip c-green', title: fullTime(proven) }, icon('shield', 12), `Proven complete ${ago(proven)}`);
}
