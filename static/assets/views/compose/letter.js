// A mail that is being written: what it is made of, as the API takes it, and where it begins.

import { answerTo, parseList, subjectOf } from '../../recipients.js';
import { cleanHtml, htmlOf, textToHtml, toText } from '../../richtext.js';
import { account, ownAddresses, state } from '../../store.js';

/** What the API is told. Empty parts are left out. */
export function bodyOf(letter) {
  const answer = { reply: { reply_to_message_id: letter.source }, reply_all: { reply_to_message_id: letter.source, reply_all: true }, forward: { forward_message_id: letter.source } }[letter.action];
  const some = (list) => (list?.length ? list : undefined);
  return {
    account_id: letter.account_id, from_alias: letter.from_alias ?? undefined,
    to: letter.to ?? [], cc: some(letter.cc), bcc: some(letter.bcc), subject: letter.subject ?? '',
    body_html: letter.body_html, body_text: letter.body_text, attachment_ids: some(letter.attachment_ids),
    ...(letter.source ? answer : null),
  };
}

/** The mailboxes that can send, with every address of theirs. */
export function senders() {
  return state.accounts.filter((item) => item.status !== 'disconnected').flatMap((item) => [null, ...(item.aliases ?? []).map((alias) => alias?.email ?? alias)]
    .map((alias) => ({ account: item, alias, email: alias ?? item.email_address })));
}

const keyOf = (person) => person?.email?.toLowerCase();

/** The address of ours that a mail was sent to, when it is an alias of its mailbox. */
function aliasFor(mail) {
  const to = new Set([...(mail.to ?? []), ...(mail.cc ?? []), mail.from].map(keyOf));
  return (account(mail.account_id)?.aliases ?? []).map((alias) => alias?.email ?? alias).find((alias) => to.has(alias.toLowerCase())) ?? null;
}

/** An empty mail, or one with what is known of it. */
export function freshLetter(known = {}) {
  const here = new URLSearchParams(location.search).get('account');
  const own = senders().find((sender) => sender.account.id === here) ?? senders().find((sender) => sender.account.status === 'active') ?? senders()[0];
  return { account_id: own?.account.id ?? null, from_alias: null, to: [], cc: [], bcc: [], subject: '', action: null, source: null, files: [], ...known };
}

/** What a link asks to be written: the parts of a mailto link. */
export function fromLink(query, to = '') {
  const of = (name) => query.get(name) ?? '';
  const people = (name) => parseList(of(name));
  const body = of('body');
  return {
    to: [...parseList(to), ...people('to')], cc: people('cc'), bcc: people('bcc'), subject: of('subject').replace(/[\r\n]+/g, ' '),
    ...(body && { body_html: htmlOf(textToHtml(body)) }),
  };
}

/** The beginning of an answer or a forward. */
export function answerLetter(mail, action) {
  const people = action === 'forward' ? { to: [], cc: [] } : answerTo(mail, action === 'reply_all', ownAddresses());
  const usable = senders().some((sender) => sender.account.id === mail.account_id);
  return freshLetter({ ...(usable && { account_id: mail.account_id, from_alias: aliasFor(mail) }), ...people, subject: subjectOf(mail, action), action, source: mail.id, original: mail });
}

/** A draft as the API shows it. */
export function letterOf(detail) {
  const { action = null, source_email_id: source = null } = detail.outgoing ?? {};
  const own = account(detail.account_id);
  const from = keyOf(detail.from);
  return {
    id: detail.id, account_id: detail.account_id, from_alias: own && from && from !== own.email_address.toLowerCase() ? detail.from.email : null,
    to: detail.to ?? [], cc: detail.cc ?? [], bcc: detail.bcc ?? [], subject: detail.subject ?? '',
    body_html: detail.body_html ?? undefined, body_text: detail.body_html ? undefined : detail.body_text ?? undefined,
    files: (detail.attachments ?? []).filter((file) => !file.is_inline), action: source ? action : null, source, thread_id: detail.thread_id, status: detail.status,
    // Once it was handed in, the signature and the original are part of the text.
    whole: Boolean(detail.outgoing?.is_whole),
  };
}

const words = (letter) => (letter.body_html ? toText(cleanHtml(letter.body_html)) : letter.body_text ?? '').replace(/\s+/g, ' ').trim();
const mails = (people) => (people ?? []).map(keyOf).join();

/** Whether the server's draft says what this body says; how it is marked up does not count. */
export function sameAs(detail, body) {
  const theirs = letterOf(detail);
  return ['to', 'cc', 'bcc'].every((field) => mails(theirs[field]) === mails(body[field])) && (theirs.subject ?? '').trim() === (body.subject ?? '').trim()
    && words(theirs) === words(body) && (detail.attachments ?? []).length === (body.attachment_ids ?? []).length;
}
