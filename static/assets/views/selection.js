// Which conversations are ticked. Ranges go from the one that was ticked last.

/** Makes a selection over a list; `order()` gives the ids shown, `changed()` hears of every change. */
export function selection(order, changed) {
  let ids = new Set();
  let anchor = null;
  const set = (next, from = anchor) => { ids = next; anchor = from; changed(); };
  const between = (one, other) => {
    const all = order();
    const [from, to] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
    return from < 0 ? [other] : all.slice(from, to + 1);
  };
  return {
    get ids() { return order().filter((id) => ids.has(id)); },
    get size() { return ids.size; },
    has: (id) => ids.has(id),
    /** Ticks or unticks one. */
    toggle: (id) => {
      const next = new Set(ids);
      if (!next.delete(id)) next.add(id);
      set(next, id);
    },
    /** Ticks everything from the last one to this one. */
    extend: (id) => set(new Set([...ids, ...between(anchor ?? id, id)]), anchor ?? id),
    all: () => set(new Set(order())),
    clear: () => { if (ids.size) set(new Set(), null); },
    /** Forgets those that are not shown any more. */
    retain: () => {
      const left = new Set(order().filter((id) => ids.has(id)));
      if (left.size !== ids.size) set(left);
    },
  };
}
