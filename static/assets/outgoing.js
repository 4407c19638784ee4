// What is on its way out: drafts, mail that waits for its time, and mail that is being sent or could not be. Kept fresh by the news.

import { listAll } from './api.js';
import { state, watch } from './store.js';
import { coalesce, each } from './timing.js';

const MOST = 500;
const SOON_MS = 700;
const LATE_MS = 5000;
/** News that change nothing here. */
const ELSEWHERE = new Set(['email.received', 'email.opened', 'email.clicked', 'email.linked', 'thread.merged']);

/** The three lists: which statuses each shows, and what it is called. */
export const LISTS = {
  drafts: { label: 'Drafts', icon: 'drafts', statuses: ['draft', 'cancelled'], order: (a, b) => b.updated_at.localeCompare(a.updated_at) },
  scheduled: { label: 'Scheduled', icon: 'scheduled', statuses: ['scheduled'], order: (a, b) => (a.scheduled_at ?? '').localeCompare(b.scheduled_at ?? '') },
  outbox: { label: 'Outbox', icon: 'outbox', statuses: ['failed', 'uncertain', 'sending', 'queued'], order: (a, b) => b.created_at.localeCompare(a.created_at) },
};

const lists = new Map();
const watchers = new Set();
let problem = null;

/** The mails of a list; null while they are not known. */
export const outgoing = (name) => lists.get(name) ?? null;

/** What prevented the last look, if anything did. */
export const outgoingProblem = () => problem;

/** Calls `watcher()` after each look. Returns how to stop. */
export function watchOutgoing(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** In the trash alone, a draft is nobody's any more. */
const thrownAway = (mail) => mail.folders?.length > 0 && mail.folders.every((folder) => folder.role === 'trash');

/** Looks again, at once. */
export async function refreshOutgoing() {
  const who = state.me?.id;
  if (!who) return;
  try {
    const statuses = Object.values(LISTS).flatMap((list) => list.statuses);
    const found = await each(statuses, (status) => listAll('/api/email/messages', { status, limit: 200 }, MOST));
    if (state.me?.id !== who) return;
    for (const [name, list] of Object.entries(LISTS)) {
      const mails = list.statuses.flatMap((status) => found[statuses.indexOf(status)]).filter((mail) => !thrownAway(mail));
      lists.set(name, mails.sort(list.order));
    }
    problem = null;
  } catch (error) {
    problem = error;
  }
  for (const watcher of [...watchers]) watcher();
}

const soon = coalesce(refreshOutgoing, SOON_MS);
const late = coalesce(refreshOutgoing, LATE_MS);

/** Says that something was written, sent or called back here. */
export const outgoingChanged = () => soon();

watch((what, event) => {
  if (what === 'ended') { lists.clear(); problem = null; return; }
  if (what === 'accounts' && !lists.size) soon();
  if (what !== 'mail' || ELSEWHERE.has(event?.type)) return;
  if (event) soon();
  else late();
});
