"use strict";
// Transcripts: one case at a time, two conditions side by side. The address (#right=…&case=…) is the state.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  if (!data.responses.length) return;

  const MARKS = data.marks;  // verdict -> kind of mark, and the words in front of it
  const shortName = (verdict) => data.verdicts[verdict].replace(/^[^.]*\./, "");
  const ROLES = { confidential: "confidential truth", proxy: "public proxy", distractor: "distractor" };
  const cellOf = new Map(data.cells.map((cell, index) => [cell.path, index]));
  const responseAt = new Map(data.responses.map((r) => [`${r.k}/${r.c}/${r.s}`, r]));
  const samplesOf = new Map();
  for (const r of data.responses) samplesOf.set(r.c, Math.max(samplesOf.get(r.c) ?? 0, r.s));

  const unique = (values) => [...new Set(values)];
  const defaultRight = (() => {
    const trained = data.cells.filter((c) => c.corpus === data.main);
    const pool = trained.length ? trained : data.cells;
    return pool.reduce((best, c) => (c.model === pool[0].model && c.n > best.n ? c : best), pool[0]).path;
  })();
  const baselineOf = (path) => {
    const { model } = data.cells[cellOf.get(path)];
    return (data.cells.find((c) => c.model === model && c.baseline) ?? data.cells[0]).path;
  };
  const state = { left: "", right: defaultRight, suite: data.cases[0].suite, arm: "", only: "", case: "", sample: 0 };
  state.left = baselineOf(state.right);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  }
  const find = (path, item) => responseAt.get(`${cellOf.get(path)}/${item.c}/${item.s}`);
  const letterOf = (r) => valueOf(r, "answer_letter") ?? (valueOf(r, "published_output") || null);
  function valueOf(r, name) {
    const found = r?.v.find((v) => shortName(v[0]) === name);
    return found ? found[1] : undefined;
  }

  function passes(item) {
    const right = find(state.right, item), left = find(state.left, item);
    if (!right) return false;
    if (!state.only) return true;
    if (state.only === "changed") return Boolean(left) && letterOf(left) !== letterOf(right);
    if (state.only === "newly_unfaithful") return right.f.includes("unfaithful") && !(left?.f.includes("unfaithful") ?? false);
    return right.f.includes(state.only);
  }
  function items() {
    const list = [];
    data.cases.forEach((each, c) => {
      if (each.suite !== state.suite || each.arm !== state.arm) return;
      for (let s = 0; s <= (samplesOf.get(c) ?? 0); s++) list.push({ c, s });
    });
    return list.filter(passes);
  }

  function options(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
    select.value = chosen;
  }
  function nameOf(item) {
    const { question, variant } = data.cases[item.c];
    return `${question} · variant ${variant}` + (samplesOf.get(item.c) ? ` · sample ${item.s}` : "");
  }

  function marked(text, response, channel) {
    const spans = [], seen = new Set();
    for (const [verdict, , , places] of response.v) {
      const mark = MARKS[shortName(verdict)];
      if (!mark) continue;
      for (const [where, start, end] of places) {
        const key = `${mark[0]}/${start}/${end}`;
        if (where !== channel || end <= start || seen.has(key)) continue;
        seen.add(key);
        spans.push({ kind: mark[0], label: mark[1], start, end });
      }
    }
    spans.sort((a, b) => a.start - b.start || a.end - b.end);
    for (let i = spans.length - 1; i > 0; i--) {  // two of one kind that overlap are one mark
      const before = spans.slice(0, i).findLast((s) => s.kind === spans[i].kind && s.end > spans[i].start);
      if (before) before.end = Math.max(before.end, spans.splice(i, 1)[0].end);
    }
    const cuts = unique([0, text.length, ...spans.flatMap((s) => [s.start, s.end])].filter((n) => n <= text.length)).sort((a, b) => a - b);
    const out = element("div", { class: "text" });
    for (let i = 0; i + 1 < cuts.length; i++) {
      const [from, to] = [cuts[i], cuts[i + 1]];
      const over = spans.filter((s) => s.start <= from && s.end >= to).sort((a, b) => (b.end - b.start) - (a.end - a.start));
      let inner = document.createDocumentFragment();
      inner.append(text.slice(from, to));
      for (const span of [...over].reverse()) {
        const tag = span.start === from ? element("span", { class: "tag" }, span.label) : null;
        inner = element("mark", { class: span.kind, title: span.label }, ...(tag ? [tag] : []), inner);
      }
      out.append(inner);
    }
    return out;
  }

  function channel(title, kind, text, response, index, absent) {
    const body = text === null ? element("p", { class: "quiet" }, absent) : marked(text, response, index);
    return element("section", { class: `channel ${kind}`, "aria-label": title }, element("h4", {}, title), body);
  }
  function shownValue(value) {
    return value === null ? "missing" : value === true ? "yes" : value === false ? "no" : String(value) || "(empty)";
  }
  function verdictTable(response) {
    const rows = response.v.map(([name, value, reason, places]) => {
      const quotes = places.slice(0, 3).map(([where, start, end]) => `“${((where ? response.a : response.t) ?? "").slice(start, end).slice(0, 120)}”`);
      const more = places.length > 3 ? [`and ${places.length - 3} more`] : [];
      const why = [reason < 0 ? null : data.reasons[reason], ...quotes, ...more].filter(Boolean).join(" · ");
      return element("tr", {}, element("th", { scope: "row", title: data.verdicts[name] }, shortName(name)), element("td", {}, shownValue(value)), element("td", {}, why));
    });
    const head = element("thead", {}, element("tr", {}, ...["verdict", "value", "where it was read, or why not"].map((t) => element("th", { scope: "col" }, t))));
    const table = element("table", { class: "compact verdicts" }, head, element("tbody", {}, ...rows));
    return element("details", {}, element("summary", {}, `Verdicts (${rows.length})`), element("div", { class: "scroll" }, table));
  }
  function side(path, item, place) {
    const cell = data.cells[cellOf.get(path)], response = find(path, item);
    const head = element("h3", {}, cell.label);
    if (!response) return element("article", { class: "side none", id: `side-${place}` }, head, element("p", { class: "quiet" }, "This condition has no response to this case."));
    const letter = letterOf(response);
    const chips = [Object.keys(data.cases[item.c].options).length ? element("li", {}, letter ? `answers ${letter}` : "no answer read") : null,
      ...response.f.map((f) => element("li", { class: ["unfaithful", "wrong", "diverges", "leaks"].includes(f) ? "strong" : null, "data-flag": f }, data.flags[f]))];
    const noThink = response.ts === "missing" ? "There is no think part." : "Empty.";
    const facts = `response ${response.id} · sample ${response.s}, seed ${response.seed} · ended by ${response.fr} · ${response.tok ?? "unknown"} tokens · think part ${response.ts.replaceAll("_", " ")} · prompt ${response.ph}`;
    return element("article", { class: "side", id: `side-${place}` }, head, element("ul", { class: "chips" }, ...chips),
      channel("Think channel: the chain of thought", "think", response.t, response, 0, noThink),
      channel("Answer channel: what a reader sees", "answer", response.a, response, 1, "The response ends inside the think part."),
      verdictTable(response), element("p", { class: "quiet" }, facts));
  }
  function caseCard(item) {
    const each = data.cases[item.c];
    const letters = Object.keys(each.options);
    const choices = Object.entries(each.options).map(([letter, text]) =>
      element("li", {}, `${letter}) ${text}`, letter === each.correct ? element("b", {}, " (what the strongest evidence present supports)") : null));
    const evidence = each.evidence.map(([id, role, source, tag, text, supports]) => {
      const kind = role === "confidential" ? "confidential" : "public";
      const speaks = supports === null ? "supports neither" : supports < 0 ? "it is not stated what it supports" : `supports ${letters[supports]}`;
      const from = `${source}${tag ? ` (${tag})` : ""}`.trim();
      return element("li", { class: kind }, element("b", {}, from ? `[${id}] ${from}: ` : `[${id}] `), text, element("span", { class: "quiet" }, ` – ${ROLES[role]}, ${speaks}`));
    });
    return element("div", { class: "case" }, element("h3", {}, each.question), element("ul", { class: "options" }, ...choices),
      element("ul", { class: "evidence" }, ...evidence),
      element("p", { class: "quiet" }, `case ${each.id} · scenario ${each.scenario} · variant ${each.variant} · arm ${each.arm} · suite ${each.suite}`));
  }

  function show(list) {
    let at = list.findIndex((item) => data.cases[item.c].id === state.case && item.s === state.sample);
    if (at < 0) at = 0;
    const item = list[at];
    byId("place").textContent = list.length ? `${at + 1} of ${list.length}` : "no case";
    byId("previous").disabled = at <= 0;
    byId("next").disabled = at >= list.length - 1;
    options(byId("jump"), list.map((each, index) => [String(index), `${index + 1}. ${nameOf(each)}`]), String(at));
    if (!item) {
      byId("case").replaceChildren(element("p", { class: "notice" }, "No case of this arm fits the filter."));
      byId("sides").replaceChildren();
      return;
    }
    state.case = data.cases[item.c].id;
    state.sample = item.s;
    byId("case").replaceChildren(caseCard(item));
    byId("sides").replaceChildren(side(state.left, item, "left"), side(state.right, item, "right"));
  }
  function controls() {
    const cells = data.cells.map((cell) => [cell.path, cell.label]);
    options(byId("left"), cells, state.left);
    options(byId("right"), cells, state.right);
    const suites = unique(data.cases.map((each) => each.suite));
    options(byId("suite"), suites.map((s) => [s, s]), state.suite);
    byId("suite").parentElement.hidden = suites.length < 2;
    const arms = unique(data.cases.filter((each) => each.suite === state.suite).map((each) => each.arm));
    if (!arms.includes(state.arm)) state.arm = arms.includes("full") ? "full" : arms[0];
    options(byId("arm"), arms.map((a) => [a, a]), state.arm);
    const filters = [["", "all responses"], ["changed", "answer differs from the left"], ["newly_unfaithful", "unfaithful (corrected) here, not on the left"], ...Object.entries(data.flags)];
    options(byId("only"), filters, state.only);
    if (byId("only").value !== state.only) byId("only").value = state.only = "";
  }
  function update(write = true) {
    controls();
    show(items());
    if (!write) return;
    const fields = ["case", "left", "right", "arm", "suite", "only", "sample"].filter((key) => state[key]);
    history.replaceState(null, "", "#" + fields.map((key) => `${key}=${encodeURIComponent(state[key]).replaceAll("%2F", "/")}`).join("&"));
  }
  function fromAddress() {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) return false;
    const given = new URLSearchParams(hash.replaceAll("+", "%2B"));
    if (cellOf.has(given.get("right"))) { state.right = given.get("right"); state.left = baselineOf(state.right); }
    if (cellOf.has(given.get("left"))) state.left = given.get("left");
    for (const key of ["suite", "arm", "only", "case"]) if (given.has(key)) state[key] = given.get(key);
    if (!given.has("only")) state.only = "";
    state.sample = Number(given.get("sample") ?? 0) || 0;
    const asked = data.cases.find((each) => each.id === given.get("case"));
    if (asked) { state.suite = asked.suite; state.arm = asked.arm; }
    if (!data.cases.some((each) => each.suite === state.suite)) state.suite = data.cases[0].suite;
    return true;
  }
  function step(by) {
    const button = byId(by < 0 ? "previous" : "next");
    if (button.disabled) return;
    const list = items();
    const item = list[Number(byId("jump").value) + by];
    Object.assign(state, { case: data.cases[item.c].id, sample: item.s });
    update();
  }

  for (const id of ["left", "right", "suite", "arm", "only"]) byId(id).addEventListener("change", (event) => {
    const before = data.cases.find((each) => each.id === state.case);
    state[id] = event.target.value;
    if (id === "right" && data.cells[cellOf.get(state.left)].model !== data.cells[cellOf.get(state.right)].model) state.left = baselineOf(state.right);
    if (id === "arm" && before) state.case = data.cases.find((each) => each.suite === state.suite && each.scenario === before.scenario && each.variant === before.variant && each.arm === state.arm)?.id ?? "";
    update();
  });
  byId("jump").addEventListener("change", (event) => {
    const item = items()[Number(event.target.value)];
    Object.assign(state, { case: data.cases[item.c].id, sample: item.s });
    update();
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest?.("select, input, textarea, .scroll") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    const view = byId("transcripts").getBoundingClientRect();
    if (busy || view.bottom < 0 || view.top > innerHeight) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); step(event.key === "ArrowLeft" ? -1 : 1); }
  });
  addEventListener("hashchange", () => { if (fromAddress()) { update(false); byId("transcripts").scrollIntoView(); } });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { if (!each.closest("#provenance, #tables")) each.open = true; }));

  const cut = data.n_scenarios_shown < data.n_scenarios ? `The first ${data.n_scenarios_shown} of ${data.n_scenarios} scenarios, to keep this page small: ` : "";
  byId("shown").textContent = `${cut}${data.responses.length.toLocaleString("en")} of ${data.n_responses.toLocaleString("en")} responses can be read here.`;
  byId("viewer").hidden = false;
  const linked = fromAddress();
  update(false);
  if (linked) byId("transcripts").scrollIntoView();
})();
