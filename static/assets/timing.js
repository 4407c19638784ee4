// Bursts of news become few looks.

/** Makes a function that runs `work` at once, then at most once in `pause` ms, and never twice at a time. */
export function coalesce(work, pause) {
  let timer = 0;
  let running = false;
  let again = false;
  let last = 0;
  const run = async () => {
    timer = 0;
    running = true;
    last = Date.now();
    try {
      await work();
    } catch {
      // What failed is asked for again by the next news.
    }
    running = false;
    if (again) { again = false; ask(); }
  };
  const ask = () => {
    if (running) again = true;
    else if (!timer) timer = setTimeout(run, Math.max(0, last + pause - Date.now()));
  };
  ask.cancel = () => { clearTimeout(timer); timer = 0; again = false; };
  return ask;
}

/** Does `work` for each item, `width` at a time; resolves with the results in order. */
export async function each(items, work, width = 6) {
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next;
      next += 1;
      results[at] = await work(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
