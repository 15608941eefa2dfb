// ---- Tables, by operation, by name and by trial.

function drawOperations(event, shown) {
  const rows = shown === null ? {} : shown.operations;
  const names = [...new Set([...Object.keys(event.so_far), ...Object.keys(rows)])].sort();
  at("operations-section").hidden = names.length === 0;
  fill("operations", names.map((name) => {
    const row = rows[name];
    const times = row && row.response_us;
    const soFar = event.so_far[name];
    const head = element("th", name);
    head.scope = "row";
    const wrong = soFar ? soFar.wrong.count : 0;
    return tableRow([
      head,
      number(rate(row && row.answered_per_s)),
      number(rate(row && row.goodput_per_s)),
      ...["p50", "p90", "p99", "max"].map((of) => number(ms(times && times[of]))),
      number(soFar ? whole(soFar.errors.count) : NO_FIGURE),
      number(wrong > 0 ? `${whole(wrong)} wrong` : "none", wrong > 0),
    ]);
  }));
}

function drawNames(event) {
  const found = [];
  for (const [operation, soFar] of Object.entries(event.so_far)) {
    for (const kind of ["wrong", "errors"]) {
      const names = Object.entries(soFar[kind].by_name);
      if (soFar[kind].others > 0) names.push(["(further names)", soFar[kind].others]);
      for (const [name, count] of names) found.push({ isWrong: kind === "wrong", operation, name, count });
    }
  }
  found.sort((a, b) => b.isWrong - a.isWrong || b.count - a.count || (a.name < b.name ? -1 : 1));
  const isMeasured = Object.keys(event.so_far).length > 0;
  set("names-none", isMeasured ? "No answer was wrong, and none was an error." : "Nothing is measured yet.");
  at("names-none").hidden = found.length > 0;
  at("names-region").hidden = found.length === 0;
  fill("names", found.map(({ isWrong, operation, name, count }) => {
    const kind = element("td", isWrong ? "WRONG" : "error");
    kind.classList.toggle("is-wrong", isWrong);
    return tableRow([kind, number(whole(count), isWrong), element("td", operation), words(name)]);
  }));
}

function drawTrials(event) {
  at("trials-section").hidden = event.trials.length === 0;
  fill("trials", event.trials.map((trial) => tableRow([
    number(rate(trial.rate_per_s)),
    element("td", trial.phase),
    element("td", trial.valid ? trial.kept ? "kept" : "not kept" : "not known"),
    number(rate(trial.goodput_per_s)),
    words(trial.why),
  ])));
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function number(text, isWrong) {
  const made = element("td", text);
  made.className = isWrong ? "number is-wrong" : "number";
  return made;
}

// In an element of its own, so that a text in another direction does not turn the row around.
function words(text) {
  const made = element("td", "");
  made.className = "prose";
  made.append(element("bdi", text));
  return made;
}

function tableRow(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

const fill = (id, children) => renewChildren(at(id), children);

// Changes what is another now, and leaves the rest in place: tables are filled each second, and somebody may be reading.
function renewChildren(parent, fresh) {
  while (parent.children.length > fresh.length) parent.lastElementChild.remove();
  fresh.forEach((child, place) => {
    const old = parent.children[place];
    if (old === undefined) parent.append(child);
    else renew(old, child);
  });
}

function renew(old, fresh) {
  if (old.tagName !== fresh.tagName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.className !== fresh.className) old.className = fresh.className;
  if (fresh.children.length > 0) renewChildren(old, [...fresh.children]);
  else if (old.textContent !== fresh.textContent) old.textContent = fresh.textContent;
}

