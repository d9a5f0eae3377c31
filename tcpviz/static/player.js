// The Player: a sequence chart and a state diagram that step through a run, all in the page.
//
// One module, two lives: a widget's `render`, and posters of plain HTML that it brings to life.
// It knows the marks in the two SVGs (classes s<number>, f<number>; ids) and the data that
// tcpviz/player_data.py makes. It must not know TCP, and it holds no human word.
// A step changes classes, a few texts and one transform: it never replaces an SVG.

const SVG = "http://www.w3.org/2000/svg";
const KINDS = ["call", "depart", "arrive", "lose", "timeout"];
const SPEEDS = [0.5, 1, 2, 4];
const PACE = 1200; // ms between two steps at speed 1
const NUMBERS = 2 ** 32;
const ICONS = {
  first: "M3 4h2v12h-2zM11 4v12l-6-6zM17 4v12l-6-6z",
  back: "M5 4h2v12h-2zM15 4v12l-8-6z",
  play: "M6 3v14l11-7z",
  pause: "M5 4h4v12h-4zM11 4h4v12h-4z",
  step: "M13 4h2v12h-2zM5 4v12l8-6z",
  last: "M15 4h2v12h-2zM9 4v12l6-6zM3 4v12l6-6z",
};

export default {
  render({ model, el }) {
    const holder = element("div");
    const hear = hearing(holder);
    let stop = () => {};
    const renew = () => {
      stop();
      stop = mount(holder, model.get("run"));
      hear();
    };
    el.replaceChildren(holder, hear.part);
    renew();
    model.on("change:run", renew);
    return () => {
      model.off("change:run", renew);
      stop();
    };
  },
};

const DATA = "script[type='application/json']";

// Posters that a page shows before, or instead of, this script. Each comes to life when it is first
// seen, so that a page with many opens as fast as a page with one.
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) liven(target);
}, { rootMargin: "50%" });
for (const poster of document.querySelectorAll(".tcpviz-poster-1:not([data-live])")) {
  if (!poster.querySelector(DATA)) continue;  // not trusted: a picture, though the script may run for another
  poster.dataset.live = "";
  seen.observe(poster);
}

function liven(poster) {
  seen.unobserve(poster);
  const data = JSON.parse(poster.querySelector(DATA).textContent);
  const shown = element("div");
  if (data.panel) choose(shown, data);
  else {
    [data.chart, data.diagram] = [...poster.querySelectorAll("img")].slice(-2).map((image) => decoded(image.src));
    mount(shown, data);
  }
  poster.hidden = true;
  poster.after(shown);
}

// Choices over runs that are all here. Of what runs have in common there is one copy.
// One control may yield to the others: of what it offers, only what can be chosen beside them is there.
function choose(root, { panel, lines, shared, runs, order, yields }) {
  const holder = element("div");
  const hear = hearing(holder);
  const selects = panel.map(([, tip, labels, now]) => element(
    "select", { title: tip, onchange: show, "data-lm-suppress-shortcuts": "true" },
    ...labels.map((label, at) => element("option", { selected: at === now }, label))));
  let stop = () => {};
  const chosen = () => runs[order[selects.reduce((sum, select) => sum * select.length + select.selectedIndex, 0)]];
  function yielding(select) {
    const now = select.selectedIndex;
    for (const option of select.options) {
      select.selectedIndex = option.index;
      option.hidden = option.disabled = Boolean(chosen().cannot);
    }
    select.selectedIndex = select.options[now].disabled ? 0 : now;
  }
  function show() {
    if (yields !== undefined) yielding(selects[yields]);
    const run = chosen();
    stop();
    if (run.html === undefined) stop = mount(holder, unpacked(run, lines, shared));
    else {
      stop = () => {};
      holder.innerHTML = run.html;
    }
    hear();
  }
  root.replaceChildren(
    element("div", { class: "tcpviz-panel" },
      ...panel.map(([name], nth) => element("label", {}, `${name} `, selects[nth]))),
    holder, hear.part);
  show();
}

// Another run in the same place is told by one live element, whose text changes: a new one may not
// be heard.
function hearing(holder) {
  const part = written("p", { class: "tcpviz-unseen", role: "status" });
  return Object.assign(() => {
    const now = [".tcpviz-clock", ".tcpviz-caption"].map((name) => holder.querySelector(name)?.textContent);
    write(part, now[0] ? now.join(". ") : holder.querySelector("img")?.alt ?? holder.textContent);
  }, { part });
}

// A run whose texts are numbers of lines, and whose data lacks what is shared.
function unpacked(run, lines, shared) {
  const whole = (numbers) => numbers.map((number) => lines[number]).join("\n");
  const [chart, diagram, text] = [run.chart, run.diagram, run.text].map(whole);
  return { ...run, chart, diagram, text, data: { ...shared, ...run.data } };
}

function decoded(address) {
  const octets = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(octets);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// An element of one text, which is changed in place: the least that a page can be asked to do.
function written(name, attributes) {
  const text = document.createTextNode("");
  return Object.assign(element(name, attributes, text), { text });
}

function write(part, said) {
  if (part.said === said) return false;
  part.text.data = part.said = said;
  return true;
}

function icon(name) {
  return drawn("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, drawn("path", { d: ICONS[name] }));
}

// A time in ns as tcpviz prints it: ms below one second, else s, at most three decimals.
function readable(time) {
  const short = Math.abs(Math.round(time / 1e3) / 1e3) < 1000;
  const number = (time / (short ? 1e6 : 1e9)).toFixed(3).replace(/\.?0+$/, "");
  return `${number === "-0" ? "0" : number} ${short ? "ms" : "s"}`;
}

// An SVG as elements. Ids become data, so that many players fit into one page.
function picture(text, name, role) {
  const template = element("template");
  template.innerHTML = text; // a third of the time that an XML parser takes; runs no script
  const svg = template.content.querySelector("svg");
  for (const part of svg.querySelectorAll("[id]")) {
    part.dataset.id = part.id;
    part.removeAttribute("id");
  }
  svg.told = svg.querySelector(":scope > desc")?.textContent;
  const heading = svg.querySelector(":scope > title")?.textContent ?? "";
  const begins = (text) => text && heading.startsWith(text.replace(/…$/, ""));
  const head = [...svg.querySelectorAll(".graph > text")].find((text) => begins(text.textContent));
  head?.classList.add("tcpviz-heading");
  for (const title of svg.querySelectorAll(":scope > title, :scope > desc")) title.remove();
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("role", role);
  svg.setAttribute("aria-label", name);
  return svg;
}

// The steps that tell of a part of a picture: s<number> means that step.
function numbersOf(part) {
  return [...part.classList].filter((c) => /^s\d+$/.test(c)).map((c) => +c.slice(1));
}

// For each number of steps done, the parts that appear with the next.
function byStep(svg, count) {
  const parts = Array.from({ length: count }, () => []);
  for (const part of svg.querySelectorAll("[class]")) {
    const numbers = numbersOf(part);
    if (numbers.length && Math.min(...numbers) < count) parts[Math.min(...numbers)].push(part);
  }
  return parts;
}

function mount(root, run) {
  const { data } = run;
  const { ends, flights, edges, words, boxes } = data;
  let now = 0; // steps of one instant have its time once
  const steps = data.steps.map((step) => ({ ...step, t: (now = step.t ?? now) }));
  const shared = { words, boxes, half: data.half, colors: data.colors, absolute: data.absolute };
  const boxNames = Object.keys(boxes);
  const count = steps.length;
  const split = new Map(); // the words of a key, each at an odd place the name of a value
  const say = (key, values = {}) => {
    let pieces = split.get(key);
    if (!pieces) split.set(key, (pieces = words[key].split(/\{(\w+)\}/)));
    let said = pieces[0];
    for (let at = 1; at < pieces.length; at += 2) said += `${values[pieces[at]] ?? ""}${pieces[at + 1]}`;
    return said;
  };

  // What each end knows after so many steps: [box, timers, variables, changed], by end.
  const known = [ends.map(([, , , box]) => ({ box, timers: [], vars: null }))];
  const entries = []; // {state, box, end, step}: when a state was entered
  ends.forEach(([, , , box], end) => box && entries.push({ box, end, step: -1 }));
  steps.forEach((step, index) => {
    const now = [...known[index]];
    if (step.e !== undefined) {
      const end = { ...now[step.e] };
      if ("s" in step) end.box = boxNames[step.s];
      if ("w" in step) end.timers = step.w;
      if ("v" in step) end.vars = step.v;
      now[step.e] = end;
      if ("s" in step || step.m) entries.push({ box: end.box, end: step.e, step: index });
    }
    known.push(now);
  });

  // -- the parts of the page ---------------------------------------------------------------------

  const rows = ["state", "SND.UNA", "SND.NXT", "RCV.NXT", "timers"];
  const cells = rows.map(() => ends.map(() => written("td")));

  // JupyterLab's shortcuts would take the keys from whatever has the focus and lacks this.
  const keys = { "data-lm-suppress-shortcuts": "true" };
  const button = (sign, label, act) =>
    element("button", { type: "button", "aria-label": label, title: label, onclick: act, ...keys }, icon(sign));
  const first = button("first", say("first"), () => leap(0));
  const back = button("back", say("back"), () => leap(done - 1));
  const play = button("play", say("play"), () => (timer ? pause() : start()));
  const next = button("step", say("step"), () => advance());
  const last = button("last", say("last"), () => leap(count));
  const scrub = element("input", {
    type: "range", min: 0, max: count, value: 0, step: 1, "aria-label": say("scrub"),
    title: say("keys"), oninput: () => leap(+scrub.value), ...keys,
  });
  const speed = element(
    "select",
    { "aria-label": say("speed"), title: say("speed"), ...keys },
    ...SPEEDS.map((s) => element("option", { value: s, selected: s === 1 }, `${s}×`)),
  );
  const predict = element("input", {
    type: "checkbox", checked: true, onchange: look, ...keys,
  });
  const bar = element(
    "div", { class: "tcpviz-bar" },
    first, back, play, next, last, scrub, speed,
    ...(data.questions?.length ? [element("label", {}, predict, ` ${say("predict")}`)] : []),
  );
  const clock = written("span", { class: "tcpviz-clock" });
  const told = written("p", { class: "tcpviz-caption", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const asks = element("div", { class: "tcpviz-asks", "aria-live": "polite" });
  const chart = picture(run.chart, say("chart"), "group");
  const diagram = picture(run.diagram, say("diagram"), "group");
  const pane = element("div", { class: "tcpviz-pane", tabindex: 0, ...keys }, chart);
  const shown = element("div", { class: "tcpviz-info" });
  const whatIf = element("div", { class: "tcpviz-fork", role: "group", "aria-label": say("fork") });
  const heard = written("p", { class: "tcpviz-heard", role: "status" }); // one sentence, not all of a Player
  const other = element("div");
  const forked = element("div", { class: "tcpviz-forked" }, heard, other);
  const player = element(
    "section", { class: "tcpviz-player" },
    bar, element("div", { class: "tcpviz-now" }, clock, told), asks,
    element(
      "div", { class: "tcpviz-views" }, pane,
      element("div", { class: "tcpviz-side" }, element("div", { class: "tcpviz-diagram" }, diagram)),
      element("div", { class: "tcpviz-facts" }, table(), shown),
    ),
    whatIf, forked,
    element("details", { class: "tcpviz-text" },
      element("summary", { ...keys }, say("text")),
      element("pre", { tabindex: 0, ...keys }, run.text)),
  );

  // The variables of both ends, one row a variable.
  function table() {
    return element(
      "table", { class: "tcpviz-tcb" },
      element("caption", {}, say("variables")),
      element("thead", {}, element("tr", {}, element("td"),
        ...ends.map(([name], nth) => element("th", { scope: "col", class: `tcpviz-end${nth}` }, name)))),
      element("tbody", {}, ...rows.map((name, row) =>
        element("tr", {}, element("th", { scope: "row" }, words[name] ?? name), ...cells[row]))),
    );
  }

  // What goes while it has the focus leaves the keys to the player.
  function replace(place, ...parts) {
    const held = place.contains(document.activeElement);
    place.replaceChildren(...parts);
    if (held && !place.contains(document.activeElement)) scrub.focus({ preventScroll: true });
  }

  // -- marks in the pictures ---------------------------------------------------------------------

  const ground = chart.querySelector("g.graph");
  const { width, height } = chart.viewBox.baseVal;
  const parts = byStep(chart, count);
  byStep(diagram, count).forEach((more, step) => parts[step].push(...more));
  // What lies below the cursor is still to come: a veil over the bars, and while a question waits
  // one over the arrows as well, but for where they begin. Texts lie over both and come one by one.
  const axis = ground.querySelector("polyline")?.points[0].x ?? 0;
  const veils = ["near", "far"].map((which) => drawn("path", {
    class: `tcpviz-veil tcpviz-${which}`, d: `M0,6H${axis - 2}V0H${width}V${height + 20}H0Z`,
  }));
  const cursor = drawn("path", { class: "tcpviz-cursor", d: `M${axis},0H${width}` });
  const texts = ground.querySelectorAll("[data-id^='flight_'][data-id$='_label'], .call, .name");
  ground.append(veils[0], ...ground.querySelectorAll("[data-id^='flight_']"), veils[1], cursor, ...texts);
  const byFlight = flights.map((_, number) => [...ground.querySelectorAll(`.f${number}`)]);
  // How a way is drawn tells the fate of its segment, or that it comes twice: such a one waits for
  // that. Where questions are asked all wait, or one that does not would tell as much.
  for (const all of parts.slice())
    for (const part of all.filter((each) => each.classList.contains("flight"))) {
      if (!part.classList.contains("fated") && !data.questions?.length) continue;
      all.splice(all.indexOf(part), 1);
      parts[Math.max(...numbersOf(part))].push(part);
    }
  for (const { box, step } of [...entries].reverse())
    if (step >= 0) {
      const part = diagram.querySelector(`[data-id='${box}']`);
      const since = entries.find((entry) => entry.box === box).step;
      if (since === step && since >= 0 && !parts[step].includes(part)) parts[step].push(part);
    }
  for (const [box, [, , y]] of Object.entries(boxes)) {
    const text = diagram.querySelector(`[data-id='${box}'] text`);
    text?.setAttribute("y", y + 4); // who ends there is told by the frames
  }
  // Times on the axis and waits left out: under the veil nobody is to find or select them.
  for (const text of ground.querySelectorAll(":scope > text, .break text")) {
    const y = +text.getAttribute("y") - 8;
    const at = steps.findIndex((step) => step.y >= y);
    if (count && y > steps[0].y) parts.at(at).push(text);
  }
  for (const all of parts) for (const part of all) part.classList.add("tcpviz-future");
  // Where each end is: a frame around the state, with the end's name on it.
  const places = ends.map(([name], nth) => {
    const out = 4 + 5 * nth;
    const frame = drawn("rect", { x: -data.half - out, width: 2 * (data.half + out), rx: 10 });
    const plate = drawn("rect", { class: "tcpviz-plate", height: 14, rx: 3 });
    const text = drawn("text", { "text-anchor": nth ? "end" : "start" }, name);
    const here = drawn("g", { class: `tcpviz-here tcpviz-end${nth}` }, frame, plate, text);
    diagram.querySelector("g.graph").append(here);
    here.style.display = "none";
    return { here, frame, plate, text, out };
  });

  function place(nth, box) {
    const at = places[nth], { here, out } = at;
    if (at.box === box) return;
    if (!box !== !at.box) here.style.display = box ? "" : "none";
    at.box = box;
    if (!box) return;
    const [, x, y, half] = boxes[box];
    here.style.transform = `translate(${x}px, ${y}px)`;
    const first = y < 100; // above it is the legend: the names stand at its left
    if (at.half === half && at.first === first) return;
    Object.assign(at, { half, first });
    const width = at.wide ?? 0;
    const left = first ? -data.half - 11 - width : nth ? data.half + out - 6 - width : -data.half - out + 6;
    const high = first ? 18 * nth - 16 : -half - out - 8;
    const set = (part, values) => Object.entries(values).forEach(([key, value]) => part.setAttribute(key, value));
    set(at.frame, { y: -half - out, height: 2 * (half + out) });
    set(at.plate, { x: left, y: high, width });
    set(at.text, { x: nth ? left + width - 4 : left + 4, y: high + 10.5 });
  }

  // What would tell of later steps though it stands for an earlier one: the numbers of moves to
  // come, the second of two lines, how long a timer runs.
  const counters = [...diagram.querySelectorAll(".number")].flatMap((part) => {
    const text = part.querySelector("text"), oval = part.querySelector("ellipse");
    const numbers = numbersOf(part).sort((a, b) => a - b);
    const wide = oval?.getAttribute("rx");
    return numbers.length > 1 && text ? [{ text, numbers, all: text.textContent, oval, wide }] : [];
  });
  const pairs = new Map(); // the lines of both ends on one arrow of the figure
  for (const part of diagram.querySelectorAll(".edge.taken")) {
    const end = [...part.classList].find((c) => part.dataset.id.endsWith(`_${c}`));
    const arrow = part.dataset.id.slice(0, -1 - end?.length);
    pairs.set(arrow, [...(pairs.get(arrow) ?? []), part].sort((a, b) => numbersOf(a)[0] - numbersOf(b)[0]));
  }
  const waits = [...chart.querySelectorAll(".wait")].map((part) => {
    const numbers = numbersOf(part).sort((a, b) => a - b);
    return { part, until: numbers.length > 1 ? numbers.at(-1) : count };
  });
  const kept = {};
  function keep(open) {
    for (const counter of counters) {
      const { text, numbers, all, oval, wide } = counter;
      const past = numbers.filter((number) => number < done).length;
      if (past === counter.past) continue;
      counter.past = past;
      oval?.setAttribute("rx", past === 1 ? 6 : wide);
      text.firstChild.data = past === numbers.length ? all : all.split(/[, ]/)[0] + (past > 1 ? ` +${past - 1}` : "");
    }
    const hidden = timed();
    if (open || kept.open)
      for (const [, ...more] of pairs.values())
        for (const part of more)
          part.classList.toggle("tcpviz-hushed", open && part.classList.contains("tcpviz-future"));
    if (hidden || kept.hidden)
      for (const { part, until } of waits)
        part.classList.toggle("tcpviz-hushed", hidden && until >= done);
    if (open !== kept.open) {
      player.classList.toggle("tcpviz-asking", open);
      if (open) chart.removeAttribute("aria-description"); // it tells the whole run
      else if (chart.told) chart.setAttribute("aria-description", chart.told);
      // A run's name may tell as much; that of one that refutes an answer is told with it.
      player.ariaLabel = open && !run.veiled ? say("unnamed") : say("name", { title: data.title });
    }
    Object.assign(kept, { open, hidden });
  }
  // A question about how long something lasts waits: until then no timer tells.
  const timed = () =>
    predict.checked && questions.some((q) => q.timed && !answers.has(q) && q.step >= done);

  // -- stepping ----------------------------------------------------------------------------------

  let done = 0; // so many steps have happened
  let timer = null;
  let scale = 0, view = 0; // px per pt of the chart, and the height of the pane
  let narrow = false; // whether the chart is wider than it
  const answers = new Map(); // question -> chosen choice
  const questions = data.questions ?? [];
  let asked = null;

  // Who unticks "Predict first" sees everything, and what was still asked is asked no more.
  function look() {
    for (const question of questions) if (!predict.checked && !answers.has(question)) answers.set(question, null);
    go(done);
  }

  // The first question that stands between here and there.
  function gate(from, to) {
    if (!questions.length || !predict.checked) return null;
    return questions.find((q) => !answers.has(q) && q.step >= from && q.step < to) ?? null;
  }

  function go(wanted) {
    let to = Math.max(0, Math.min(count, wanted));
    const barrier = gate(0, to);
    if (barrier) to = Math.min(to, barrier.step);
    for (; done < to; done++) for (const part of parts[done]) part.classList.remove("tcpviz-future");
    for (; done > to; done--) for (const part of parts[done - 1]) part.classList.add("tcpviz-future");
    update();
    if (done === count) pause();
    return to === wanted;
  }

  // Where the reader goes, the film stops.
  function leap(wanted) {
    pause();
    return go(wanted);
  }

  // Who wants to go on past a question is led to it.
  function advance() {
    if (asked) asks.querySelector("form input").focus();
    else leap(done + 1);
  }

  // A step is to be seen in the next frame, on a slow computer too: it changes what differs, asks
  // for no layout, and makes nothing anew.
  let marked = [];
  const captions = [];
  function update() {
    const step = steps[done - 1];
    const y = step ? step.y : steps.length ? steps[0].y : 0;
    const time = step ? step.t : 0;
    asking(gate(done, done + 1));
    const below = !step ? -4 : asked ? 2 : done === count ? height : 17;
    cursor.setAttribute("transform", `translate(0 ${y})`);
    veils.forEach((veil, far) => veil.setAttribute("transform", `translate(0 ${y + (far ? 17 : below)})`));
    keep(Boolean(gate(0, count)) || Boolean(run.veiled && done < count));
    const segment = step?.f === undefined ? [] : byFlight[step.f];
    if (segment !== marked) {
      for (const part of marked) part.classList.remove("tcpviz-active");
      for (const part of (marked = segment)) part.classList.add("tcpviz-active");
    }
    known[done].forEach((now, nth) => tell(now, nth, time));
    if (+scrub.value !== done) scrub.value = done;
    const position = say("position", { done, all: count, time: readable(time) });
    scrub.setAttribute("aria-valuetext", position);
    write(clock, position);
    write(told, (captions[done] ??= step ? caption(step) : say("start")));
    for (const [buttons, off] of [[[first, back], done === 0], [[next, last], done === count]])
      for (const each of buttons)
        if (each.off !== off) each.ariaDisabled = String((each.off = off));
    inform(step?.f);
    for (const each of options) {
      const off = !step || (each.segmented && step.f === undefined);
      if (each.off !== off) each.ariaDisabled = String((each.off = off));
    }
    soon();
  }

  function put(cell, text, marks = true) {
    const marked = write(cell, text) && marks && done > 0;
    if (cell.marked !== marked) cell.classList.toggle("tcpviz-changed", (cell.marked = marked));
  }

  // One end's column, and its place in the diagram.
  function tell({ box, timers, vars }, nth, time) {
    const [state, una, nxt, received, row] = cells.map((cell) => cell[nth]);
    put(state, box ? boxes[box][0] : say("unknown"));
    const number = (value, of) =>
      value === undefined || value === null ? say("no_number") : String(data.absolute ? value : relative(value, of));
    put(una, number(vars?.[0], nth));
    put(nxt, number(vars?.[1], nth));
    put(received, number(vars?.[2], 1 - nth));
    const key = timed() ? "runs" : "left";
    put(row, timers.map(([name, until]) => say(key, { name, left: readable(until - time) })).join("; ") || say("none"), false);
    place(nth, box);
  }

  const relative = (value, of) => Math.min(...ends[of][1].map((iss) => (value - iss + NUMBERS) % NUMBERS));
  const name = (end) => ends[end]?.[0] ?? "";

  function caption(step) {
    const flight = flights[step.f];
    const kind = KINDS[step.k];
    let key = kind;
    if (kind === "call" && words[`call_${step.x}`]) key = `call_${step.x}`;
    if (kind === "depart" && flight.again) key = "again";
    if (kind === "lose" && step.i) key = "lose_unseen";
    if (kind === "arrive") {
      const before = steps.slice(0, steps.indexOf(step)).filter((s) => s.f === step.f);
      if (before.some((s) => s.k === step.k)) key = "copy";
      else if (!before.length && ends[flight.e][4]) key = "old";
    }
    const sentences = [
      say(key, { end: name(step.e ?? flight?.e), text: step.x, segment: flight?.n }),
      ...(step.m ?? []).map((edge) => moved(edges[edge], step)),
    ];
    if (step.u) sentences.push(say("told", { end: name(step.e), text: step.u }));
    return sentences.join(" ");
  }

  function moved([source, target, event, rule], step) {
    const key = source === target ? "stays" : step.i ? "inferred" : "moves";
    return say(key, { end: name(step.e), source, target, event, rule });
  }

  // Keep the cursor in the middle part of the pane.
  let top = 0, frame = null;
  pane.addEventListener("scroll", () => (top = pane.scrollTop), { passive: true });
  // With the next frame: it needs the layout, which a step need not wait for.
  function soon() {
    frame ??= requestAnimationFrame(follow);
  }
  function follow() {
    frame = null;
    stopAt();
    const now = steps[Math.max(done - 1, 0)];
    if (narrow && now?.e !== undefined) pane.scrollLeft = now.e ? width * scale : 0;
    const at = (now?.y ?? 0) * scale;
    if (!view || (at > top + 0.2 * view && at < top + 0.8 * view)) return;
    pane.scrollTop = top = Math.max(0, Math.min(at - 0.4 * view, height * scale - view));
  }
  const watch = new ResizeObserver(() => {
    scale = chart.getBoundingClientRect().width / width;
    view = pane.clientHeight;
    narrow = width * scale > pane.clientWidth + 1;
    places.forEach((at, nth) => {
      const length = at.text.getComputedTextLength(), { box } = at;
      if (!length || at.wide === length + 8) return;
      at.wide = length + 8;
      at.box = at.half = undefined;
      place(nth, box);
    });
    soon();
  });

  // -- playing -----------------------------------------------------------------------------------

  function start() {
    if (done === count) go(0);
    player.classList.add("tcpviz-playing");
    play.replaceChildren(icon("pause"));
    play.ariaLabel = play.title = say("pause");
    tick();
  }
  function tick() {
    timer = setTimeout(() => {
      if (!player.isConnected) return pause();
      if (!go(done + 1) || asked) return pause();
      if (timer) tick();
    }, PACE / speed.value);
  }
  function pause() {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    player.classList.remove("tcpviz-playing");
    play.replaceChildren(icon("play"));
    play.ariaLabel = play.title = say("play");
  }

  const acts = {
    ArrowLeft: () => leap(done - 1), ArrowRight: advance,
    Home: () => leap(0), End: () => leap(count),
    " ": () => (timer ? pause() : start()),
  };
  player.addEventListener("keydown", (event) => {
    const on = event.target, act = acts[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (on !== scrub) {
      if (on === speed || on.type === "radio" || on.closest(".tcpviz-text, .tcpviz-nested, .tcpviz-beside")) return;
      if (event.key === " " && on !== pane) return;
    }
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  // A press anywhere in the player gives it the keys.
  player.addEventListener("click", (event) => {
    if (!event.target.closest("button, select, input, label, summary, pre, [role='button'], .tcpviz-nested, .tcpviz-beside"))
      scrub.focus({ preventScroll: true });
  });

  // -- a segment's header, a state's history -----------------------------------------------------

  // Parts of a picture as one stop of Tab: within it the arrow keys go from part to part.
  function walk(parts, name, act, there = () => true) {
    let at;
    const stop = (part) => {
      if (at === part) return;
      if (at) at.tabIndex = -1;
      if (part) part.tabIndex = 0;
      at = part;
    };
    for (const part of parts) {
      const set = { role: "button", tabindex: -1, "aria-label": name(part), ...keys };
      for (const [key, value] of Object.entries(set)) part.setAttribute(key, value);
      part.addEventListener("keydown", (event) => {
        const now = parts.filter(there), here = now.indexOf(part) + now.length;
        const to = {
          ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1,
          Home: 0, End: now.length - 1,
        }[event.key];
        if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        if (to !== undefined) now[to % now.length].focus();
        else if (event.key === "Enter" || event.key === " ") act(part);
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      part.addEventListener("focus", () => stop(part));
    }
    stop(parts[0]);
    return stop;
  }

  const handles = flights.map((_, number) => ground.querySelector(`[data-id='flight_${number}_label']`));
  const numberOf = (part) => +[...part.classList].find((c) => /^f\d+$/.test(c)).slice(1);
  // While a question waits, a segment of what comes is not to be seen, nor to be found by keys.
  const visible = (part) => !kept.open || !part.classList.contains("tcpviz-future");
  const halt = walk(
    handles,
    (part) => `${flights[numberOf(part)].n} ${say("from", { end: name(flights[numberOf(part)].e) })}`,
    visit,
    visible,
  );
  for (const part of ground.children) if (!handles.includes(part)) part.setAttribute("aria-hidden", "true");
  chart.addEventListener("click", (event) => {
    const part = event.target.closest(".flight");
    if (!part) return;
    visit(part);
    scrub.focus({ preventScroll: true }); // a press leaves the keys to the player
  });

  // Go to the next of the moments of a segment.
  function visit(part) {
    const number = numberOf(part);
    const moments = steps.flatMap((step, index) => (step.f === number ? [index + 1] : []));
    leap(moments[(moments.indexOf(done) + 1) % moments.length]);
  }

  // Tab comes to the segment of this moment, or else to the one before.
  function stopAt() {
    if (chart.contains(document.activeElement)) return;
    const last = steps.slice(0, done).findLast((step) => step.f !== undefined);
    const now = handles.filter(visible);
    halt(now.includes(handles[last?.f]) ? handles[last.f] : now.at(last ? -1 : 0));
    pane.tabIndex = now.length ? -1 : 0;
  }

  // The header of the segment of this step: one table, whose texts change.
  let informed;
  const fields = ["seq", "ack", "ctl", "len", "win", "opt"].map((key) => {
    const values = ["seq", "ack"].includes(key) ? [written("td"), written("td")] : [written("td", { colspan: 2 })];
    return { values, row: element("tr", {}, element("th", { scope: "row" }, say(key)), ...values) };
  });
  const whose = written("caption");
  const header = element(
    "table", { class: "tcpviz-header" }, whose,
    element("thead", {}, element("tr", {}, ...["field", "absolute", "relative"].map((key) => element("th", { scope: "col" }, say(key))))),
    element("tbody", {}, ...fields.map(({ row }) => row)),
  );
  header.hidden = true;
  shown.append(header);
  function inform(number) {
    if (informed === number) return;
    informed = number;
    header.hidden = number === undefined;
    if (!header.hidden) fill(flights[number]);
    if (shown.firstChild !== header) replace(shown, header);
  }

  function fill(flight) {
    const seen = [ends[flight.e][2], ends[1 - flight.e][2]]; // whether relative numbers are known
    const both = (value, of, known) => [String(value), known ? String(relative(value, of)) : say("unknown")];
    const texts = [
      both(flight.seq, flight.e, seen[0]),
      "ack" in flight ? both(flight.ack, 1 - flight.e, seen[1]) : [say("no_ack"), ""],
      [flight.ctl], [String(flight.len ?? 0)], [String(flight.win)], [flight.opt ?? say("none")],
    ];
    write(whose, `${say("header", { segment: flight.n })} ${say("from", { end: name(flight.e) })}`);
    fields.forEach(({ values }, row) => values.forEach((cell, nth) => write(cell, texts[row][nth])));
  }

  function history(box) {
    pause();
    const state = boxes[box][0];
    // While a question waits, what comes later is not told.
    const told = entries.filter((entry) => boxes[entry.box][0] === state && (entry.step < done || !kept.open));
    const lines = told.map(({ end, step }) => {
      const moment = steps[step];
      if (!moment) return [say("began", { end: name(end), state })];
      const edge = edges[moment.m?.at(-1)];
      const values = { end: name(end), state, time: readable(moment.t), event: edge?.[2], rule: edge?.[3] };
      const line = say(edge ? "entered" : "inside", values);
      return [line, element("button", { type: "button", onclick: () => leap(step + 1), ...keys }, say("go", values))];
    });
    if (!lines.length) lines.push([say(kept.open ? "not_yet" : "never", { state })]);
    informed = null;
    replace(shown, element("div", { role: "status" }, element("strong", {}, state),
      element("ul", {}, ...lines.map(([line, button]) => element("li", {}, `${line} `, ...(button ? [button] : []))))));
  }

  const states = [...diagram.querySelectorAll("[data-id^='state_']")];
  walk(states, (part) => boxes[part.dataset.id][0], (part) => history(part.dataset.id));
  for (const part of states) part.addEventListener("click", () => history(part.dataset.id));

  // -- what if -----------------------------------------------------------------------------------

  const options = [];
  if (run.forks) {
    const option = (what, end) => {
      const act = () => made.off || fork(what, end);
      const made = element("button", { type: "button", onclick: act, ...keys }, say(`fork_${what}`, { end }));
      return Object.assign(made, { segmented: !end });
    };
    options.push(...["lose", "delay", "duplicate"].map((what) => option(what, null)),
      ...ends.flatMap(([end]) => ["close", "crash"].map((what) => option(what, end))));
    whatIf.append(element("span", {}, say("fork")), ...options);
  }

  function fork(what, end) {
    pause();
    const ask = globalThis.tcpvizAsks?.get(run.forks);
    const tell = (text, ...parts) => {
      write(heard, text);
      replace(other, ...parts);
    };
    // A page that Jupyter serves has this, an exported one has not: there no cell can be run.
    const alone = say(document.getElementById("jupyter-config-data") ? "fork_alone" : "fork_apart");
    if (!ask) return tell(alone);
    tell(say("fork_wait"));
    ask({ what, end, step: done - 1 }, (message) => {
      if (!message.run) return tell(message.error ?? alone);
      const { chart, alt, text } = message.beside;
      const nested = element("div", { class: "tcpviz-nested" });
      tell(
        say("beside"),
        element("div", { class: "tcpviz-beside", tabindex: 0, role: "region", "aria-label": say("beside"), ...keys },
          picture(chart, alt, "img")),
        element("details", { class: "tcpviz-text" },
          element("summary", { ...keys }, say("beside_text")), element("pre", { tabindex: 0, ...keys }, text)),
        element("strong", {}, say("forked")), nested);
      mount(nested, message.run).go(done);
    });
  }

  // -- predicting --------------------------------------------------------------------------------

  // Ask the question that waits here; after its step, show what was predicted beside what happened.
  function asking(question) {
    asked = question;
    const before = questions.filter((q) => answers.get(q) && q.step === done - 1);
    const now = [...before.map(answered), ...(question ? [open(question)] : [])];
    if (now.length !== asks.children.length || now.some((part, nth) => part !== asks.children[nth]))
      replace(asks, ...now);
  }

  const made = new Map(); // what stands for a question: its form, then the comparison
  const once = (key, make) => made.get(key) ?? made.set(key, make()).get(key);
  const open = (question) => once(question, () => form(question));
  const answered = (question) => once(answers.get(question), () => comparison(question));

  function form(question) {
    const complaint = element("span", { role: "alert" });
    const radios = question.choices.map((choice, index) =>
      element("label", {}, element("input", { type: "radio", name: "choice", value: index, ...keys }), ` ${choice.text}`));
    const lock = () => {
      const chosen = radios.findIndex((label) => label.firstChild.checked);
      if (chosen < 0) return complaint.replaceChildren(` ${say("pick")}`);
      answers.set(question, question.choices[chosen]);
      go(done + (gate(done, done + 1) ? 0 : 1));
      scrub.focus({ preventScroll: true });
    };
    return element("form", { onsubmit: (event) => { event.preventDefault(); lock(); } },
      element("fieldset", {}, element("legend", {}, `${say("question")}: ${question.prompt}`), ...radios),
      element("button", { type: "submit", ...keys }, say("lock")), complaint);
  }

  function comparison(question) {
    const mine = answers.get(question);
    const right = question.choices.find((choice) => choice.right);
    const line = (key, choice) => element("div", {},
      element("strong", {}, say(key)), ` ${choice.text}`, element("p", {}, choice.why));
    const again = mine.run
      ? [element("button", { type: "button", onclick: () => refute(mine), ...keys }, say("refute"))]
      : [];
    return element("div", { class: `tcpviz-answer ${mine.right ? "tcpviz-right" : "tcpviz-wrong"}` },
      ...(mine.right ? [line("right", mine)] : [line("predicted", mine), line("happened", right)]), ...again);
  }

  function refute({ run: number, at }) {
    const nested = element("div", { class: "tcpviz-nested", "aria-label": say("refuted"), role: "group" });
    const first = [run.chart, run.diagram, run.text].flatMap((text) => text.split("\n"));
    const refuting = unpacked(run.runs[number], [...new Set(first), ...run.lines], shared);
    write(heard, say("refuted"));
    other.replaceChildren(nested);
    // What is still asked here is not told there before one steps to it.
    mount(nested, { ...refuting, at, veiled: Boolean(gate(0, count)) });
    nested.querySelector("input").focus();
    nested.scrollIntoView({ block: "nearest" });
  }

  root.replaceChildren(player);
  go(run.at ?? 0);
  watch.observe(pane);
  const stop = () => {
    pause();
    cancelAnimationFrame(frame);
    watch.disconnect();
    root.replaceChildren();
  };
  return Object.assign(stop, { go });
}
