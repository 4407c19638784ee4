// One mail of a thread: a line while folded, else its header, its frame and its files.

import { add, fill, h, icon, iconButton } from '../dom.js';
import { bytes, clean, folderName, fullTime, personName, plural, shortTime } from '../format.js';
import { avatar } from '../ui.js';
import { deliveryStamp, deliveryStory, statusChips } from './delivery.js';
import { fileMark } from './fileKind.js';
import { mailFrame } from './frame.js';

/** When a mail came, for sorting and for show. */
export const when = (mail) => mail.received_at ?? mail.sent_at ?? mail.created_at ?? '';

/** Makes the card. `onAnswer(mail)` answers it. Returns `{ el, update(mail), destroy }`; an update leaves the frame as it is. */
export function messageCard(mail, startOpen, own, onAnswer) {
  const el = h('article', { class: 'msg' });
  let frame = null;
  let story = null;
  let stamp = stampOf(mail);
  const head = (detailed) => messageHead(mail, own, { detailed, fold: () => show(false, true), onAnswer });
  const show = (open, focus) => {
    frame?.destroy();
    story?.destroy();
    frame = open ? mailFrame(mail, `Message from ${personName(mail.from)}, ${fullTime(when(mail))}`) : null;
    story = open ? deliveryStory(mail) : null;
    fill(el, open ? [head(false), story.el, frame.el, attachmentList(mail.attachments)] : foldedMessage(mail, own, () => show(true, true)));
    el.classList.toggle('open', open);
    if (focus) el.querySelector('button')?.focus();
  };
  show(startOpen, false);
  const update = (next) => {
    mail = next;
    story?.update(next);
    if (stamp === stampOf(next)) return;
    stamp = stampOf(next);
    const old = el.firstElementChild;
    const focused = [...old.querySelectorAll('button')].indexOf(document.activeElement);
    const shown = frame ? head(!old.querySelector('.headers')?.hidden) : foldedMessage(mail, own, () => show(true, true));
    const hadFocus = old === document.activeElement;
    old.replaceWith(shown);
    if (hadFocus) shown.focus();
    else if (focused >= 0) shown.querySelectorAll('button')[focused]?.focus();
  };
  return { el, update, destroy: () => { frame?.destroy(); story?.destroy(); } };
}

/** What of a mail can change while it is being read. */
const stampOf = (mail) => JSON.stringify([mail.is_read, mail.is_starred, mail.folders, deliveryStamp(mail)]);

const senderName = (mail, own) => (own.has(mail.from?.email?.toLowerCase()) ? 'You' : personName(mail.from));

const star = (mail) => mail.is_starred && h('span', { class: 'starred' }, icon('star', 14), h('span', { class: 'vh' }, 'Starred'));

function foldedMessage(mail, own, toggle) {
  return h('button', { type: 'button', class: 'old', 'aria-expanded': 'false', onclick: toggle },
    avatar(mail.from, 'small'), h('b', { class: mail.is_read === false ? 'un' : null }, senderName(mail, own)),
    h('span', { class: 'clip grow' }, clean(mail.snippet)), statusChips(mail), star(mail), mail.has_attachments && icon('clip', 13),
    h('time', { datetime: when(mail) }, shortTime(when(mail))));
}

/** Who wrote to whom and when; the plain headers follow on demand. */
function messageHead(mail, own, { detailed, fold, onAnswer }) {
  const details = headerTable(mail);
  details.hidden = !detailed;
  const more = h('button', { type: 'button', class: 'to', 'aria-expanded': String(detailed) }, h('span', { class: 'clip' }, recipientsText(mail, own)), icon('down', 12));
  more.addEventListener('click', () => {
    details.hidden = !details.hidden;
    more.setAttribute('aria-expanded', String(!details.hidden));
  });
  return h('div', null,
    h('header', { class: 'mh' }, avatar(mail.from),
      h('div', { class: 'grow' },
        h('button', { type: 'button', class: 'nm-line', 'aria-expanded': 'true', title: 'Fold this message', onclick: fold },
          h('span', { class: 'nm' }, senderName(mail, own)), h('span', { class: 'ad clip' }, clean(mail.from?.email))), more),
      mail.is_read === false && h('span', { class: 'chip c-iris' }, 'Unread'), statusChips(mail, { story: true }), star(mail),
      h('time', { class: 'rt', datetime: when(mail), title: fullTime(when(mail)) }, shortTime(when(mail))),
      onAnswer && ['sent', 'delivered'].includes(mail.status) && iconButton('reply', `Reply to ${senderName(mail, own)}, ${shortTime(when(mail))}`, () => onAnswer(mail), { class: 'ib mh-reply' })),
    details);
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

function attachmentList(attachments) {
  const files = (attachments ?? []).filter((file) => !file.is_inline);
  if (!files.length) return null;
  return h('ul', { class: 'atts', 'aria-label': plural(files.length, 'attachment') }, files.map((file) => {
    const name = clean(file.file_name) || 'attachment';
    return h('li', null, h('a', { class: 'att', href: `/api/email/attachments/${file.id}`, download: name, title: `Download ${name}` },
      fileMark(file.mime_type, name), h('span', { class: 'grow' }, h('b', { class: 'clip' }, name), h('small', { class: 'num' }, bytes(file.size_bytes))), icon('download', 14)));
  }));
}
