// Addresses that open a mail to be written: a new one, filled in by a link, or a draft.

import { compose, openDraft } from './compose/desk.js';
import { fromLink } from './compose/letter.js';
import { inboxPage } from './inbox.js';
import { sendingPage } from './sending.js';

/** `/compose?to=…&cc=…&bcc=…&subject=…&body=…`: an empty sheet, or one filled in as by a mailto link. */
export function composePage(match, current) {
  const known = fromLink(match.query);
  history.replaceState(null, '', '/inbox/inbox');
  setTimeout(() => compose(known));
  return inboxPage({ ...match, params: {}, query: new URLSearchParams() }, current);
}

/** `/compose/{draft}`: the draft, over the list of drafts. */
export function draftPage(match, current) {
  history.replaceState(null, '', '/inbox/drafts');
  setTimeout(() => openDraft(match.params.id));
  return sendingPage('drafts')({ ...match, params: {}, query: new URLSearchParams() }, current);
}
