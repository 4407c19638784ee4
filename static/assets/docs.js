// The API's description, drawn from /api/openapi.json.

import { add, fill, h, icon } from './dom.js';
import { failedState, logo } from './ui.js';

const TONES = { get: 'c-blue', post: 'c-green', put: 'c-amber', patch: 'c-amber', delete: 'c-red' };
const REF = '#/components/schemas/';

/** All operations as `{ method, path, id, …the document's own fields }`, in groups by their first tag. */
function groupsOf({ paths }) {
  const groups = new Map();
  for (const [path, item] of Object.entries(paths)) {
    for (const method of Object.keys(TONES)) {
      const operation = item[method];
      if (!operation) continue;
      const tag = titled(operation.tags?.[0] ?? 'other');
      const id = `${method}${path}`.replace(/[^a-z0-9]+/gi, '-').replace(/-$/, '').toLowerCase();
      groups.set(tag, [...(groups.get(tag) ?? []), { ...operation, method, path, id, parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])] }]);
    }
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}

const titled = (word) => word[0].toUpperCase() + word.slice(1);

/** Text in which `words` between backquotes stand as code. */
const prose = (text) => (text ?? '').split('`').map((part, i) => (i % 2 ? h('code', null, part) : part));

/** A path whose parameters stand out. */
const pathOf = (path) => h('code', null, path.split(/(\{[^}]+\})/).map((part) => (part.startsWith('{') ? h('em', null, part) : part)));

/** Makes the pages of one document. */
function drawer({ components = {}, security: everywhere = [] }) {
  const nameOf = (schema) => schema.$ref?.slice(REF.length);
  const resolve = (schema) => (schema.$ref ? components.schemas?.[nameOf(schema)] ?? {} : schema);

  /** The schema without the wrapping that only says “or null”. */
  const bare = (schema) => {
    const rest = (schema.oneOf ?? schema.anyOf ?? []).filter((one) => one.type !== 'null');
    return rest.length === 1 ? rest[0] : schema;
  };
  const isNullable = (schema) => (Array.isArray(schema.type) && schema.type.includes('null')) || bare(schema) !== schema;

  const typeOf = (given) => {
    const own = bare(given);
    const schema = resolve(own);
    const kind = [].concat(schema.type ?? []).filter((type) => type !== 'null').join(' or ');
    const none = isNullable(given) ? ' or null' : '';
    if (kind === 'array') return `list of ${typeOf(schema.items ?? {})}${none}`;
    if (kind === 'object' || schema.properties || schema.allOf) return `${nameOf(own)?.replace('_', ' of ') ?? 'object'}${none}`;
    return `${[kind || (schema.oneOf ? 'one of several' : 'any value'), schema.format && `(${schema.format})`].filter(Boolean).join(' ')}${none}`;
  };

  /** The parts inside a schema, or null when its type says it all. */
  const inside = (given) => {
    const own = bare(given);
    const schema = resolve(own);
    if (schema.items) return inside(schema.items);
    if (schema.enum) return h('div', { class: 'enum' }, schema.enum.filter((value) => value !== null).map((value) => h('code', null, String(value))));
    const several = schema.oneOf ?? schema.anyOf;
    if (several) return h('ul', { class: 'props' }, several.map((one, i) => h('li', null, property(one.title ?? `Form ${i + 1}`, one))));
    const parts = schema.allOf?.map(resolve) ?? [schema];
    const properties = parts.flatMap((part) => Object.entries(part.properties ?? {}).map(([name, value]) => [name, value, part.required?.includes(name)]));
    return properties.length ? h('ul', { class: 'props' }, properties.map(([name, value, must]) => h('li', null, property(name, value, must)))) : null;
  };

  const isObject = (given) => {
    const schema = resolve(bare(given));
    return schema.items ? isObject(schema.items) : Boolean(schema.properties || schema.allOf || schema.oneOf || schema.anyOf);
  };

  /** One name with its type; what lies inside is drawn when it is opened, as schemas may hold themselves. */
  const property = (name, schema, must, text) => [
    h('div', { class: 'prop' }, h('code', null, name), h('span', { class: 'type' }, typeOf(schema)), must && h('span', { class: 'must' }, 'required')),
    (text ?? bare(schema).description ?? schema.description) && h('p', null, prose(text ?? bare(schema).description ?? schema.description)),
    isObject(schema) ? lazily('What is inside', () => inside(schema)) : inside(schema),
  ];

  const lazily = (label, build) => {
    const el = h('details', { class: 'more-of' }, h('summary', null, label));
    el.addEventListener('toggle', () => { if (el.open && el.children.length === 1) add(el, build()); });
    return el;
  };

  const content = ({ content: kinds = {} } = {}) => Object.entries(kinds).map(([type, { schema = {} }]) => [
    h('p', { class: 'hint' }, `${typeOf(schema)} · ${type}`), inside(schema)]);

  const answer = ([status, response]) => h('li', null,
    h('div', { class: 'prop' }, h('code', null, status), h('span', { class: 'type' }, Object.values(response.content ?? {}).map(({ schema = {} }) => typeOf(schema)).join(', ') || 'no body')),
    response.description && h('p', null, prose(response.description)),
    Object.values(response.content ?? {}).some(({ schema = {} }) => isObject(schema)) && lazily('What is inside', () => Object.values(response.content).map(({ schema = {} }) => inside(schema))));

  const part = (title, body) => h('div', null, h('h3', null, title), body);

  const details = (operation) => [
    operation.description && h('p', null, prose(operation.description)),
    (operation.security ?? everywhere).some((need) => Object.keys(need).length) ? null : h('p', { class: 'hint' }, 'Needs no sign-in.'),
    operation.parameters.length > 0 && part('Parameters', h('ul', { class: 'props' }, operation.parameters.map(({ name, in: place, schema = {}, required, description }) => h('li', null, property(place === 'path' ? `{${name}}` : name, schema, required, description))))),
    operation.requestBody && part('Body', content(operation.requestBody)),
    part('Answers', h('ul', { class: 'props' }, Object.entries(operation.responses ?? {}).map(answer))),
  ];

  return (operation) => {
    const el = h('details', { class: 'op', id: operation.id, 'data-text': `${operation.method} ${operation.path} ${operation.summary ?? ''}`.toLowerCase() },
      h('summary', null, h('span', { class: ['chip verb', TONES[operation.method]] }, operation.method.toUpperCase()), pathOf(operation.path), h('p', null, prose(operation.summary)), icon('down', 13)));
    el.addEventListener('toggle', () => {
      if (!el.open) return;
      if (el.children.length === 1) add(el, h('div', { class: 'op-in' }, details(operation)));
      history.replaceState(null, '', `#${operation.id}`);
    });
    return el;
  };
}

function search(sections, nothing) {
  const input = h('input', { type: 'search', placeholder: 'Find a call', 'aria-label': 'Find a call' });
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const section of sections) {
      const calls = [...section.querySelectorAll('.op')];
      for (const call of calls) call.hidden = !words.every((word) => call.dataset.text.includes(word));
      section.hidden = calls.every((call) => call.hidden);
      shown += section.hidden ? 0 : 1;
    }
    nothing.hidden = shown > 0;
  });
  return h('div', { class: 'in find' }, icon('search', 15), input);
}

/** Opens the call that the address names. */
function follow() {
  const el = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!el?.matches('.op')) return;
  el.open = true;
  el.scrollIntoView();
}

function draw(description) {
  const groups = groupsOf(description);
  const operation = drawer(description);
  const idOf = (tag) => `tag-${tag.toLowerCase()}`;
  const sections = groups.map(([tag, operations]) => h('section', { id: idOf(tag), 'aria-label': tag }, h('h2', null, tag), h('div', { class: 'card ops' }, operations.map(operation))));
  const nothing = h('p', { class: 'muted', hidden: true, role: 'status' }, 'No call has these words.');
  const { title, version } = description.info;
  fill(document.getElementById('app'), h('div', { class: 'doc' },
    h('nav', { class: 'doc-nav', 'aria-label': 'Groups of calls' }, h('a', { class: 'brand', href: '/' }, logo(), title),
      h('ul', null, groups.map(([tag, operations]) => h('li', null, h('a', { href: `#${idOf(tag)}` }, tag, h('span', { class: 'num' }, operations.length)))))),
    h('main', { id: 'main', class: 'doc-main', tabindex: '-1' },
      h('header', null, h('h1', { class: 'page-title' }, 'API'),
        h('p', { class: 'lead' }, `Version ${version}. Programs send a key as `, h('code', null, 'Authorization: Bearer dx_…'), '; browsers use their session and send its token as ', h('code', null, 'X-CSRF-Token'),
          ' with every change. For other programs: ', h('a', { class: 'link', href: '/api/openapi.json' }, 'the OpenAPI document'), '.'),
        search(sections, nothing)),
      nothing, sections)));
  window.addEventListener('hashchange', follow);
  follow();
}

async function start() {
  try {
    const answer = await fetch('/api/openapi.json');
    if (!answer.ok) throw new Error('The server did not send its description.');
    draw(await answer.json());
  } catch (problem) {
    fill(document.getElementById('app'), h('main', { id: 'main', class: 'bare centre' }, failedState(problem, () => location.reload())));
  }
}

start();
