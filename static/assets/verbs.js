// What one can do with conversations: how it is called, what it shows at once, and which mails it means.

import { folderName } from './format.js';
import { foldersOf, state } from './store.js';
import { ROLES } from './views/folders.js';

const lies = (mail, ...roles) => (mail.folders ?? []).some((folder) => roles.includes(folder.role));
const newest = (mails) => mails.reduce((last, mail) => (!last || mail.received_at > last.received_at ? mail : last), null);

/** The mails that a view shows of a conversation; where it shows them all, those that wait in the inbox come first. */
function here(mails, view) {
  const shown = mails.filter((mail) => (mail.folders ?? []).some((folder) => folder.id === view.id || folder.role === view.id));
  if (shown.length) return shown;
  const waiting = mails.filter((mail) => lies(mail, 'inbox'));
  return waiting.length ? waiting : mails.filter((mail) => !lies(mail, 'sent', 'drafts', 'trash'));
}

/** Archiving a conversation puts away what waits in the inbox; without any, what lies in folders of one's own. */
function toArchive(mails) {
  const waiting = mails.filter((mail) => lies(mail, 'inbox'));
  return waiting.length ? waiting : mails.filter((mail) => !lies(mail, 'sent', 'drafts', 'spam', 'trash', 'archive', 'all'));
}

/** A label is for the whole conversation, apart from what one wrote oneself and what was thrown away. */
function toLabel(mails) {
  const own = mails.filter((mail) => !lies(mail, 'sent', 'drafts', 'trash'));
  return own.length ? own : mails;
}

/**
 * Each verb: `label` and `icon` of its button, `key`, `said(what)` for the notice, `body` for the API, `shows` at once in the
 * list, `pick(mails, view)` the mails of one conversation that it means, `whole` if the API does the picking for one.
 */
export const VERBS = {
  archive: { label: 'Archive', icon: 'archive', key: 'e', said: (what) => `Archived ${what}`, body: { is_archived: true }, pick: toArchive, whole: true },
  unarchive: { label: 'Move out of the archive', icon: 'unarchive', key: 'e', said: (what) => `Took ${what} out of the archive`, body: { is_archived: false }, pick: (mails) => mails.filter((mail) => lies(mail, 'archive', 'all')), whole: true },
  trash: { label: 'Move to the trash', icon: 'trash', key: '#', said: (what) => `Moved ${what} to the trash`, body: { trash: true }, pick: (mails) => mails.filter((mail) => !(mail.folders ?? []).every((folder) => folder.role === 'trash')), whole: true },
  untrash: { label: 'Restore from the trash', icon: 'restore', key: '#', said: (what) => `Restored ${what}`, body: { trash: false }, pick: (mails) => mails.filter((mail) => lies(mail, 'trash')), whole: true },
  read: { label: 'Mark as read', icon: 'mail-open', key: 'u', said: (what) => `Marked ${what} as read`, body: { is_read: true }, shows: { unread_count: 0 }, pick: (mails) => mails.filter((mail) => !mail.is_read), whole: true },
  unread: { label: 'Mark as unread', icon: 'mail-new', key: 'u', said: (what) => `Marked ${what} as unread`, body: { is_read: false }, shows: { unread_count: 1 }, pick: (mails) => [newest(mails.filter((mail) => mail.direction === 'inbound')) ?? newest(mails)] },
  star: { label: 'Star', icon: 'star', key: 's', said: (what) => `Starred ${what}`, body: { is_starred: true }, shows: { starred: true }, pick: (mails) => [newest(mails)] },
  unstar: { label: 'Remove the star', icon: 'star', key: 's', pressed: true, said: (what) => `Removed the star of ${what}`, body: { is_starred: false }, shows: { starred: false }, pick: (mails) => mails.filter((mail) => mail.is_starred) },
  move: { label: 'Move to a folder', icon: 'move', said: (what, { folder }) => `Moved ${what} to ${folderName(folder)}`, pick: here },
  label: { label: 'Label', icon: 'label', said: (what) => `Changed the labels of ${what}`, pick: toLabel },
};

/** What the address shows: `id` (a folder's, a role, or `all`), `role` of that folder, and the mailbox if it is one. */
export function viewOf({ view, account: of }) {
  const pool = of ? foldersOf(of) : [...state.folders.values()].flat();
  const known = ROLES.some(([role]) => role === view) || view === 'all';
  return { id: view, role: known ? view : pool.find((folder) => folder.id === view)?.role ?? null, account: of };
}

/** The verbs that make sense in a view for conversations that are `unread` and `starred`. */
export function verbsFor({ role }, { unread, starred }) {
  const archive = role === 'archive' ? 'unarchive' : ['sent', 'drafts', 'spam', 'trash'].includes(role) ? null : 'archive';
  return [archive, role === 'trash' ? 'untrash' : 'trash', unread ? 'read' : 'unread', starred ? 'unstar' : 'star', 'move', role === 'trash' ? null : 'label'].filter(Boolean);
}

/** Whether a conversation leaves a view's list when this is done to it. */
export function leaves(verb, { role }) {
  if (role === 'all') return false;
  return ['archive', 'unarchive', 'trash', 'untrash', 'move'].includes(verb);
}
