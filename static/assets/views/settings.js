// Settings: team, API keys, sessions.

import { fill, h, icon } from '../dom.js';
import { isAdmin, state } from '../store.js';
import { avatar, failedState } from '../ui.js';
import { showSheet } from '../keys.js';
import { signOut } from './door.js';
import { keysTab } from './settings-keys.js';
import { sessionsTab } from './settings-sessions.js';
import { teamTab } from './settings-team.js';
import { shell } from './shell.js';

const TABS = [
  { id: 'team', label: 'Team', build: teamTab, admin: true },
  { id: 'api-keys', label: 'API keys', build: keysTab },
  { id: 'sessions', label: 'Sessions', build: sessionsTab },
];

/** The page `/settings` and its tabs. */
export function settingsPage({ params }) {
  const tabs = TABS.filter((tab) => !tab.admin || isAdmin());
  const tab = tabs.find(({ id }) => id === params.tab) ?? tabs[0];
  const body = h('div', { class: 'tab-body' });
  const page = shell(h('div', { class: 'page' }, h('div', { class: 'page-in' },
    h('h1', { class: 'page-title' }, 'Settings'),
    h('section', { class: 'card box me', 'aria-label': 'You' }, avatar(state.me),
      h('span', { class: 'grow' }, h('b', { class: 'clip' }, state.me.name), h('small', { class: 'clip' }, `${state.me.email} · ${state.me.role}`)),
      h('button', { type: 'button', class: 'btn ghost only-wide', onclick: showSheet }, 'Shortcuts'),
      h('button', { type: 'button', class: 'btn', onclick: signOut }, icon('exit', 14), 'Sign out')),
    h('nav', { class: 'tabs', 'aria-label': 'Settings' }, tabs.map(({ id, label }) => h('a', { href: `/settings/${id}`, 'aria-current': id === tab.id ? 'page' : null }, label))),
    body)), 'wide');
  const load = async () => {
    try {
      fill(body, await tab.build(load));
    } catch (problem) {
      fill(body, failedState(problem, load));
    }
  };
  load();
  return { el: page.el, title: `${tab.label} · Settings`, destroy: page.destroy };
}
