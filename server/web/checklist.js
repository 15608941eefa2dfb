// The page: a checklist over a session. What the person reads first is whether their work is safe.

import { Refused } from "./api.js";
import { itemsOf } from "./items.js";
import { linkTo, namedKey } from "./key.js";
import { START_ATTEMPTS, Session } from "./session.js";
import { asObject } from "./work.js";

/** What each status says, and what the person can do: `[headline, detail, actions]`. */
const SAYS = {
  starting: ({ attempt }) => ["Opening …", attempt > 1 ? `Attempt ${attempt} of ${START_ATTEMPTS}.` : "", []],
  failed: ({ error }) => [
    "This checklist could not be opened.",
    `${reason(error)} It was tried ${START_ATTEMPTS} times. Nothing was written, so nothing is lost.`,
    [["Try again", () => session.start()]],
  ],
  saved: ({ atMs }) => ["Saved.", `Everything on this page is on the server${timeOf(atMs)}.`, []],
  changed: () => ["Not saved yet.", "It will be, as soon as you pause for two seconds.", []],
  saving: () => ["Not saved yet.", "Saving …", []],
  unsaved: ({ error }) => [
    "NOT SAVED.",
    `${reason(error)} Your latest changes are in this tab only: keep it open. It goes on trying.`,
    [["Try now", () => session.saveNow()]],
  ],
  newer: ({ theirs, atMs }) =>
    theirs
      ? [
          "NOT SAVED.",
          `Somebody else, or another tab, saved other work here${timeOf(atMs)}. One of the two must go.`,
          [
            ["Look at theirs in a new tab", () => window.open(location.href)],
            ["Keep mine, drop theirs", () => session.keepMine()],
            ["Take theirs, drop mine", () => session.takeTheirs()],
          ],
        ]
      : [
          "NOT SAVED.",
          "Somebody deleted or archived this checklist on the server. Your work is in this tab only.",
          [["Save it again", () => session.keepMine()]],
        ],
};

const byId = (id) => document.getElementById(id);
const [all, type, items] = ["all", "type", "items"].map(byId);

const keyLength = Number(document.documentElement.dataset.keyLength);
const session = new Session(namedKey(window.sessionKeyFromPHP, location.search, keyLength), type.value);

session.addEventListener("status", showStatus);
session.addEventListener("work", showWork);
type.addEventListener("change", () => {
  session.work.typeSlug = type.value;
  showItems();
  session.changed();
});
byId("checklist").addEventListener("submit", (event) => event.preventDefault());
byId("copy").addEventListener("click", copyLink);
window.addEventListener("online", () => session.saveNow());
window.addEventListener("beforeunload", (event) => {
  if (!session.isSafe) {
    event.preventDefault();
  }
});
// A phone may end a page that is out of sight without a word.
document.addEventListener("visibilitychange", () => {
  document.visibilityState === "hidden" ? session.leave() : session.refresh();
});
window.addEventListener("pagehide", () => session.leave());
session.start();

/** Shows the work as it is in store. */
function showWork() {
  const link = linkTo(session.key, location.origin + location.pathname);
  history.replaceState(null, "", link);
  byId("key").textContent = session.key;
  byId("link").value = link;
  document.title = `Checklist ${session.key}`;
  showType(session.work.typeSlug);
  showItems();
  // Before, nothing could be saved: there is nothing to write in.
  all.hidden = false;
}

function showType(slug) {
  if (![...type.options].some((option) => option.value === slug)) {
    type.add(new Option(slug, slug));
  }
  type.value = slug;
}

function showItems() {
  const focused = document.activeElement.id;
  items.replaceChildren(...itemsOf(session.work.typeSlug).map(item));
  if (focused !== document.activeElement.id) {
    byId(focused)?.focus();
  }
  showProgress();
}

/** One item: a box to tick, and a note. */
function item({ id, text }) {
  const { statusButtons, notes } = session.work.state;
  const box = element("input", { type: "checkbox", id, checked: asObject(statusButtons)[id]?.state === "completed" });
  box.addEventListener("change", () => {
    const before = asObject(asObject(session.work.state.statusButtons)[id]);
    put("statusButtons", id, { flag: "default", ...before, state: box.checked ? "completed" : "ready" });
    showProgress();
  });
  const noted = asObject(notes)[id];
  const note = element("textarea", { id: `${id}-note`, rows: 2, value: typeof noted === "string" ? noted : "" });
  note.addEventListener("input", () => put("notes", id, note.value));
  const labels = [
    element("label", { htmlFor: id, textContent: text }),
    element("label", { htmlFor: note.id, textContent: `Note on “${text}”`, className: "of-note" }),
  ];
  const row = element("li", {});
  row.append(box, labels[0], labels[1], note);
  return row;
}

/** Changes one entry of a part of the state; the rest of it, whoever wrote it, stays. */
function put(part, id, value) {
  const { state } = session.work;
  state[part] = { ...asObject(state[part]), [id]: value };
  session.changed();
}

function showProgress() {
  const boxes = [...items.querySelectorAll("input")];
  byId("progress").textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} done`;
}

function showStatus() {
  const { status } = session;
  const box = byId("status");
  const [headline, detail, actions] = SAYS[status.name](status);
  const hadFocus = byId("status-actions").contains(document.activeElement);
  box.dataset.status = status.name;
  byId("status-headline").textContent = headline;
  byId("status-detail").textContent = detail;
  showActions(actions);
  if (hadFocus && !byId("status-actions").contains(document.activeElement)) {
    box.focus();
  }
  announce(status.name, `${headline} ${detail}`);
}

/** Buttons; those that are there already stay, as somebody may be about to press one. */
function showActions(actions) {
  const shown = byId("status-actions");
  const labels = [...shown.children].map((it) => it.textContent);
  if (actions.length !== labels.length || actions.some(([label], at) => label !== labels[at])) {
    shown.replaceChildren(...actions.map(([label, act]) => button(label, act)));
  }
}

/** Says aloud whether the work is safe; not each step between. */
function announce(name, text) {
  const isAlarm = ["failed", "unsaved", "newer"].includes(name);
  if (isAlarm || name === "saved") {
    byId("alarm").textContent = isAlarm ? text : "";
    byId("announcement").textContent = isAlarm ? "" : "Saved.";
  }
}

function reason(error) {
  if (!(error instanceof Refused)) {
    return `${error.message}.`;
  }
  const isFull = error.status === 503 && error.message.includes("exhausted");
  const advice = isFull ? " All keys are in use: whoever runs the server can archive old checklists." : "";
  return `The server refused: “${error.message}” (${error.status}).${advice}`;
}

function timeOf(atMs) {
  return atMs === null ? "" : `, as of ${new Date(atMs).toLocaleTimeString()}`;
}

async function copyLink() {
  const link = byId("link");
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    // Browsers keep the clipboard from pages that did not come by HTTPS.
    link.select();
    isCopied = false;
  }
  const told = isCopied ? "Link copied." : "The link is selected: copy it with Ctrl+C.";
  byId("copied").textContent = told;
  byId("announcement").textContent = told;
}

function button(label, act) {
  const made = element("button", { type: "button", textContent: label });
  made.addEventListener("click", act);
  return made;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
