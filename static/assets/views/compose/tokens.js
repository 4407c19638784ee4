// A field of recipients: each a chip that can be taken out or changed, with offers while one types.

import { announce, fill, h, icon } from '../../dom.js';
import { clean, personName, plural } from '../../format.js';
import { complaintAbout, parseList, unique, written } from '../../recipients.js';
import { suggest } from './people.js';

let serial = 0;

/** Makes the field. Returns `{ el, input, value, set, commit, focus, complain, complaint }`; `onChange()` hears of every change. */
export function recipientField({ label, extra, onChange }) {
  serial += 1;
  const id = `to-${serial}`;
  let people = [];
  const chips = h('ul', { class: 'tokens', 'aria-label': `${label}: recipients` });
  const input = h('input', {
    id, type: 'text', role: 'combobox', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', inputmode: 'email', enterkeyhint: 'next',
    'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': `${id}-list`, 'aria-describedby': `${id}-note`,
  });
  const note = h('div', { id: `${id}-note`, class: 'bad-text', hidden: true });
  const offers = offerList(`${id}-list`, label, input, (person) => { input.value = ''; put([person]); });
  const box = h('div', { class: 'c-box', onclick: (event) => { if (event.target === box || event.target === chips) input.focus(); } }, chips, h('div', { class: 'c-type' }, input, offers.el));
  const el = h('div', { class: 'c-line' }, h('label', { for: id }, label), h('div', { class: 'grow' }, box, note), extra);

  const complain = (text) => {
    note.hidden = !text;
    fill(note, text && [icon('warn', 13), h('span', null, text)]);
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  };
  const judge = () => complain(people.map((person) => person.bad).find(Boolean) ?? '');
  const draw = () => { fill(chips, people.map((person) => chip(person, { take: () => take(person), edit: () => edit(person) }))); chips.hidden = !people.length; };
  const put = (added) => {
    const all = unique([...people, ...added.map((person) => ({ ...person, bad: complaintAbout(person.email) }))]);
    const more = all.length - people.length;
    people = all;
    draw();
    judge();
    if (more > 1) announce(`${plural(more, 'recipient')} added`);
    onChange();
  };
  const take = (person) => {
    people = people.filter((other) => other !== person);
    draw();
    judge();
    onChange();
    input.focus();
    announce(`${personName(person)} removed`);
  };
  const edit = (person) => {
    commit();
    take(person);
    input.value = written(person);
    input.select();
  };
  const commit = () => {
    offers.close();
    if (!input.value.trim()) { input.value = ''; return; }
    const added = parseList(input.value);
    input.value = '';
    put(added);
  };

  input.addEventListener('input', () => {
    onChange();
    if (/[,;]\s*$/.test(input.value) && (input.value.match(/"/g)?.length ?? 0) % 2 === 0) { commit(); return; }
    offers.ask(input.value, new Set(people.map(({ email }) => email.toLowerCase())));
  });
  input.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (input.value || !/[@].*[,;\n\s]|[<]/s.test(text.trim())) return;
    event.preventDefault();
    put(parseList(text));
  });
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (offers.key(event)) { event.preventDefault(); event.stopPropagation(); return; }
    if (event.key === 'Enter') {
      event.preventDefault();
      commit();
    } else if (event.key === 'Backspace' && !input.value && people.length) {
      event.preventDefault();
      edit(people.at(-1));
    }
  });
  input.addEventListener('blur', () => setTimeout(() => { if (document.activeElement !== input) commit(); }, 0));
  draw();
  return {
    el, input, commit, complain,
    get value() { return people.map(({ email, name }) => (name ? { email, name } : { email })); },
    /** What can be sent: recipients whose address is complete. */
    get good() { return people.filter(({ bad }) => !bad).map(({ email, name }) => (name ? { email, name } : { email })); },
    get typed() { return input.value; },
    get bad() { return people.map((person) => person.bad).find(Boolean) ?? null; },
    set: (list) => { people = unique(list ?? []).map((person) => ({ email: person.email, name: clean(person.name) || null, bad: complaintAbout(person.email) })); draw(); judge(); },
    /** Marks the recipient at a place as refused by the server. */
    refuse: (at, text) => { if (people[at]) { people[at] = { ...people[at], bad: text }; draw(); } complain(text); },
    focus: () => input.focus(),
  };
}

function chip(person, { take, edit }) {
  const name = personName(person);
  return h('li', { class: ['token', person.bad && 'bad'], title: person.bad ?? clean(person.email) },
    h('button', { type: 'button', class: 'clip', tabindex: '-1', 'aria-label': `Change ${name}`, onclick: edit }, person.bad && icon('warn', 12), h('span', { class: 'clip' }, name)),
    h('button', { type: 'button', class: 'x', 'aria-label': `Remove ${name}`, onclick: take }, icon('close', 12)));
}

/** The offers below a field; the focus stays in the field. */
function offerList(id, label, input, onPick) {
  const el = h('ul', { id, class: 'offers', role: 'listbox', 'aria-label': `${label}: people`, hidden: true });
  let shown = [];
  let at = -1;
  let turn = 0;
  const close = () => { turn += 1; shown = []; draw(); };
  const pick = (person) => { close(); onPick(person); };
  const draw = () => {
    el.hidden = !shown.length;
    input.setAttribute('aria-expanded', String(shown.length > 0));
    fill(el, shown.map((person, index) => h('li', {
      id: `${id}-${index}`, role: 'option', 'aria-selected': String(index === at), onpointerdown: (event) => { event.preventDefault(); pick(person); },
    }, h('b', { class: 'clip' }, personName(person)), person.name && h('small', { class: 'clip' }, clean(person.email)))));
    if (shown[at]) input.setAttribute('aria-activedescendant', `${id}-${at}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const ask = async (text, without) => {
    turn += 1;
    const mine = turn;
    const found = await suggest(text, without);
    if (mine !== turn || document.activeElement !== input) return;
    shown = found;
    at = found.length ? 0 : -1;
    draw();
  };
  /** Whether the list has used a key. */
  const key = (event) => {
    if (!shown.length) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { at = (at + by + shown.length) % shown.length; draw(); return true; }
    if (event.key === 'Escape') { close(); return true; }
    // A whole address was typed: it counts as it stands.
    if ((event.key === 'Enter' || event.key === 'Tab') && shown[at] && !complaintOfTyped(input.value)) { close(); return false; }
    if ((event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey)) && shown[at]) { pick(shown[at]); return true; }
    return false;
  };
  return { el, ask, key, close };
}

const complaintOfTyped = (text) => complaintAbout(text.trim());
