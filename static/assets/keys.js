// Single-key shortcuts: off while typing or while a dialog is open, and switchable (WCAG 2.1.4).

import { undoLast } from './carry.js';
import { h } from './dom.js';
import { tick } from './forms.js';
import { popoverOpen } from './popover.js';
import { go } from './router.js';
import { state } from './store.js';
import { dialog } from './ui.js';
import { compose } from './views/compose/desk.js';

const OFF = 'duplex.keys.off';
const SHEET = [
  [['j'], 'Older conversation'], [['k'], 'Newer conversation'], [['Enter', 'o'], 'Open the conversation'],
  [['e'], 'Archive, and on to the next'], [['#'], 'Move to the trash'], [['s'], 'Star'], [['u'], 'Mark as unread or read'],
  [['c'], 'Write a message'], [['r'], 'Reply'], [['a'], 'Reply to all'], [['f'], 'Forward'],
  [['Ctrl', 'Enter'], 'Send'], [['Ctrl', 'Shift', 'Enter'], 'Send later'],
  [['z'], 'Undo'], [['x'], 'Select'], [['Shift', 'j'], 'Select down to the older'], [['Shift', 'k'], 'Select up to the newer'],
  [['Esc'], 'Close the topmost layer'], [['g', 'i'], 'Go to the inbox'], [['g', 'd'], 'Go to the drafts'], [['g', 's'], 'Go to the scheduled messages'], [['g', ','], 'Go to settings'], [['?'], 'This sheet'],
];
let page = {};
let prefix = 0;

/** Registers the keys of the page in view. Returns how to release them. */
export function setKeys(keys) {
  page = keys;
  return () => { if (page === keys) page = {}; };
}

export function startKeys() {
  document.addEventListener('keydown', onKey);
}

function onKey(event) {
  if (!state.me || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]');
  if (field || document.querySelector('dialog[open]') || popoverOpen()) return;
  const single = event.key.length === 1;
  if (single && localStorage.getItem(OFF)) return;
  const after = Date.now() - prefix < 1000;
  prefix = 0;
  const action = after ? { i: () => go('/inbox/inbox'), d: () => go('/inbox/drafts'), s: () => go('/inbox/scheduled'), ',': () => go('/settings') }[event.key] : page[event.key] ?? general(event.key);
  if (!action) return;
  event.preventDefault();
  action();
}

function general(key) {
  if (key === 'g') return () => { prefix = Date.now(); };
  return { '?': showSheet, z: undoLast, c: () => compose() }[key] ?? null;
}

/** The list of shortcuts, with the switch that turns single keys off. */
export function showSheet() {
  const off = tick('Use single-key shortcuts', { checked: localStorage.getItem(OFF) ? null : true });
  off.input.addEventListener('change', () => {
    if (off.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  });
  return dialog('Keyboard shortcuts', (close) => [
    h('dl', { class: 'keys' }, SHEET.map(([keys, text]) => [h('dt', null, keys.map((key) => h('kbd', null, key))), h('dd', null, text)])),
    off.el, h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'btn', onclick: () => close() }, 'Close')),
  ]);
}
