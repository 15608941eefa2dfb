// A session: a key, the work under it, and whether that work is safe.
//
// The contract has no way to save only where nobody else has. So a session looks before each save whether what is
// stored is what it last saw there, and after it whether its own work is: only two saves within the moment between a
// look and a save can pass each other unseen, and the look after tells the loser.
//
// A page that is left may be gone before a look is answered. So it saves first, by a call that outlives it, and looks
// afterwards, if it is still there. Work that is too large for such a call is saved as usual, after a look: the browser
// asks before such a page is left.
//
// A save without an answer may be done later, over newer work. So for a minute such a save is known as ours, and it is
// looked again and again whether it has come.

import { Unanswered, call as callServer, canOutlive } from "./api.js";
import { asObject, textOf, workOf } from "./work.js";

/** A start is tried so often in all, so far apart: the specification's `maxAttempts` and pause. */
export const START_ATTEMPTS = 3;
export const START_PAUSE_MS = 1_000;

/** Work is saved so long after its last change: the contract's two seconds. */
export const SAVE_AFTER_MS = 2_000;

/** Pauses before a failed save is tried again, ms. The last one is for all that follow: it never gives up. */
export const RETRY_PAUSES_MS = [2_000, 4_000, 8_000, 16_000, 30_000];

/** So long a save without an answer may yet be done, and so often it is looked whether it was. */
export const ADRIFT_MS = 60_000;
export const LOOK_EVERY_MS = 5_000;

/**
 * What a session can tell of itself:
 * - `starting`: it is being opened, `attempt` of three
 * - `failed`: it could not be opened, for `error`
 * - `saved`: all work is on the server, last stored there `atMs` (Unix ms; null where the server does not say)
 * - `changed`: some is not, and will be saved soon
 * - `saving`: it is being saved
 * - `unsaved`: it could not be saved, for `error`; it is tried again and again
 * - `newer`: somebody else's work is stored, `theirs` (null where they deleted it), saved `atMs`; nothing more is saved
 *   until the person has decided
 *
 * @typedef {{name: string, attempt?: number, error?: Error, atMs?: number | null,
 *   theirs?: import("./work.js").Work | null}} Status
 */

/** Events: `status`, whenever the status changes; `work`, whenever the work was replaced by what is stored. */
export class Session extends EventTarget {
  /** @type {string | null} */ key;
  /** @type {import("./work.js").Work} */ work;
  /** @type {Status} */ status = { name: "starting", attempt: 1 };

  #call;
  /** The work that was last seen in store, as a text. */
  #stored = null;
  /** Saves of ours that were not acknowledged: text by text, until when each may yet be done (ms of `performance.now`). */
  #adrift = new Map();
  #lastModifiedMs = null;
  #timer = null;
  #watching = null;
  /** The number of saves under way: two, if the page is left during one. */
  #saving = 0;
  /** The number of saves so far because the page was left. An earlier save that is still under way gives way to them. */
  #leaves = 0;
  /** The work that is being saved because the page is left, as a text. Closing a page fires two events for that. */
  #leaving = null;
  #failures = 0;

  /**
   * @param {string | null} key null where the server is to be asked
   * @param {string} typeSlug the type of a new document
   * @param {typeof callServer} [call] how the server is called
   */
  constructor(key, typeSlug, call = callServer) {
    super();
    this.key = key;
    this.work = { typeSlug, state: {} };
    this.#call = call;
  }

  get #isStored() {
    return textOf(this.work) === this.#stored;
  }

  /** Whether nothing would be lost if the page were left. Before a start has succeeded there is nothing to lose. */
  get isSafe() {
    return ["starting", "failed", "saved"].includes(this.status.name);
  }

  /** Opens the session: a key, a document, and what is in it. Never throws; the status says how it went. */
  async start() {
    for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
      this.#tell({ name: "starting", attempt });
      try {
        await this.#open();
        return;
      } catch (error) {
        if (attempt === START_ATTEMPTS) {
          this.#tell({ name: "failed", error });
        } else {
          await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
        }
      }
    }
  }

  async #open() {
    this.key ??= await this.#newKey();
    const { typeSlug, state } = this.work;
    await this.#call("instantiate", { body: { sessionKey: this.key, typeSlug, state } });
    this.#take(await this.#restore());
  }

  async #newKey() {
    const key = (await this.#call("generate-key"))?.sessionKey;
    if (typeof key !== "string") {
      throw new Unanswered("The server's answer holds no key");
    }
    return key;
  }

  /** To be called after each change of `work`. */
  changed() {
    if (this.status.name === "newer") {
      return;
    }
    if (this.#isStored && this.#saving === 0 && this.#adrift.size === 0) {
      this.#cancel();
      this.#tellSaved();
      return;
    }
    this.#schedule(SAVE_AFTER_MS);
    if (this.status.name !== "unsaved") {
      this.#tell({ name: "changed" });
    }
  }

  /** Saves what is not saved, now. Never throws; the status says how it went. */
  async saveNow() {
    if (this.#saving === 0) {
      await this.#saveAndTell(false);
    }
  }

  /** As `saveNow`, for a page that may be gone at once: the save is sent before this returns its promise. */
  async leave() {
    if (!canOutlive(this.#body(this.work))) {
      await this.saveNow();
      return;
    }
    const text = textOf(this.work);
    if (text !== this.#leaving) {
      this.#leaving = text;
      await this.#saveAndTell(true);
      this.#leaving = null;
    }
  }

  async #saveAndTell(isLeaving) {
    if (this.isSafe || this.status.name === "newer") {
      return;
    }
    this.#cancel();
    this.#saving += 1;
    this.#leaves += isLeaving ? 1 : 0;
    const leaves = this.#leaves;
    const isOvertaken = () => leaves !== this.#leaves;
    let failure = null;
    try {
      await this.#save(isLeaving, isOvertaken);
    } catch (error) {
      failure = error;
    }
    this.#saving -= 1;
    if (isOvertaken()) {
      // Its outcome says nothing about the latest work.
      this.#scheduleUnlessDue(SAVE_AFTER_MS);
    } else {
      this.#tellOutcome(failure);
    }
  }

  /** What follows a save: which status, and when the next one is due. */
  #tellOutcome(failure) {
    if (failure) {
      this.#scheduleUnlessDue(RETRY_PAUSES_MS[Math.min(this.#failures, RETRY_PAUSES_MS.length - 1)]);
      this.#failures += 1;
      this.#tell({ name: "unsaved", error: failure });
      return;
    }
    this.#failures = 0;
    if (this.status.name === "newer") {
      return;
    }
    if (this.#isStored) {
      this.#cancel();
      this.#tellSaved();
    } else {
      this.#scheduleUnlessDue(SAVE_AFTER_MS);
      this.#tell({ name: "changed" });
    }
  }

  #body(work) {
    return { ...work, sessionKey: this.key };
  }

  async #save(isLeaving, isOvertaken) {
    const mine = structuredClone(this.work);
    const text = textOf(mine);
    // While nothing could be saved, that stays what the person reads until something was.
    if (this.status.name !== "unsaved") {
      this.#tell({ name: "saving" });
    }
    if (!isLeaving) {
      const stored = await this.#restore();
      if (isOvertaken() || this.#isSomebodyElses(stored)) {
        return;
      }
    }
    this.#adrift.set(text, performance.now() + ADRIFT_MS);
    await this.#call("save", { body: this.#body(mine), outlives: isLeaving });
    // Of two saves at once, either may be the one that is stored.
    if (!isOvertaken()) {
      this.#adrift.delete(text);
      this.#stored = text;
      await this.#confirm(text);
    }
    this.#watch();
  }

  /** Looks whether what was saved is what is stored. The save was acknowledged: a look that fails changes nothing. */
  async #confirm(text) {
    let stored;
    try {
      stored = await this.#restore();
    } catch {
      return;
    }
    if (textOf(stored) !== text && !this.#isSomebodyElses(stored)) {
      this.#overtaken(stored);
    }
  }

  /** While saves of ours are adrift, looks whether one has come over newer work. */
  #watch() {
    clearTimeout(this.#watching);
    const now = performance.now();
    for (const [text, until] of this.#adrift) {
      if (until < now || text === this.#stored) {
        this.#adrift.delete(text);
      }
    }
    if (this.#adrift.size === 0) {
      return;
    }
    this.#watching = setTimeout(async () => {
      await this.refresh();
      this.#watch();
    }, LOOK_EVERY_MS);
  }

  /** An earlier save of ours has come over a later one, which is saved once more. */
  #overtaken(stored) {
    this.#stored = textOf(stored);
    this.#adrift.delete(this.#stored);
    this.changed();
  }

  /** Whether stored work is neither what was last seen there nor a late save of ours; the person is told then. */
  #isSomebodyElses(stored) {
    const text = textOf(stored);
    if (text === this.#stored || this.#adrift.has(text)) {
      return false;
    }
    this.#cancel();
    this.#tell({ name: "newer", theirs: stored, atMs: this.#lastModifiedMs });
    return true;
  }

  /** The person's decision on newer work: overwrite it. */
  async keepMine() {
    if (this.status.name === "newer") {
      this.#stored = textOf(this.status.theirs);
      this.#tell({ name: "changed" });
      await this.saveNow();
    }
  }

  /** The person's decision on newer work: drop one's own. */
  takeTheirs() {
    if (this.status.name === "newer" && this.status.theirs) {
      this.#take(this.status.theirs);
    }
  }

  /** Looks what is stored, where nothing of ours is unsaved: work goes on from what others have saved since. */
  async refresh() {
    const isIdle = () => this.status.name === "saved" && this.#saving === 0;
    let stored = null;
    try {
      stored = isIdle() ? await this.#restore() : null;
    } catch {
      // The next save will tell.
    }
    if (!stored || !isIdle() || textOf(stored) === this.#stored) {
      return;
    }
    if (this.#adrift.has(textOf(stored))) {
      this.#overtaken(stored);
    } else {
      this.#take(stored);
    }
  }

  /** What is stored; null where nothing is. */
  async #restore() {
    try {
      const document = await this.#call("restore", { query: { sessionKey: this.key } });
      if (asObject(document) !== document) {
        throw new Unanswered("The server's answer holds no document");
      }
      const at = document.metadata?.lastModified ?? document.metadata?.created;
      this.#lastModifiedMs = Number.isFinite(at) ? at : null;
      return workOf(document);
    } catch (error) {
      if (error.status === 404) {
        this.#lastModifiedMs = null;
        return null;
      }
      throw error;
    }
  }

  #take(stored) {
    if (!stored) {
      throw new Unanswered("The document that was just created is not there");
    }
    this.work = structuredClone(stored);
    this.#stored = textOf(stored);
    this.#cancel();
    this.#watch();
    this.dispatchEvent(new Event("work"));
    this.#tellSaved();
  }

  #tellSaved() {
    this.#tell({ name: "saved", atMs: this.#lastModifiedMs });
  }

  #schedule(afterMs) {
    this.#cancel();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.saveNow();
    }, afterMs);
  }

  /** As `#schedule`, where no change meanwhile has set a time of its own. */
  #scheduleUnlessDue(afterMs) {
    if (this.#timer === null) {
      this.#schedule(afterMs);
    }
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tell(status) {
    this.status = status;
    this.dispatchEvent(new Event("status"));
  }
}
