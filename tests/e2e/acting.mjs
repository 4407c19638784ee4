// Acts on mail as people do, looks whether the mailbox has it, and lets another program change mail meanwhile.

import { append, imapSession, search } from './imap.mjs';
import { brokenChain, freshMail } from './mails.mjs';

const PATIENCE_MS = 30_000;
const LABEL = 'Priority';
const FOLDER = 'Kunden/Überläufe';
const FOLDER_RAW = 'Kunden/&ANw-berl&AOQ-ufe';

/** Walks through everything that can be done with mail. `imap` is where the mailbox is, `walk` the tools of the walk. */
export async function act(walk, imap) {
  const { page, base, check, checkAll, expect, must, say, button } = walk;
  const row = (subject) => page.locator('[role=listitem]', { has: page.getByText(subject, { exact: true }) });
  const link = (subject) => row(subject).locator('a.row');
  const notice = (text) => page.locator('.toast', { hasText: text });
  const other = (work) => imapSession(imap, work);
  const holds = (folder, criteria, number, text) => eventually(async () => (await other((send) => search(send, folder, criteria))).length === number, text);
  /** A mail by the number that its subject ends with, or by a subject of its own. */
  const mail = (subject) => (/ \d+$/.test(subject) ? `HEADER Message-ID "<m${/\d+$/.exec(subject)[0]}@walk.example>"` : `SUBJECT "${subject}"`);
  const inbox = async () => {
    await page.goto(`${base}/inbox/inbox`);
    await page.locator('a.row').first().waitFor();
  };

  async function readOnOpen() {
    await inbox();
    const subject = 'Security questionnaire and data residency 0';
    await row(subject).locator('a.row.un').waitFor();
    await row(subject).hover();
    await page.waitForTimeout(900);
    must(await row(subject).locator('a.row.un').count() === 1, 'hovering marked a mail as read');
    await link(subject).click();
    await page.locator('article.msg.open iframe').waitFor();
    await row(subject).locator('a.row:not(.un)').waitFor();
    await holds('INBOX', `${mail(subject)} SEEN`, 1, 'the mailbox did not learn that a mail was read');
    say('opening a mail marked it as read, in the mailbox too');
  }

  async function archiveAndUndo() {
    await inbox();
    const subject = 'Kick-off next Tuesday? 1';
    await row(subject).hover();
    await check('row-actions');
    await row(subject).getByRole('button', { name: 'Archive' }).click();
    await notice('Archived 1 conversation').waitFor();
    await row(subject).waitFor({ state: 'detached' });
    await check('archived');
    await holds('Archive', mail(subject), 1, 'the mailbox did not archive the mail');
    await notice('Archived 1 conversation').getByRole('button', { name: 'Undo' }).click();
    await notice('Undone: Archived').waitFor();
    await row(subject).waitFor();
    await holds('INBOX', mail(subject), 1, 'the mailbox did not take the mail out of the archive');
    say('archived a mail and took it back, in the mailbox too');
  }

  async function starByKey() {
    const subject = 'Countersigned agreement 2';
    await link(subject).focus();
    await page.keyboard.press('s');
    await row(subject).locator('.starred').waitFor();
    await holds('INBOX', `${mail(subject)} FLAGGED`, 1, 'the mailbox did not star the mail');
    await page.keyboard.press('s');
    await row(subject).locator('.starred').waitFor({ state: 'detached' });
    await holds('INBOX', `${mail(subject)} UNFLAGGED`, 1, 'the mailbox kept the star');
    await page.keyboard.press('z');
    await row(subject).locator('.starred').waitFor();
    say('starred by keyboard, and took it back');
  }

  async function bulkTrashAndUndo() {
    const rows = page.locator('[role=listitem]');
    const before = await rows.locator('.sub').allTextContents();
    await rows.nth(3).hover();
    await rows.nth(3).locator('.pick').click();
    await rows.nth(6).locator('.pick').click({ modifiers: ['Shift'] });
    await page.getByText('4 selected').waitFor();
    await checkAll('selected');
    await page.locator('.bulk').getByRole('button', { name: 'Move to the trash' }).click();
    await notice('Moved 4 conversations to the trash').waitFor();
    await holds('Trash', 'ALL', 4, 'the mailbox did not trash the mails');
    await page.keyboard.press('z');
    await notice('Undone: Moved').waitFor();
    await row(before[3]).waitFor();
    await holds('Trash', 'ALL', 0, 'the mailbox kept mails in its trash');
    const after = await rows.locator('.sub').allTextContents();
    must(after.slice(0, 8).join() === before.slice(0, 8).join(), `the rows did not come back to their places: ${before.slice(0, 8)} | ${after.slice(0, 8)}`);
    say('trashed four conversations and took it back, in the mailbox too');
  }

  async function bringBack() {
    const subject = 'Kick-off next Tuesday? 7';
    for (const [key, view, folder, verb, said] of [
      ['#', 'trash', 'Trash', 'Restore from the trash', 'Restored 1 conversation'],
      ['e', 'archive', 'Archive', 'Move out of the archive', 'Took 1 conversation out of the archive']]) {
      await link(subject).click();
      const address = page.url();
      await page.keyboard.press(key);
      await page.waitForURL((url) => url.href !== address && /\/inbox\/inbox\/./.test(url.pathname));
      await holds(folder, mail(subject), 1, `the mail did not come to ${folder}`);
      await page.goto(`${base}/inbox/${view}`);
      await row(subject).hover();
      await row(subject).getByRole('button', { name: verb }).click();
      await notice(said).waitFor();
      await row(subject).waitFor({ state: 'detached' });
      await holds('INBOX', mail(subject), 1, `the mail did not come back from ${folder}`);
      await inbox();
      await row(subject).waitFor();
    }
    say('brought a mail back from the trash and from the archive');
  }

  async function beRefused() {
    const subject = 'Security questionnaire and data residency 0';
    const detail = 'The mailbox is kept to read only.';
    const refuse = (route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Conflict', status: 409, code: 'account_not_active', detail }) });
    await page.route('**/api/email/threads/*', (route) => {
      if (route.request().method() !== 'PATCH') return route.fallback();
      expect(409, new URL(route.request().url()).pathname);
      return refuse(route);
    });
    await link(subject).focus();
    await page.keyboard.press('e');
    await notice(detail).waitFor();
    await row(subject).waitFor();
    await page.unroute('**/api/email/threads/*');
    await check('refused');
    await notice(detail).getByRole('button', { name: 'Close notice' }).click();
    say('a refused change came back with its reason');
  }

  async function moveAndLabel() {
    const subject = 'Security questionnaire and data residency 6';
    await link(subject).click();
    await page.locator('article.msg').first().waitFor();
    const bar = page.getByRole('toolbar', { name: 'Conversation actions' });
    await bar.getByRole('button', { name: 'Label' }).click();
    await page.getByLabel('New label').fill(LABEL);
    await check('labels');
    await button('Apply').click();
    await page.locator('.facts .chip', { hasText: LABEL }).waitFor();
    await holds(LABEL, mail(subject), 1, 'the mailbox has no copy in the folder of the label');
    await bar.getByRole('button', { name: 'Move to a folder' }).click();
    await page.locator('.pop-item').first().waitFor();
    await check('move');
    await page.locator('.pop-item', { hasText: FOLDER }).click();
    await notice(`Moved 1 conversation to ${FOLDER}`).waitFor();
    await row(subject).waitFor({ state: 'detached' });
    await holds(FOLDER_RAW, mail(subject), 1, 'the mailbox did not move the mail');
    await checkAll('moved-on');
    say('labelled and moved a mail, in the mailbox too');
  }

  async function watchOthers() {
    await inbox();
    const arrived = `Arrived on its own at ${new Date().toISOString()}`;
    await other((send) => append(send, 'INBOX', freshMail(imap.user, arrived)));
    await page.locator('a.row.un', { hasText: arrived }).waitFor({ timeout: PATIENCE_MS });
    await link(arrived).click();
    await page.locator('article.msg.open').waitFor();
    const known = 'Countersigned agreement 8';
    await change(known, (uid) => `UID STORE ${uid} +FLAGS (\\Flagged)`);
    await row(known).locator('.starred').waitFor({ timeout: PATIENCE_MS });
    await change(known, (uid) => `UID MOVE ${uid} Archive`);
    await row(known).waitFor({ state: 'detached', timeout: PATIENCE_MS });
    await change(arrived, (uid) => `UID STORE ${uid} +FLAGS (\\Flagged)`);
    await page.locator('article.msg .starred').waitFor({ timeout: PATIENCE_MS });
    await check('changed-elsewhere');
    say('what another program changed appeared by itself');
  }

  async function change(subject, command) {
    await other(async (send) => {
      await send('SELECT INBOX');
      const [uid] = (/^\* SEARCH(.*)\r\n/m.exec(await send(`UID SEARCH ${mail(subject)}`))?.[1] ?? '').trim().split(' ');
      must(uid, `"${subject}" is not in the inbox`);
      await send(command(uid));
    });
  }

  async function joinConversations() {
    const subject = 'Three mails, the middle one late';
    const { first, middle, last } = brokenChain(imap.user, subject);
    const put = (text) => other((send) => append(send, 'INBOX', text));
    await put(first);
    await put(last);
    await eventually(async () => (await row(subject).count()) === 2, 'two conversations did not appear');
    for (const text of ['The first of three.', 'The last of three.']) {
      await page.locator('a.row', { hasText: text }).click();
      await page.frameLocator('article.msg.open iframe').getByText(text).waitFor();
    }
    await put(middle);
    await eventually(async () => (await page.locator('article.msg').count()) === 3, 'the conversation that became part of another is not shown whole');
    await eventually(async () => (await row(subject).count()) === 1, 'two rows stand for one conversation');
    await page.reload();
    await eventually(async () => (await page.locator('article.msg').count()) === 3, 'the address does not show the conversation that it became part of');
    say('two conversations became one while one of them was open');
  }

  async function reconnect() {
    const opened = [];
    let cut = () => {};
    await page.routeWebSocket(/\/api\/ws/, (socket) => {
      const server = socket.connectToServer();
      opened.push(socket.url());
      cut = () => { socket.close(); server.close(); };
    });
    await inbox();
    await link('Countersigned agreement 2').focus();
    await page.keyboard.press('s');
    await row('Countersigned agreement 2').locator('.starred').waitFor({ state: 'detached' });
    await page.waitForTimeout(500);
    cut();
    await eventually(async () => opened.length > 1, 'the page did not connect again');
    must(/[?&]after=\d+/.test(opened[1]), `the page connected again without the last number: ${opened[1]}`);
    say('connected again where the connection broke');
  }

  async function lookBack() {
    await page.goto(`${base}/activity`);
    await page.getByText('Moved 4 messages to the trash').first().waitFor();
    await page.getByText('Confirmed').first().waitFor();
    await button('Show messages').first().click();
    await page.locator('.op-mails li').first().waitFor();
    await checkAll('activity');
    await page.getByRole('link', { name: 'Failed' }).click();
    await page.getByText('Nothing failed').waitFor();
    await page.getByRole('link', { name: 'All', exact: true }).click();
    await page.locator('.ops > li').filter({ hasNotText: 'Took back' }).filter({ hasText: `Moved 1 message to another folder` }).getByRole('button', { name: /^Undo/ }).click();
    await page.getByText('Took back: Moved 1 message to another folder').first().waitFor();
    await holds('INBOX', mail('Security questionnaire and data residency 6'), 1, 'the mailbox did not move the mail back');
    say('looked at the list of changes and took one back there');
  }

  async function prove() {
    await page.goto(`${base}/mailboxes`);
    await page.getByRole('link', { name: 'Manage' }).first().click();
    await page.locator('.whole tbody tr').first().waitFor();
    await button('Check now').click();
    await page.locator('.hint', { hasText: 'All messages are here, compared one by one' }).waitFor({ timeout: 60_000 });
    await button('Check now').waitFor();
    await page.locator('.whole').scrollIntoViewIfNeeded();
    await checkAll('complete');
    say('proved that every mail is here');
  }

  await readOnOpen();
  await archiveAndUndo();
  await starByKey();
  await bulkTrashAndUndo();
  await bringBack();
  await beRefused();
  await moveAndLabel();
  await watchOthers();
  await joinConversations();
  await reconnect();
  await lookBack();
  await prove();
}

/** Waits until `holds()` is true. */
async function eventually(holds, text) {
  const until = Date.now() + PATIENCE_MS;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > until) throw new Error(text);
    await new Promise((resolve) => { setTimeout(resolve, 150); });
  }
}
