// The HTTP client: JSON in and out, the CSRF header, and errors as one class.

let csrf = '';
let onSignedOut = () => {};

/** An answer outside 2xx, or no answer at all (`code` is then `offline`). */
export class Problem extends Error {
  constructor({ status = 0, code = 'unknown', detail = '', title = '', errors = [], retryAfter = null }) {
    super(detail || title || 'Something went wrong.');
    Object.assign(this, { status, code, errors, retryAfter });
  }
}

/** Keeps the token that unsafe calls must carry. */
export function setCsrf(token) { csrf = token ?? ''; }

/** Registers what happens when the session has ended. */
export function whenSignedOut(handler) { onSignedOut = handler; }

/**
 * Calls the API. `query` is an object whose empty values are left out; `quiet401` keeps a 401
 * from sending the visitor to the sign-in page.
 */
export async function call(method, path, options) {
  return readJson(await answer(method, path, options));
}

/** Changes mail. Resolves with `{ operation, body }`: the operation is what Undo takes back. */
export async function change(method, path, body) {
  const response = await answer(method, path, { body });
  return { operation: response.headers.get('Duplex-Operation-Id'), body: await readJson(response) };
}

async function answer(method, path, { body, query, signal, quiet401 = false } = {}) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path + queryString(query), {
      method, headers, signal, credentials: 'same-origin', cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem({ code: 'offline', detail: 'The server does not answer. Check the connection, then try again.' });
  }
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (response.status === 401 && !quiet401) onSignedOut();
  throw problem;
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body, options) => call('POST', path, { body, ...options });
export const patch = (path, body, options) => call('PATCH', path, { body, ...options });
export const del = (path, options) => call('DELETE', path, options);

/** Reads a whole list, page after page, up to `max` items. */
export async function listAll(path, query = {}, max = 1000) {
  const items = [];
  let cursor;
  do {
    const page = await get(path, { query: { ...query, cursor } });
    if (Array.isArray(page)) return page;
    items.push(...(page.items ?? []));
    cursor = page.next_cursor;
  } while (cursor && items.length < max);
  return items;
}

function queryString(query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') params.set(name, value);
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

async function readJson(response) {
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

async function readProblem(response) {
  const retry = Number(response.headers.get('Retry-After'));
  const known = { status: response.status, retryAfter: Number.isFinite(retry) && retry > 0 ? retry : null };
  try {
    return new Problem({ ...(await response.json()), ...known });
  } catch {
    return new Problem({ ...known, detail: `The server answered with status ${response.status}. Try again in a moment.` });
  }
}
