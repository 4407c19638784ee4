// The lines above the text: from whom, to whom, about what.

import { fill, h, icon } from '../../dom.js';
import { clean } from '../../format.js';
import { senders } from './letter.js';
import { recipientField } from './tokens.js';

let serial = 0;

/** Makes the lines. Returns `{ el, read, set, fields, commit, firstGap }`. */
export function headFields({ onChange }) {
  serial += 1;
  const from = fromLine(`from-${serial}`, onChange);
  const copies = h('span', { class: 'c-more' });
  const to = recipientField({ label: 'To', extra: copies, onChange });
  const cc = recipientField({ label: 'Cc', onChange });
  const bcc = recipientField({ label: 'Bcc', onChange });
  const subject = subjectLine(`subject-${serial}`, onChange);
  const show = (own, shown = true) => { own.el.hidden = !shown; drawMore(); };
  const drawMore = () => fill(copies, [['Cc', cc], ['Bcc', bcc]].map(([label, own]) => own.el.hidden && h('button', { type: 'button', 'aria-label': `Add ${label}`, onclick: () => { show(own); own.focus(); } }, label)));
  cc.el.hidden = true;
  bcc.el.hidden = true;
  drawMore();
  const people = { to, cc, bcc };
  return {
    el: [from.el, to.el, cc.el, bcc.el, subject.el], people, subject,
    commit: () => Object.values(people).forEach((own) => own.commit()),
    read: () => ({ ...from.value, to: to.good, cc: cc.good, bcc: bcc.good, subject: subject.input.value, all: mapOf(people, (own) => own.value), typed: mapOf(people, (own) => own.typed) }),
    set: (letter) => {
      from.set(letter);
      for (const [name, own] of Object.entries(people)) {
        own.set(letter.all?.[name] ?? letter[name]);
        own.input.value = letter.typed?.[name] ?? '';
      }
      show(cc, cc.value.length > 0);
      show(bcc, bcc.value.length > 0);
      subject.input.value = letter.subject ?? '';
    },
    /** Shows what the server says about a field; false when there is no such field here. */
    complain: (name, text) => {
      const [, which, at] = /^(to|cc|bcc)(?:[[.](\d+))?/.exec(name) ?? [];
      if (which) { show(people[which]); people[which].refuse(Number(at ?? -1), text); return people[which].input; }
      if (name === 'subject') { subject.complain(text); return subject.input; }
      if (['account_id', 'from_alias', 'from'].includes(name)) { from.complain(text); return from.input; }
      return null;
    },
    clear: () => { from.complain(''); subject.complain(''); },
    get wrong() { return Object.values(people).find((own) => own.bad)?.input ?? null; },
    get any() { return Object.values(people).some((own) => own.value.length); },
    get first() { return to.input; },
    destroy: () => {},
  };
}

const mapOf = (people, pick) => Object.fromEntries(Object.entries(people).map(([name, own]) => [name, pick(own)]));

function note(id) {
  const el = h('div', { id, class: 'bad-text', hidden: true });
  return { el, say: (input, text) => {
    el.hidden = !text;
    fill(el, text && [icon('warn', 13), h('span', null, text)]);
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  } };
}

function fromLine(id, onChange) {
  const input = h('select', { id, 'aria-describedby': `${id}-note` });
  const own = note(`${id}-note`);
  let all = [];
  const draw = (letter) => {
    all = senders();
    fill(input, all.map(({ account, alias, email }, at) => h('option', { value: at, selected: account.id === letter.account_id && (alias ?? null) === (letter.from_alias ?? null) },
      account.display_name ? `${clean(account.display_name)} <${email}>` : email)));
  };
  input.addEventListener('change', () => { own.say(input, ''); onChange(); });
  return {
    el: h('div', { class: 'c-line extra' }, h('label', { for: id }, 'From'), h('div', { class: 'grow' }, input, own.el)), input,
    set: draw, complain: (text) => own.say(input, text),
    get value() { const one = all[Number(input.value)]; return { account_id: one?.account.id ?? null, from_alias: one?.alias ?? null }; },
  };
}

function subjectLine(id, onChange) {
  const input = h('input', { id, type: 'text', maxlength: 900, autocomplete: 'off', enterkeyhint: 'next', 'aria-describedby': `${id}-note` });
  const own = note(`${id}-note`);
  input.addEventListener('input', () => { own.say(input, ''); onChange(); });
  // A pasted subject may hold line ends; a header must not.
  input.addEventListener('change', () => { input.value = input.value.replace(/[\r\n\u0000\u2028\u2029]+/g, ' '); });
  return { el: h('div', { class: 'c-line extra' }, h('label', { for: id }, 'Subject'), h('div', { class: 'grow' }, input, own.el)), input, complain: (text) => own.say(input, text) };
}
