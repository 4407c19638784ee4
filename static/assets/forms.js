// Forms: labelled fields whose errors stand beside them, and one way to send.

import { add, announce, fill, h, icon, iconButton } from './dom.js';
import { Problem } from './api.js';
import { banner, busy } from './ui.js';

let serial = 0;

/** The least length of a password; the server has the last word. */
export const PASSWORD_MIN = 8;

/**
 * A labelled field. `options`: `label`, `hint`, `type`, `value`, `options` (makes a select of
 * `[value, label]`), and any attribute of the input. Returns `{ el, input, value, set, error }`.
 */
export function field({ label, hint, options, value = '', type = 'text', ...attributes }) {
  serial += 1;
  const id = `field-${serial}`;
  const described = `${id}-note`;
  const input = options
    ? h('select', { id, ...attributes }, options.map(([at, text]) => h('option', { value: at, selected: at === value }, text)))
    : h('input', { id, type, value, ...attributes });
  const box = h('div', { class: 'in' }, input);
  if (type === 'password') box.append(revealButton(input));
  const note = h('div', { id: described, class: 'hint' }, hint);
  const el = h('div', { class: 'field' }, h('label', { for: id }, label), box, note);
  input.setAttribute('aria-describedby', described);
  const error = (text) => {
    box.classList.toggle('bad', Boolean(text));
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    note.className = text ? 'bad-text' : 'hint';
    fill(note, text ? [icon('warn', 13), h('span', null, text)] : hint);
  };
  input.addEventListener('input', () => error(''));
  return { el, input, error, get value() { return input.value.trim(); }, get raw() { return input.value; }, set value(next) { input.value = next ?? ''; } };
}

function revealButton(input) {
  const button = iconButton('eye', 'Show password', () => {
    const show = input.type === 'password';
    input.type = show ? 'text' : 'password';
    button.setAttribute('aria-label', show ? 'Hide password' : 'Show password');
    button.title = show ? 'Hide password' : 'Show password';
    fill(button, icon(show ? 'eye-off' : 'eye'));
  });
  return button;
}

/** A tick box with its text. */
export function tick(text, attributes) {
  const input = h('input', { type: 'checkbox', ...attributes });
  return { el: h('label', { class: 'check' }, input, h('span', null, text)), input, get checked() { return input.checked; } };
}

/** A new password with its meter and its rule. */
export function newPassword(label = 'Password') {
  const own = field({ label, type: 'password', autocomplete: 'new-password', required: true, minlength: PASSWORD_MIN });
  const meter = h('div', { class: 'meter', 'data-level': '0', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i'));
  const words = h('div', { class: 'hint', 'aria-live': 'polite' });
  const rule = `At least ${PASSWORD_MIN} characters. A few unrelated words are strong and easy to keep.`;
  const show = () => {
    const level = strength(own.raw);
    meter.dataset.level = String(level);
    words.textContent = own.raw ? ['', 'Too short or easy to guess', 'Fair', 'Good', 'Strong'][level] : rule;
  };
  own.input.addEventListener('input', show);
  show();
  own.el.lastChild.before(meter, words);
  return own;
}

/** 0 to 4, from length and variety; only a hint, the server decides. */
export function strength(password) {
  if (!password) return 0;
  const distinct = new Set(password.toLowerCase()).size;
  if (password.length < PASSWORD_MIN || distinct < 5 || /^(?:\d+|password.*|qwert.*|letmein.*)$/i.test(password)) return 1;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(password)).length;
  const points = password.length + kinds * 2 + Math.min(6, distinct - 5);
  if (points < 20) return 2;
  return points < 26 ? 3 : 4;
}

/**
 * Makes a form. `fields` maps the API's field names to fields; `codes` maps error codes to field
 * names; `send()` does the call. Errors stand at their field, the rest above the button.
 * Returns `{ el, setAction(label) }`.
 */
export function form({ children, fields, codes = {}, action, waiting, send, extra, ...attributes }) {
  const alert = h('div', { class: 'alerts' });
  let label = action;
  const button = h('button', { type: 'submit', class: 'btn pri tall' }, label);
  const el = h('form', { class: 'form', novalidate: true, ...attributes }, children, alert, extra ? h('div', { class: 'actions' }, button, extra) : button);
  el.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-disabled')) return;
    fill(alert);
    if (!complete(Object.values(fields))) return;
    try {
      await busy(button, waiting, send);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showProblem(problem, { fields, codes, alert, button });
    } finally {
      fill(button, label);
    }
  });
  return { el, setAction: (text) => { label = text; if (!button.getAttribute('aria-disabled')) fill(button, text); } };
}

/** Checks what the browser can check, at the field, and moves to the first gap. */
function complete(fields) {
  let first = null;
  for (const own of fields) {
    if (own.el.closest('[hidden]') || own.input.checkValidity()) { own.error(''); continue; }
    own.error(complaint(own));
    first ??= own.input;
  }
  first?.focus();
  return !first;
}

function complaint({ input }) {
  const { validity } = input;
  if (validity.valueMissing) return 'Please fill this in.';
  if (validity.typeMismatch) return 'Write it like name@company.com.';
  if (validity.tooShort) return `Use at least ${input.minLength} characters.`;
  if (validity.rangeUnderflow || validity.rangeOverflow) return `Enter a number from ${input.min} to ${input.max}.`;
  return 'Check this entry.';
}

function showProblem(problem, { fields, codes, alert, button }) {
  let first = null;
  const mark = (name, text) => {
    const own = fields[name] ?? fields[name?.split('.').pop()];
    if (!own || own.el.closest('[hidden]')) return false;
    own.error(text);
    first ??= own.input;
    return true;
  };
  const unplaced = problem.errors.filter(({ field: name, message }) => !mark(name, sentence(message)));
  const placed = problem.errors.length ? unplaced.length === 0 : mark(codes[problem.code], problem.message);
  if (problem.status === 429) countDown(problem, alert, button);
  else if (!placed) add(alert, banner('red', '', [problem.message, ...unplaced.map((item) => sentence(item.message))].join(' ')));
  first?.focus();
}

/** Makes a sentence of the server's short note about a field. */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

/** After too many tries: says how many seconds are left and holds the button until then. */
function countDown(problem, alert, button) {
  let left = problem.retryAfter ?? 30;
  const words = h('span', { class: 'num' });
  fill(alert, h('div', { class: 'banner c-amber' }, icon('warn'), words));
  button.setAttribute('aria-disabled', 'true');
  announce(`Too many tries. Wait ${left} seconds.`);
  const step = () => {
    words.textContent = `Too many tries. You can try again in ${left} ${left === 1 ? 'second' : 'seconds'}.`;
    if (left <= 0 || !alert.isConnected) {
      clearInterval(timer);
      button.removeAttribute('aria-disabled');
      fill(alert);
    }
    left -= 1;
  };
  const timer = setInterval(step, 1000);
  step();
}
