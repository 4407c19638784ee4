// Puts mail into a mailbox over plain IMAP, apart from the code under test.

import net from 'node:net';

/** Runs `work(send)` in one signed-in IMAP session; `send(command, literal?)` waits for its tagged OK. */
export async function imapSession({ host, port, user, password }, work) {
  const socket = net.connect(port, host);
  let buffer = '';
  let wake = () => {};
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => { buffer += chunk; wake(); });
  socket.on('error', () => wake());
  const line = async (match) => {
    for (;;) {
      const found = match.exec(buffer);
      if (found) { buffer = buffer.slice(found.index + found[0].length); return found[0]; }
      if (socket.destroyed) throw new Error('the IMAP server hung up');
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 1000); });
    }
  };
  let tag = 0;
  const send = async (command, literal) => {
    tag += 1;
    socket.write(`a${tag} ${command}\r\n`);
    if (literal !== undefined) {
      await line(/^\+[^\r\n]*\r\n/m);
      socket.write(`${literal}\r\n`);
    }
    const answer = await line(new RegExp(`^a${tag} [^\\r\\n]*\\r\\n`, 'm'));
    if (!/^a\d+ OK/.test(answer)) throw new Error(`${command.split(' ')[0]}: ${answer.trim()}`);
  };
  try {
    await line(/^\* OK[^\r\n]*\r\n/m);
    await send(`LOGIN "${user}" "${password}"`);
    return await work(send);
  } finally {
    socket.end('z LOGOUT\r\n');
  }
}

/** Appends one mail (7-bit text) to a folder. */
export async function append(send, folder, mail, { seen = false, date } = {}) {
  const text = mail.replace(/\r?\n/g, '\r\n');
  const flags = seen ? '(\\Seen)' : '()';
  const when = date ? ` "${imapDate(date)}"` : '';
  await send(`APPEND "${folder}" ${flags}${when} {${text.length}}`, text);
}

function imapDate(date) {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const two = (n) => String(n).padStart(2, '0');
  return `${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
