// The mailbox that the walk reads: a few threads worth looking at, and many plain mails behind them.

import { append } from './imap.mjs';

const PEOPLE = [['Elena Fischer', 'elena.fischer@nordwind.example'], ['Priya Raman', 'priya@aster.example'], ['=?UTF-8?Q?Tom=C3=A1s_Oliveira?=', 'tomas@bramble.example'],
  ['Dana Whitfield', 'dana@whitfield.example'], ['Marcus Bell', 'marcus.bell@oakline.example'], ['=?UTF-8?B?5bGx55SwIOiKseWtkA==?=', 'hanako@yamada.example']];
const SUBJECTS = ['Security questionnaire and data residency', 'Kick-off next Tuesday?', 'Countersigned agreement', 'Renewal terms for 2027', 'Pilot results and next steps', 'Invoice 2026-114'];

/** The subject of the thread that the walk opens. */
export const THREAD_SUBJECT = 'Fleet rollout, revised proposal';

/** The hostile mail's subject: if it became markup, the page would run it. */
export const HOSTILE_SUBJECT = '<img src=x onerror=alert(1)> Not markup';

const header = ({ from, to, subject, date, id, reply, type = 'text/plain; charset=utf-8' }) => [
  `From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Date: ${date.toUTCString().replace('GMT', '+0000')}`, `Message-ID: <${id}>`,
  reply && `In-Reply-To: <${reply}>\nReferences: <${reply}>`, 'MIME-Version: 1.0', `Content-Type: ${type}`, '', ''].filter((line) => line !== undefined && line !== false).join('\n');

const person = ([name, email]) => `${/=\?/.test(name) ? name : `"${name}"`} <${email}>`;

/** A mail that just arrived. */
export function freshMail(to, subject) {
  return header({ from: person(PEOPLE[1]), to, subject, date: new Date(), id: `fresh-${Date.now()}@aster.example` }) + 'It arrived while the inbox was open.\n';
}

/** Three mails of one conversation; without the middle one nothing shows that the outer two belong together. */
export function brokenChain(to, subject) {
  const mail = (id, reply, text) => header({ from: person(PEOPLE[0]), to, subject, date: new Date(), id: `${id}@walk.example`, reply: reply && `${reply}@walk.example` }) + `${text}\n`;
  return { first: mail('chain-1', null, 'The first of three.'), middle: mail('chain-2', 'chain-1', 'The one between.'), last: mail('chain-3', 'chain-2', 'The last of three.') };
}

/** Fills a mailbox with `count` mails in several folders. Resolves to the number of mails. */
export async function fill(send, owner, count) {
  const me = `"Jonas Weber" <${owner}>`;
  const now = Date.now();
  const at = (minutes) => new Date(now - minutes * 60_000);
  await send('CREATE "Kunden/&ANw-berl&AOQ-ufe"').catch(() => {});
  const put = (folder, mail, minutes, seen) => append(send, folder, mail, { seen, date: at(minutes) });
  await put('INBOX', header({ from: me, to: person(PEOPLE[0]), subject: THREAD_SUBJECT, date: at(3000), id: 'fleet-proposal@walk.example' }) + 'Hi Elena,\n\nas promised here is the proposal for the 140 vehicles.\n\nJonas\n', 3000, true);
  await put('INBOX', thread(me, at(12)), 12, false);
  await put('INBOX', hostile(me, at(25)), 25, false);
  await put('INBOX', designed(me, at(40)), 40, true);
  for (let i = 0; i < count - 4; i += 1) {
    const from = person(PEOPLE[i % PEOPLE.length]);
    const folder = ['INBOX', 'INBOX', 'INBOX', 'Sent', 'Archive', 'Kunden/&ANw-berl&AOQ-ufe'][i % 6];
    const minutes = 90 + i * 47;
    const mail = header({ from: folder === 'Sent' ? me : from, to: folder === 'Sent' ? from : me, subject: `${SUBJECTS[i % SUBJECTS.length]} ${i}`, date: at(minutes), id: `m${i}@walk.example` });
    await put(folder, `${mail}Hello,\n\nthis is mail number ${i}. We went from 41 to 12 minutes per shipment, so the team\nwould like to go on.\n\nRegards\n`, minutes, i % 4 !== 0);
  }
  return count;
}

function thread(me, date) {
  const text = '<p>Hi Jonas,</p><p>thank you, the phased schedule works for us. Two questions before I take it to the board on Thursday:</p>'
    + '<ol><li>Can the depot in Kiel move to phase one? Their contract ends in January.</li><li>Is the rate on page 4 fixed for all 36 months?</li></ol>'
    + '<p>I added comments to <a href="https://nordwind.example/timeline">the shared timeline</a> and attached our volume forecast.</p><p>Best regards,<br>Elena</p>';
  return header({ from: person(PEOPLE[0]), to: me, subject: `Re: ${THREAD_SUBJECT}`, date, id: 'fleet-answer@walk.example', reply: 'fleet-proposal@walk.example', type: 'multipart/mixed; boundary="walk"' })
    + `--walk\nContent-Type: text/html; charset=utf-8\n\n${text}\n--walk\nContent-Type: text/csv; name="Volume-2027.csv"\nContent-Disposition: attachment; filename="Volume-2027.csv"\n\nmonth,vehicles\nJanuary,140\n--walk--\n`;
}

function hostile(me, date) {
  return header({ from: '"<b>Mallory</b>" <mallory@attacker.example>', to: me, subject: HOSTILE_SUBJECT, date, id: 'hostile@attacker.example', type: 'text/html; charset=utf-8' })
    + '<p>Harmless text.</p><script>window.top.pwned = true; document.title = "pwned"</script><img src="http://attacker.example/pixel.png" onerror="window.top.pwned = true" width="40" height="40">'
    + '<style>@import url(http://attacker.example/a.css); body { background: url(http://attacker.example/b.png) }</style><form action="http://attacker.example/"><input name="q"></form>'
    + '<iframe src="http://attacker.example/frame"></iframe><meta http-equiv="refresh" content="0;url=http://attacker.example/"><a href="javascript:alert(1)">click</a>\n';
}

function designed(me, date) {
  return header({ from: '"Oakline Retail" <news@oakline.example>', to: me, subject: 'Autumn offer for your depots', date, id: 'designed@oakline.example', type: 'text/html; charset=utf-8' })
    + '<table width="640" bgcolor="#eef2ff" cellpadding="24"><tr><td><h1 style="color:#23235b;font-family:Arial">Autumn offer</h1><p style="font-family:Arial">Twelve months at the price of ten, until the end of November.</p>'
    + '<img src="https://oakline.example/banner.png" width="560" height="120" alt="Banner"></td></tr></table>\n';
}
