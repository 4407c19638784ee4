// What to do when a mailbox will not connect: per provider and per error code.

/** Providers that need more than the usual password, by the mail server's name or the address. */
const PROVIDER_HINTS = [
  {
    match: /(^|\.)(gmail\.com|googlemail\.com|google\.com)$/,
    name: 'Gmail', link: 'https://myaccount.google.com/apppasswords',
    text: 'Gmail takes an app password here, not your usual one. Turn on 2-Step Verification, then make an app password.',
  },
  {
    match: /(^|\.)(outlook\.com|hotmail\.com|live\.com|msn\.com|office365\.com)$/,
    name: 'Microsoft', link: null, warn: true,
    text: 'Microsoft no longer accepts passwords over IMAP for most mailboxes. This works only where your administrator still allows it.',
  },
  {
    match: /(^|\.)(yahoo\.[a-z.]+|ymail\.com|aol\.com)$/,
    name: 'Yahoo and AOL', link: 'https://login.yahoo.com/account/security',
    text: 'Yahoo and AOL take an app password, made in the account’s security settings.',
  },
  {
    match: /(^|\.)(icloud\.com|me\.com|mac\.com)$/,
    name: 'iCloud', link: 'https://account.apple.com/account/manage',
    text: 'iCloud takes an app-specific password, made in your Apple account under Sign-In and Security.',
  },
  {
    match: /(^|\.)(fastmail\.com|fastmail\.fm|messagingengine\.com)$/,
    name: 'Fastmail', link: 'https://app.fastmail.com/settings/security/apps',
    text: 'Fastmail takes an app password with access to mail, made under Privacy and Security.',
  },
  {
    match: /(^|\.)(zoho\.[a-z.]+|zohomail\.com)$/,
    name: 'Zoho', link: 'https://accounts.zoho.com/home#security/app_password',
    text: 'Turn IMAP on in Zoho’s mail settings. With two-factor sign-in you also need an app password.',
  },
  {
    match: /(^|\.)(gmx\.[a-z]+|web\.de)$/,
    name: 'GMX and WEB.DE', link: null,
    text: 'Allow access by POP3 and IMAP in the mail settings first. With two-factor sign-in you also need an app password.',
  },
  {
    match: /(^|\.)(yandex\.[a-z]+|mail\.ru)$/,
    name: 'This provider', link: null,
    text: 'Allow mail programs in the settings and make an app password for mail.',
  },
];

/** The hint for an address and its incoming server, or null. */
export function providerHint(email, host) {
  const domain = email.split('@').pop().toLowerCase();
  return PROVIDER_HINTS.find(({ match }) => match.test(domain) || match.test((host ?? '').toLowerCase())) ?? null;
}

/** Which field an error of the connect call belongs to. */
export const CONNECT_CODES = {
  imap_login_failed: 'password',
  imap_unreachable: 'imap.host',
  imap_tls_failed: 'imap.security',
  imap_login_disabled: 'imap.security',
  imap_rejected: 'imap.host',
  imap_over_quota: 'imap.host',
  imap_connection_lost: 'imap.host',
  imap_timeout: 'imap.host',
  imap_protocol_error: 'imap.host',
  imap_unavailable: 'imap.host',
  smtp_login_failed: 'smtp.password',
  smtp_unreachable: 'smtp.host',
  smtp_tls_failed: 'smtp.security',
  smtp_login_disabled: 'smtp.security',
  smtp_connection_lost: 'smtp.host',
  smtp_timeout: 'smtp.host',
  smtp_protocol_error: 'smtp.host',
  smtp_unavailable: 'smtp.host',
  host_not_allowed: 'imap.host',
  account_exists: 'email_address',
};

const SOURCES = {
  table: 'Settings found in the built-in list.',
  autoconfig: 'Settings published by the provider.',
  ispdb: 'Settings found in Thunderbird’s list.',
  mx: 'Settings found through the domain’s mail exchanger.',
  srv: 'Settings published in the domain’s DNS.',
  guess: 'A guess from the domain’s name. The test will tell; you can edit it by hand.',
};

/** Where the settings came from, in words. */
export const sourceText = (source) => SOURCES[source] ?? 'Settings found.';

export const SECURITY = [['tls', 'TLS'], ['starttls', 'STARTTLS'], ['none', 'None (not encrypted)']];
export const securityText = (value) => ({ tls: 'TLS', starttls: 'STARTTLS', none: 'not encrypted' })[value] ?? value;

/** The usual port for a protocol and its protection. */
export const usualPort = (protocol, security) => (protocol === 'imap' ? { tls: 993, starttls: 143, none: 143 } : { tls: 465, starttls: 587, none: 25 })[security];
