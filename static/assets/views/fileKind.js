// The small coloured mark that tells kinds of files apart.

import { h } from '../dom.js';

const KINDS = [[/pdf/, 'PDF', 'c-red'], [/sheet|excel|csv/, 'XLS', 'c-green'], [/word|document|rtf|text\//, 'DOC', 'c-blue'], [/presentation|powerpoint/, 'PPT', 'c-amber'],
  [/^image\//, 'IMG', 'c-plum'], [/zip|compressed|tar/, 'ZIP', 'c-bronze'], [/calendar/, 'ICS', 'c-teal'], [/rfc822/, 'EML', 'c-iris']];

/** The mark of a file, hidden from screen readers: its name speaks. */
export function fileMark(mimeType, name) {
  const [, short, colour] = KINDS.find(([match]) => match.test(`${mimeType} ${name.toLowerCase()}`)) ?? [null, 'FILE', 'c-iris'];
  return h('span', { class: ['ft', colour], 'aria-hidden': 'true' }, short);
}
