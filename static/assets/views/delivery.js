// What becomes of a mail that one sends: a word beside it, and the whole story with the next step inside it.

import { get, post } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { clean, moment, personName, shortTime } from '../format.js';
import { uuid } from '../ids.js';
import { outgoingChanged } from '../outgoing.js';
import { mailChanged } from '../store.js';
import { banner, busy, confirm, toast, toastProblem } from '../ui.js';
import { discardById, openDraft } from './compose/desk.js';
import { callBack } from './compose/sent.js';

const WORDS = {
  draft: ['Draft', 'c-amber', 'drafts'], scheduled: ['Scheduled', 'c-iris', 'scheduled'], queued: ['Waiting to be sent', 'c-iris', 'clock'], sending: ['Sending', 'c-iris', 'sent'],
  uncertain: ['Not certain', 'c-amber', 'question'], failed: ['Not sent', 'c-red', 'warn'], cancelled: ['Called back', '', 'undo'],
};
const RECIPIENT = {
  deferred: ['Not yet taken, tried again', 'c-amber'], handed: ['Handed over, no answer yet', 'c-amber'], accepted: ['Taken by the server', 'c-green'],
  refused: ['Refused', 'c-red'], delayed: ['Delayed on its way', 'c-amber'], bounced: ['Came back', 'c-red'],
};
const TROUBLE = new Set(['refused', 'bounced', 'deferred', 'delayed']);

/** The words beside a mail: how far it is, whether it came back, whether it was answered. With `story` it is told below anyway. */
export function statusChips(mail, { story = false } = {}) {
  if (mail.direction !== 'outbound') return [];
  const [word, tone, mark] = WORDS[mail.status] ?? [];
  const text = mail.status === 'scheduled' ? `Scheduled for ${moment(mail.scheduled_at)}` : word;
  return [
    word && !story && chip(text, tone, mark),
    mail.bounced && chip('Came back', 'c-red', 'warn'),
    mail.replied_at && chip(`Answered ${shortTime(mail.replied_at)}`, 'c-green', 'reply'),
  ].filter(Boolean);
}

const chip = (text, tone, mark) => h('span', { class: ['chip', tone] }, icon(mark, 12), text);

/** What can change about it; the story is told anew then. */
export const deliveryStamp = (mail) => [mail.status, mail.scheduled_at, mail.error_message, mail.bounced, mail.replied_at, mail.updated_at];

/** Makes the story of a mail that was written here. Returns `{ el, update(mail), destroy }`. */
export function deliveryStory(mail) {
  const el = h('div', { class: 'story', hidden: true });
  let stamp = '';
  let timer = 0;
  let alive = true;
  const draw = (detail) => {
    clearTimeout(timer);
    if (!alive) return;
    const parts = [main(detail, look), people(detail)].filter(Boolean);
    const at = [...el.querySelectorAll('button')].indexOf(document.activeElement);
    fill(el, parts);
    el.hidden = !parts.length;
    if (at >= 0) el.querySelectorAll('button')[at]?.focus();
    const until = new Date(detail.outgoing?.undo_until ?? 0) - Date.now();
    if (detail.status === 'queued' && until > 0) timer = setTimeout(look, until + 500);
  };
  const look = async () => {
    try { draw(await get(`/api/email/messages/${mail.id}`)); } catch { /* the next news asks again */ }
  };
  const update = (next) => {
    mail = next;
    const now = JSON.stringify(deliveryStamp(next));
    if (now === stamp || next.direction !== 'outbound') return;
    stamp = now;
    look();
  };
  update(mail);
  return { el, update, destroy: () => { alive = false; clearTimeout(timer); } };
}

function main(mail, look) {
  const act = (label, work, tone = '') => {
    const button = h('button', { type: 'button', class: `btn ${tone}`, onclick: () => busy(button, label, async () => { await work(); await look(); }) }, label);
    return button;
  };
  const edit = () => act('Edit', () => editAgain(mail));
  const { outgoing } = mail;
  if (mail.status === 'draft') return said('', 'drafts', 'A draft.', 'It was not sent.', [act('Continue writing', () => openDraft(mail.id))]);
  if (!outgoing && mail.status !== 'failed' && mail.status !== 'uncertain') return null;
  if (mail.status === 'scheduled') {
    return said('', 'scheduled', `Is sent ${moment(mail.scheduled_at)}.`, 'Until then it can be changed or called back.', [edit(), act('Cancel sending', () => cancel(mail))]);
  }
  if (mail.status === 'queued') return waiting(mail, [edit(), act('Cancel sending', () => cancel(mail))], act('Try now', () => retry(mail)));
  if (mail.status === 'sending') return said('', 'sent', 'Is being sent.', '', []);
  if (mail.status === 'uncertain') {
    return banner('amber', 'It is not certain that this was sent.',
      'The connection broke after the message was handed over and before the server confirmed it. It is being looked for among the sent messages. When it is found, it shows as sent.',
      act('Send again', () => retry(mail)));
  }
  if (mail.status === 'failed') {
    return withActions(banner('red', 'This was not sent.', clean(mail.error_message) || 'The server did not say why.'), [act('Try again', () => retry(mail)), edit(), act('Discard', () => discardById(mail.id))]);
  }
  if (mail.status === 'cancelled') return said('', 'undo', 'Called back before it left.', 'It is among your drafts.', [act('Continue writing', () => openDraft(mail.id))]);
  const returned = (outgoing.recipients ?? []).filter((each) => TROUBLE.has(each.status));
  return returned.length ? banner('red', 'Not everybody has got this.', '') : null;
}

function waiting(mail, actions, now) {
  const { undo_until: until, next_attempt_at: next, recipients } = mail.outgoing;
  if (until && new Date(until) > new Date()) return said('', 'clock', 'Is sent in a moment.', 'It can still be called back.', actions);
  const tried = (recipients ?? []).some((each) => each.status === 'deferred') || mail.error_message;
  const when = next && new Date(next) > new Date() ? `Next try ${moment(next)}.` : '';
  return tried ? withActions(banner('amber', 'Not sent yet; it is tried again by itself.', [sentence(clean(mail.error_message)), when].filter(Boolean).join(' ')), [now, ...actions])
    : said('', 'clock', 'Waits to be sent.', when, actions);
}

const sentence = (text) => (!text || /[.!?]$/.test(text) ? text : `${text}.`);

/** A calm banner. */
function said(tone, mark, title, text, actions) {
  return withActions(h('div', { class: ['banner', tone] }, icon(mark), h('div', { class: 'grow' }, h('b', null, title), text && h('span', null, text))), actions);
}

function withActions(el, actions) {
  el.querySelector('.grow').append(h('span', { class: 'c-choices' }, actions));
  return el;
}

/** Each recipient with what the server said, when there is something to tell. */
function people(mail) {
  const all = mail.outgoing?.recipients ?? [];
  const telling = all.filter((each) => each.status && (TROUBLE.has(each.status) || all.some((other) => TROUBLE.has(other.status))));
  if (!telling.length) return null;
  return h('ul', { class: 'fates' }, telling.map((each) => {
    const [word, tone] = RECIPIENT[each.status] ?? [each.status, ''];
    return h('li', null, h('span', { class: 'clip' }, clean(each.email)), h('span', { class: ['chip', tone] }, word), each.detail && h('small', null, clean(each.detail)));
  }));
}

async function retry(mail) {
  const sure = mail.status !== 'uncertain' || await confirm('Send it again?',
    'It may have arrived already: then the recipients get it twice. If there is time, wait until it was looked for.', 'Send again');
  if (!sure) return;
  try {
    await post(`/api/email/messages/${mail.id}/retry`, undefined, { headers: { 'Idempotency-Key': uuid() } });
    toast(`Sending to ${personName(mail.to?.[0])}${mail.to?.length > 1 ? ' and others' : ''} again.`);
  } catch (problem) {
    toastProblem(problem);
  }
  mailChanged();
  outgoingChanged();
}

async function cancel(mail) {
  if (!await callBack(mail.id)) return;
  const close = toast('Called back. The message was not sent.', { action: h('button', { type: 'button', class: 'do', onclick: () => { close(); openDraft(mail.id); } }, 'Open'), ms: 10_000 });
}

/** Calls it back, and opens it to be changed. */
export async function editAgain(mail) {
  if (['scheduled', 'queued'].includes(mail.status) && !await callBack(mail.id)) return;
  await openDraft(mail.id);
}
