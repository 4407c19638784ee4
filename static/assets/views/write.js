// Addresses that open a mail to be written: a new one, filled in by a link, or a draft.

import { textToHtml, htmlOf } from '../richtext.js';
import { parseList } from '../recipients.js';
import { compose, openDraft } from './compose/desk.js';
import { inboxPage } from './inbox.js';
import { sendingPage } from './sending.js';

/** `/compose?to=…&cc=…&bcc=…&subject=…&body=…`: an empty sheet, or one filled in as by a mailto link. */
export function composePage(match, current) {
  const of = (name) => match.query.get(name) ?? '';
  const body = of('body');
  history.replaceState(null, '', '/inbox/inbox');
  setTimeout(() => compose({ to: parseList(of('to')), cc: parseList(of('cc')), bcc: parseList(of('bcc')), subject: of('subject').replace(/[\r\n]+/g, ' '), ...(body && { body_html: htmlOf(textToHtml(body)) }) }));
  return inboxPage({ ...match, params: {}, query: new URLSearchParams() }, current);
}

/** `/compose/{draft}`: the draft, over the list of drafts. */
export function draftPage(match, current) {
  history.replaceState(null, '', '/inbox/drafts');
  setTimeout(() => openDraft(match.params.id));
  return sendingPage('drafts')({ ...match, params: {}, query: new URLSearchParams() }, current);
}
