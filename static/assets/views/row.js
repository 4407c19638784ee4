// One conversation in the list: a link, with a tick box over the face and the actions beside it.

import { add, fill, h, icon } from '../dom.js';
import { clean, fullTime, personName, rowTime } from '../format.js';
import { avatar } from '../ui.js';

/** Makes a row. `onPick(event)` hears of its tick box. Returns `{ el, link, show, mark }`. */
export function threadRow(onPick) {
  const link = h('a', { class: 'row', tabindex: '-1' });
  const box = h('input', { type: 'checkbox', tabindex: '-1', onclick: onPick });
  const el = h('div', { role: 'listitem' }, link, h('label', { class: 'pick' }, box));
  let stamp = '';
  const show = (thread, href, own) => {
    const now = JSON.stringify([thread, href]);
    if (now === stamp) return;
    stamp = now;
    link.setAttribute('href', href);
    link.classList.toggle('un', thread.unread_count > 0);
    box.setAttribute('aria-label', `Select the conversation with ${participantsText(thread.participants, own)}: ${clean(thread.subject) || 'no subject'}`);
    fill(link, content(thread, own));
  };
  const mark = ({ selected, picked }) => {
    link.classList.toggle('sel', selected);
    el.classList.toggle('picked', picked);
    box.checked = picked;
    if (selected) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  };
  return { el, link, show, mark };
}

/** Who a thread is with: others by name, "You" for oneself. */
function participantsText(participants, own) {
  const names = (participants ?? []).map((person) => (own.has((person.email ?? person)?.toLowerCase?.()) ? 'You' : personName(person)));
  const unique = [...new Set(names)];
  if (unique.length > 1 && unique.length <= 2) return unique.filter((name) => name !== 'You').join(', ');
  const shown = unique.filter((name) => name !== 'You').slice(0, 3).map((name, _, all) => (all.length > 2 ? name.split(/[\s,]/)[0] : name));
  return shown.join(', ') + (unique.length > 4 ? ` and ${unique.length - 4} more` : '') || unique[0] || 'Unknown';
}

function content(thread, own) {
  const unread = thread.unread_count > 0;
  const other = (thread.participants ?? []).find((person) => !own.has(person.email?.toLowerCase())) ?? thread.participants?.[0];
  return [
    avatar(other),
    h('div', { class: 'grow' },
      h('div', { class: 'l1' },
        h('span', { class: 'who clip' }, participantsText(thread.participants, own)),
        thread.message_count > 1 && h('span', { class: 'cnt num' }, thread.message_count, h('span', { class: 'vh' }, ' messages')),
        unread && h('span', { class: 'vh' }, 'unread'),
        h('time', { datetime: thread.last_message_at, title: fullTime(thread.last_message_at) }, rowTime(thread.last_message_at))),
      h('div', { class: 'sub clip' }, clean(thread.subject) || '(no subject)'),
      h('div', { class: 'snip' }, h('span', { class: 'clip grow' }, clean(thread.snippet)), thread.starred && h('span', { class: 'starred' }, icon('star', 14), h('span', { class: 'vh' }, 'starred')))),
  ];
}

/** Takes a row out of sight: it closes like a drawer, and is gone at once for keys and screen readers. */
export function leave(el) {
  el.classList.add('leaving');
  el.inert = true;
  el.setAttribute('role', 'presentation');
  if (matchMedia('(prefers-reduced-motion: reduce)').matches || !el.isConnected) { el.remove(); return; }
  const height = `${el.offsetHeight}px`;
  el.animate([{ height, opacity: 1 }, { height: 0, opacity: 0 }], { duration: 180, easing: 'ease-out' }).finished.then(() => el.remove(), () => el.remove());
}

/** Grey rows in the shape of real ones. */
export function skeletonRows(number) {
  return add(h('div', { 'aria-hidden': 'true' }), Array.from({ length: number }, () => h('div', { class: 'row' }, h('span', { class: 'av sk' }),
    h('div', { class: 'grow sk-lines' }, h('div', { class: 'sk' }), h('div', { class: 'sk' }), h('div', { class: 'sk' })))));
}
