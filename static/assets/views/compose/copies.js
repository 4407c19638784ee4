// What is written and not yet with the server is kept on this device, so that no text is lost.

import { uuid } from '../../ids.js';
import { state } from '../../store.js';

const PREFIX = 'duplex.unsaved.';
const TAB = 'duplex.tab';
/** A copy that another window has just written is that window's own. */
const STALE_MS = 60_000;

const tab = (() => {
  const known = sessionStorage.getItem(TAB) ?? uuid();
  sessionStorage.setItem(TAB, known);
  return known;
})();

/** Keeps a copy under a key. */
export function keepCopy(key, letter) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify({ ...letter, key, user: state.me?.id, tab, at: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

/** The server has it: the copy goes. */
export const dropCopy = (key) => localStorage.removeItem(PREFIX + key);

/** What was left over for the person signed in: `{ mine }` of this window, `{ others }` of windows that are gone. */
export function leftCopies() {
  const all = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)).map((name) => {
    try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
  }).filter((copy) => copy && copy.user === state.me?.id);
  return { mine: all.filter((copy) => copy.tab === tab), others: all.filter((copy) => copy.tab !== tab && Date.now() - copy.at > STALE_MS) };
}
