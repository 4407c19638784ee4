// Writes and sends mail as people do, and looks at what left: the strict SMTP server kept it, the mailbox has its copy.

import { append, imapSession, search } from './imap.mjs';
import { freshMail, THREAD_SUBJECT } from './mails.mjs';
import { complaints, received } from './smtp.mjs';

const PATIENCE_MS = 40_000;
const ELENA = 'elena.fischer@nordwind.example';
const PDF = Buffer.from('%PDF-1.4\nnot much of one\n');

/** Walks through writing, sending, calling back, scheduling, answering and failing. `outbox` is where sent mail is kept. */
export async function write(walk, imap, outbox) {
  const { page, base, check, checkAll, expect, must, say, button, label } = walk;
  const sheet = page.locator('.composer:not(.folded)');
  const text = sheet.locator('.c-text:visible');
  const saved = sheet.locator('.c-state', { hasText: /^Saved/ });
  const notice = (words) => page.locator('.toast', { hasText: words });
  const row = (subject) => page.locator('a.row', { hasText: subject });
  const other = (work) => imapSession(imap, work);
  const holds = (folder, criteria, number, words) => eventually(async () => (await other((send) => search(send, folder, criteria))).length === number, words);
  const left = (subject) => received(outbox).filter((mail) => mail.subject === subject);
  const gone = () => sheet.waitFor({ state: 'detached' });
  const list = async (name) => {
    await page.goto(`${base}/inbox/${name}`);
    await page.getByRole('heading', { name: new RegExp(`^${name}`, 'i') }).waitFor();
  };
  /** Calls the API as another program of the same person would. */
  const api = (method, path, body, headers = {}) => page.evaluate(async ([way, where, what, extra]) => {
    const me = await (await fetch('/api/me')).json();
    const answer = await fetch(where, { method: way, headers: { 'X-CSRF-Token': me.csrf_token, ...(what !== null && { 'Content-Type': 'application/json' }), ...extra }, body: what === null ? undefined : JSON.stringify(what) });
    return { status: answer.status, etag: answer.headers.get('ETag'), body: await answer.json().catch(() => null) };
  }, [method, path, body ?? null, headers]);
  const account = async () => (await api('GET', '/api/email/accounts')).body.items[0];
  const undoSeconds = async (seconds) => api('PATCH', `/api/email/accounts/${(await account()).id}`, { settings: { undo_send_seconds: seconds } });
  const begin = async (to, subject) => {
    await page.keyboard.press('c');
    await sheet.waitFor();
    await page.keyboard.type(to);
    await page.keyboard.press('Enter');
    await label('Subject').fill(subject);
    await text.click();
  };

  async function writeAndAttach() {
    await page.goto(`${base}/inbox/inbox`);
    await row(THREAD_SUBJECT).first().waitFor();
    await page.keyboard.press('c');
    await sheet.waitFor();
    await page.keyboard.type('elena');
    await page.locator('.offers li', { hasText: ELENA }).first().waitFor();
    await check('offers');
    await page.keyboard.press('Enter');
    await sheet.locator('.token', { hasText: 'Elena Fischer' }).waitFor();
    await label('To').fill('not-an-address');
    await page.keyboard.press('Enter');
    await page.getByText('is not an address').waitFor();
    await check('bad-recipient');
    await button('Remove not-an-address').click();
    await button('Add Cc').click();
    await paste(page, { 'text/plain': '"Whitfield, Dana" <dana@whitfield.example>; priya@aster.example\nmarcus.bell@oakline.example' });
    must(await sheet.locator('.token').count() === 4, 'a pasted list did not become recipients');
    await button('Add Bcc').click();
    await page.keyboard.type('hidden@kestrel.example,');
    await label('Subject').fill('Übersicht für 2027');
    await text.click();
    await page.keyboard.type('Hello Elena,');
    await page.keyboard.press('Enter');
    await page.keyboard.type('here are the ');
    await page.keyboard.press('Control+b');
    await page.keyboard.type('new terms');
    await page.keyboard.press('Control+b');
    await page.keyboard.type(':');
    await page.keyboard.press('Enter');
    await button('Bulleted list').click();
    await page.keyboard.type('36 months');
    await paste(page, { 'text/html': '<b onclick="pwned=1">safe</b><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><a href="javascript:pwned=1">link</a>', 'text/plain': 'safe link' });
    must(await page.evaluate(() => globalThis.pwned === undefined) && await text.locator('img, script, [onclick], a').count() === 0, 'pasted HTML was not cleaned');
    await page.locator('input[type=file]').setInputFiles({ name: 'Überblick 2027.pdf', mimeType: 'application/pdf', buffer: PDF });
    await sheet.getByRole('link', { name: 'Überblick 2027.pdf' }).waitFor();
    await saved.waitFor();
    await checkAll('compose');
    say('wrote a mail with pasted recipients, formatted text and a file');
  }

  async function keepDraft() {
    await holds('Drafts', 'SUBJECT "2027"', 1, 'the mailbox has no copy of the draft');
    await page.keyboard.press('Escape');
    await gone();
    await list('drafts');
    await row('Übersicht für 2027').waitFor();
    await checkAll('drafts');
    await row('Übersicht für 2027').click();
    await sheet.getByRole('link', { name: 'Überblick 2027.pdf' }).waitFor();
    must((await text.innerHTML()).includes('<b>new terms</b>'), `the draft came back as ${await text.innerHTML()}`);
    // The connection breaks: what is written stays here, through a reload too.
    await page.route('**/api/email/drafts/*', (route) => (route.request().method() === 'PUT' ? route.fulfill({ status: 503, body: '' }) : route.fallback()));
    page.on('response', (response) => { if (response.status() === 503) expect(503, new URL(response.url()).pathname); });
    await text.click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('Precious words. ');
    await sheet.locator('.c-state.bad').waitFor();
    await check('not-saved');
    await page.reload();
    await text.filter({ hasText: 'Precious words.' }).waitFor();
    await page.unroute('**/api/email/drafts/*');
    await saved.waitFor({ timeout: PATIENCE_MS });
    await holds('Drafts', 'SUBJECT "2027" BODY "Precious"', 1, 'the mailbox does not have the newest version of the draft, once');
    await holds('Drafts', 'SUBJECT "2027"', 1, 'an old version of the draft stayed in the mailbox');
    say('the draft is in the mailbox, and no word was lost without a connection');
  }

  async function collide() {
    const { body: found } = await api('GET', '/api/email/messages?status=draft');
    const { id } = found.items.find((mail) => mail.subject === 'Übersicht für 2027');
    const { body: mine } = await api('GET', `/api/email/messages/${id}`);
    const version = (body_html) => ({ account_id: mine.account_id, to: mine.to, cc: mine.cc, bcc: mine.bcc, subject: mine.subject, body_html, attachment_ids: mine.attachments.map((file) => file.id) });
    await page.route('**/api/email/drafts/*', async (route) => {
      if (route.request().method() === 'PUT' && route.request().headers()['x-walk'] !== 'other') await eventually(async () => (await api('GET', `/api/email/messages/${id}`)).body.body_html.includes('Theirs'), 'the other program did not save');
      await route.continue();
    });
    expect(412, `/api/email/drafts/${id}`);
    await text.click();
    await page.keyboard.type('Mine. ');
    must((await api('PUT', `/api/email/drafts/${id}`, version('<div>Theirs.</div>'), { 'x-walk': 'other' })).status === 200, 'another program could not save the draft');
    await page.getByText('This draft was changed elsewhere', { exact: true }).waitFor();
    await checkAll('conflict');
    await page.unroute('**/api/email/drafts/*');
    await button('Keep mine as a new draft').click();
    await saved.waitFor();
    must((await text.textContent()).includes('Mine.'), 'what was written here is gone');
    const { body: both } = await api('GET', '/api/email/messages?status=draft');
    const [own] = both.items.filter((mail) => mail.subject === mine.subject && mail.id !== id);
    must(own?.attachments.length === 1, 'the new draft does not have the file');
    must((await api('DELETE', `/api/email/drafts/${id}`)).status === 204, 'the other version could not be discarded');
    say('two versions of a draft: neither was lost');
  }

  async function undoAndSend() {
    await page.keyboard.press('Control+Enter');
    await notice(/^Sending to 5 recipients in/).waitFor();
    await gone();
    await checkAll('sending');
    await page.keyboard.press('z');
    await sheet.getByRole('link', { name: 'Überblick 2027.pdf' }).waitFor();
    must(await sheet.locator('.token').count() === 5, 'not every recipient came back');
    must((await text.textContent()).includes('new terms'), 'the text did not come back');
    await page.waitForTimeout(1000);
    must(received(outbox).length === 0, 'a mail left although it was called back');
    await undoSeconds(3);
    await button('Send').click();
    await notice(/^Sent to 5 recipients/).waitFor({ timeout: PATIENCE_MS });
    const [mail, ...more] = left('Übersicht für 2027');
    must(mail && more.length === 0, `${more.length + 1} mails left`);
    must(mail.to.length === 5 && mail.to.includes('hidden@kestrel.example') && !/hidden@kestrel/.test(mail.data.replace(/\r\n\r\n.*/s, '')), 'the blind copy is wrong');
    const [plain, html, file] = mail.parts;
    must(plain.type === 'text/plain' && plain.text.includes('new terms') && plain.text.includes('36 months'), `the plain part says: ${plain.text}`);
    must(html.type === 'text/html' && html.text.includes('<b>new terms</b>'), 'the HTML part is wrong');
    must(file?.type === 'application/pdf' && file.text === PDF.toString(), 'the file is wrong');
    await holds('Sent', 'BCC "hidden@kestrel.example"', 1, 'the mailbox does not have one copy of what was sent');
    await holds('Drafts', 'SUBJECT "2027"', 0, 'the draft stayed in the mailbox');
    await list('drafts');
    await eventually(async () => (await row('Übersicht für 2027').count()) === 0, 'the draft is still shown');
    say('sent, called back, sent again: it left once');
  }

  async function schedule() {
    await begin('dana@whitfield.example', 'Later, not now');
    await page.keyboard.type('Good morning.');
    await saved.waitFor();
    await page.keyboard.press('Control+Shift+Enter');
    const field = page.getByLabel('Date and time');
    await field.waitFor();
    await checkAll('later');
    await field.fill('2020-01-01T08:00');
    await button('Schedule').click();
    await page.getByText('Choose a time that is still to come.').waitFor();
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
    await field.fill(`${day}T08:30`);
    await button('Schedule').click();
    await notice(/^Scheduled for .* 08:30/).waitFor();
    await gone();
    await list('scheduled');
    await row('Later, not now').click();
    await button('Cancel sending').waitFor();
    await checkAll('scheduled');
    await button('Edit').click();
    await text.filter({ hasText: 'Good morning.' }).waitFor();
    await sheet.getByRole('button', { name: 'Send later' }).click();
    await page.locator('.pop-item', { hasText: 'Tomorrow morning' }).click();
    await notice(/^Scheduled for tomorrow 08:00/).waitFor();
    await list('scheduled');
    await row('Later, not now').click();
    await button('Cancel sending').click();
    await notice('Called back').waitFor();
    await eventually(async () => (await row('Later, not now').count()) === 0, 'a mail that was called back is still scheduled');
    await list('drafts');
    await row('Later, not now').hover();
    await button('Discard the draft Later, not now').click();
    await notice('Draft discarded').getByRole('button', { name: 'Undo' }).click();
    await text.filter({ hasText: 'Good morning.' }).waitFor();
    await button('Discard').last().click();
    await gone();
    await notice('Draft discarded').waitFor({ state: 'detached', timeout: PATIENCE_MS });
    await eventually(async () => !(await api('GET', '/api/email/messages?status=draft')).body.items.some((mail) => mail.subject === 'Later, not now'), 'a discarded draft is still there');
    must(left('Later, not now').length === 0, 'a scheduled mail left before its time');
    say('scheduled, changed, called back, discarded');
  }

  async function answerAndForward() {
    await page.goto(`${base}/inbox/inbox`);
    await row(THREAD_SUBJECT).first().click();
    await page.locator('.ways .btn').first().waitFor();
    await page.keyboard.press('r');
    await page.locator('.composer.inline').waitFor();
    must(await sheet.locator('.token').count() === 1, 'an answer does not go to the sender alone');
    await page.keyboard.type('Yes on both counts. Kiel can go live in January.');
    await saved.waitFor();
    await sheet.locator('.c-original summary').click();
    await page.frameLocator('.c-original iframe').getByText('the phased schedule works for us').waitFor();
    await checkAll('reply');
    await text.click();
    await page.keyboard.press('Escape');
    await page.locator('.story', { hasText: 'A draft.' }).getByRole('button', { name: 'Continue writing' }).click();
    await text.filter({ hasText: 'Kiel can go live' }).waitFor();
    await page.keyboard.press('Control+Enter');
    await notice(/^Sent to Elena Fischer/).waitFor({ timeout: PATIENCE_MS });
    const [answer] = left(`Re: ${THREAD_SUBJECT}`);
    must(answer.headers['in-reply-to'] === '<fleet-answer@walk.example>', `In-Reply-To is ${answer.headers['in-reply-to']}`);
    must(answer.headers.references?.includes('fleet-proposal@walk.example'), 'the conversation is not referred to');
    must(answer.parts[0].text.includes('Yes on both counts') && answer.parts[0].text.includes('the phased schedule works for us'), 'the answer does not quote the original');
    await holds('INBOX', 'HEADER Message-ID "<fleet-answer@walk.example>" ANSWERED', 1, 'the mailbox does not show the mail as answered');
    await eventually(async () => (await page.locator('article.msg').count()) === 3, 'the answer is not shown in its conversation');
    await checkAll('answered');
    await page.locator('article.msg', { hasText: 'Volume-2027.csv' }).first().waitFor({ state: 'attached' }).catch(() => {});
    await forwardOriginal();
    say('answered with the original quoted, forwarded with its file');
  }

  async function forwardOriginal() {
    const { body } = await api('GET', '/api/email/messages?from=' + encodeURIComponent(ELENA) + '&has_attachments=true');
    const original = body.items.find((mail) => mail.attachments.some((file) => file.file_name === 'Volume-2027.csv'));
    const made = await api('POST', '/api/email/drafts', { account_id: original.account_id, forward_message_id: original.id }, { 'Idempotency-Key': `walk-${Date.now()}` });
    must(made.status === 201, `a forward could not be begun: ${JSON.stringify(made.body)}`);
    await page.goto(`${base}/compose/${made.body.id}`);
    await sheet.locator('.c-original').waitFor();
    await label('To').fill('marcus.bell@oakline.example');
    await page.keyboard.press('Enter');
    await text.click();
    await page.keyboard.type('For your planning.');
    await check('forward');
    await button('Send').click();
    await notice(/^Sent to/).waitFor({ timeout: PATIENCE_MS });
    const [mail] = received(outbox).filter(({ subject }) => subject.startsWith('Fwd: '));
    must(mail?.parts.some((part) => part.name === 'Volume-2027.csv' && part.text.includes('January,140')), 'the forward does not carry the file');
    must(mail.parts.filter((part) => part.name === 'Volume-2027.csv').length === 1, 'the forward carries the file twice');
  }

  async function fail() {
    await page.goto(`${base}/inbox/inbox`);
    await row(THREAD_SUBJECT).first().waitFor();
    await begin('nobody@nordwind.example', 'To nobody');
    await page.keyboard.type('Is anybody there?');
    await page.keyboard.press('Control+Enter');
    await notice(/^Not sent/).waitFor({ timeout: PATIENCE_MS });
    await list('outbox');
    await row('To nobody').click();
    await page.locator('.fates', { hasText: 'There is no such mailbox here' }).waitFor();
    await checkAll('failed');
    await page.locator('.story').getByRole('button', { name: 'Edit' }).click();
    await text.filter({ hasText: 'Is anybody there?' }).waitFor();
    await button('Remove nobody@nordwind.example').click();
    await label('To').fill('dana@whitfield.example, nobody@nordwind.example');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+Enter');
    await notice('refused for nobody@nordwind.example').waitFor({ timeout: PATIENCE_MS });
    must(left('To nobody').length === 1 && left('To nobody')[0].to.join() === 'dana@whitfield.example', 'the mail did not reach the one recipient that is left');
    await list('sent');
    await row('To nobody').first().click();
    await page.locator('.fates', { hasText: 'There is no such mailbox here' }).waitFor();
    await checkAll('refused');
    say('a mail that was refused told why, was changed and sent');
  }

  async function openByLink() {
    await page.goto(`${base}/compose?to=${encodeURIComponent('Priya Raman <priya@aster.example>')}&subject=Hello&body=${encodeURIComponent('First line\n<b>not bold</b>')}`);
    await sheet.locator('.token', { hasText: 'Priya Raman' }).waitFor();
    must((await text.textContent()).includes('<b>not bold</b>'), 'text of a link became markup');
    await page.keyboard.press('Escape');
    await gone();
    const subject = `While writing ${Date.now()}`;
    await page.keyboard.press('c');
    await sheet.waitFor();
    await other((send) => append(send, 'INBOX', freshMail(imap.user, subject)));
    await row(subject).waitFor({ timeout: PATIENCE_MS });
    must(await sheet.locator('input:focus').count() === 1, 'arriving mail took the focus away');
    await page.keyboard.press('Escape');
    await gone();
    say('a link filled in a mail; arriving mail did not disturb');
  }

  await writeAndAttach();
  await keepDraft();
  await collide();
  await undoAndSend();
  await schedule();
  await answerAndForward();
  await fail();
  await openByLink();
  must(complaints(outbox).length === 0, `the SMTP server complains: ${complaints(outbox)}`);
}

/** Pastes into what has the focus. */
function paste(page, kinds) {
  return page.evaluate((all) => {
    const clipboardData = new DataTransfer();
    for (const [kind, value] of Object.entries(all)) clipboardData.setData(kind, value);
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, kinds);
}

/** Waits until `holds()` is true. */
async function eventually(holds, text) {
  const until = Date.now() + PATIENCE_MS;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > until) throw new Error(text);
    await new Promise((resolve) => { setTimeout(resolve, 150); });
  }
}
