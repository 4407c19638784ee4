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

/** Calls the API for a thing that has versions: resolves with `{ body, etag }`. `headers` are sent beside the usual ones. */
export async function versioned(method, path, body, { headers, keepalive } = {}) {
  const response = await answer(method, path, { body, headers, keepalive });
  return { body: await readJson(response), etag: response.headers.get('ETag') };
}

/** Brings a file in. `onProgress(share)` hears how much has gone, 0 to 1. Returns `{ done, stop }`. */
export function upload(path, file, { query, onProgress }) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open('POST', path + queryString(query));
    request.responseType = 'text';
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    if (csrf) request.setRequestHeader('X-CSRF-Token', csrf);
    request.upload.addEventListener('progress', (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener('load', () => {
      const { status } = request;
      if (status === 401) onSignedOut();
      if (status >= 200 && status < 300) resolve(JSON.parse(request.responseText));
      else reject(problemFrom(status, request.responseText, request.getResponseHeader('Retry-After')));
    });
    request.addEventListener('error', () => reject(new Problem({ code: 'offline', detail: 'The connection broke off.' })));
    request.addEventListener('abort', () => reject(new Problem({ code: 'stopped', detail: 'Stopped.' })));
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}

async function answer(method, path, { body, query, signal, headers: extra, keepalive, quiet401 = false } = {}) {
  const headers = { Accept: 'application/json', ...extra };
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path + queryString(query), {
      method, headers, signal, keepalive, credentials: 'same-origin', cache: 'no-store',
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

const readProblem = async (response) => problemFrom(response.status, await response.text(), response.headers.get('Retry-After'));

function problemFrom(status, text, retryAfter) {
  const retry = Number(retryAfter);
  const known = { status, retryAfter: Number.isFinite(retry) && retry > 0 ? retry : null };
  try {
    return new Problem({ ...JSON.parse(text), ...known });
  } catch {
    return new Problem({ ...known, detail: `The server answered with status ${status}. Try again in a moment.` });
  }
}
