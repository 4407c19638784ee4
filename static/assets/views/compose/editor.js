// The text of a mail: formatted, with few and clear means, or plain.

import { fill, h, iconButton } from '../../dom.js';
import { popover } from '../../popover.js';
import { cleanHtml, htmlOf, inBlocks, linkTarget, textToHtml, toText } from '../../richtext.js';

const PLAIN = 'duplex.compose.plain';
/** Browsers write a fixed space where one types next to a tag. */
const LONE_NBSP = /(?<![\s;])&nbsp;(?![\s&])/g;
const MEANS = [
  ['bold', 'bold', 'Bold (Ctrl+B)'], ['italic', 'italic', 'Italic (Ctrl+I)'],
  ['insertUnorderedList', 'list', 'Bulleted list'], ['insertOrderedList', 'numbers', 'Numbered list'],
];

/** Makes the editor. `onInput()` hears of changes, `onFiles(files)` of pasted ones. Returns `{ el, bar, value, set, focus, lost }`. */
export function editor({ onInput, onFiles, label = 'Message', hint = 'Write your message' }) {
  const rich = h('div', { class: 'c-text', contenteditable: 'true', role: 'textbox', 'aria-multiline': 'true', 'aria-label': label, 'data-hint': hint, spellcheck: 'true' });
  const plain = h('textarea', { class: 'c-text', 'aria-label': label, spellcheck: 'true', rows: 4, hidden: true });
  const el = h('div', { class: 'c-body' }, rich, plain);
  let lost = false;
  // Looks are kept where a draft brought some along; what browsers add while one types is not wanted in a mail.
  let looks = false;
  let isPlain = false;
  let formatted = null;

  const empty = () => !rich.textContent.trim() && !rich.querySelector('li, hr, table');
  const tidy = () => {
    if (!rich.firstChild) fill(rich, h('div', null, h('br')));
    rich.classList.toggle('empty', empty());
  };
  const grow = () => { plain.style.height = 'auto'; plain.style.height = `${plain.scrollHeight + 2}px`; };
  const command = (name, value) => {
    rich.focus();
    document.execCommand(name, false, value);
    tidy();
    bar.update();
    onInput();
  };
  const bar = tools({ rich, command, toggle: () => { show(!isPlain); localStorage.setItem(PLAIN, isPlain ? '1' : ''); onInput(); focus(); } });

  const show = (asPlain) => {
    if (asPlain === isPlain) return;
    if (asPlain) {
      plain.value = toText(rich);
      formatted = { text: plain.value, nodes: [...rich.childNodes] };
    } else {
      // Back without a change, the looks are back too.
      fill(rich, formatted?.text === plain.value ? formatted.nodes : textToHtml(plain.value));
      tidy();
    }
    isPlain = asPlain;
    rich.hidden = asPlain;
    plain.hidden = !asPlain;
    bar.setPlain(asPlain);
    if (asPlain) grow();
  };
  const focus = () => {
    if (isPlain) { plain.focus(); plain.setSelectionRange(0, 0); return; }
    rich.focus();
  };

  rich.addEventListener('focus', () => document.execCommand('defaultParagraphSeparator', false, 'div'));
  rich.addEventListener('input', () => { tidy(); onInput(); });
  plain.addEventListener('input', () => { grow(); onInput(); });
  rich.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    if (!data) return;
    event.preventDefault();
    const [html, text] = [data.getData('text/html'), data.getData('text/plain')];
    if (!html && !text && data.files.length) { onFiles([...data.files]); return; }
    const target = !document.getSelection().isCollapsed && linkTarget(text);
    if (target && /^https?:/.test(text.trim())) { command('createLink', target); return; }
    const clean = html ? inBlocks(cleanHtml(html)) : textToHtml(text);
    const single = clean.childElementCount === 1 && clean.firstElementChild.localName === 'div';
    command('insertHTML', single ? clean.firstElementChild.innerHTML : htmlOf(clean));
  });
  plain.addEventListener('paste', (event) => {
    if (!event.clipboardData?.files.length || event.clipboardData.getData('text/plain')) return;
    event.preventDefault();
    onFiles([...event.clipboardData.files]);
  });
  // What is dragged in from elsewhere would arrive unclean: files are the composer's, text goes in as text.
  rich.addEventListener('drop', (event) => {
    const text = event.dataTransfer?.getData('text/plain');
    if (event.dataTransfer?.files.length || !text) return;
    event.preventDefault();
    command('insertText', text);
  });
  rich.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') { event.preventDefault(); bar.link(); }
  });
  document.execCommand('styleWithCSS', false, false);
  tidy();

  return {
    el, bar: bar.el, focus,
    /** Whether the draft holds something that cannot be shown here and goes when it is changed. */
    get lost() { return lost; },
    get empty() { return isPlain ? !plain.value.trim() : empty(); },
    get text() { return isPlain ? plain.value : toText(rich); },
    /** `{ body_html }` or `{ body_text }`; nothing at all when nothing is written. */
    get value() {
      if (isPlain) return plain.value.trim() ? { body_text: plain.value } : {};
      return empty() ? {} : { body_html: htmlOf(inBlocks(cleanHtml(rich.innerHTML, { rich: looks }))).replace(LONE_NBSP, ' ') };
    },
    set({ body_html: html, body_text: text, plain: wanted }) {
      const asPlain = html || wanted === false ? false : text ? true : Boolean(localStorage.getItem(PLAIN));
      const clean = html ? cleanHtml(html, { rich: true }) : null;
      lost = Boolean(clean?.lost);
      looks = clean !== null && htmlOf(clean) !== htmlOf(cleanHtml(html));
      if (asPlain) { isPlain = false; show(true); plain.value = text ?? ''; grow(); return; }
      show(false);
      fill(rich, clean ? inBlocks(clean) : null);
      tidy();
    },
    destroy: bar.destroy,
  };
}

/** The buttons for formatting. */
function tools({ rich, command, toggle }) {
  // The selection must stay where it is while a button is pressed.
  const keep = { onpointerdown: (event) => event.preventDefault() };
  const buttons = MEANS.map(([name, icon, label]) => ({ name, el: iconButton(icon, label, () => command(name), { 'aria-pressed': 'false', ...keep }) }));
  const linkButton = iconButton('link', 'Link (Ctrl+K)', () => link(), { 'aria-haspopup': 'dialog', ...keep });
  const plainButton = iconButton('text', 'Plain text', toggle, { 'aria-pressed': 'false', ...keep });
  const el = h('div', { class: 'c-tools', role: 'toolbar', 'aria-label': 'Formatting' }, buttons.map((button) => button.el), linkButton, plainButton);

  const update = () => {
    const selection = document.getSelection();
    if (!selection?.anchorNode || !rich.contains(selection.anchorNode)) return;
    for (const { name, el: button } of buttons) button.setAttribute('aria-pressed', String(document.queryCommandState(name)));
  };
  document.addEventListener('selectionchange', update);

  const link = () => {
    const selection = document.getSelection();
    const range = selection.rangeCount && rich.contains(selection.anchorNode) ? selection.getRangeAt(0).cloneRange() : null;
    const at = range && (range.startContainer.nodeType === Node.TEXT_NODE ? range.startContainer.parentElement : range.startContainer)?.closest('a');
    askLink(linkButton, at?.getAttribute('href') ?? '', (target) => {
      rich.focus();
      if (range) { selection.removeAllRanges(); selection.addRange(range); }
      if (at) selection.selectAllChildren(at);
      if (!target) { command('unlink'); return; }
      if (selection.isCollapsed) command('insertHTML', h('p', null, h('a', { href: target }, target.replace(/^(?:https?:\/\/|mailto:)/, ''))).innerHTML);
      else command('createLink', target);
    });
  };
  return {
    el, update, link,
    setPlain: (plain) => {
      plainButton.setAttribute('aria-pressed', String(plain));
      for (const button of [...buttons.map((each) => each.el), linkButton]) button.disabled = plain;
    },
    destroy: () => document.removeEventListener('selectionchange', update),
  };
}

/** Asks where a link goes; an empty field takes it away. */
function askLink(anchor, value, done) {
  popover(anchor, 'Link', (close) => {
    const input = h('input', { type: 'text', inputmode: 'url', 'aria-label': 'Web or mail address', placeholder: 'company.com/page', value, 'data-first': true, autocomplete: 'off', spellcheck: 'false' });
    const note = h('div', { class: 'bad-text', role: 'alert', hidden: true }, 'Write a web address or a mail address.');
    const apply = () => {
      const target = linkTarget(input.value);
      if (input.value.trim() && !target) { note.hidden = false; input.setAttribute('aria-invalid', 'true'); return; }
      close();
      setTimeout(() => done(target));
    };
    input.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); apply(); } });
    return [h('h2', null, 'Link'), h('div', { class: 'pop-in' }, h('div', { class: 'in' }, input), note,
      h('button', { type: 'button', class: 'btn pri wide', onclick: apply }, 'Apply'),
      value && h('button', { type: 'button', class: 'btn wide', onclick: () => { close(); setTimeout(() => done(null)); } }, 'Remove the link'))];
  });
}
