// The frame around mail and settings: the sidebar (a rail on middling screens, a bottom bar on
// phones) with folders, mailboxes and the state of the import.

import { fill, h, icon } from '../dom.js';
import { ago, count, folderName, percent, timeLeft } from '../format.js';
import { LISTS, outgoing, watchOutgoing } from '../outgoing.js';
import { foldersOf, roleCounts, state, watch } from '../store.js';
import { bar, logo, smallRing } from '../ui.js';
import { compose } from './compose/desk.js';
import { folderIcon, inOrder, ROLES } from './folders.js';
import { doneOf, statusOf } from './progress.js';

const MORE_FOLDERS = 40;

/** Wraps `content` (the panels) with the sidebar. Returns `{ el, mark(path), destroy }`. */
export function shell(content, panels = '') {
  const side = h('aside', { class: 'side', 'aria-label': 'Sidebar' });
  const phone = h('nav', { class: 'phone-nav', 'aria-label': 'Main' });
  const el = h('div', { class: 'app' }, side, h('main', { id: 'main', class: ['frame', panels], tabindex: '-1' }, content), phone);
  const draw = () => { drawSide(side); drawPhone(phone); };
  const stops = [watch((what) => { if (what === 'accounts' || what === 'folders') draw(); }), watchOutgoing(draw)];
  draw();
  return { el, refresh: draw, destroy: () => stops.forEach((stop) => stop()) };
}

/** What the address says is open: a view and perhaps one mailbox. */
export function place() {
  const [, , view = 'inbox'] = location.pathname.split('/');
  return { mail: location.pathname === '/' || location.pathname.startsWith('/inbox'), view: decodeURIComponent(view || 'inbox'), account: new URLSearchParams(location.search).get('account') };
}

function navLink(href, name, label, { number = 0, unit = ' unread', tone, current = false, extra } = {}) {
  return h('a', { href, title: label, class: extra, 'aria-current': current ? 'page' : null }, icon(name), h('span', { class: 'lbl clip' }, label),
    number > 0 && h('span', { class: ['n num', tone] }, count(number), h('span', { class: 'vh' }, unit)));
}

/** What is on its way out, below the inbox. A mail that could not be sent is a fault. */
function outgoingLink(name, here) {
  const { label, icon: mark } = LISTS[name];
  const mails = outgoing(name) ?? [];
  const stuck = mails.some((mail) => ['failed', 'uncertain'].includes(mail.status));
  return navLink(`/inbox/${name}`, mark, label, { number: mails.length, unit: stuck ? ', some need you' : '', tone: stuck && 'bad', current: here.mail && here.view === name && !here.account });
}

const writeButton = (extra) => h('button', { type: 'button', class: ['compose', extra], title: 'Compose (c)', onclick: () => compose() }, icon('pen', extra ? 22 : 16), h('span', { class: 'lbl' }, 'Compose'), h('kbd', { 'aria-hidden': 'true' }, 'C'));

function drawSide(side) {
  const active = side.contains(document.activeElement) ? document.activeElement : null;
  const focused = active && (active.getAttribute('href') ? `a[href="${CSS.escape(active.getAttribute('href'))}"]` : '.compose');
  const scrolled = side.querySelector('.side-scroll')?.scrollTop ?? 0;
  const here = place();
  const counts = roleCounts();
  const roles = ROLES.filter(([role]) => role !== 'drafts' && (role === 'inbox' || counts.has(role)));
  const links = roles.map(([role, label]) => navLink(`/inbox/${role}`, folderIcon(role), label, { number: role === 'inbox' ? counts.get(role) : 0, current: here.mail && here.view === role && !here.account }));
  const nav = h('nav', { class: 'nav', 'aria-label': 'Main' },
    links.slice(0, 1), Object.keys(LISTS).map((name) => outgoingLink(name, here)), links.slice(1),
    navLink('/inbox/all', 'all', 'All mail', { current: here.mail && here.view === 'all' && !here.account }),
    h('div', { class: 'sec' }, 'Workspace'),
    navLink('/activity', 'activity', 'Activity', { current: location.pathname === '/activity' }),
    navLink('/settings', 'settings', 'Settings', { current: location.pathname.startsWith('/settings') }));
  const boxes = h('nav', { class: 'nav mbs', 'aria-label': 'Mailboxes' },
    h('div', { class: 'sec' }, h('a', { href: '/mailboxes' }, 'Mailboxes'), h('a', { class: 'ib', href: '/connect', 'aria-label': 'Connect a mailbox', title: 'Connect a mailbox' }, icon('plus', 14))),
    state.accounts.map((item) => mailbox(item, here)));
  fill(side, h('a', { class: 'ws', href: '/', title: state.me?.organization || 'Duplex' }, logo(), h('span', { class: 'lbl clip' }, state.me?.organization || 'Duplex')),
    writeButton(), h('div', { class: 'side-scroll' }, nav, boxes), foot());
  side.querySelector('.side-scroll').scrollTop = scrolled;
  if (focused) side.querySelector(focused)?.focus();
}

function mailbox(item, here) {
  const open = here.account === item.id;
  const { tone, text } = statusOf(item);
  const row = h('a', { class: 'mb', href: `/inbox/inbox?account=${item.id}`, title: `${item.email_address}: ${text.toLowerCase()}`, 'aria-current': open && here.view === 'inbox' ? 'page' : null, 'aria-expanded': String(open) },
    icon('at'), h('span', { class: 'lbl clip' }, item.email_address), mark(item, tone, text));
  const folders = open ? customFolders(item.id) : [];
  return [row, open && h('div', { class: 'sub' },
    folders.slice(0, MORE_FOLDERS).map((folder) => navLink(`/inbox/${folder.role === 'drafts' ? 'drafts' : folder.id}?account=${item.id}`, folderIcon(folder.role), folderName(folder), { number: folder.unread_count, current: here.view === folder.id || (folder.role === 'drafts' && here.view === 'drafts') })),
    navLink(`/mailboxes/${item.id}`, 'settings', 'Manage mailbox'))];
}

/** A mailbox's folders without the inbox, known roles first, then by name. */
export function customFolders(id) {
  return inOrder(foldersOf(id).filter((folder) => folder.role !== 'inbox' && folder.included !== false));
}

function mark(item, tone, text) {
  if (tone === 'busy') return smallRing(doneOf(item), `${text}, ${doneOf(item) ?? 0} percent`);
  return h('span', { class: ['dot', tone], role: 'img', 'aria-label': text });
}

/** The line at the bottom: the running import, else a fault, else when mail was last looked for. */
function foot() {
  const live = state.accounts.filter((item) => item.status === 'active');
  const importing = live.filter((item) => item.phase === 'backfill');
  const broken = state.accounts.find((item) => item.status === 'error');
  if (importing.length) return importFoot(importing);
  if (broken) return h('a', { class: 'foot', href: `/mailboxes/${broken.id}` }, h('b', null, h('span', { class: 'dot bad' }), 'A mailbox needs you'), h('small', { class: 'clip' }, broken.email_address));
  if (!live.length) return null;
  const last = live.map((item) => item.last_sync_at).filter(Boolean).sort().pop();
  return h('div', { class: 'foot' }, h('b', null, h('span', { class: 'dot ok' }), 'Up to date'), h('small', null, last ? `Last looked ${ago(last)}` : 'Waiting for the first look'));
}

function importFoot(importing) {
  const sum = (pick) => importing.reduce((total, item) => total + (pick(item.progress ?? {}) ?? 0), 0);
  const known = importing.every((item) => item.progress?.total);
  const done = known ? percent(sum((p) => p.synced), sum((p) => p.total)) : null;
  const name = importing.length === 1 ? `${importing[0].email_address.split('@')[0]}@` : `${importing.length} mailboxes`;
  const eta = Math.max(...importing.map((item) => item.progress?.eta_seconds ?? -1));
  const words = known ? `${count(sum((p) => p.synced))} of ${count(sum((p) => p.total))}` : `${count(sum((p) => p.synced))} so far`;
  return h('a', { class: 'foot', href: `/mailboxes/${importing[0].id}` },
    h('b', null, icon('sync', 13), h('span', { class: 'clip' }, `Importing ${name}`), h('span', { class: 'pct num' }, done === null ? '' : `${done}%`)),
    bar(done, `Import of ${name}`),
    h('small', { class: 'num' }, [words, eta >= 0 && timeLeft(eta)].filter(Boolean).join(' · ')));
}

function drawPhone(nav) {
  const here = place();
  const unread = roleCounts().get('inbox') ?? 0;
  const tab = (href, name, label, current, badge, unit = ' unread') => h('a', { href, 'aria-current': current ? 'page' : null }, icon(name, 22), label,
    badge > 0 && h('em', { class: 'num' }, badge > 99 ? '99+' : badge, h('span', { class: 'vh' }, unit)));
  fill(nav, here.mail && writeButton('fab'),
    tab('/inbox/inbox', 'inbox', 'Inbox', here.mail && here.view === 'inbox', unread),
    tab('/inbox/sent', 'sent', 'Sent', here.mail && (here.view === 'sent' || here.view in LISTS), stuckNumber(), ' need you'),
    tab('/inbox/all', 'all', 'All mail', here.mail && here.view === 'all'),
    tab('/mailboxes', 'at', 'Mailboxes', location.pathname.startsWith('/mailboxes')),
    tab('/settings', 'settings', 'Settings', location.pathname.startsWith('/settings')));
}

/** How many mails could not be sent. */
const stuckNumber = () => (outgoing('outbox') ?? []).filter((mail) => ['failed', 'uncertain'].includes(mail.status)).length;
