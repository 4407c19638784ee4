// Addresses as people type and paste them, and who gets an answer.

import { clean } from './format.js';

const MAX_ADDRESS = 254;
// Letters of every script may stand in an address; spaces, controls and the characters of lists may not.
const LOCAL = /^[^\s"(),:;<>@[\\\]\p{C}]{1,64}$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?$/u;

/** What is wrong with an address, or null. The server has the last word. */
export function complaintAbout(email) {
  const at = email.lastIndexOf('@');
  if (at < 1) return `“${email}” is not an address. Write it like name@company.com.`;
  const [local, domain] = [email.slice(0, at), email.slice(at + 1)];
  const labels = domain.split('.');
  if (!LOCAL.test(local) || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return `“${email}” is not an address: look at what stands before the @.`;
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return `“${email}” is not an address: look at what stands after the @.`;
  return email.length > MAX_ADDRESS ? `“${email.slice(0, 30)}…” is too long for an address.` : null;
}

/** Splits a list at commas, semicolons and line ends that stand outside of quotes and angle brackets. */
function split(text) {
  const parts = [];
  let part = '';
  let quoted = false;
  let angle = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    else if (!quoted && c === '<') angle = true;
    else if (!quoted && c === '>') angle = false;
    if (/[\r\n]/.test(c) || (!quoted && !angle && /[,;]/.test(c))) {
      parts.push(part);
      [part, quoted, angle] = ['', false, false];
    } else part += c;
  }
  return [...parts, part].map((each) => each.replace(/[\t\u00a0]+/g, ' ').trim()).filter(Boolean);
}

function person(text) {
  const named = /^(.*?)<([^<>]*)>$/s.exec(text);
  if (!named) return { email: clean(text.replace(/^mailto:/i, '').replace(/^['"]|['"]$/g, '')), name: null };
  return { email: clean(named[2].replace(/^mailto:/i, '')), name: clean(named[1].trim().replace(/^(["'])(.*)\1$/s, '$2').replace(/\\(.)/g, '$1')) || null };
}

/** Reads a typed or pasted list: `a@b.example, "Fischer, Elena" <c@d.example>; e@f.example`. */
export function parseList(text) {
  return split(text).flatMap((part) => {
    const words = part.split(' ');
    // "a@b.example c@d.example" has no name in it: these are two people.
    if (words.length > 1 && words.every((word) => word.includes('@') && !word.includes('<') && !word.includes('"'))) return words.map(person);
    return [person(part)];
  }).filter(({ email }) => email);
}

/** A person as it is written in a field that is being edited. */
export function written({ email, name }) {
  if (!name || name === email) return email;
  return /[",;<>@()]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}" <${email}>` : `${name} <${email}>`;
}

const key = ({ email }) => email?.toLowerCase();

/** Each person once, in order, without those in `without`. */
export function unique(people, without = new Set()) {
  const seen = new Set(without);
  return people.filter((each) => key(each) && !seen.has(key(each)) && seen.add(key(each)));
}

/** Who gets an answer to `mail`: `{ to, cc }`. Whoever answers an own mail goes on writing to its recipients. */
export function answerTo(mail, all, own) {
  const mine = own.has(mail.from?.email?.toLowerCase());
  const replyTo = [mail.reply_to ?? []].flat().filter((each) => each?.email);
  const to = unique(mine ? mail.to ?? [] : replyTo.length ? replyTo : [mail.from]);
  if (!all) return { to, cc: [] };
  const rest = unique(mine ? [] : mail.to ?? [], new Set([...own, ...to.map(key)]));
  const cc = unique(mail.cc ?? [], new Set([...own, ...[...to, ...rest].map(key)]));
  return { to: [...to, ...rest], cc };
}

/** Whether an answer to all would reach more people than an answer. */
export function hasMore(mail, own) {
  const [one, all] = [answerTo(mail, false, own), answerTo(mail, true, own)];
  return all.to.length + all.cc.length > one.to.length;
}

const ANSWER = /^\s*(?:re|aw|sv|vs|antw|odp|rif|res?p)\s*(?:\[\d+\])?\s*:/i;
const FORWARD = /^\s*(?:fwd?|wg|tr|vb|vl|rv|enc)\s*:/i;

/** The subject of an answer or a forward: its mark stands once. */
export function subjectOf(mail, action) {
  const subject = clean(mail.subject);
  const marked = action === 'forward' ? FORWARD.test(subject) : ANSWER.test(subject);
  return marked ? subject : `${action === 'forward' ? 'Fwd' : 'Re'}: ${subject}`.trim();
}
