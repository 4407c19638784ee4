// The import of one mailbox, live: ring, counts, rate, time left and a bar per folder.

import { post } from '../api.js';
import { add, announce, fill, h, icon, svg } from '../dom.js';
import { ago, count, folderName, percent, plural, timeLeft } from '../format.js';
import { account, foldersOf, putAccount, refreshAccounts, watch } from '../store.js';
import { bar, busy, toast, toastProblem } from '../ui.js';
import { folderIcon, inOrder } from './folders.js';

const ROUND = 2 * Math.PI * 48;
const SHOWN_FOLDERS = 7;
const STEP = 25;

export const PROVIDERS = { imap: 'IMAP', gmail: 'Google', outlook: 'Microsoft' };

/** One word for a mailbox: its tone and its text, the same wherever it is shown. */
export function statusOf(item) {
  if (item.status === 'disconnected') return { tone: '', chip: '', text: 'Disconnected' };
  if (item.status === 'error') return { tone: 'bad', chip: 'c-red', text: 'Needs attention' };
  if (item.phase === 'paused') return { tone: 'paused', chip: 'c-amber', text: 'Paused' };
  if (item.phase === 'backfill') return { tone: 'busy', chip: 'c-iris', text: 'Importing' };
  return { tone: 'ok', chip: 'c-green', text: 'Up to date' };
}

/** How far an import is; null while the total is unknown. */
export function doneOf(item) {
  const { synced = 0, total = 0 } = item.progress ?? {};
  if (item.phase === 'live' && item.status === 'active') return 100;
  // Folders that were not counted yet may still add mails: all of it is said only at the end.
  return total ? Math.min(99, percent(synced, total)) : null;
}

/** Makes the card. `compact` leaves out the last line. Returns `{ el, destroy }`. */
export function progressCard(id, { openInbox = true } = {}) {
  const el = h('section', { class: 'card sync', tabindex: '-1' });
  const parts = { head: h('div', { class: 'sh' }), hero: h('div', { class: 'hero' }), folders: h('div', { class: 'folders' }), foot: h('div', { class: 'sf' }) };
  const ring = makeRing();
  let announced = null;
  let all = false;
  add(el, parts.head, parts.hero, parts.folders, openInbox && parts.foot);
  fill(parts.foot, h('span', null), h('a', { class: 'btn pri', href: `/inbox/inbox?account=${id}` }, 'Open inbox', icon('right', 14)));

  const draw = () => {
    const item = account(id);
    if (!item) return;
    el.setAttribute('aria-label', `Import of ${item.email_address}`);
    drawHead(parts.head, item);
    drawHero(parts.hero, ring, item);
    drawFolders(parts.folders, item, all, () => { all = !all; draw(); });
    parts.foot.firstChild.textContent = footText(item);
    announced = announceStep(item, announced);
  };
  const stop = watch((what) => { if (what === 'accounts' || what === 'folders') draw(); });
  draw();
  return { el, destroy: stop };
}

function footText(item) {
  if (item.status !== 'active') return 'What is here can still be read.';
  return item.phase === 'backfill' ? 'You can start working. The import goes on.' : arrivalOf(item) ? `${arrivalOf(item)}.` : 'Nothing new is read until it goes on.';
}

function makeRing() {
  const done = svg('circle', { class: 'done', cx: 56, cy: 56, r: 48 });
  const text = svg('text', { x: 56, y: 65, 'text-anchor': 'middle' });
  const el = svg('svg', { class: 'donut', viewBox: '0 0 112 112', role: 'progressbar', 'aria-label': 'Import progress', 'aria-valuemin': 0, 'aria-valuemax': 100 },
    svg('circle', { class: 'track', cx: 56, cy: 56, r: 48 }), done, text);
  const set = (value) => {
    done.setAttribute('stroke-dasharray', `${((value ?? 0) / 100) * ROUND} ${ROUND}`);
    done.classList.toggle('full', value === 100);
    done.classList.toggle('none', !value);
    text.textContent = value === null ? '–' : `${value}%`;
    if (value === null) el.removeAttribute('aria-valuenow');
    else el.setAttribute('aria-valuenow', value);
  };
  return { el, set };
}

function drawHead(el, item) {
  const held = item.phase === 'paused';
  const key = `${item.email_address}|${item.phase}|${item.status}`;
  if (el.dataset.key === key) return;
  el.dataset.key = key;
  const button = h('button', { type: 'button', class: 'btn' }, icon(held ? 'play' : 'pause', 13), held ? 'Resume' : 'Pause');
  button.addEventListener('click', () => act(button, item.id, held ? 'resume' : 'pause'));
  fill(el, h('span', { class: 'pl' }, icon('at', 18)),
    h('span', { class: 'grow' }, h('b', { class: 'clip' }, item.email_address), h('small', null, `${PROVIDERS[item.provider] ?? item.provider} · ${statusOf(item).text.toLowerCase()}`)),
    item.status === 'disconnected' ? null : button);
}

/** Pauses, resumes or rings for a sync, and shows the state the server answers with. */
export async function act(button, id, verb) {
  const words = { pause: 'Pausing…', resume: 'Resuming…', sync: 'Syncing…' };
  try {
    const answer = await busy(button, words[verb], () => post(`/api/email/accounts/${id}/${verb}`));
    if (answer?.id === id) putAccount(answer);
    else await refreshAccounts();
    if (verb === 'sync') toast('Looking for new mail.');
  } catch (problem) {
    toastProblem(problem);
  }
}

function drawHero(el, ring, item) {
  const { synced = 0, total = 0, per_second: rate = 0, eta_seconds: eta = null } = item.progress ?? {};
  ring.set(doneOf(item));
  const all = item.phase === 'live' && item.status === 'active';
  const stored = all ? foldersNow(item).reduce((sum, folder) => sum + folder.synced, 0) : synced;
  const big = h('div', { class: 'big num' }, count(stored), all || !total ? null : h('span', null, ` of ${count(total)}`));
  const words = all ? `${stored === 1 ? 'message' : 'messages'}, all imported` : 'messages imported, newest first';
  fill(el, ring.el, h('div', { class: 'grow' }, big, h('p', null, words), pill(item, rate, eta)));
}

function pill(item, rate, eta) {
  if (item.status === 'error') return h('span', { class: 'eta c-red' }, icon('warn', 13), 'Waiting for you');
  if (item.phase === 'paused') return h('span', { class: 'eta c-amber' }, icon('pause', 13), 'Paused');
  if (item.phase === 'live') return h('span', { class: 'eta c-green' }, icon('check', 13), item.last_sync_at ? `Up to date, ${ago(item.last_sync_at)}` : 'Up to date');
  const speed = rate > 0 ? `${count(Math.max(1, Math.round(rate)))} per second` : 'Reading the folders';
  return h('span', { class: 'eta c-green num' }, h('i', { class: 'pulse' }), [speed, timeLeft(eta)].filter(Boolean).join(', '));
}

function drawFolders(el, item, all, toggle) {
  const folders = inOrder(foldersNow(item));
  const shown = all ? folders : folders.slice(0, SHOWN_FOLDERS);
  const focused = el.contains(document.activeElement);
  const more = folders.length > SHOWN_FOLDERS && h('button', { type: 'button', class: 'more', 'aria-expanded': String(all), onclick: toggle },
    all ? 'Show fewer folders' : `${plural(folders.length - SHOWN_FOLDERS, 'more folder')}`);
  fill(el, shown.map((folder) => folderRow(folder, item.phase)), more, item.phase === 'live' && item.status === 'active' && watching(item));
  if (focused && more) more.focus();
}

function folderRow({ name: path, role, synced = 0, total = 0 }, phase) {
  const name = folderName({ name: path, role });
  const done = total === 0 && phase === 'backfill' ? 0 : percent(synced, total);
  const words = done === 100 || total === 0 ? count(total) : `${count(synced)} of ${count(total)}`;
  return h('div', { class: ['fr', done === 100 && 'ok'] }, icon(done === 100 ? 'done' : folderIcon(role), 15),
    h('span', { class: 'nm clip', title: name }, name), bar(done, `Import of ${name}`), h('span', { class: 'v num' }, words));
}

/** The folders with what is stored and what is there: during the import as it counts them, afterwards as they are now. */
function foldersNow({ id, phase, progress }) {
  const now = new Map(phase === 'live' ? foldersOf(id).map((folder) => [folder.id, folder]) : []);
  return (progress?.folders ?? []).map((folder) => {
    const { stored_count: synced, provider_count: there } = now.get(folder.id) ?? {};
    return synced === undefined ? folder : { ...folder, synced, total: Math.max(synced, there ?? 0) };
  });
}

/** How news of a mailbox arrive; empty while it is not being read. */
export function arrivalOf(item) {
  if (item.status !== 'active' || item.phase === 'paused') return '';
  return item.push && item.push !== 'none' ? 'New mail arrives at once' : 'New mail arrives within 10 minutes';
}

function watching(item) {
  const pushed = item.push && item.push !== 'none';
  return h('div', { class: 'fr' }, icon('live', 15), h('span', { class: 'nm' }, 'New mail'), bar(null),
    h('span', { class: 'v' }, pushed ? 'arrives at once' : 'within 10 min'));
}

/** Speaks at 25, 50, 75 and 100 percent only. */
function announceStep(item, last) {
  const step = Math.floor((doneOf(item) ?? 0) / STEP) * STEP;
  if (last !== null && step > last) announce(step === 100 ? `All mail of ${item.email_address} is imported.` : `${step} percent of ${item.email_address} is imported.`);
  return Math.max(step, last ?? 0);
}
