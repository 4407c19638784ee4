// One thread: its mails in order, each in a sandboxed frame that can run no script and load nothing.

import { get } from '../api.js';
import { add, fill, h, icon } from '../dom.js';
import { bytes, clean, folderName, fullTime, personName, plural, shortTime } from '../format.js';
import { ownAddresses } from '../store.js';
import { avatar, failedState, withSkeleton } from '../ui.js';
import { mailFrame } from './frame.js';

const FOLD_FROM = 4;

/** Makes the panel for a thread. `onTitle` gets the subject when it is known. Returns `{ el, destroy }`. */
export function threadPanel(id, { onTitle }) {
  const el = h('div', { class: 'scroll', tabindex: '-1' });
  const stops = [];
  let alive = true;
  const load = async () => {
    try {
      const thread = await withSkeleton(el, skeleton, get(`/api/email/threads/${id}`));
      if (!alive) return;
      onTitle(clean(thread.subject) || '(no subject)');
      draw(el, thread, stops);
      el.focus({ preventScroll: true });
    } catch (problem) {
      if (alive) fill(el, failedState(problem, load));
    }
  };
  load();
  return { el, destroy: () => { alive = false; stops.forEach((stop) => stop()); } };
}

function draw(el, thread, stops) {
  const messages = [...(thread.messages ?? [])].sort((a, b) => when(a).localeCompare(when(b)));
  const last = messages.length - 1;
  const open = new Set(messages.filter((mail, index) => index === last || mail.is_read === false).map((mail) => mail.id));
  const own = ownAddresses();
  const cards = messages.map((mail) => messageCard(mail, open.has(mail.id), own, stops));
  fill(el, h('h1', { class: 'subj' }, clean(thread.subject) || '(no subject)'),
    h('p', { class: 'facts' }, plural(thread.message_count ?? messages.length, 'message'), placeChips(messages)),
    foldMiddle(messages, cards, open));
}

const when = (mail) => mail.received_at ?? mail.sent_at ?? mail.created_at ?? '';

function placeChips(messages) {
  const names = new Map();
  for (const mail of messages) for (const folder of mail.folders ?? []) names.set(folder.id, folderName(folder));
  return [...names.values()].slice(0, 4).map((name) => h('span', { class: 'chip' }, icon('folder', 12), name));
}

/** Hides a long read middle behind one line. */
function foldMiddle(messages, cards, open) {
  const closed = messages.map((mail, index) => (open.has(mail.id) ? -1 : index)).filter((index) => index > 0 && index < messages.length - 2);
  if (closed.length < FOLD_FROM - 1) return cards;
  const hidden = new Set(closed);
  const line = h('button', { type: 'button', class: 'fold' }, `${closed.length} more messages`);
  for (const index of hidden) cards[index].hidden = true;
  line.addEventListener('click', () => {
    for (const index of hidden) cards[index].hidden = false;
    cards[closed[0]].querySelector('button')?.focus();
    line.remove();
  });
  return cards.map((card, index) => (index === closed[0] ? [line, card] : card));
}

function messageCard(mail, startOpen, own, stops) {
  const el = h('article', { class: 'msg' });
  const show = (open, focus) => {
    fill(el, open ? openMessage(mail, own, stops, () => show(false, true)) : closedMessage(mail, own, () => show(true, true)));
    el.classList.toggle('open', open);
    if (focus) el.querySelector('button')?.focus();
  };
  show(startOpen, false);
  return el;
}

const senderName = (mail, own) => (own.has(mail.from?.email?.toLowerCase()) ? 'You' : personName(mail.from));

function closedMessage(mail, own, toggle) {
  return h('button', { type: 'button', class: 'old', 'aria-expanded': 'false', onclick: toggle },
    avatar(mail.from, 'small'), h('b', { class: mail.is_read === false ? 'un' : null }, senderName(mail, own)),
    h('span', { class: 'clip grow' }, clean(mail.snippet)), mail.has_attachments && icon('clip', 13),
    h('time', { datetime: when(mail) }, shortTime(when(mail))));
}

function openMessage(mail, own, stops, toggle) {
  const frame = mailFrame(mail, `Message from ${personName(mail.from)}, ${fullTime(when(mail))}`);
  stops.push(frame.destroy);
  const details = headerTable(mail);
  const more = h('button', { type: 'button', class: 'to', 'aria-expanded': 'false' }, h('span', { class: 'clip' }, recipientsText(mail, own)), icon('down', 12));
  more.addEventListener('click', () => {
    details.hidden = !details.hidden;
    more.setAttribute('aria-expanded', String(!details.hidden));
  });
  return [
    h('header', { class: 'mh' }, avatar(mail.from),
      h('div', { class: 'grow' },
        h('button', { type: 'button', class: 'nm-line', 'aria-expanded': 'true', title: 'Fold this message', onclick: toggle },
          h('span', { class: 'nm' }, senderName(mail, own)), h('span', { class: 'ad clip' }, clean(mail.from?.email))), more),
      mail.is_read === false && h('span', { class: 'chip c-iris' }, 'Unread'),
      h('time', { class: 'rt', datetime: when(mail), title: fullTime(when(mail)) }, shortTime(when(mail)))),
    details, frame.el, attachmentList(mail.attachments)];
}

function recipientsText(mail, own) {
  const name = (person) => (own.has(person.email?.toLowerCase()) ? 'you' : personName(person));
  const some = (people) => people.slice(0, 3).map(name).join(', ') + (people.length > 3 ? ` and ${people.length - 3} more` : '');
  const to = mail.to?.length ? `to ${some(mail.to)}` : 'to undisclosed recipients';
  return mail.cc?.length ? `${to}, cc ${some(mail.cc)}` : to;
}

/** The plain headers of a mail. */
function headerTable(mail) {
  const people = (list) => list?.length && list.map((person) => (person.name ? `${clean(person.name)} <${clean(person.email)}>` : clean(person.email))).join(', ');
  const lines = [
    ['From', people(mail.from ? [mail.from] : [])], ['To', people(mail.to)], ['Cc', people(mail.cc)], ['Bcc', people(mail.bcc)],
    ['Reply to', people([mail.reply_to ?? []].flat().filter((person) => person?.email))],
    ['Date', fullTime(mail.sent_at ?? when(mail))], ['Subject', clean(mail.subject) || '(no subject)'],
    ['Folder', (mail.folders ?? []).map(folderName).join(', ')], ['Message-ID', clean(mail.message_id)],
  ];
  const el = h('dl', { class: 'headers', hidden: true });
  for (const [name, value] of lines) if (value) add(el, h('dt', null, name), h('dd', null, value));
  add(el, h('dt', null, 'Source'), h('dd', null, h('a', { class: 'link', href: `/api/email/messages/${mail.id}/raw`, download: `${mail.id}.eml` }, 'Download the original')));
  return el;
}

const KINDS = [[/pdf/, 'PDF', 'c-red'], [/sheet|excel|csv/, 'XLS', 'c-green'], [/word|document|rtf|text\//, 'DOC', 'c-blue'], [/presentation|powerpoint/, 'PPT', 'c-amber'],
  [/^image\//, 'IMG', 'c-plum'], [/zip|compressed|tar/, 'ZIP', 'c-bronze'], [/calendar/, 'ICS', 'c-teal'], [/rfc822/, 'EML', 'c-iris']];

function attachmentList(attachments) {
  const files = (attachments ?? []).filter((file) => !file.is_inline);
  if (!files.length) return null;
  return h('ul', { class: 'atts', 'aria-label': plural(files.length, 'attachment') }, files.map((file) => {
    const name = clean(file.file_name) || 'attachment';
    const [, short, colour] = KINDS.find(([match]) => match.test(`${file.mime_type} ${name.toLowerCase()}`)) ?? [null, 'FILE', 'c-iris'];
    return h('li', null, h('a', { class: 'att', href: `/api/email/attachments/${file.id}`, download: name, title: `Download ${name}` },
      h('span', { class: ['ft', colour], 'aria-hidden': 'true' }, short), h('span', { class: 'grow' }, h('b', { class: 'clip' }, name), h('small', { class: 'num' }, bytes(file.size_bytes))), icon('download', 14)));
  }));
}

function skeleton() {
  return h('div', { class: 'sk-thread', 'aria-hidden': 'true' }, h('div', { class: 'sk' }), h('div', { class: 'sk' }), Array.from({ length: 6 }, () => h('div', { class: 'sk' })));
}
