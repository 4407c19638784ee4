// Real time: one WebSocket while signed in, retried with growing pauses; while it is down a timer
// asks the API instead, so that every page keeps moving.

import { get } from './api.js';

const POLL_MS = 3000;
const handlers = new Set();
let socket = null;
let attempts = 0;
let lastSeq = null;
let retryTimer = 0;
let pollTimer = 0;
let wanted = false;

/** Calls `handler({ type, data, … })` for every event; `{ type: 'poll' }` while polling. Returns how to stop. */
export function listen(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

export function connect() {
  if (wanted) return;
  wanted = true;
  open();
}

export function disconnect() {
  wanted = false;
  clearTimeout(retryTimer);
  stopPolling();
  socket?.close();
  socket = null;
  // Whoever signs in next may be of another organization, with numbers of its own.
  lastSeq = null;
  showOffline(false);
}

function open() {
  const url = new URL('/api/ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  if (lastSeq !== null) url.searchParams.set('after', lastSeq);
  const mine = new WebSocket(url);
  socket = mine;
  mine.addEventListener('open', () => {
    const again = attempts > 0;
    attempts = 0;
    stopPolling();
    showOffline(false);
    // What happened between the first look and this connection has no event of its own.
    emit({ type: again ? 'poll' : 'opened', data: {} });
  });
  mine.addEventListener('message', (message) => receive(message.data));
  mine.addEventListener('close', () => { if (wanted && socket === mine) retry(); });
}

function receive(text) {
  let event;
  try { event = JSON.parse(text); } catch { return; }
  if (Number.isInteger(event?.seq)) lastSeq = event.seq;
  // What happened meanwhile is not kept any more: read everything again.
  if (event?.type === 'events.expired') emit({ type: 'poll', data: {} });
  else if (event?.type) emit(event);
}

function emit(event) {
  for (const handler of [...handlers]) handler(event);
}

function retry() {
  attempts += 1;
  startPolling();
  const wait = Math.min(30_000, 1000 * 2 ** Math.min(attempts - 1, 5)) * (0.75 + Math.random() / 2);
  retryTimer = setTimeout(open, wait);
}

function startPolling() {
  if (pollTimer) return;
  pollTimer = setInterval(poll, POLL_MS);
}

function stopPolling() {
  clearInterval(pollTimer);
  pollTimer = 0;
}

/** The bar shows only when the server itself is away: a refused WebSocket alone is covered by polling. */
async function poll() {
  if (document.hidden) return;
  try {
    await get('/api/me');
    showOffline(false);
    emit({ type: 'poll', data: {} });
  } catch (problem) {
    if (wanted && problem.code === 'offline') showOffline(true);
  }
}

function showOffline(down) {
  const bar = document.getElementById('offline');
  if (bar) bar.hidden = !down;
}
