// Parts that stand above or inside any page: toasts, dialogs, banners, states, the ring and bars.

import { add, fill, h, icon, iconButton, setVar, svg } from './dom.js';
import { faceColour, initials, personName } from './format.js';

const NOTICE_MS = 5000;

/**
 * A short notice that leaves by itself unless it is being pointed at or used; read out by screen readers. `action` is
 * something to press in it: a button or a link. Returns how to take it away.
 */
export function toast(text, { stay = false, ms = NOTICE_MS, action, tone } = {}) {
  const close = () => { clearTimeout(timer); el.remove(); };
  const el = h('div', { class: ['toast', tone] }, tone === 'bad' && icon('warn', 15), h('span', { class: 'grow' }, text), action, iconButton('close', 'Close notice', () => close()));
  let timer = 0;
  const used = () => el.matches(':hover, :focus-within');
  const wait = () => {
    clearTimeout(timer);
    if (!stay) timer = setTimeout(() => (used() ? wait() : close()), ms);
  };
  for (const name of ['pointerleave', 'focusout']) el.addEventListener(name, wait);
  document.getElementById('toasts').append(el);
  wait();
  return close;
}

/** Shows what went wrong with a call that has no form. */
export const toastProblem = (problem) => toast(problem.message, { stay: true, tone: 'bad' });

/** Opens a modal dialog built by `build(close)`; resolves with what `close` got, or null on Escape. */
export function dialog(title, build) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const close = (value) => { el.returned = value ?? null; el.close(); };
    const el = h('dialog', { 'aria-label': title });
    add(el, h('div', { class: 'dlg' }, h('h2', null, title), build(close)));
    el.addEventListener('close', () => { el.remove(); opener?.focus?.(); resolve(el.returned ?? null); });
    document.body.append(el);
    el.showModal();
  });
}

/** Asks before something that cannot be undone; resolves to true or false. */
export function confirm(title, text, action) {
  return dialog(title, (close) => [
    h('p', { class: 'muted' }, text),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'btn', onclick: () => close(false) }, 'Cancel'),
      h('button', { type: 'button', class: 'btn danger', onclick: () => close(true) }, action)),
  ]).then(Boolean);
}

/** A secret or a link that is shown to be copied. */
export function copyBox(text, label) {
  const input = h('input', { readonly: true, value: text, 'aria-label': label, onfocus: (event) => event.target.select() });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied.');
    } catch {
      input.focus();
      toast('Press Ctrl+C to copy the selected text.');
    }
  };
  return h('div', { class: 'in' }, input, iconButton('copy', `Copy ${label.toLowerCase()}`, copy));
}

/** What failed, what still works, and one way on. `tone` is `red`, `amber`, `green` or empty. */
export function banner(tone, title, text, action) {
  const mark = { red: 'warn', amber: 'warn', green: 'done' }[tone] ?? 'info';
  return h('div', { class: ['banner', tone && `c-${tone}`], role: tone === 'red' ? 'alert' : null },
    icon(mark), h('div', { class: 'grow' }, title && h('b', null, title), text && h('span', null, text)), action);
}

/** A page or panel with nothing to show: one sentence, one action. */
export function emptyState(pic, title, text, action) {
  return h('div', { class: 'state' }, h('span', { class: 'pic' }, icon(pic, 22)), h('b', null, title), text && h('p', null, text), action);
}

/** A page or panel that could not be loaded. */
export function failedState(problem, retry) {
  const again = h('button', { type: 'button', class: 'btn', onclick: retry }, 'Try again');
  const title = problem.status === 404 ? 'This is not here' : 'This could not be loaded';
  const text = problem.status === 404 ? 'It may have been moved or deleted, or the link is not complete.' : problem.message;
  return h('div', { role: 'alert' }, emptyState(problem.status === 404 ? 'info' : 'warn', title, text, problem.status === 404 ? null : again));
}

/** Shows `skeleton` in `el` only when `work` takes longer than 150 ms, so that fast answers never flash. */
export async function withSkeleton(el, skeleton, work) {
  const timer = setTimeout(() => fill(el, skeleton()), 150);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

export function avatar(person, extra) {
  const name = personName(person);
  return h('span', { class: ['av', faceColour(person?.email ?? name), extra], 'aria-hidden': 'true' }, initials(name));
}

/** A bar; `value` is 0 to 100, or null while the total is unknown. */
export function bar(value, label) {
  const el = h('span', { class: ['bar', value === 100 && 'ok', value === null && 'moving'] }, h('i'));
  if (label) {
    el.setAttribute('role', 'progressbar');
    el.setAttribute('aria-label', label);
    if (value !== null) for (const [name, at] of [['valuenow', value], ['valuemin', 0], ['valuemax', 100]]) el.setAttribute(`aria-${name}`, at);
  }
  return value === null ? el : setVar(el, '--p', `${value}%`);
}

/** A small ring for the sidebar. */
export function smallRing(value, label) {
  const length = 37.7;
  return svg('svg', { class: 'ring', viewBox: '0 0 16 16', role: 'img', 'aria-label': label },
    svg('circle', { class: 'track', cx: 8, cy: 8, r: 6 }),
    svg('circle', { class: 'done', cx: 8, cy: 8, r: 6, 'stroke-dasharray': `${((value ?? 8) / 100) * length} ${length}` }));
}

export function logo(size = 13) {
  return h('span', { class: 'logo' }, icon('mail', size));
}

/** A button that waits: while `work` runs it shows a turning ring and cannot be pressed again. */
export async function busy(button, label, work) {
  const before = [...button.childNodes];
  button.setAttribute('aria-disabled', 'true');
  fill(button, h('span', { class: 'spin', 'aria-hidden': 'true' }), label);
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-disabled');
    fill(button, before);
  }
}
