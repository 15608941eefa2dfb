// Where a session's key comes from, before the server is asked for one: section 4 of the specification.

/**
 * The key that the page or its address names, in the specification's order: one that the page was given, `?=XYZ`,
 * `?session=XYZ`. What is no key counts as none.
 *
 * @param {unknown} given what the page was given as `window.sessionKeyFromPHP`
 * @param {string} search the address's query, with its question mark
 * @param {number} length characters in a key
 * @returns {string | null} the key; null where the server is to be asked
 */
export function namedKey(given, search, length) {
  const isKey = (text) => typeof text === "string" && text.length === length && /^[A-Z0-9]+$/.test(text);
  const minimal = search.startsWith("?=") ? search.slice(2) : null;
  const named = new URLSearchParams(search).get("session");
  return [given, minimal, named].find(isKey) ?? null;
}

/**
 * The address by which a session is come back to: the shortest form that the specification knows.
 *
 * @param {string} key
 * @param {string} page the page's address, without a query
 * @returns {string}
 */
export function linkTo(key, page) {
  return `${page}?=${key}`;
}
