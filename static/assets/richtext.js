// Formatted text: made clean on its way in and out. Only what is listed here survives, so that nothing pasted can run,
// load, or look different elsewhere. The server cleans again.

const PLAIN = { B: 'b', STRONG: 'b', I: 'i', EM: 'i', U: 'u', S: 's', STRIKE: 's', DEL: 's', A: 'a', P: 'p', DIV: 'div', UL: 'ul', OL: 'ol', LI: 'li', BLOCKQUOTE: 'blockquote', PRE: 'pre', CODE: 'code', BR: 'br', HR: 'hr' };
const RICH = { ...PLAIN, H1: 'h1', H2: 'h2', H3: 'h3', H4: 'h4', H5: 'h5', H6: 'h6', TABLE: 'table', THEAD: 'thead', TBODY: 'tbody', TR: 'tr', TD: 'td', TH: 'th', SUB: 'sub', SUP: 'sup', SPAN: 'span', FONT: 'span' };
const DROPPED = new Set(['SCRIPT', 'STYLE', 'HEAD', 'TITLE', 'META', 'LINK', 'BASE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'EMBED', 'SVG', 'MATH', 'AUDIO', 'VIDEO', 'CANVAS', 'FORM', 'INPUT', 'BUTTON', 'SELECT', 'TEXTAREA', 'NOSCRIPT']);
const HEADINGS = /^H[1-6]$/;
const BLOCK = new Set(['p', 'div', 'ul', 'ol', 'li', 'blockquote', 'pre', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'td', 'th']);
const STYLES = ['color', 'background-color', 'font-weight', 'font-style', 'text-decoration-line', 'text-align', 'font-size', 'font-family'];
const OWN_IMAGE = /^\/mail-img\/cid\/[\w-]+$/;
const SCHEMES = /^(?:https?|mailto|tel):/i;

/** An address that a link may have, or null. "company.com" becomes a web address. */
export function linkTarget(text) {
  const value = text.trim().replace(/[\u0000-\u0020]+/g, '');
  if (!value) return null;
  if (SCHEMES.test(value)) return value;
  if (/^[^\s/@:]+@[^\s/@:]+\.[^\s/@:]+$/.test(value)) return `mailto:${value}`;
  return /^[\w\p{L}-]+(?:\.[\w\p{L}-]+)+(?:[:/?#].*)?$/u.test(value) ? `https://${value}` : null;
}

/**
 * Cleans HTML from elsewhere. `rich` keeps the looks of a draft that another program wrote. Returns a fragment; `lost` on it
 * says whether something that can be seen is gone.
 */
export function cleanHtml(html, { rich = false } = {}) {
  // A parsed document of its own runs no script and loads nothing.
  // Nothing runs in this document; but a browser complains of each handler that it would not run.
  const quiet = html.replace(/<[^<>]*>/g, (tag) => tag.replace(/\son\w+\s*=/gi, ' data-off='));
  const source = new DOMParser().parseFromString(quiet, 'text/html');
  const out = document.createDocumentFragment();
  const rules = { tags: rich ? RICH : PLAIN, rich, lost: false };
  for (const node of source.body.childNodes) copy(node, out, rules);
  return Object.assign(out, { lost: rules.lost });
}

function copy(node, into, rules) {
  if (node.nodeType === Node.TEXT_NODE) { into.append(node.data.replace(/\u0000/g, '')); return; }
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  const tag = node.tagName.toUpperCase();
  if (DROPPED.has(tag)) return;
  if (tag === 'IMG') {
    if (rules.rich && OWN_IMAGE.test(node.getAttribute('src') ?? '')) into.append(image(node));
    else rules.lost = true;
    return;
  }
  const made = elementFor(node, tag, rules);
  const target = made ?? into;
  for (const child of node.childNodes) copy(child, target, rules);
  if (!made) return;
  // A block around blocks says nothing of its own.
  if (['p', 'div'].includes(made.localName) && !made.className && [...made.children].some((child) => BLOCK.has(child.localName))) into.append(...made.childNodes);
  else if (made.localName !== 'span' || made.hasAttribute('style')) into.append(made);
  else into.append(...made.childNodes);
}

/** A picture that the mail brings along. */
function image(node) {
  const made = document.createElement('img');
  for (const name of ['src', 'alt']) if (node.hasAttribute(name)) made.setAttribute(name, node.getAttribute(name));
  for (const name of ['width', 'height']) if (/^\d{1,4}$/.test(node.getAttribute(name) ?? '')) made.setAttribute(name, node.getAttribute(name));
  return made;
}

function elementFor(node, tag, { tags, rich }) {
  if (!rich && HEADINGS.test(tag)) return document.createElement('p');
  if (!rich && tag === 'TR') return document.createElement('div');
  if (!tags[tag]) return null;
  // Word and the web mark bold text that is not bold with a tag of its own.
  if (tag === 'B' && /font-weight:\s*(?:normal|400)/i.test(node.getAttribute('style') ?? '')) return null;
  const made = document.createElement(tags[tag]);
  if (tag === 'A') {
    const target = linkTarget(node.getAttribute('href') ?? '');
    if (!target) return null;
    made.setAttribute('href', target);
  }
  if (rich) keepLooks(node, made);
  return made;
}

function keepLooks(node, made) {
  // Other programs fold a quoted original by these.
  const marks = [...node.classList].filter((name) => name.startsWith('gmail_'));
  if (marks.length) made.className = marks.join(' ');
  if (made.localName === 'blockquote' && node.getAttribute('type') === 'cite') made.setAttribute('type', 'cite');
  for (const name of STYLES) {
    const value = node.style?.getPropertyValue(name);
    if (value && !/url|expression|var\(/i.test(value)) made.style.setProperty(name, value);
  }
  if (node.tagName === 'FONT' && node.color) made.style.color = node.color;
  for (const name of ['colspan', 'rowspan']) if (/^\d{1,2}$/.test(node.getAttribute(name) ?? '')) made.setAttribute(name, node.getAttribute(name));
}

/** Text as HTML: each line a block of its own. */
export function textToHtml(text) {
  const out = document.createDocumentFragment();
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    const block = document.createElement('div');
    block.append(line || document.createElement('br'));
    out.append(block);
  }
  return out;
}

/** Stray text at the top becomes lines, so that every line is a block. */
export function inBlocks(root) {
  let line = null;
  for (const node of [...root.childNodes]) {
    if (node.nodeType === Node.ELEMENT_NODE && BLOCK.has(node.localName)) { line = null; continue; }
    if (!line && node.nodeType === Node.TEXT_NODE && !node.data.trim()) { node.remove(); continue; }
    if (!line) {
      line = document.createElement('div');
      node.before(line);
    }
    line.append(node);
    if (node.localName === 'br') line = null;
  }
  return root;
}

/** What formatted text says without its looks. */
export function toText(root) {
  const out = { lines: [''], open: false };
  for (const child of root.childNodes) say(child, out, { depth: 0, mark: () => '-' });
  return out.lines.map((line) => line.trimEnd()).join('\n').trim();
}

function say(node, out, at) {
  const write = (text) => { out.lines[out.lines.length - 1] += text; out.open = true; };
  const end = () => { if (out.open) { out.lines.push(''); out.open = false; } };
  if (node.nodeType === Node.TEXT_NODE) {
    const text = node.data.replace(/[ \t\r\n]+/g, ' ').replace(/\u00a0/g, ' ');
    if (out.open || text.trim()) write(out.open ? text : text.trimStart());
    return;
  }
  const tag = node.localName;
  if (tag === 'br') { out.open = true; end(); return; }
  if (BLOCK.has(tag)) end();
  if (tag === 'hr') { write('---'); end(); return; }
  if (tag === 'p' && out.lines.length > 1 && out.lines.at(-2) !== '') out.lines.push('');
  if (tag === 'li') write(`${'  '.repeat(Math.max(0, at.depth - 1))}${at.mark()} `);
  let number = 0;
  const below = { ol: { depth: at.depth + 1, mark: () => `${(number += 1)}.` }, ul: { depth: at.depth + 1, mark: () => '-' } }[tag] ?? at;
  for (const child of node.childNodes) say(child, out, below);
  const href = tag === 'a' && node.getAttribute('href');
  if (href && href.replace(/^mailto:/, '') !== node.textContent.trim()) write(` <${href}>`);
  if (BLOCK.has(tag)) end();
  if (tag === 'p') out.lines.push('');
}

/** The ids of the pictures of ours that a text shows. */
export const imagesIn = (html) => [...new Set([...(html ?? '').matchAll(/"\/mail-img\/cid\/([\w-]+)"/g)].map(([, id]) => id))];

/** HTML of a fragment or element. */
export function htmlOf(root) {
  const box = document.createElement('div');
  box.append(root.cloneNode(true));
  return root.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? box.innerHTML : root.innerHTML;
}
