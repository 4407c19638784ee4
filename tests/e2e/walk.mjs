// Walks a running server as a newcomer does: from the printed link to reading a mail.
//
//   SETUP_LINK     the link that the server printed
//   IMAP_HOST, IMAP_PORT, IMAP_SECURITY (tls, starttls, none), IMAP_USER, IMAP_PASSWORD
//   SMTP_HOST, SMTP_PORT, SMTP_SECURITY
//   EXPECTED       how many mails the mailbox holds (optional)
//   DELIVER_PORT   a plain IMAP port through which mail is delivered, changed and looked up meanwhile (optional)
//   OUTBOX         the folder where the SMTP server of smtp.mjs keeps what it took; mail is written and sent then (optional)
//   SHOTS          a folder for screenshots (optional)
//   CHROMIUM       the browser (/usr/bin/chromium)
//
// Exit status 0 when everything held, 1 with the list of what did not.

import fs from 'node:fs';
import { act } from './acting.mjs';
import { write } from './composing.mjs';
import { openBrowser, SIZES } from './browser.mjs';
import { append, imapSession } from './imap.mjs';
import { freshMail, HOSTILE_SUBJECT, THREAD_SUBJECT } from './mails.mjs';

const env = process.env;
const LINK = env.SETUP_LINK ?? '';
const BASE = new URL(LINK).origin;
const OWNER = { organization: 'Kestrel Software', name: 'Jonas Weber', email: 'owner@kestrel.example', password: 'four quiet words here' };
const IMPORT_MS = 180_000;
const started = Date.now();

if (env.SHOTS) fs.mkdirSync(env.SHOTS, { recursive: true });
const { page, complaints, check, checkAll, expect, close } = await openBrowser({ base: BASE, shots: env.SHOTS });
page.setDefaultTimeout(20_000);

const say = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const must = (truth, text) => { if (!truth) throw new Error(text); };
const button = (name) => page.getByRole('button', { name, exact: true });
const label = (name) => page.getByLabel(name, { exact: true });

async function setUp() {
  await page.goto(LINK);
  await label('Organization').waitFor();
  await checkAll('setup');
  await button('Create the first account').click();
  await page.getByText('Please fill this in.').first().waitFor();
  await label('Organization').fill(OWNER.organization);
  await label('Your name').fill(OWNER.name);
  await label('Email address').fill(OWNER.email);
  await label('Password').fill(OWNER.password);
  await button('Create the first account').click();
  await page.waitForURL('**/connect');
  say('set up, signed in');
}

async function fillServer(group, { host, port, security, user }) {
  const fields = page.getByRole('group', { name: group });
  await fields.getByLabel('Protection').selectOption(security);
  await fields.getByLabel(/server$/).fill(host);
  await fields.getByLabel('Port').fill(String(port));
  await fields.getByLabel('User name').fill(user);
}

async function connect() {
  await page.getByRole('heading', { name: 'Connect the mailbox you work from' }).waitFor();
  await checkAll('connect');
  expect(422, '/api/email/accounts/discover');
  await label('Email address').fill(env.IMAP_USER);
  await button('Find the settings').click();
  await label('Password or app password').waitFor({ timeout: 60_000 });
  await check('connect-settings');
  if (await button('Edit by hand').isVisible()) await button('Edit by hand').click();
  await fillServer('Incoming mail (IMAP)', { host: env.IMAP_HOST, port: env.IMAP_PORT, security: env.IMAP_SECURITY, user: env.IMAP_USER });
  await fillServer('Outgoing mail (SMTP)', { host: env.SMTP_HOST, port: env.SMTP_PORT, security: env.SMTP_SECURITY, user: env.IMAP_USER });
  expect(422, '/api/email/accounts');
  await label('Password or app password').fill('certainly wrong');
  await button('Test and connect').click();
  await page.locator('input[aria-invalid=true]').waitFor({ timeout: 60_000 });
  must(await label('Password or app password').getAttribute('aria-invalid') === 'true', 'a wrong password is not shown at the password field');
  await check('connect-refused');
  await label('Password or app password').fill(env.IMAP_PASSWORD);
  await button('Test and connect').click();
  await page.locator('section.sync').waitFor({ timeout: 60_000 });
  say('connected');
}

async function watchImport() {
  const ring = page.locator('section.sync [role=progressbar]').first();
  let last = 0;
  let steps = 0;
  let seen = false;
  const until = Date.now() + IMPORT_MS;
  for (;;) {
    const value = Number(await ring.getAttribute('aria-valuenow') ?? 0);
    must(value >= last, `the progress went back from ${last} to ${value}`);
    if (value > last) steps += 1;
    last = value;
    if (!seen && value > 0 && value < 100) { seen = true; await check('importing'); }
    if (value === 100) break;
    must(Date.now() < until, `the import stopped at ${value} %`);
    await page.waitForTimeout(100);
  }
  await page.getByText(/^New mail arrives/).first().waitFor();
  if (env.EXPECTED) {
    const big = page.locator('section.sync .big', { hasText: new RegExp(`^${Number(env.EXPECTED).toLocaleString('en')}$`) });
    await big.waitFor().catch(async () => must(false, `${await page.locator('section.sync .big').textContent()} mails are shown, ${env.EXPECTED} are there`));
  }
  await checkAll('imported');
  say(`imported, ${steps} steps seen`);
}

async function read() {
  await page.getByRole('link', { name: 'Open inbox' }).click();
  const row = page.locator('a.row', { hasText: THREAD_SUBJECT });
  await row.waitFor();
  await checkAll('inbox');
  await row.click();
  const frame = page.frameLocator('article.msg.open iframe').last();
  await frame.getByText('the phased schedule works for us').waitFor();
  must(await page.locator('article.msg').count() === 2, 'the thread does not hold both mails');
  const height = await page.locator('article.msg.open iframe').last().evaluate((el) => [el.clientHeight, el.contentDocument.documentElement.scrollHeight]);
  must(height[0] >= height[1], `the frame is ${height[0]} high, its mail ${height[1]}`);
  await checkAll('thread');
  const file = page.getByRole('link', { name: /Volume-2027\.csv/ });
  const [download] = await Promise.all([page.waitForEvent('download'), file.click()]);
  must(download.suggestedFilename() === 'Volume-2027.csv', `the file is called ${download.suggestedFilename()}`);
  say('read a mail, downloaded its attachment');
}

async function survive() {
  await page.locator('a.row', { hasText: HOSTILE_SUBJECT }).click();
  await page.frameLocator('article.msg.open iframe').getByText('Harmless text.').waitFor();
  await page.waitForTimeout(500);
  must(await page.evaluate(() => globalThis.pwned === undefined), 'a mail ran a script');
  await check('hostile');
  await page.locator('a.row', { hasText: 'Autumn offer' }).click();
  await page.frameLocator('article.msg.open iframe').getByText('Twelve months').waitFor();
  await checkAll('designed');
  say('a hostile and a designed mail were shown safely');
}

async function useKeys() {
  await page.goto(`${BASE}/inbox/inbox`);
  await page.locator('a.row').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('article.msg').first().waitFor();
  const first = page.url();
  await page.keyboard.press('j');
  await page.waitForURL((url) => url.href !== first);
  await page.keyboard.press('Escape');
  await page.waitForURL('**/inbox/inbox');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await check('keys');
  await page.keyboard.press('Escape');
  say('moved by keyboard');
}

async function receive() {
  if (!env.DELIVER_PORT) return;
  const subject = `Arrived at ${new Date().toISOString()}`;
  await imapSession({ host: env.IMAP_HOST, port: Number(env.DELIVER_PORT), user: env.IMAP_USER, password: env.IMAP_PASSWORD },
    (send) => append(send, 'INBOX', freshMail(env.IMAP_USER, subject)));
  await button('Sync now').click();
  await page.locator('a.row', { hasText: subject }).waitFor({ timeout: 30_000 });
  await check('arrived');
  say('a new mail appeared by itself');
}

async function manage() {
  for (const [name, path] of [['mailboxes', '/mailboxes'], ['team', '/settings/team'], ['api-keys', '/settings/api-keys'], ['sessions', '/settings/sessions']]) {
    await page.goto(BASE + path);
    await page.locator('.box').first().waitFor();
    await page.waitForTimeout(200);
    await checkAll(name);
  }
  await page.goto(`${BASE}/mailboxes`);
  await page.getByRole('link', { name: 'Manage' }).first().click();
  await page.getByRole('heading', { name: 'Folders' }).waitFor();
  await page.getByText('Kunden/Überläufe').first().waitFor();
  await checkAll('mailbox');
  await button('Pause').click();
  await button('Resume').click();
  await button('Pause').waitFor();
  say('looked at mailboxes and settings, paused and resumed');
}

async function readDocs() {
  await page.goto(`${BASE}/api/docs`);
  await page.getByRole('heading', { name: 'API', exact: true }).waitFor();
  await checkAll('docs');
  await page.getByLabel('Find a call').fill('threads');
  await page.locator('.op:visible', { hasText: '/api/email/threads/{id}' }).locator('summary').first().click();
  await page.locator(':text-is("Answers"):visible').first().waitFor();
  await page.locator(':text("What is inside"):visible').first().click();
  await checkAll('docs-call');
  say('read the description of the API');
}

async function invite() {
  await page.goto(`${BASE}/settings/team`);
  await button('Invite').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Katrin Vogel');
  await dialog.getByLabel('Email address').fill('katrin@kestrel.example');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  await check('invitation-link');
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await page.goto(`${BASE}/settings/api-keys`);
  await button('New key').click();
  await page.getByRole('dialog').getByLabel('Name').fill('CRM server');
  await button('Make the key').click();
  must((await page.getByLabel('Key', { exact: true }).inputValue()).startsWith('dx_'), 'no key was shown');
  await button('I have copied it').click();
  await page.getByText('CRM server').waitFor();
  say('made an invitation and a key');
  return link;
}

async function comeBack(link) {
  await page.goto(`${BASE}/inbox/inbox`);
  await page.locator('a.row', { hasText: THREAD_SUBJECT }).click();
  await page.locator('article.msg').first().waitFor();
  const deep = page.url();
  await page.goto(`${BASE}/settings`);
  await button('Sign out').first().click();
  await page.waitForURL('**/login');
  await page.goto(deep);
  await page.waitForURL('**/login?next=*');
  await checkAll('login');
  expect(401, '/api/session');
  await label('Email address').fill(OWNER.email);
  await label('Password').fill('not the password');
  await button('Sign in').click();
  await page.getByRole('alert').waitFor();
  await check('login-refused');
  await label('Password').fill(OWNER.password);
  await button('Sign in').click();
  await page.waitForURL(deep);
  await page.locator('article.msg').first().waitFor();
  await page.goto(`${BASE}/setup?token=used`);
  await page.getByText('Set-up is closed').waitFor();
  await page.goto(`${BASE}/settings`);
  await button('Sign out').first().click();
  await page.waitForURL('**/login');
  await page.goto(`${BASE}/password-reset?token=used`);
  await label('New password').waitFor();
  await page.goto(link);
  await label('Password').fill('another four quiet words');
  await checkAll('invite');
  await button('Join').click();
  await page.waitForURL(`${BASE}/`);
  await page.getByText('Connect a mailbox').first().waitFor();
  await checkAll('empty');
  say('signed out, in again at the deep link, and joined by invitation');
}

let failed = null;
try {
  await page.setViewportSize(SIZES.wide);
  await setUp();
  await connect();
  await watchImport();
  await read();
  await survive();
  await useKeys();
  await receive();
  if (env.DELIVER_PORT) await act({ page, base: BASE, check, checkAll, expect, must, say, button }, { host: env.IMAP_HOST, port: Number(env.DELIVER_PORT), user: env.IMAP_USER, password: env.IMAP_PASSWORD });
  if (env.OUTBOX) await write({ page, base: BASE, check, checkAll, expect, must, say, button, label }, { host: env.IMAP_HOST, port: Number(env.DELIVER_PORT), user: env.IMAP_USER, password: env.IMAP_PASSWORD }, env.OUTBOX);
  await manage();
  await readDocs();
  await comeBack(await invite());
} catch (error) {
  failed = error;
  if (env.SHOTS) await page.screenshot({ path: `${env.SHOTS}/failed.png` }).catch(() => {});
}
await close();
for (const text of new Set(complaints)) console.log(`not right: ${text}`);
if (failed) console.log(`stopped: ${failed.stack}`);
process.exit(failed || complaints.length ? 1 : 0);
