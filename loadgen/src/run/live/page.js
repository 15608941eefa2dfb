"use strict";

// Draws a run's events. Everything from outside becomes text, never markup; nothing is loaded from elsewhere.

const NO_FIGURE = "–";

// How long a reader that found no place, or nobody, waits before it asks again, ms.
const ASK_AGAIN_MS = 5000;

const STATES = {
  "setting up": "Setting up",
  "warming up": "Warming up",
  "measured": "Measuring",
  "judging": "Judging the history",
  "ended": "This run has ended",
};

const OUTCOMES = {
  good: "as expected",
  wrong: "answers were wrong",
  invalid: "its figures are not to be used",
  failed: "it failed",
};

const run = { id: "", seconds: [], last: null, heardAt: null, phase: "", wasWrong: false };

// Why nothing is heard of the run: what the headline says then, and what the lines below it.
let silence = null;
let failures = 0;

const at = (id) => document.getElementById(id);

function set(id, text) {
  const element = at(id);
  // A reader's selection, and what a screen reader is at, stay where they are.
  if (element.textContent !== text) element.textContent = text;
}

// What a screen reader is told. Only what changes the state of things: not the figures of each second.
const tell = (text) => set("told", text);

// ---- Numbers

function rate(value) {
  if (value === null || value === undefined) return NO_FIGURE;
  return value.toLocaleString("en-GB", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

const whole = (value) => value.toLocaleString("en-GB");

// Microseconds as milliseconds, to three digits.
function ms(us) {
  if (us === null || us === undefined) return NO_FIGURE;
  if (us === 0) return "0";
  const value = us / 1000;
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

// ---- Events

function listen() {
  const source = new EventSource("/events");
  source.addEventListener("open", () => { failures = 0; });
  source.addEventListener("figures", (event) => take(event));
  source.addEventListener("ended", (event) => {
    // Before the connection ends, or the browser would ask again, and find nobody.
    source.close();
    take(event);
  });
  source.addEventListener("error", () => {
    failures += 1;
    if (source.readyState === EventSource.CLOSED) askWhy();
    // The first time the connection may only have been cut: the browser asks again at once.
    else if (failures > 1) gone();
  });
}

// The browser has given up: says why, and tries again later.
async function askWhy() {
  const giveUp = new AbortController();
  try {
    const answer = await fetch("/events", { signal: giveUp.signal });
    if (answer.ok) giveUp.abort();
    else refused(await answer.text());
  } catch {
    gone();
  }
  setTimeout(listen, ASK_AGAIN_MS);
}

function take(message) {
  const id = message.lastEventId.split("-")[0];
  const event = JSON.parse(message.data);
  if (id !== run.id) Object.assign(run, { id, seconds: [], phase: "", wasWrong: false });
  // Another trial begins, or has begun meanwhile.
  if (run.last !== null && event.elapsed_s < run.last.elapsed_s) run.seconds = [];
  if (event.second !== null) run.seconds.push(event);
  // As many as the run keeps for readers that come late.
  if (run.seconds.length > 600) run.seconds.shift();
  run.last = event;
  run.heardAt = new Date();
  silence = null;
  askForDrawing();
}

// ---- What is shown

let isAsked = false;

// A reader that comes late gets many events at once: only the last of them is drawn.
function askForDrawing() {
  if (isAsked) return;
  isAsked = true;
  setTimeout(() => {
    isAsked = false;
    draw();
  }, 0);
}

function draw() {
  drawSilence();
  const event = run.last;
  if (event === null) return;
  const shown = event.ending !== null && event.ending.whole !== null ? event.ending.whole : lastSecond();
  drawState(event);
  drawWrong(event);
  drawEnding(event.ending);
  drawFigures(event, shown);
  drawCharts();
  drawOperations(event, shown);
  drawNames(event);
  drawTrials(event);
}

// The last one of which enough is measured for a rate: those at the edges of what is measured would show dashes.
function lastSecond() {
  const seconds = run.seconds.map((event) => event.second);
  const rated = seconds.filter((second) => second.total.answered_per_s !== null);
  return rated[rated.length - 1] ?? seconds[seconds.length - 1] ?? null;
}

function drawSilence() {
  document.body.classList.toggle("gone", silence !== null);
  at("silence").hidden = silence === null;
  if (silence === null) return;
  set("state", silence.state);
  set("silence", silence.why);
  document.title = `${silence.state} · Load run`;
  tell(silence.why);
  // What comes next is news.
  run.phase = "";
}

function state(event) {
  if (event.phase === "ended") return `${STATES.ended}: ${OUTCOMES[event.ending.outcome]}`;
  const percent = `${Math.floor(event.progress * 100)} %`;
  const isLoading = event.phase === "warming up" || event.phase === "measured";
  return isLoading ? `${STATES[event.phase]}, ${percent}` : STATES[event.phase];
}

function drawState(event) {
  const trial = event.trial === null || event.phase === "ended" ? "" :
    `. Trial ${event.trials.length + 1}: ${rate(event.trial.rate_per_s)} arrivals per s (${event.trial.phase})`;
  const since = event.elapsed_s > 0 ? `. ${event.elapsed_s} s since users began to connect` : "";
  set("what", `${event.what}${trial}${since}.`);
  at("progress").value = event.phase === "judging" || event.phase === "ended" ? 1 : event.progress;
  if (silence !== null) return;
  const words = state(event);
  set("state", words);
  document.title = `${words} · Load run`;
  const phase = `${event.phase} ${event.phase === "ended" ? "" : event.trials.length}`;
  if (phase !== run.phase) {
    run.phase = phase;
    tell(event.phase === "ended" ? `${words}.` : `${STATES[event.phase]}${trial}.`);
  }
}

function drawWrong(event) {
  const wrong = sum(Object.values(event.so_far).map((of) => of.wrong.count));
  at("alarm").hidden = wrong === 0;
  at("wrong-box").classList.toggle("is-wrong", wrong > 0);
  const until = event.phase === "ended" ? "in all" : "so far";
  set("errors-head", `Errors ${until}`);
  set("wrong-head", `${wrong === 0 ? "Wrong" : "WRONG"} ${until}`);
  set("wrong", whole(wrong));
  if (wrong === 0) {
    run.wasWrong = false;
    return;
  }
  const answered = sum(Object.values(event.so_far).map((of) => of.answered));
  const many = wrong === 1 ? "1 answer was" : `${whole(wrong)} answers were`;
  set("alarm-words", `${many} wrong, of ${whole(answered)} ${until}: the server said what cannot be right. Their names are below.`);
  if (!run.wasWrong && event.phase !== "ended" && silence === null) tell("The first wrong answer has come.");
  run.wasWrong = true;
}

function drawEnding(ending) {
  at("ending").hidden = ending === null;
  if (ending === null) return;
  at("ending").className = `ending ${ending.outcome}`;
  fill("verdict", ending.verdict.map((line) => element("li", line)));
  set("folder", ending.folder);
}

function drawFigures(event, shown) {
  const total = shown === null ? null : shown.total;
  const times = total === null ? null : total.response_us;
  const isWhole = event.ending !== null && event.ending.whole !== null;
  set("figures-head", isWhole ? "The whole run" : "Last second");
  set("operations-words", isWhole ? "All that was measured." : "The last second; errors and wrong answers so far.");
  set("answered", rate(total && total.answered_per_s));
  set("goodput", rate(total && total.goodput_per_s));
  set("p50", ms(times && times.p50));
  set("p99", ms(times && times.p99));
  set("errors", whole(sum(Object.values(event.so_far).map((of) => of.errors.count))));
  set("slip", times === null ? "" :
    `; the generator itself was late by ${ms(shown.slip_p99_us)} ms at most in 99 of 100 cases`);
}

// The run's process is gone without a word; what was heard last stays.
function gone() {
  if (run.last !== null && run.last.phase === "ended") return;
  const until = run.heardAt === null ? "nothing was heard of it" :
    `figures are as of ${run.heardAt.toLocaleTimeString("en-GB")}`;
  isSilent("This run is gone", `The run’s process is gone; ${until}.`);
}

// It is there, and has no place.
const refused = (why) => isSilent("This page is not served the figures", why.trim());

function isSilent(state, why) {
  silence = { state, why };
  askForDrawing();
}

// What follows in this script, tables and charts, is there by the time an event comes.
window.addEventListener("resize", askForDrawing);
listen();

