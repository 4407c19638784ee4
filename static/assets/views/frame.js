// One mail in its own frame: sandboxed without scripts, as high as its content.

import { fill, h } from '../dom.js';
import { compose } from './compose/desk.js';
import { fromLink } from './compose/letter.js';

const DARK = window.matchMedia('(prefers-color-scheme: dark)');

/** A mail that brings its own colours keeps them, on white; a plain one follows the theme. */
const DESIGNED = '[bgcolor], [background], font[color], [style*="background" i], [style*="color" i], body > style, table[width], table table';

let font = null;

/** The page's own font for plain mails. The mail's policy lets its document fetch nothing, so the bytes are handed over. */
async function lendFont(page) {
  font ??= fetch('/assets/inter-latin.woff2').then((answer) => answer.arrayBuffer());
  const face = new page.defaultView.FontFace('Inter Variable', await font, { weight: '100 900' });
  page.fonts.add(await face.load());
}

/** Makes the frame. Returns `{ el, destroy }`. */
export function mailFrame(mail, title) {
  const frame = h('iframe', {
    class: 'mail', title, src: `/api/email/messages/${mail.id}/body`, referrerpolicy: 'no-referrer', scrolling: 'auto',
    sandbox: 'allow-same-origin allow-popups allow-popups-to-escape-sandbox',
  });
  const el = h('div', { class: 'body' }, frame);
  let observer = null;
  // Decided once: what is set below would look like the mail's own colours.
  let designed = false;
  const onTheme = () => { if (frame.contentDocument?.body) dress(frame, designed); };
  frame.addEventListener('load', () => {
    observer?.disconnect();
    const page = frame.contentDocument;
    if (!page?.body) return;
    if (page.contentType !== 'text/html') { fill(el, failed(mail)); return; }
    designed = Boolean(page.querySelector(DESIGNED));
    dress(frame, designed);
    page.addEventListener('click', writeTo);
    const fit = () => { frame.style.height = `${Math.ceil(heightOf(page))}px`; };
    observer = new ResizeObserver(fit);
    observer.observe(page.documentElement);
    observer.observe(page.body);
    fit();
  });
  DARK.addEventListener('change', onTheme);
  return { el, destroy: () => { observer?.disconnect(); DARK.removeEventListener('change', onTheme); } };
}

/** An address in a mail opens a sheet of our own. */
function writeTo(event) {
  const link = event.target.closest?.('a[href^="mailto:" i]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const [to, query = ''] = link.getAttribute('href').slice('mailto:'.length).split('?');
  compose(fromLink(new URLSearchParams(query.replace(/\+/g, '%2B')), decode(to)));
}

const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };

/** The content's height, with room for a sideways scroll bar when the mail is wide. */
function heightOf(page) {
  const root = page.documentElement;
  const wide = root.scrollWidth > root.clientWidth + 1 ? 16 : 0;
  const body = page.body.getBoundingClientRect();
  const margin = parseFloat(page.defaultView.getComputedStyle(page.body).marginBottom) || 0;
  return Math.max(24, body.bottom + root.scrollTop + margin, page.body.scrollHeight) + wide;
}

/** Styles are set through the DOM, which the mail's own policy allows; no markup is added to it. */
function dress(frame, designed) {
  const page = frame.contentDocument;
  const light = designed || !DARK.matches;
  const own = getComputedStyle(frame);
  frame.classList.toggle('sheet', designed && DARK.matches);
  frame.style.colorScheme = light ? 'light' : 'dark';
  page.documentElement.style.colorScheme = light ? 'light' : 'dark';
  page.documentElement.style.background = 'transparent';
  page.body.style.display = 'flow-root';
  page.body.style.margin = '0';
  page.body.style.padding = designed && DARK.matches ? '12px' : '0';
  if (designed) return;
  page.body.style.color = own.color;
  page.body.style.background = 'transparent';
  page.body.style.font = `400 ${own.fontSize}/${own.lineHeight} ${own.fontFamily}`;
  lendFont(page).catch(() => {});
  for (const link of page.querySelectorAll('a')) link.style.color = own.getPropertyValue('--accent-text');
}

function failed(mail) {
  return h('p', { class: 'muted', role: 'alert' }, 'This message could not be shown. ',
    h('a', { class: 'link', href: `/api/email/messages/${mail.id}/raw`, download: `${mail.id}.eml` }, 'Download the original'), ' to read it.');
}
