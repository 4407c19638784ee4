// After Send: a notice that counts the seconds in which the mail can be called back, then says what became of it.

import { get, post } from '../../api.js';
import { forgetUndo, offerCallback } from '../../carry.js';
import { h } from '../../dom.js';
import { moment, personName, plural } from '../../format.js';
import { outgoingChanged } from '../../outgoing.js';
import { account, mailChanged, watch } from '../../store.js';
import { coalesce } from '../../timing.js';
import { toast, toastProblem } from '../../ui.js';

const SCHEDULED_MS = 10_000;
const FOLLOW_MS = 90_000;
const LOOK_MS = 500;

const toWhom = (mail) => {
  const all = [...(mail.to ?? []), ...(mail.cc ?? []), ...(mail.bcc ?? [])];
  return all.length === 1 ? `to ${personName(all[0])}` : all.length ? `to ${plural(all.length, 'recipient')}` : '';
};

/** Calls a mail back before it leaves; resolves to whether that was in time. */
export async function callBack(id) {
  try {
    await post(`/api/email/messages/${id}/cancel`);
    return true;
  } catch (problem) {
    if (problem.status === 409) toast('Too late: the message is already on its way.', { tone: 'bad' });
    else toastProblem(problem);
    return false;
  } finally {
    mailChanged();
    outgoingChanged();
  }
}

/** Follows a mail that was just handed in. `reopen(id)` opens it again after it was called back. */
export function follow(mail, reopen) {
  const scheduled = mail.status === 'scheduled';
  const until = new Date(mail.outgoing?.undo_until ?? 0).getTime() || Date.now() + (account(mail.account_id)?.settings?.undo_send_seconds ?? 0) * 1000;
  // The seconds are for the eye; a screen reader hears one sentence.
  const words = h('span', { class: 'num', 'aria-hidden': 'true' });
  const spoken = h('span', { class: 'vh' });
  const undo = async () => {
    stop();
    if (await callBack(mail.id)) reopen(mail.id);
  };
  const button = h('button', { type: 'button', class: 'do' }, 'Undo', h('kbd', { 'aria-hidden': 'true' }, 'Z'));
  const entry = offerCallback(undo);
  button.addEventListener('click', undo);
  const close = toast([words, spoken], { action: button, stay: true });
  const end = () => {
    forgetUndo(entry);
    if (document.activeElement === button) document.getElementById('main')?.focus();
    button.remove();
  };
  let unwatch = () => {};
  let timer = 0;
  const stop = () => { clearInterval(timer); unwatch(); end(); close(); };
  if (scheduled) {
    words.textContent = `Scheduled for ${moment(mail.scheduled_at)}.`;
    spoken.textContent = `${words.textContent} Undo calls it back.`;
    setTimeout(stop, SCHEDULED_MS);
    return;
  }
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    words.textContent = left > 0 ? `Sending ${toWhom(mail)} in ${left} s` : `Sending ${toWhom(mail)}…`;
    if (left <= 0) { clearInterval(timer); end(); }
  };
  const look = coalesce(async () => {
    const now = await get(`/api/email/messages/${mail.id}`).catch(() => null);
    const said = now && outcome(now);
    if (!said) return;
    stop();
    toast(said.text, said.options);
    outgoingChanged();
  }, LOOK_MS);
  timer = setInterval(count, 250);
  count();
  spoken.textContent = `Sending ${toWhom(mail)}. Undo calls it back.`;
  unwatch = watch((what, event) => {
    if (what === 'ended') { stop(); return; }
    if (what === 'mail' && (!event || event.data?.email_id === mail.id)) look();
  });
  setTimeout(() => { if (unwatch) { unwatch(); clearInterval(timer); end(); close(); } }, Math.max(0, until - Date.now()) + FOLLOW_MS);
}

/** What became of a mail, when that is known. */
function outcome(mail) {
  const refused = (mail.outgoing?.recipients ?? []).filter((each) => ['refused', 'bounced'].includes(each.status));
  const link = h('a', { class: 'do', href: '/inbox/outbox' }, 'Outbox');
  if (mail.status === 'sent' && refused.length) return { text: `Sent, but refused for ${refused.map((each) => each.email).join(', ')}.`, options: { stay: true, tone: 'bad' } };
  if (mail.status === 'sent' || mail.status === 'delivered') return { text: `Sent ${toWhom(mail)}.`, options: {} };
  if (mail.status === 'failed') return { text: `Not sent. ${mail.error_message ?? ''}`.trim(), options: { stay: true, tone: 'bad', action: link } };
  if (mail.status === 'uncertain') return { text: 'It is not certain that the message was sent. It is being looked for.', options: { stay: true, tone: 'bad', action: link } };
  if (mail.status === 'draft' || mail.status === 'cancelled') return { text: 'Called back. The message is among your drafts.', options: {} };
  return null;
}
