// Starts everything the walk needs (a private Dovecot, an SMTP sink, the server on a fresh database),
// fills the mailbox, and walks.
//
//   DUPLEX_BIN   the server (target/debug/duplex)
//   MAILS        how many mails the mailbox holds (400)
//   SHOTS, CHROMIUM   as in walk.mjs

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { imapSession } from './imap.mjs';
import { fill } from './mails.mjs';
import { smtpServer } from './smtp.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const MAILS = Number(process.env.MAILS ?? 400);
const USER = 'jonas@weber.example';
const START_MS = 60_000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'duplex-walk-'));
const children = [];

/** Starts a program that ends with this one. */
function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  child.stderr.setEncoding('utf8');
  children.push(child);
  return child;
}

/** Resolves with the first line of the program's output that `pick` accepts. */
function waitForLine(child, pick, name) {
  return new Promise((resolve, reject) => {
    const log = [];
    const timer = setTimeout(() => reject(new Error(`${name} did not start:\n${log.join('\n')}`)), START_MS);
    const onLine = (line) => {
      log.push(line);
      const found = pick(line);
      if (found) { clearTimeout(timer); resolve(found); }
    };
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    child.on('exit', (code) => { clearTimeout(timer); reject(new Error(`${name} ended with status ${code}:\n${log.join('\n')}`)); });
    child.on('error', reject);
  });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const dovecot = start(path.join(ROOT, 'scripts/private-dovecot'), []);
  const imap = await waitForLine(dovecot, (line) => line.startsWith('{') && JSON.parse(line), 'Dovecot');
  const outbox = path.join(folder, 'outbox');
  fs.mkdirSync(outbox);
  const sink = await smtpServer({ password: 'pw', folder: outbox });
  await imapSession({ host: '127.0.0.1', port: imap.imap_port, user: USER, password: 'pw' }, (send) => fill(send, USER, MAILS));
  const address = `127.0.0.1:${await freePort()}`;
  const data = path.join(folder, 'data');
  fs.mkdirSync(data);
  const server = start(process.env.DUPLEX_BIN ?? path.join(ROOT, 'target/debug/duplex'), ['serve'], {
    cwd: folder,
    env: { PATH: process.env.PATH, BIND_ADDR: address, APP_URL: `http://${address}`, DATA_DIR: data, ALLOW_PRIVATE_NETWORKS: 'true', LOG_FORMAT: 'json', RUST_LOG: 'info' },
  });
  server.stdout.pipe(fs.createWriteStream(path.join(folder, 'server.log')));
  const link = await waitForLine(server, (line) => /https?:\/\/[^\s"\\]+\/setup\?token=[\w-]{20,}/.exec(line)?.[0], 'The server');
  const walk = spawn(process.execPath, [path.join(HERE, 'walk.mjs')], {
    stdio: 'inherit',
    env: {
      ...process.env, SETUP_LINK: link, EXPECTED: String(MAILS),
      IMAP_HOST: '127.0.0.1', IMAP_PORT: String(imap.imap_port), IMAP_SECURITY: 'none', IMAP_USER: USER, IMAP_PASSWORD: 'pw', DELIVER_PORT: String(imap.imap_port),
      SMTP_HOST: '127.0.0.1', SMTP_PORT: String(sink.port), SMTP_SECURITY: 'none', OUTBOX: outbox,
    },
  });
  const status = await new Promise((resolve) => { walk.on('exit', resolve); });
  sink.close();
  return status ?? 1;
}

let status = 1;
try {
  status = await main();
} catch (error) {
  console.error(error.message);
}
for (const child of children) {
  child.stdin.end();
  child.kill();
}
if (status === 0) fs.rmSync(folder, { recursive: true, force: true });
else console.error(`The server's log is in ${folder}`);
process.exit(status);
