// A small, strict SMTP server: it holds clients to the order of commands and to whole lines, refuses some recipients on
// purpose, and keeps every mail that it took, for the walk to read.

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const SIZE = 35_000_000;

/** What becomes of a recipient, by the part before the @. */
const REFUSALS = { nobody: '550 5.1.1 There is no such mailbox here', full: '452 4.2.2 The mailbox is full, try later' };

/**
 * Starts the server. `folder` gets one JSON file for each mail that was taken: `{ from, to, data }`, and one called
 * `complaint-…` for what no client may do. Resolves with `{ port, close }`.
 */
export function smtpServer({ password, folder }) {
  let number = 0;
  const write = (name, content) => {
    number += 1;
    const file = path.join(folder, `${name}-${String(number).padStart(4, '0')}.json`);
    fs.writeFileSync(`${file}.part`, JSON.stringify(content));
    fs.renameSync(`${file}.part`, file);
  };
  const server = net.createServer((socket) => {
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    serve(socket, { password, keep: (mail) => write('mail', mail), complain: (text) => write('complaint', { text }) });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, close: () => server.close() }));
  });
}

/** The mails that a server kept, in the order of their arrival. */
export function received(folder) {
  return files(folder, 'mail-').map((mail) => ({ ...mail, ...readMail(mail.data) }));
}

/** What clients did that they may not. */
export const complaints = (folder) => files(folder, 'complaint-').map(({ text }) => text);

const files = (folder, start) => fs.readdirSync(folder).filter((name) => name.startsWith(start) && name.endsWith('.json')).sort()
  .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')));

function serve(socket, { password, keep, complain }) {
  const session = { greeted: false, signedIn: false, from: null, to: [], data: null, login: false };
  let buffer = '';
  const say = (line) => socket.write(`${line}\r\n`, 'latin1');
  const wrong = (text, line) => { complain(text); say(line); };
  const judge = (text) => {
    session.login = false;
    session.signedIn = Buffer.from(text, 'base64').toString().endsWith(`\0${password}`);
    say(session.signedIn ? '235 2.7.0 signed in' : '535 5.7.8 wrong password');
  };
  const reset = () => Object.assign(session, { from: null, to: [], data: null });
  const finish = () => {
    const data = session.data.map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n');
    if (/^Subject:.*refuse the text/im.test(data)) { reset(); say('554 5.7.1 This text is not wanted here'); return; }
    keep({ from: session.from, to: session.to, data });
    reset();
    say('250 2.0.0 taken');
  };
  const commands = {
    EHLO: () => { reset(); session.greeted = true; say(`250-sink\r\n250-SIZE ${SIZE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN`); },
    HELO: () => { session.greeted = true; say('250 sink'); },
    AUTH: (rest) => {
      const [way, first] = rest.split(' ');
      if (way.toUpperCase() !== 'PLAIN') say('504 5.5.4 only PLAIN');
      else if (first) judge(first);
      else { session.login = true; say('334 '); }
    },
    MAIL: (rest) => {
      const address = /^FROM:<([^<>]*)>((?: \S+)*)$/i.exec(rest);
      if (!session.signedIn) { say('530 5.7.0 sign in first'); return; }
      if (!address) { wrong(`MAIL ${rest}`, '501 5.5.4 syntax'); return; }
      if (session.from !== null) { wrong('MAIL twice', '503 5.5.1 one at a time'); return; }
      if (Number(/ SIZE=(\d+)/i.exec(address[2])?.[1] ?? 0) > SIZE) { say('552 5.3.4 too large'); return; }
      [, session.from] = address;
      say('250 2.1.0 fine');
    },
    RCPT: (rest) => {
      const address = /^TO:<([^<>\s]+@[^<>\s]+)>/i.exec(rest);
      if (session.from === null) { wrong('RCPT before MAIL', '503 5.5.1 MAIL first'); return; }
      if (!address) { wrong(`RCPT ${rest}`, '501 5.5.4 syntax'); return; }
      const refusal = REFUSALS[address[1].split('@')[0].toLowerCase()];
      if (!refusal) session.to.push(address[1]);
      say(refusal ?? '250 2.1.5 fine');
    },
    DATA: () => {
      if (!session.to.length) { say('503 5.5.1 no valid recipient'); return; }
      session.data = [];
      say('354 go on');
    },
    RSET: () => { reset(); say('250 2.0.0 fine'); },
    NOOP: () => say('250 2.0.0 fine'),
    QUIT: () => socket.end('221 2.0.0 bye\r\n'),
  };
  const onLine = (line) => {
    if (session.data) {
      if (line === '.') finish();
      else session.data.push(line);
      return;
    }
    if (session.login) { judge(line); return; }
    const [, verb, rest] = /^(\S*) ?(.*)$/s.exec(line);
    const command = commands[verb.toUpperCase()];
    if (!command) { wrong(`unknown command ${verb}`, '500 5.5.2 unknown'); return; }
    if (!session.greeted && !['EHLO', 'HELO', 'QUIT'].includes(verb.toUpperCase())) { wrong(`${verb} before EHLO`, '503 5.5.1 EHLO first'); return; }
    command(rest);
  };
  say('220 sink ready');
  socket.on('data', (chunk) => {
    buffer += chunk;
    for (let at = buffer.indexOf('\n'); at >= 0; at = buffer.indexOf('\n')) {
      const whole = buffer.slice(0, at + 1);
      buffer = buffer.slice(at + 1);
      if (!whole.endsWith('\r\n') || /\r(?!\n)/.test(whole)) complain(`a line that does not end in CR LF: ${JSON.stringify(whole.slice(0, 60))}`);
      else if (whole.length > 1000) complain(`a line of ${whole.length} characters`);
      onLine(whole.replace(/\r?\n$/, ''));
    }
  });
}

/** Reads a mail apart from the code under test: `{ headers, subject, parts: [{ type, name, text }] }`. */
function readMail(data) {
  const { headers, body } = split(data);
  return { headers, subject: decodeWords(headers.subject ?? ''), parts: leaves(headers, body) };
}

function split(data) {
  const at = data.indexOf('\r\n\r\n');
  const headers = {};
  for (const line of data.slice(0, at).replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { headers, body: data.slice(at + 4) };
}

function leaves(headers, body) {
  const type = headers['content-type'] ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary) {
    return body.split(`--${boundary}`).slice(1).filter((part) => !part.startsWith('--')).flatMap((part) => {
      const inner = split(part.replace(/^\r\n/, '').replace(/\r\n$/, ''));
      return leaves(inner.headers, inner.body);
    });
  }
  const coding = (headers['content-transfer-encoding'] ?? '7bit').toLowerCase();
  const bytes = coding === 'base64' ? Buffer.from(body, 'base64')
    : coding === 'quoted-printable' ? Buffer.from(body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1') : Buffer.from(body, 'latin1');
  const name = /filename="?([^";]+)"?/i.exec(headers['content-disposition'] ?? '')?.[1] ?? null;
  return [{ type: type.split(';')[0].trim().toLowerCase(), name, text: bytes.toString('utf8') }];
}

/** The encoded words of RFC 2047. */
function decodeWords(text) {
  return text.replace(/\?=\s+=\?/g, '?==?').replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how, word) => (how.toLowerCase() === 'b' ? Buffer.from(word, 'base64')
    : Buffer.from(word.replace(/_/g, ' ').replace(/=([0-9A-F]{2})/gi, (__, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')).toString('utf8'));
}
