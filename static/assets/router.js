// Client-side paths. A view is `{ el, title, key?, update?(match), destroy?() }`; a view with the
// same `key` is updated in place instead of being built anew (opening a thread keeps its list).

let routes = [];
let current = null;
let guard = () => null;
let turn = 0;

/** Starts routing: `table` is a list of `[pattern, build]`; `check(match)` may return another path. */
export function start(table, check) {
  routes = table.map(([pattern, build]) => ({ names: [], build, ...compile(pattern) }));
  guard = check;
  window.addEventListener('popstate', render);
  document.addEventListener('click', interceptLink);
  return render();
}

/** Goes to a path of this site; `replace` leaves no entry in the history. */
export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  return render();
}

function compile(pattern) {
  const names = [];
  const source = pattern.replace(/:(\w+)/g, (_, name) => { names.push(name); return '([^/]+)'; });
  return { names, regex: new RegExp(`^${source}/?$`) };
}

function matchPath(path) {
  for (const route of routes) {
    const found = route.regex.exec(path);
    if (!found) continue;
    const params = Object.fromEntries(route.names.map((name, i) => [name, decode(found[i + 1])]));
    return { route, params, query: new URLSearchParams(location.search), path };
  }
  return null;
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function drop() {
  current?.destroy?.();
  current = null;
}

async function render() {
  const match = matchPath(location.pathname);
  const detour = guard(match);
  if (detour) return go(detour, { replace: true });
  turn += 1;
  const mine = turn;
  const view = await match.route.build(match, current);
  if (mine !== turn && view !== current) {
    view.destroy?.();
    return undefined;
  }
  if (view === current) {
    current.update?.(match);
  } else {
    drop();
    current = view;
    document.getElementById('app').replaceChildren(view.el);
    if (document.activeElement === document.body) view.el.querySelector('[data-autofocus]')?.focus();
  }
  document.title = `${current.title} · Duplex`;
  return undefined;
}

/** Sets the title of the page in view, for views that learn it later. */
export function setTitle(title) {
  if (current) current.title = title;
  document.title = `${title} · Duplex`;
}

function interceptLink(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href]');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/') || link.getAttribute('href').startsWith('#')) return;
  event.preventDefault();
  const path = link.pathname + link.search;
  if (path !== location.pathname + location.search) go(path);
}
