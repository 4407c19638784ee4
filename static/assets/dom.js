// Small helpers that build the page. Text always goes in as text nodes, so that no subject,
// name or file name can ever become markup.

import { ICONS } from './icons.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element: `h('a', { class: 'row', href, onclick }, child, …)`.
 * `class` is a string or a list with falsy holes; `on…` are listeners; `true` sets an empty
 * attribute; `null`, `undefined` and `false` leave it out.
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(el, name, value);
  return add(el, ...children);
}

function setProp(el, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') el.className = Array.isArray(value) ? value.filter(Boolean).join(' ') : value;
  else if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
  else if (name === 'value') el.value = value;
  else el.setAttribute(name, value === true ? '' : String(value));
}

/** Appends children: nodes, text, numbers, nested lists; skips `null` and `false`. */
export function add(el, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    el.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return el;
}

/** Replaces everything inside `el`. */
export function fill(el, ...children) {
  el.replaceChildren();
  return add(el, ...children);
}

/**
 * Makes `nodes` the children of `parent`, moving only what is out of place, so that focus, hover and frames stay.
 * Children of the class `leaving` are on their way out by themselves.
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child) && !child.classList.contains('leaving')) child.remove();
  let at = parent.firstElementChild;
  for (const node of nodes) {
    while (at?.classList.contains('leaving')) at = at.nextElementSibling;
    if (at === node) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/** Makes an SVG element. */
export function svg(tag, props, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value !== null && value !== undefined) el.setAttribute(name, String(value));
  }
  for (const child of children) if (child) el.append(child);
  return el;
}

/** An icon from the table in icons.js, hidden from screen readers: the text beside it speaks. */
export function icon(name, size = 16) {
  const el = svg('svg', { class: 'i', width: size, height: size, viewBox: '0 0 24 24', 'aria-hidden': 'true' });
  for (const d of ICONS[name] ?? []) el.append(svg('path', { d }));
  return el;
}

/** A square button that shows only an icon; `label` is its name and its tooltip. */
export function iconButton(name, label, onclick, props) {
  return h('button', { type: 'button', class: 'ib', 'aria-label': label, title: label, onclick, ...props }, icon(name));
}

/** Says `text` to screen readers without moving the focus. */
export function announce(text) {
  const el = document.getElementById('announcer');
  if (el) el.textContent = text;
}

/** Sets a custom property; allowed under a CSP that refuses inline style attributes. */
export function setVar(el, name, value) {
  el.style.setProperty(name, value);
  return el;
}
