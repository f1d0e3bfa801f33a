// What the reader does: moves, looks closer, searches; and the words at the top.

const byId = (id) => document.getElementById(id);
const slider = byId("slider"), find = byId("find"), onlyChain = byId("only-chain"), tip = byId("tip"), legend = byId("legend");
const style = getComputedStyle(document.documentElement);
const fonts = { mono: style.getPropertyValue("--mono"), sans: style.getPropertyValue("--sans") };

function showHead() {
  const broken = HEAD.broken;
  document.title = (broken ? `${broken.id} ${broken.name}` : "All holds") + ` · seed ${HEAD.seed}`;
  byId("head").classList.toggle("holds", !broken);
  byId("badge").textContent = broken ? broken.id : "✓";
  byId("title").textContent = broken ? broken.name : "All that must hold does";
  const last = eventAt(LAST_EVENT);
  const where = ILLEGAL.length ? "When the run was over" :
    `At event ${HEAD.event}, after ${(HEAD.time / 1e9).toFixed(3)} simulated seconds (“${last.label}”)`;
  byId("seen").textContent = broken ? `${where}: ${ILLEGAL.length ? broken.seen.split("\n")[0] : broken.seen}` : `${HEAD.event} events in ${(HEAD.time / 1e9).toFixed(1)} simulated seconds.`;
  byId("words").textContent = broken ? "What must hold: " + broken.words : "";
  const copy = make("button", { onclick: () => navigator.clipboard?.writeText(HEAD.again) }, "copy");
  const facts = [["seed", `${HEAD.seed}, profile ${HEAD.profile}`], ["digest", HEAD.digest], ["faults", HEAD.faults]];
  byId("facts").append(make("dt", {}, "reproduce"), make("dd", { class: "again" }, make("span", {}, HEAD.again), copy),
    ...facts.flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]));
  byId("broken").textContent = broken ? "the violation" : "the end";
}

const SIGNS = [
  ["band", "a member's role by its height (leader high, candidate framed, follower flat), its term by the colour"],
  ["hill", "its log below: faint: held; darker: durable; darkest: committed; the line: applied"],
  ["arrow", "a message: purple votes, blue entries, grey heartbeats, green states; red and dashed with a cross is lost or not heard"],
  ["shade", "grey: down; blue: recovering; brown: paused, clock frozen, disk full, cut off, parted"],
  ["▼", "a fault strikes there"],
  ["bar", "a client's request, until its answer; the upright mark: it took effect; dashed: never answered; red: in no possible order"],
  ["blue line", "the chain of events that led to the violation"],
];
const KEYS = [["← →", "previous, next event (Shift: ten)"], ["↑ ↓", "to its cause; to the next event in the chain"],
  ["+ − 0", "zoom in, zoom out, the whole run (or the wheel)"], ["v", "the violation"], ["t", "one step for each event, or true to time"],
  ["/", "find; Enter for the next, Shift-Enter for the one before"], ["c", "only the chain"], ["?", "this"]];
function showLegend() {
  const rows = (pairs) => make("dl", {}, ...pairs.flatMap(([sign, words]) => [make("dt", {}, sign), make("dd", {}, words)]));
  legend.replaceChildren(make("h2", {}, "Signs"), rows(SIGNS), make("h2", {}, "Keys"), rows(KEYS));
}

let asked = false;
function refresh() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
    drawOverview();
  });
}

function frameOn(from, to) {
  const least = look.axis === "order" ? 12 : 1000;
  const width = Math.min(Math.max(to - from, least), axisEnd() * 1.04);
  const middle = (from + to) / 2;
  look.from = Math.max(0, Math.min(middle - width / 2, axisEnd() * 1.04 - width));
  look.to = look.from + width;
  refresh();
}

// Puts an event under the cursor; what is looked at follows where it would leave it.
function moveTo(n) {
  look.cursor = Math.min(Math.max(1, Math.round(n)), LAST_EVENT);
  slider.value = look.cursor;
  slider.setAttribute("aria-valuetext", "event " + look.cursor);
  const event = eventAt(look.cursor);
  const at = look.axis === "order" ? look.cursor : event.n === look.cursor ? event.time : timeOfEvent(look.cursor);
  const width = look.to - look.from;
  if (at < look.from + width * 0.04 || at > look.to - width * 0.02) frameOn(at - width / 2, at + width / 2);
  showDetail();
  scrollList();
  refresh();
}

function zoom(by, around) {
  const at = around ?? (look.axis === "order" ? look.cursor : timeOfEvent(look.cursor));
  const held = Math.min(Math.max(at, look.from), look.to);
  const part = (held - look.from) / (look.to - look.from);
  const width = (look.to - look.from) * by;
  frameOn(held - width * part, held - width * part + width);
}

// Where it breaks: so much before it that its chain is seen, if that is near, or the whole of an
// illegal history.
function showEnd() {
  const near = ILLEGAL.length ? ILLEGAL.map((one) => one.asked[0]) : [...CHAIN].filter((n) => n > LAST_EVENT - 120);
  const from = Math.min(BREAK[0] - 60, ...near) - 6;
  const [left, right] = look.axis === "order" ? [from, BREAK[0]] : [timeOfEvent(from), BREAK[1]];
  frameOn(left, right + (right - left) * 0.06);
  moveTo(BREAK[0]);
}

function setAxis(axis) {
  const [from, to] = shownEvents();
  look.axis = axis;
  byId("axis").textContent = axis === "order" ? "axis: by order" : "axis: by time";
  if (axis === "order") frameOn(from, to); else frameOn(timeOfEvent(from), timeOfEvent(to));
}

function step(by) {
  if (Math.abs(by) === 1 && listed.length) {
    const at = first(listed, (event) => event.n > look.cursor);
    const next = by > 0 ? listed[at] : listed[first(listed, (event) => event.n >= look.cursor) - 1];
    if (next) return moveTo(next.n);
  }
  moveTo(look.cursor + by);
}

function toCause() {
  const chain = chainOf(look.cursor);
  if (chain.length > 1) moveTo(chain[1].n);
}

function toEffect() {
  const chain = [...CHAIN].find((n) => n > look.cursor);
  const effect = EVENTS.find((event) => event.n > look.cursor && event.cause === look.cursor);
  const next = CHAIN.has(look.cursor) ? chain : effect?.n;
  if (next) moveTo(next);
}

function toggleLegend() {
  legend.hidden = !legend.hidden;
  byId("help").setAttribute("aria-expanded", String(!legend.hidden));
}

function search() {
  filterList(find.value, onlyChain.checked);
  refresh();
}

function nextFound(by) {
  if (!listed.length) return;
  const at = by > 0 ? first(listed, (event) => event.n > look.cursor) : first(listed, (event) => event.n >= look.cursor) - 1;
  moveTo(listed[(at + listed.length) % listed.length].n);
}

const KEY_ACTS = {
  ArrowLeft: (key) => step(key.shiftKey ? -10 : -1), ArrowRight: (key) => step(key.shiftKey ? 10 : 1),
  ArrowUp: toCause, ArrowDown: toEffect, "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1.7),
  0: () => frameOn(0, axisEnd()), v: showEnd, t: () => setAxis(look.axis === "order" ? "time" : "order"),
  "/": () => find.focus(), c: () => { onlyChain.checked = !onlyChain.checked; search(); }, "?": toggleLegend,
  Escape: () => { legend.hidden = true; },
};
document.addEventListener("keydown", (key) => {
  if (key.ctrlKey || key.metaKey || key.altKey) return;
  if (key.target === find) {
    if (key.key === "Enter") nextFound(key.shiftKey ? -1 : 1);
    if (key.key === "Escape") find.blur();
    return;
  }
  if (key.target === slider && key.key.startsWith("Arrow")) slider.blur();
  const act = KEY_ACTS[key.key];
  if (act) {
    key.preventDefault();
    act(key);
  }
});

const clicks = { back: () => step(-1), next: () => step(1), cause: toCause, effect: toEffect, in: () => zoom(0.6), out: () => zoom(1.7),
  whole: () => frameOn(0, axisEnd()), axis: KEY_ACTS.t, broken: showEnd, help: toggleLegend };
for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
slider.addEventListener("input", () => moveTo(Number(slider.value)));
find.addEventListener("input", search);
onlyChain.addEventListener("change", search);
list.addEventListener("scroll", showList);

// Under the pointer: the nearest of what was drawn.
function under(px, py) {
  let best = null, nearest = 7;
  for (const one of drawn) {
    let distance;
    if (one.kind === "frame") {
      const [dx, dy] = [one.x1 - one.x0, one.y1 - one.y0];
      const part = Math.min(1, Math.max(0, ((px - one.x0) * dx + (py - one.y0) * dy) / (dx * dx + dy * dy || 1)));
      distance = Math.hypot(px - one.x0 - part * dx, py - one.y0 - part * dy) + 1.5;
    } else {
      const inside = px >= one.x0 - 1 && px <= one.x1 + 1 && py >= one.y0 && py <= one.y1;
      distance = inside ? (one.kind === "event" ? Math.abs(px - (one.x0 + one.x1) / 2) : 0.5) : 99;
    }
    if (distance < nearest) [best, nearest] = [one, distance];
  }
  return best;
}

function describe(one) {
  if (one.kind === "frame") {
    const { from, to, kind, term, says, sent, came, fate } = one.frame;
    const how = { heard: "heard", unheard: "came, and nobody heard it", lost: "lost", aloft: "still on its way" }[fate];
    const took = came ? `, ${((came[1] - sent[1]) / 1e6).toFixed(3)} ms` : "";
    return [`${from} → ${to} ${kind}, term ${term}`, says, `event ${sent[0]}${came ? " to " + came[0] : ""}, ${how}${took}`];
  }
  if (one.kind === "operation") {
    const { conn, words, value, asked, decided, by, answered, left } = one.operation;
    const ended = answered ? "→ " + value : left ? "the client went away without an answer" : "no answer yet";
    const effect = decided ? `, took effect at ${decided[0]} on member ${by}` : ", no effect that anybody witnessed";
    return [`c${conn} ${words}`, ended, `asked at event ${asked[0]}${effect}${answered ? ", answered at " + answered[0] : ""}`];
  }
  if (one.kind === "fault") return [one.fault.key, "", `event ${one.fault.at[0]}, ${seconds(one.fault.at[1])}`];
  return [one.event.label, one.event.lines.slice(0, 3).join("\n"), `event ${one.event.n}, ${seconds(one.event.time)}`];
}

const placeOf = (event) => {
  const frame = lanes.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
};
let drag = null;
lanes.addEventListener("pointermove", (event) => {
  const [px, py] = placeOf(event);
  if (drag) {
    const by = (drag.px - px) / (box.width - GUTTER - 14) * (drag.to - drag.from);
    drag.moved ||= Math.abs(drag.px - px) > 3;
    if (drag.moved) frameOn(drag.from + by, drag.to + by);
    tip.hidden = true;
    return;
  }
  const one = under(px, py);
  const hover = one ? one.frame || one.operation || one.event || one.fault : null;
  if (hover !== look.hover) {
    look.hover = hover;
    refresh();
  }
  tip.hidden = !one;
  if (!one) return;
  const [title, says, where] = describe(one);
  tip.replaceChildren(make("b", {}, title), ...(says ? [make("div", {}, says)] : []), make("small", {}, where));
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8) + "px";
});
lanes.addEventListener("pointerleave", () => { tip.hidden = true; });
lanes.addEventListener("pointerdown", (event) => {
  const [px] = placeOf(event);
  drag = { px, from: look.from, to: look.to, moved: false };
  lanes.setPointerCapture(event.pointerId);
});
lanes.addEventListener("pointerup", (event) => {
  const [px, py] = placeOf(event);
  if (drag && !drag.moved) {
    const one = under(px, py);
    const at = one?.event?.n ?? one?.frame?.sent[0] ?? one?.operation?.asked[0] ?? one?.fault?.at[0];
    moveTo(at ?? (look.axis === "order" ? unX(px) : eventOfTime(unX(px))));
  }
  drag = null;
});
lanes.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [px] = placeOf(event);
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
    const by = (event.deltaX || event.deltaY) / box.width * (look.to - look.from);
    frameOn(look.from + by, look.to + by);
  } else {
    zoom(event.deltaY > 0 ? 1.18 : 1 / 1.18, unX(px));
  }
}, { passive: false });

let sliding = false;
function slideTo(event) {
  const frame = overview.getBoundingClientRect();
  const at = (event.clientX - frame.left) / frame.width * axisEnd();
  moveTo(look.axis === "order" ? at : eventOfTime(at));
}
overview.addEventListener("pointerdown", (event) => {
  sliding = true;
  overview.setPointerCapture(event.pointerId);
  slideTo(event);
});
overview.addEventListener("pointermove", (event) => { if (sliding) slideTo(event); });
overview.addEventListener("pointerup", () => { sliding = false; });

function resized() {
  measure();
  refresh();
  showList();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColours();
  showDetail();
  refresh();
});
addEventListener("resize", resized);

readColours();
slider.max = LAST_EVENT;
showHead();
showLegend();
filterList("", false);
measure();
setAxis("order");
showEnd();
