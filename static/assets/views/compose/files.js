// The files of a mail on its way: brought in with progress, taken out again.

import { Problem, upload } from '../../api.js';
import { fill, h, icon, iconButton, setVar } from '../../dom.js';
import { bytes, clean } from '../../format.js';
import { fileMark } from '../fileKind.js';

/** What the server takes in one file. */
export const MOST_BYTES = 35 * 1024 * 1024;
const TOO_LARGE = 'Too large: a file may have 35 MB.';

/** Makes the list. `onChange()` hears of every change. Returns `{ el, add, set, ids, ready, … }`. */
export function fileList({ onChange }) {
  const el = h('ul', { class: 'c-files', 'aria-label': 'Attachments', hidden: true });
  let items = [];
  /** Name and size by id, also of files that were taken out while a draft was being saved. */
  const facts = new Map();
  const draw = () => { el.hidden = !items.length; fill(el, items.map((item) => item.el)); };
  const drop = (item) => {
    item.stop?.();
    const at = items.indexOf(item);
    items = items.filter((other) => other !== item);
    draw();
    onChange();
    (items[at] ?? items[at - 1])?.el.querySelector('button:last-child')?.focus();
  };
  const start = (item) => {
    if (item.file.size > MOST_BYTES) { fail(item, new Problem({ detail: TOO_LARGE }), false); return; }
    Object.assign(item, { state: 'coming', share: 0 });
    const { done, stop } = upload('/api/email/attachments', item.file, { query: { file_name: item.name }, onProgress: (share) => { item.share = share; progress(item); } });
    item.stop = stop;
    item.done = done.then((made) => {
      Object.assign(item, { state: 'here', id: made.id, name: made.file_name ?? item.name, size: made.size_bytes ?? item.size, file: null, stop: null });
      facts.set(item.id, item);
      show(item);
      onChange();
    }, (problem) => {
      if (problem.code === 'stopped') return;
      const large = problem.status === 413;
      fail(item, large ? new Problem({ detail: TOO_LARGE }) : problem, !large);
    });
    show(item);
  };
  const fail = (item, problem, again) => {
    Object.assign(item, { state: 'failed', problem, again, stop: null, done: Promise.resolve() });
    show(item);
    onChange();
  };
  const show = (item) => fill(item.el, fileRow(item, { drop: () => drop(item), again: () => { start(item); onChange(); } }));
  const make = (facts) => {
    const item = { el: h('li', { class: 'c-file' }), done: Promise.resolve(), ...facts };
    items.push(item);
    return item;
  };
  /** A file that the draft has already. */
  const place = (file) => {
    const item = make({ state: 'here', id: file.id, name: clean(file.file_name) || 'attachment', size: file.size_bytes, type: file.mime_type ?? '' });
    facts.set(item.id, item);
    return item;
  };
  const bring = (files) => {
    for (const file of files) start(make({ name: file.name || 'file', size: file.size, type: file.type, file }));
    draw();
    onChange();
  };
  const shown = () => items.map(({ id, name, size, type }) => ({ id, file_name: name, size_bytes: size, mime_type: type }));
  return {
    el, add: bring,
    set: (files) => {
      items = [];
      for (const file of files ?? []) show(place(file));
      draw();
    },
    /**
     * Takes over what the server made of the files: those that came in with `sent` become the draft's own under new ids. With
     * `more`, files that it added itself, such as those of a forwarded mail, join the list. Returns the ids that stand for `sent`.
     */
    adopt: (attachments, sent, more) => {
      const left = (attachments ?? []).filter((file) => !file.is_inline);
      const take = (fits) => { const at = left.findIndex(fits); return at < 0 ? null : left.splice(at, 1)[0]; };
      const own = sent.map((id) => take((file) => file.id === id) ?? { sent: id });
      const ids = own.map((file) => {
        if (!file.sent) return file.id;
        const { name, size } = facts.get(file.sent) ?? {};
        const made = take((other) => clean(other.file_name) === clean(name) && other.size_bytes === size) ?? take((other) => clean(other.file_name) === clean(name)) ?? { id: file.sent };
        const item = items.find((other) => other.id === file.sent);
        facts.set(made.id, { name, size });
        if (item) { item.id = made.id; show(item); }
        return made.id;
      });
      if (!more) return ids;
      for (const file of left) show(place(file));
      draw();
      return [...ids, ...left.map((file) => file.id)];
    },
    get ids() { return items.map((item) => item.id).filter(Boolean); },
    get here() { return shown().filter(({ id }) => id); },
    get coming() { return items.filter((item) => item.state === 'coming').length; },
    get failed() { return items.filter((item) => item.state === 'failed').length; },
    get count() { return items.length; },
    /** Resolves when nothing is on its way any more. */
    settled: async () => { while (items.some((item) => item.state === 'coming')) await Promise.all(items.map((item) => item.done)); },
    stop: () => { for (const item of items) item.stop?.(); },
  };
}

function fileRow(item, { drop, again }) {
  const name = clean(item.name);
  const words = { coming: `${bytes(item.size)} · ${Math.round((item.share ?? 0) * 100)}%`, here: bytes(item.size), failed: item.problem?.message }[item.state];
  const bar = item.state === 'coming' && h('span', { class: 'bar', role: 'progressbar', 'aria-label': `${name} is being attached`, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': 0 }, h('i'));
  return [
    fileMark(item.type ?? '', name),
    h('span', { class: 'grow' },
      item.state === 'here' ? h('a', { class: 'clip', href: `/api/email/attachments/${item.id}`, download: name, title: `Download ${name}` }, name) : h('b', { class: 'clip' }, name),
      bar, h('small', { class: [item.state === 'failed' ? 'bad' : 'num'], role: item.state === 'failed' ? 'alert' : null }, item.state === 'failed' && icon('warn', 12), h('span', null, words))),
    item.state === 'failed' && item.again && iconButton('sync', `Try ${name} again`, again),
    iconButton('close', `Remove ${name}`, drop),
  ];
}

function progress(item) {
  const bar = item.el.querySelector('.bar');
  if (!bar) return;
  const share = Math.round(item.share * 100);
  setVar(bar, '--p', `${share}%`);
  bar.setAttribute('aria-valuenow', share);
  item.el.querySelector('small').textContent = `${bytes(item.size)} · ${share}%`;
}
