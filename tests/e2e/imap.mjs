// Reads and changes a mailbox over plain IMAP, apart from the code under test.

import net from 'node:net';

/** Runs `work(send)` in one signed-in IMAP session; `send(command, literal?)` resolves with the answer up to its tagged OK. */
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
      if (found) {
        const text = buffer.slice(0, found.index);
        buffer = buffer.slice(found.index + found[0].length);
        return { text, line: found[0] };
      }
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
    const { text, line: end } = await line(new RegExp(`^a${tag} [^\\r\\n]*\\r\\n`, 'm'));
    if (!/^a\d+ OK/.test(end)) throw new Error(`${command.split(' ')[0]}: ${end.trim()}`);
    return text;
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

/** The UIDs of the mails in a folder that fit, such as `SUBJECT "Hello" SEEN`. */
export async function search(send, folder, criteria) {
  await send(`EXAMINE "${folder}"`);
  const found = /^\* SEARCH(.*)\r\n/m.exec(await send(`UID SEARCH ${criteria}`));
  return (found?.[1] ?? '').trim().split(' ').filter(Boolean);
}

function imapDate(date) {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const two = (n) => String(n).padStart(2, '0');
  return `${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
