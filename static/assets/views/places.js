// Where mail can go: the menu of folders, and the labels with ticks.

import { mailsOf } from '../carry.js';
import { fill, h, icon } from '../dom.js';
import { clean, folderName } from '../format.js';
import { popover } from '../popover.js';
import { account, foldersOf } from '../store.js';
import { toastProblem } from '../ui.js';
import { folderIcon, inOrder } from './folders.js';

const FILTER_FROM = 8;
const NOT_A_PLACE = ['drafts', 'sent', 'all'];
const isLabel = (folder) => !folder.role || folder.role === 'label';

/** Opens a panel that looks up the mails of `ids` first; `build(mails, close)` gives what it holds. */
function ask(anchor, title, ids, build) {
  const body = h('div', { class: 'pop-in' }, h('p', { class: 'muted' }, 'Looking…'));
  const close = popover(anchor, title, () => [h('h2', { tabindex: '-1', 'data-first': true }, title), body]);
  mailsOf(ids).then((found) => {
    fill(body, build(found, close));
    if (body.isConnected) body.querySelector('input:not([hidden]), button')?.focus();
  }, (problem) => { close(); toastProblem(problem); });
}

/** The mailboxes that mails lie in. */
const mailboxesOf = (found) => [...new Set(found.flat().map((mail) => mail.account_id))];

/** Asks for a folder, mailbox by mailbox; `done({ folder, body, only })`. */
export function askFolder(anchor, ids, view, done) {
  ask(anchor, 'Move to', ids, (found, close) => {
    const boxes = mailboxesOf(found);
    const here = found.map((mails) => new Set(mails.flatMap((mail) => (mail.folders ?? []).map((folder) => folder.id))));
    const choices = boxes.flatMap((id) => {
      const folders = inOrder(foldersOf(id)).filter((folder) => !NOT_A_PLACE.includes(folder.role) && folder.id !== view.id && folder.role !== view.id);
      const fit = folders.filter((folder) => !here.every((places) => places.has(folder.id)));
      const choose = (folder) => {
        close();
        const from = foldersOf(id).find((own) => own.id === view.id || own.role === view.id);
        done({ folder, body: { folder_id: folder.id, ...(from && { from_folder_id: from.id }) }, only: (mail) => mail.account_id === id });
      };
      return [boxes.length > 1 && h('li', { class: 'pop-head clip' }, account(id)?.email_address ?? 'Mailbox'), fit.map((folder) => choice(folder, () => choose(folder)))];
    }).flat();
    return withFilter(choices.filter(Boolean));
  });
}

function choice(folder, onclick) {
  return h('li', { 'data-name': folderName(folder).toLowerCase() }, h('button', { type: 'button', class: 'pop-item', onclick }, icon(folderIcon(folder.role), 15), h('span', { class: 'clip' }, folderName(folder))));
}

/** A list with a field that narrows it, when it is long. */
function withFilter(items) {
  const list = h('ul', { class: 'pop-list' }, items);
  if (items.length < FILTER_FROM) return list;
  const input = h('input', { type: 'text', 'aria-label': 'Find a folder', placeholder: 'Find a folder', autocomplete: 'off' });
  const narrow = () => { for (const item of list.children) item.hidden = !(item.dataset.name ?? '').includes(input.value.trim().toLowerCase()); };
  input.addEventListener('input', narrow);
  input.addEventListener('keydown', (event) => { if (event.key === 'Enter') list.querySelector('li:not([hidden]) button')?.click(); });
  return [h('div', { class: 'in' }, icon('search', 14), input), list];
}

/** Asks for labels, which may be new; `done({ body })`. */
export function askLabels(anchor, ids, done) {
  ask(anchor, 'Labels', ids, (found, close) => {
    const names = [...new Set(mailboxesOf(found).flatMap((id) => foldersOf(id).filter(isLabel).map((folder) => folder.name)))].sort((a, b) => a.localeCompare(b));
    const carried = found.map((mails) => new Set(mails.flatMap((mail) => (mail.folders ?? []).map((folder) => folder.name))));
    const ticks = names.map((name) => labelTick(name, carried.filter((own) => own.has(name)).length, found.length));
    const fresh = h('input', { type: 'text', 'aria-label': 'New label', placeholder: 'New label', maxlength: 200, autocomplete: 'off' });
    const apply = () => {
      const changed = (on) => ticks.filter((tick) => tick.changedTo(on)).map((tick) => tick.name);
      const made = fresh.value.trim();
      const body = { add_labels: [...new Set([...changed(true), ...(made ? [made] : [])])], remove_labels: changed(false) };
      close();
      if (body.add_labels.length + body.remove_labels.length) done({ body });
    };
    fresh.addEventListener('keydown', (event) => { if (event.key === 'Enter') apply(); });
    return [
      ticks.length > 0 && h('ul', { class: 'pop-list ticks' }, ticks.map((tick) => h('li', null, tick.el))),
      h('div', { class: 'in' }, icon('plus', 14), fresh),
      h('button', { type: 'button', class: 'btn pri wide', onclick: apply }, 'Apply'),
    ];
  });
}

/** A tick that is half set while only some of the conversations carry the label. */
function labelTick(name, number, total) {
  const input = h('input', { type: 'checkbox', checked: number === total ? true : null });
  input.indeterminate = number > 0 && number < total;
  const before = number === 0 ? false : number === total ? true : null;
  return { name, el: h('label', { class: 'check' }, input, h('span', { class: 'clip' }, clean(name))), changedTo: (on) => !input.indeterminate && input.checked === on && before !== on };
}
