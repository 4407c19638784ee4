// Whom one has written with lately: what the address fields offer while one types.

import { get } from '../../api.js';
import { clean } from '../../format.js';
import { ownAddresses, watch } from '../../store.js';

const LOOKED_AT = 200;
const OFFERED = 6;

let asked = null;
watch((what) => { if (what === 'ended') asked = null; });

async function recent() {
  const { items } = await get('/api/email/threads', { query: { limit: LOOKED_AT } });
  const own = ownAddresses();
  const found = new Map();
  for (const person of items.flatMap((thread) => thread.participants ?? [])) {
    const key = person.email?.toLowerCase();
    if (!key || own.has(key) || /no-?reply/.test(key)) continue;
    const known = found.get(key) ?? { email: person.email, name: clean(person.name) || null, times: 0 };
    found.set(key, { ...known, name: known.name ?? (clean(person.name) || null), times: known.times + 1 });
  }
  return [...found.values()];
}

/** People whose name or address has a word that begins like `text`, those one writes with most first. */
export async function suggest(text, without) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  asked ??= recent().catch(() => { asked = null; return []; });
  const fits = ({ email, name }) => email.toLowerCase().startsWith(wanted) || `${name ?? ''} ${email.replace(/@/, ' @ ')}`.toLowerCase().split(/[\s.]+/).some((word) => word.startsWith(wanted)) || name?.toLowerCase().startsWith(wanted);
  return (await asked).filter((person) => !without.has(person.email.toLowerCase()) && fits(person)).sort((a, b) => b.times - a.times).slice(0, OFFERED);
}
