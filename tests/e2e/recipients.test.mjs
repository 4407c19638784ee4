// How addresses are read, and who gets an answer. The pages' own modules, without a browser.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ASSETS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../static/assets');
const load = async (name, imports = {}) => {
  let source = fs.readFileSync(path.join(ASSETS, name), 'utf8');
  for (const [from, to] of Object.entries(imports)) source = source.replace(`'${from}'`, `'${to}'`);
  return `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
};
const format = await load('format.js');
const { answerTo, complaintAbout, hasMore, parseList, subjectOf, unique, written } = await import(await load('recipients.js', { './format.js': format }));

const emails = (text) => parseList(text).map(({ email }) => email);
const [me, elena, katrin] = ['me@weber.example', 'elena@nordwind.example', 'katrin@nordwind.example'].map((email) => ({ email }));
const own = new Set([me.email, 'sales@weber.example']);

test('a list may be separated by commas, semicolons, lines or spaces', () => {
  assert.deepEqual(emails('a@x.example, b@x.example; c@x.example\nd@x.example e@x.example'), ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example', 'e@x.example']);
  assert.deepEqual(emails(' ,;\n '), []);
});

test('names keep their commas and lose their quotes', () => {
  assert.deepEqual(parseList('"Fischer, Elena" <elena@nordwind.example>; Tomás Oliveira <t@x.example>'), [
    { email: 'elena@nordwind.example', name: 'Fischer, Elena' }, { email: 't@x.example', name: 'Tomás Oliveira' }]);
  assert.equal(written({ email: 'elena@nordwind.example', name: 'Fischer, Elena' }), '"Fischer, Elena" <elena@nordwind.example>');
  assert.deepEqual(emails('mailto:a@x.example'), ['a@x.example']);
});

test('a quote that never ends does not swallow the next line', () => {
  assert.deepEqual(emails('"Broken <a@x.example>\nb@x.example'), ['a@x.example', 'b@x.example']);
});

test('addresses of every script pass, broken ones are named', () => {
  for (const good of ['a@x.example', 'a.b+c@sub.x.example', 'jörg@müller.example', '用户@例え.テスト', 'राम@मोहन.ईन्फो']) assert.equal(complaintAbout(good), null, good);
  for (const bad of ['a', '@x.example', 'a@', 'a@x', 'a..b@x.example', 'a b@x.example', 'a@-x.example', 'a@x..example', 'a\r\n@x.example', 'a@x.example\u2028']) assert.ok(complaintAbout(bad), JSON.stringify(bad));
});

test('everybody stands once', () => {
  assert.deepEqual(unique([elena, { email: 'ELENA@nordwind.example' }, katrin, { email: '' }]), [elena, katrin]);
});

test('an answer goes to the sender, or where the sender wants it', () => {
  const mail = { from: elena, to: [me], cc: [katrin], reply_to: [] };
  assert.deepEqual(answerTo(mail, false, own), { to: [elena], cc: [] });
  assert.deepEqual(answerTo({ ...mail, reply_to: [{ email: 'list@x.example' }] }, false, own).to, [{ email: 'list@x.example' }]);
});

test('an answer to all leaves oneself out, under every address', () => {
  const mail = { from: elena, to: [me, katrin], cc: [{ email: 'Sales@weber.example' }, elena, { email: 'x@x.example' }], reply_to: [] };
  assert.deepEqual(answerTo(mail, true, own), { to: [elena, katrin], cc: [{ email: 'x@x.example' }] });
  assert.ok(hasMore(mail, own));
  assert.ok(!hasMore({ from: elena, to: [me], cc: [] }, own));
});

test('whoever answers an own mail goes on writing to its recipients', () => {
  assert.deepEqual(answerTo({ from: me, to: [elena], cc: [katrin] }, true, own), { to: [elena], cc: [katrin] });
});

test('the mark of an answer or a forward stands once', () => {
  assert.equal(subjectOf({ subject: 'Terms' }, 'reply'), 'Re: Terms');
  assert.equal(subjectOf({ subject: 'RE: Terms' }, 'reply'), 'RE: Terms');
  assert.equal(subjectOf({ subject: 'AW: Terms' }, 'reply_all'), 'AW: Terms');
  assert.equal(subjectOf({ subject: 'Re: Terms' }, 'forward'), 'Fwd: Re: Terms');
  assert.equal(subjectOf({ subject: null }, 'reply'), 'Re:');
});
