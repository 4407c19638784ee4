// A small panel beside a button: it closes on Escape and on a click elsewhere, and gives the focus back.

import { h } from './dom.js';

const GAP = 6;
const EDGE = 8;

/** Opens a panel at `anchor`, built by `build(close)`. The one that was open before closes. */
export function popover(anchor, title, build) {
  const opener = document.activeElement;
  const el = h('div', { class: 'pop', popover: 'auto', role: 'dialog', 'aria-label': title });
  const close = () => { if (el.isConnected) el.hidePopover(); };
  el.append(...[build(close)].flat(Infinity).filter(Boolean));
  const place = () => {
    const spot = anchor?.isConnected ? anchor.getBoundingClientRect() : { left: innerWidth / 2 - el.offsetWidth / 2, bottom: 120, top: 120 };
    const below = innerHeight - spot.bottom - GAP - EDGE;
    const top = below >= el.offsetHeight ? spot.bottom + GAP : Math.max(EDGE, spot.top - GAP - el.offsetHeight);
    el.style.left = `${Math.max(EDGE, Math.min(spot.left, innerWidth - el.offsetWidth - EDGE))}px`;
    el.style.top = `${Math.min(top, Math.max(EDGE, innerHeight - el.offsetHeight - EDGE))}px`;
  };
  const grown = new ResizeObserver(place);
  el.addEventListener('toggle', (event) => {
    if (event.newState !== 'closed') return;
    const inside = el.contains(document.activeElement) || document.activeElement === document.body;
    grown.disconnect();
    el.remove();
    if (inside && opener?.isConnected) opener.focus({ preventScroll: true });
  });
  el.addEventListener('keydown', (event) => walk(el, event));
  document.body.append(el);
  el.showPopover();
  grown.observe(el);
  place();
  (el.querySelector('[data-first]') ?? el.querySelector('input, button'))?.focus();
  return close;
}

/** Up and down go from entry to entry. */
function walk(el, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const stops = [...el.querySelectorAll('input, button')].filter((stop) => stop.offsetParent && !stop.disabled);
  const next = stops[stops.indexOf(document.activeElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** Whether a panel is open: it takes the keys then. */
export const popoverOpen = () => Boolean(document.querySelector('[popover]:popover-open'));
