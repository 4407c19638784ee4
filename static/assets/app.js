// Starts the pages: who is signed in, which path shows what.

import { whenSignedOut } from './api.js';
import { tellFailures } from './carry.js';
import { add, h } from './dom.js';
import { startKeys } from './keys.js';
import { go, start } from './router.js';
import { begin, end, loadMe, state } from './store.js';
import { failedState } from './ui.js';
import { activityPage } from './views/activity.js';
import { startDesk } from './views/compose/desk.js';
import { connectPage } from './views/connect.js';
import { invitePage, loginPage, lostPage, resetPage, setupPage } from './views/door.js';
import { inboxPage } from './views/inbox.js';
import { mailboxesPage, mailboxPage } from './views/mailboxes.js';
import { sendingPage } from './views/sending.js';
import { settingsPage } from './views/settings.js';
import { composePage, draftPage } from './views/write.js';

const OPEN = /^\/(setup|login|invitation|password-reset)\/?$/;

const ROUTES = [
  ['/', inboxPage],
  ['/inbox', inboxPage],
  ...['drafts', 'scheduled', 'outbox'].flatMap((name) => [[`/inbox/${name}`, sendingPage(name)], [`/inbox/${name}/:thread`, sendingPage(name)]]),
  ['/inbox/:view', inboxPage],
  ['/inbox/:view/:thread', inboxPage],
  ['/compose', composePage],
  ['/compose/:id', draftPage],
  ['/connect', connectPage],
  ['/mailboxes', mailboxesPage],
  ['/mailboxes/:id', mailboxPage],
  ['/mailboxes/:id/sync', mailboxPage],
  ['/activity', activityPage],
  ['/settings', settingsPage],
  ['/settings/:tab', settingsPage],
  ['/setup', setupPage],
  ['/login', loginPage],
  ['/invitation', invitePage],
  ['/password-reset', resetPage],
  ['.*', lostPage],
];

/** Sends visitors to the sign-in page and keeps where they wanted to go. */
function guard() {
  const { pathname, search } = location;
  if (state.me) return pathname === '/login' ? '/' : null;
  if (OPEN.test(pathname)) return null;
  const wanted = pathname + search;
  return wanted === '/' ? '/login' : `/login?next=${encodeURIComponent(wanted)}`;
}

async function boot() {
  whenSignedOut(() => {
    if (!state.me) return;
    end();
    go(guard() ?? '/login', { replace: true });
  });
  startKeys();
  tellFailures();
  startDesk();
  try {
    await loadMe();
    await begin();
  } catch (problem) {
    if (problem.status !== 401) {
      document.getElementById('app').replaceChildren(add(h('main', { id: 'main', class: 'bare centre' }), failedState(problem, () => location.reload())));
      return;
    }
  }
  await start(ROUTES, guard);
}

boot();
