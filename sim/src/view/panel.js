// Beside the lanes: the event under the cursor, what led to it, where members stand, and the list.

const ROW = 22;
const detail = document.getElementById("detail"), list = document.getElementById("list");
const spacer = document.getElementById("spacer"), count = document.getElementById("count");

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, content] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), content);
    else element.setAttribute(name, content);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function showDetail() {
  const event = eventAt(look.cursor), isTold = event.n === look.cursor;
  const parts = [];
  parts.push(make("h2", {}, isTold ? event.label : `event ${look.cursor} is told in outline only`));
  const time = isTold ? seconds(event.time) : "about " + seconds(timeOfEvent(look.cursor));
  parts.push(make("div", { class: "when" }, `event ${look.cursor} · ${time}`));
  if (look.cursor === BREAK[0] && HEAD.broken) {
    parts.push(make("div", { class: "break", id: "break" }, make("b", {}, `${HEAD.broken.id} ${HEAD.broken.name}`),
      ": " + HEAD.broken.seen.split("\n")[0]));
  }
  if (ILLEGAL.length) {
    parts.push(make("h3", {}, "no order explains"), make("ul", { class: "chain" }, ...ILLEGAL.map((one) =>
      make("li", { onclick: () => moveTo(one.asked[0]) }, make("span", {}, "c" + one.conn),
        make("span", {}, `${one.words} → ${one.value ?? "never answered"}`)))));
  }
  if (isTold && event.lines.length) {
    parts.push(make("h3", {}, "what happens"));
    parts.push(make("ul", { class: "lines" }, ...event.lines.map((line) => make("li", {}, line))));
  }
  parts.push(make("h3", {}, "members after it"), memberTable());
  if (isTold) {
    parts.push(make("h3", {}, "why"));
    parts.push(make("ul", { class: "chain" }, ...chainOf(event.n).slice(0, 60).map((one) =>
      make("li", { class: one.n === event.n ? "now" : "", onclick: () => moveTo(one.n) },
        make("span", {}, String(one.n)), make("span", {}, one.label)))));
  }
  detail.replaceChildren(...parts);
}

function memberTable() {
  const heads = ["", "role", "term", "vote", "applied", "commit", "durable", "last"];
  const table = make("table", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head))));
  for (let member = 0; member < MEMBERS; member++) {
    const stand = standing(member, look.cursor);
    if (!stand) continue;
    const chip = make("span", { class: "chip" });
    chip.style.background = stand.role === "none" ? ink.line : termColour(stand.term);
    const troubles = stand.troubles.map((kind) => RUN.troubles[kind]).join(", ");
    const role = stand.role === "none" ? troubles || "–" : stand.role;
    const numbers = stand.role === "none" ? ["", "", stand.applied || "", "", "", ""] :
      [stand.term, stand.vote ? stand.vote - 1 : "–", stand.applied, stand.commit, stand.durable, stand.last];
    table.append(make("tr", { title: troubles }, make("td", {}, String(member)), make("td", { class: "role" }, chip, role),
      ...numbers.map((number) => make("td", {}, String(number)))));
    if (stand.tail.length) table.append(make("tr", { class: "log" }, make("td", {}), cells(stand)));
  }
  return table;
}

// The end of a log, an entry a cell: its term in colour, fainter what is not durable or committed.
function cells(stand) {
  const row = make("div", { class: "cells" });
  for (let index = stand.tail[0][0], part = 0; index <= stand.last; index++) {
    while (part + 1 < stand.tail.length && stand.tail[part + 1][0] <= index) part++;
    const term = stand.tail[part][1];
    const classes = [index <= stand.durable && "durable", index <= stand.commit && "committed", index === stand.applied && "applied"];
    const cell = make("i", { class: classes.filter(Boolean).join(" "), title: `entry ${index}, term ${term}` });
    cell.style.background = termColour(term);
    row.append(cell);
  }
  return make("td", { colspan: "7" }, row);
}

let listed = EVENTS;
function filterList(text, onlyChain) {
  const wanted = text.trim().toLowerCase();
  const matches = (event) => !wanted || String(event.n) === wanted || event.label.toLowerCase().includes(wanted) ||
    event.lines.some((line) => line.toLowerCase().includes(wanted));
  listed = EVENTS.filter((event) => (!onlyChain || CHAIN.has(event.n)) && matches(event));
  look.found = wanted ? listed : [];
  count.textContent = `${listed.length.toLocaleString("en")} of ${EVENTS.length.toLocaleString("en")} events`;
  spacer.style.height = listed.length * ROW + "px";
  showList();
}

// Only the rows that can be seen are in the page.
function showList() {
  const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
  const to = Math.min(listed.length, from + Math.ceil(list.clientHeight / ROW) + 8);
  const rows = [];
  for (let place = from; place < to; place++) {
    const event = listed[place];
    const classes = ["row", event.n === look.cursor && "now", CHAIN.has(event.n) && HEAD.broken && "chained",
      event.n === BREAK[0] && HEAD.broken && "last"];
    const row = make("div", { class: classes.filter(Boolean).join(" "), onclick: () => moveTo(event.n) },
      make("span", { class: "n" }, String(event.n)), make("span", { class: "t" }, (event.time / 1e9).toFixed(6)),
      make("span", { class: "w" }, event.label));
    row.style.top = place * ROW + "px";
    rows.push(row);
  }
  list.replaceChildren(spacer, ...rows);
}

function scrollList() {
  const place = first(listed, (event) => event.n >= look.cursor);
  const top = place * ROW;
  if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - ROW) {
    list.scrollTop = top - list.clientHeight / 2;
  }
  showList();
}
