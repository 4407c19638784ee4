// Tells when unread mails have really been in view: on the screen for a moment, in a window that is not hidden.

const MOMENT_MS = 600;

/** Watches cards inside `root`; `onSeen()` is called when one that is unread has been looked at, each once. */
export function seenBy(root, onSeen) {
  const waiting = new Map();
  const timers = new Map();
  const told = new Set();
  const look = (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      if (isIntersecting) timers.set(target, setTimeout(() => reach(target), MOMENT_MS));
    }
  };
  const observer = new IntersectionObserver(look, { root, threshold: 0.01 });
  const reach = (card) => {
    if (document.hidden) {
      document.addEventListener('visibilitychange', () => { if (waiting.has(card)) reach(card); }, { once: true });
      return;
    }
    if (!waiting.has(card)) return;
    // The whole conversation is marked at once; each mail counts one time, so that it can be marked as unread again.
    for (const [other, id] of waiting) { told.add(id); observer.unobserve(other); clearTimeout(timers.get(other)); }
    waiting.clear();
    onSeen();
  };
  return {
    watch(id, card) {
      if (told.has(id) || waiting.has(card)) return;
      waiting.set(card, id);
      observer.observe(card);
    },
    stop() {
      observer.disconnect();
      timers.forEach(clearTimeout);
      waiting.clear();
    },
  };
}
