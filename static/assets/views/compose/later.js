// When a mail is to be sent: a few good times, or one's own, in the time zone of whoever looks.

import { h, icon } from '../../dom.js';
import { clock, weekday } from '../../format.js';
import { popover } from '../../popover.js';

const shortMoment = (date) => `${weekday(date)} ${clock(date)}`;
const two = (n) => String(n).padStart(2, '0');
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

function at(days, hour, now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
}

/** Good times from now on: `[label, Date]`. */
export function presets(now = new Date()) {
  const monday = ((8 - now.getDay()) % 7) || 7;
  return [
    now.getHours() < 11 && ['This afternoon', at(0, 14, now)],
    now.getHours() >= 11 && now.getHours() < 17 && ['This evening', at(0, 18, now)],
    ['Tomorrow morning', at(1, 8, now)],
    ['Tomorrow afternoon', at(1, 14, now)],
    monday > 1 && ['Monday morning', at(monday, 8, now)],
  ].filter(Boolean);
}

/** What a field for date and time shows for a moment, in local time. */
export const localValue = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;

/** Asks for a time at `anchor`; `done(iso)` gets it. */
export function askWhen(anchor, value, done) {
  popover(anchor, 'Send later', (close) => {
    const choose = (date) => { close(); done(date.toISOString()); };
    const start = value && new Date(value) > new Date() ? new Date(value) : at(1, 9, new Date());
    const input = h('input', { type: 'datetime-local', 'aria-label': 'Date and time', value: localValue(start), min: localValue(new Date()), required: true });
    const note = h('p', { class: 'hint', id: 'later-zone' }, `In your time zone, ${zone()}.`);
    input.setAttribute('aria-describedby', 'later-zone');
    const apply = () => {
      const date = new Date(input.value);
      const wrong = Number.isNaN(date.getTime()) ? 'Give a date and a time.' : date <= new Date() ? 'Choose a time that is still to come.' : '';
      note.className = wrong ? 'bad-text' : 'hint';
      note.setAttribute('role', wrong ? 'alert' : 'note');
      note.textContent = wrong || `In your time zone, ${zone()}.`;
      if (!wrong) choose(date);
    };
    input.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); apply(); } });
    return [h('h2', null, 'Send later'),
      h('ul', { class: 'pop-list' }, presets().map(([label, date], index) => h('li', null, h('button', { type: 'button', class: 'pop-item', 'data-first': index === 0, onclick: () => choose(date) },
        icon('clock', 15), h('span', { class: 'grow' }, label), h('small', { class: 'num muted' }, shortMoment(date)))))),
      h('div', { class: 'pop-in pop-own' }, h('div', { class: 'in' }, input), note, h('button', { type: 'button', class: 'btn wide', onclick: apply }, 'Schedule'))];
  });
}
