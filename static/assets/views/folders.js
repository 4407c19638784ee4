// How folders are named, pictured and ordered, the same in every place.

/** The folders every mailbox shares, in the order they are shown. */
export const ROLES = [['inbox', 'Inbox'], ['sent', 'Sent'], ['drafts', 'Drafts'], ['archive', 'Archive'], ['spam', 'Spam'], ['trash', 'Trash']];

const ICONS = new Set(['inbox', 'sent', 'drafts', 'trash', 'spam', 'archive', 'all', 'label']);

export const folderIcon = (role) => (ICONS.has(role) ? role : 'folder');

const rank = ({ role }) => {
  const at = ROLES.findIndex(([known]) => known === role);
  return at < 0 ? ROLES.length : at;
};

/** Known roles first, then by name. */
export const inOrder = (folders) => [...folders].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
