// What a person works on: a document without its key and the server's metadata.

/**
 * @typedef {{typeSlug: string, state: object}} Work a document's content; fields that this page does not know are kept
 */

/**
 * The work in a document, as the server answered it.
 *
 * @param {object} document
 * @returns {Work}
 */
export function workOf({ sessionKey, metadata, ...work }) {
  return { ...work, state: asObject(work.state) };
}

/**
 * Anything as an object to look things up in: PHP turns `{}` into `[]` on the way through, and others may have stored
 * what they liked.
 *
 * @param {unknown} value
 * @returns {object}
 */
export function asObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

/**
 * Work as a text that is the same for the same work, whatever the order of its fields, and whether what is empty is
 * written `{}` or `[]`.
 *
 * @param {Work | null} work
 * @returns {string}
 */
export function textOf(work) {
  return JSON.stringify(work, (_, value) => {
    if (value === null || typeof value !== "object" || (Array.isArray(value) && value.length > 0)) {
      return value;
    }
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
