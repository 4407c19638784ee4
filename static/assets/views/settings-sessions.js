// Where one is signed in.

import { del, listAll } from '../api.js';
import { h, icon } from '../dom.js';
import { ago, clean, shortTime } from '../format.js';
import { toast, toastProblem } from '../ui.js';
import { signOut } from './door.js';

/** Builds the tab; `reload` builds it again. */
export async function sessionsTab(reload) {
  const sessions = await listAll('/api/sessions');
  return h('section', { class: 'card box' }, h('h2', null, 'Signed-in browsers'),
    h('p', { class: 'hint' }, 'End a session that you do not know, then change your password.'),
    h('ul', { class: 'people' }, sessions.map((session) => row(session, reload))));
}

function row(session, reload) {
  const here = session.current;
  const facts = [session.ip_address, session.last_seen_at && `seen ${ago(session.last_seen_at)}`, session.created_at && `since ${shortTime(session.created_at)}`];
  const end = async () => {
    if (here) { signOut(); return; }
    try {
      await del(`/api/sessions/${session.id}`);
      toast('The session is ended.');
      reload();
    } catch (problem) {
      toastProblem(problem);
    }
  };
  return h('li', null, h('span', { class: 'pl' }, icon('device')),
    h('span', { class: 'grow' }, h('b', { class: 'clip' }, browserName(session.user_agent)), h('small', { class: 'clip' }, facts.filter(Boolean).join(' · '))),
    here && h('span', { class: 'chip c-green' }, 'This browser'),
    h('button', { type: 'button', class: 'btn ghost', onclick: end }, here ? 'Sign out' : 'End'));
}

/** A short name for a user agent. */
function browserName(agent) {
  const text = clean(agent);
  const browser = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']].find(([mark]) => text.includes(mark))?.[1];
  const system = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']].find(([mark]) => text.includes(mark))?.[1];
  return [browser ?? 'A program', system].filter(Boolean).join(' on ');
}
