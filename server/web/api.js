// The wire contract, from a browser's side: one call, one answer, or one of two errors.

/** How long an answer is waited for, ms. The server waits 5 s for a lock; three times that is no longer patience. */
export const ANSWER_WITHIN_MS = 15_000;

/** A browser's limit on the bodies of all calls under way that outlive their page, bytes. */
const OUTLIVING_BYTES = 64 * 1024;

/** The server answered, and said no. */
export class Refused extends Error {
  /**
   * @param {string} message the server's own
   * @param {number} status the HTTP status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** No answer came that can be read: what was asked for may have been done, or not. */
export class Unanswered extends Error {}

/**
 * Calls an operation.
 *
 * @param {string} operation its name in the contract
 * @param {{query?: Record<string, string>, body?: object, outlives?: boolean}} [input] a body makes it a POST; with `outlives`
 *   it is sent even if the page is closed meanwhile
 * @returns {Promise<unknown>} the answer's data
 * @throws {Refused | Unanswered}
 */
export async function call(operation, { query, body, outlives = false } = {}) {
  const parameters = query ? `?${new URLSearchParams(query)}` : "";
  const request = { cache: "no-store", keepalive: outlives, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
  if (body) {
    Object.assign(request, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }
  const [status, answer] = await read(await sent(`/php/api/${operation}.php${parameters}`, request));
  if (answer?.success === true) {
    return answer.data;
  }
  if (answer?.success === false) {
    throw new Refused(String(answer.message), status);
  }
  throw new Unanswered(`The answer cannot be read (status ${status})`);
}

/**
 * Whether a call with this body can outlive the page.
 *
 * @param {object} body
 * @returns {boolean}
 */
export function canOutlive(body) {
  return new TextEncoder().encode(JSON.stringify(body)).length <= OUTLIVING_BYTES;
}

async function sent(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw unanswered(error, "The server cannot be reached");
  }
}

/** The status of an answer, and its body where that is JSON. */
async function read(response) {
  let body;
  try {
    body = await response.text();
  } catch (error) {
    throw unanswered(error, "The connection was lost before the answer was whole");
  }
  try {
    return [response.status, JSON.parse(body)];
  } catch {
    return [response.status, null];
  }
}

function unanswered(error, what) {
  const isLate = error.name === "TimeoutError";
  return new Unanswered(isLate ? `The server did not answer within ${ANSWER_WITHIN_MS / 1000} seconds` : what);
}
