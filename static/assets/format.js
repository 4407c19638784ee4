// How numbers, times, sizes and people are written.

const NUMBER = new Intl.NumberFormat('en');
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DAY_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric' });
const FULL = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const FACES = ['c-iris', 'c-teal', 'c-amber', 'c-red', 'c-blue', 'c-plum', 'c-green', 'c-bronze'];

/** Invisible marks that change the reading direction: they can disguise a name or a file type. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from a mail, fit to show as a name. */
export const clean = (text) => String(text ?? '').replace(BIDI, '').trim();

export const count = (n) => NUMBER.format(n ?? 0);

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Whole percent done, or null while the total is unknown; 100 only when all is there. */
export function percent(synced, total) {
  if (!total) return total === 0 ? 100 : null;
  return synced >= total ? 100 : Math.min(99, Math.floor((synced / total) * 100));
}

/** Seconds as "3 min left". */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 60) return 'under 1 min left';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min left` : `${minutes / 60} h left`;
}

export function bytes(n) {
  if (n === null || n === undefined) return '';
  if (n < 1000) return `${n} B`;
  const units = ['KB', 'MB', 'GB'];
  let value = n / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
const daysAgo = (date, now = new Date()) => Math.round((midnight(now) - midnight(date)) / 86_400_000);

/** The shortest form that is still clear: "09:42", "Tue 16:08", "12 Nov", "3 Feb 2024". */
export function shortTime(iso) {
  const date = new Date(iso);
  if (!iso || Number.isNaN(date.getTime())) return '';
  const days = daysAgo(date);
  if (days === 0) return CLOCK.format(date);
  if (days > 0 && days < 6) return `${WEEKDAY.format(date)} ${CLOCK.format(date)}`;
  return date.getFullYear() === new Date().getFullYear() ? DAY.format(date) : DAY_YEAR.format(date);
}

/** For the list: as short as possible, since day headings stand above. */
export function rowTime(iso) {
  const date = new Date(iso);
  const days = daysAgo(date);
  return days === 0 || days === 1 ? CLOCK.format(date) : shortTime(iso).replace(/^(\p{L}{3}) .*/u, '$1');
}

export function fullTime(iso) {
  const date = new Date(iso);
  return !iso || Number.isNaN(date.getTime()) ? 'unknown date' : FULL.format(date);
}

/** A moment ahead or behind, with its day: "today 18:00", "tomorrow 08:00", "Mon 16 Nov 08:00". */
export function moment(iso) {
  const date = new Date(iso);
  if (!iso || Number.isNaN(date.getTime())) return 'an unknown time';
  const ahead = -daysAgo(date);
  const day = ahead === 0 ? 'today' : ahead === 1 ? 'tomorrow' : `${WEEKDAY.format(date)} ${(date.getFullYear() === new Date().getFullYear() ? DAY : DAY_YEAR).format(date)}`;
  return `${day} ${CLOCK.format(date)}`;
}

/** "Mon". */
export const weekday = (date) => WEEKDAY.format(date);

/** "12:03". */
export const clock = (date) => CLOCK.format(date);

/** "just now", "4 min ago", then a short time. */
export function ago(iso) {
  if (!iso) return 'never';
  const seconds = (Date.now() - new Date(iso).getTime()) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return shortTime(iso);
}

/** The heading under which a day's threads stand. */
export function dayHeading(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return 'Undated';
  const days = daysAgo(date);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days < 7) return 'Earlier this week';
  return MONTH.format(date);
}

/** A person's name, else the address. */
export function personName(person) {
  if (typeof person === 'string') return clean(person);
  return clean(person?.name) || clean(person?.email) || 'Unknown sender';
}

/** A folder as people know it: the protocol's INBOX is "Inbox"; others keep their whole path. */
export const folderName = (folder) => (folder?.role === 'inbox' ? 'Inbox' : clean(folder?.name));

export function initials(name) {
  const words = clean(name).replace(/@.*/, '').split(/[\s._-]+/).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const letters = words.map((w) => [...w].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '');
  const pair = letters.length > 1 ? letters[0] + letters[letters.length - 1] : [...(words[0] ?? '?')].slice(0, 2).join('');
  return pair.toLocaleUpperCase() || '?';
}

/** A stable colour class for a person. */
export function faceColour(key) {
  let hash = 0;
  for (const c of String(key ?? '').toLowerCase()) hash = (hash * 31 + c.codePointAt(0)) % 100_003;
  return FACES[hash % FACES.length];
}
