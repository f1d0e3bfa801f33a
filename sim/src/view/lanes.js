// Drawing: the whole run in outline, and the part that is looked at in lanes.

const GUTTER = 98, RULER = 26, CLIENT_LANE = 34, FRAMES_DRAWN_MAX = 1500, DOTS_DRAWN_MAX = 3000;
const stage = document.getElementById("stage"), lanes = document.getElementById("lanes");
const overview = document.getElementById("overview"), note = document.getElementById("note");

let ink = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue("--" + name).trim();
  for (const name of ["ground", "sheet", "lane", "ink", "muted", "line", "accent", "accent-soft", "danger",
    "danger-soft", "warn", "vote", "append", "beat", "state"]) ink[name] = read(name);
  ink.terms = Array.from({ length: 8 }, (_, number) => read("t" + number));
}
const termColour = (term) => term === 0 ? ink.muted : ink.terms[(term - 1) % 8];

// What is looked at: from and to in the units of the axis, and the event under the cursor.
const look = { axis: "order", from: 1, to: LAST_EVENT, cursor: LAST_EVENT, found: [], hover: null };
const value = (at) => look.axis === "order" ? at[0] : at[1];
const axisEnd = () => look.axis === "order" ? LAST_EVENT : LAST_TIME;

let box = { width: 0, height: 0, member: 80 };
let drawn = [];

const x = (at) => GUTTER + (value(at) - look.from) / (look.to - look.from) * (box.width - GUTTER - 14);
const unX = (px) => look.from + (px - GUTTER) / (box.width - GUTTER - 14) * (look.to - look.from);
const laneTop = (lane) => RULER + (lane < MEMBERS ? lane * box.member : MEMBERS * box.member + 10 + (lane - MEMBERS) * CLIENT_LANE);
const laneY = (lane) => lane < MEMBERS ? laneTop(lane) + 20 : laneTop(lane) + CLIENT_LANE / 2;

function fit(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

function measure() {
  const width = stage.clientWidth, room = stage.clientHeight - RULER - 16 - RUN.clients * CLIENT_LANE;
  const member = Math.min(128, Math.max(62, Math.floor(room / MEMBERS)));
  box = { width, member, height: Math.max(stage.clientHeight - 1, RULER + 16 + MEMBERS * member + RUN.clients * CLIENT_LANE) };
}

// The part of the axis that is shown, in events.
function shownEvents() {
  return look.axis === "order" ? [look.from, look.to] : [eventOfTime(look.from) - 1, eventOfTime(look.to) + 1];
}

function draw() {
  const pen = fit(lanes, box.width, box.height);
  const [from, to] = shownEvents();
  drawn = [];
  drawGround(pen);
  for (let member = 0; member < MEMBERS; member++) drawMember(pen, member, from, to);
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, 0, box.width - GUTTER, box.height);
  pen.clip();
  const step = drawFrames(pen, from, to);
  drawOperations(pen, from, to);
  drawEvents(pen, from, to);
  drawFaults(pen, from, to);
  drawChain(pen);
  drawMarks(pen);
  pen.restore();
  drawNames(pen);
  const before = from < RUN.window ? `before event ${RUN.window} only the outline is told` : "";
  const some = step > 1 ? `one message in ${step} is drawn: look closer` : "";
  note.textContent = [before, some].filter(Boolean).join(" · ");
}

function drawGround(pen) {
  pen.fillStyle = ink.sheet;
  pen.fillRect(0, 0, box.width, box.height);
  pen.fillStyle = ink.lane;
  for (let lane = 0; lane < LANES; lane++) {
    const height = lane < MEMBERS ? box.member - 6 : CLIENT_LANE - 6;
    pen.beginPath();
    pen.roundRect(GUTTER - 4, laneTop(lane) + 3, box.width - GUTTER - 4, height, 5);
    pen.fill();
  }
  // A ruler whose steps are round numbers.
  const span = look.to - look.from, wanted = span / Math.max(2, (box.width - GUTTER) / 130);
  const power = 10 ** Math.floor(Math.log10(wanted));
  let step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted) || power * 10;
  if (look.axis === "order") step = Math.max(1, step);
  pen.font = "11px " + fonts.mono;
  pen.textAlign = "center";
  for (let tick = Math.ceil(look.from / step) * step; tick <= look.to; tick += step) {
    const px = GUTTER + (tick - look.from) / span * (box.width - GUTTER - 14);
    pen.fillStyle = ink.line;
    pen.fillRect(px, RULER - 5, 1, box.height - RULER);
    pen.fillStyle = ink.muted;
    const digits = Math.max(0, Math.min(6, 9 - Math.floor(Math.log10(step))));
    pen.fillText(look.axis === "order" ? String(tick) : (tick / 1e9).toFixed(digits) + "s", px, 15);
  }
}

function drawNames(pen) {
  pen.fillStyle = ink.sheet;
  pen.fillRect(0, RULER, GUTTER - 5, box.height);
  pen.textAlign = "left";
  for (let lane = 0; lane < LANES; lane++) {
    const y = laneY(lane), member = lane < MEMBERS;
    pen.fillStyle = ink.ink;
    pen.font = (member ? "650 13px " : "500 12px ") + fonts.sans;
    pen.fillText(member ? "member " + lane : "client " + (lane - MEMBERS), 12, y + 4);
    if (!member) continue;
    pen.fillStyle = ink.muted;
    pen.font = "11px " + fonts.sans;
    const stand = standing(lane, look.cursor);
    const term = stand && stand.role !== "none" ? ` · term ${stand.term}` : "";
    pen.fillText(`n${lane + 1}${term}`, 12, y + 19);
  }
}

const TROUBLE_LABELS = RUN.troubles;
function drawMember(pen, member, from, to) {
  const stands = STANDS[member], top = laneTop(member), y = laneY(member);
  const start = Math.max(0, first(stands, (stand) => stand.at[0] > from) - 1);
  const end = first(stands, (stand) => stand.at[0] > to);
  const shown = stands.slice(start, end);
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER - 4, top, box.width - GUTTER, box.member);
  pen.clip();
  const span = (place) => [x(shown[place].at), place + 1 < shown.length ? x(shown[place + 1].at) : box.width];
  drawTroubles(pen, shown, span, top);
  drawLog(pen, shown, span, top + 42, box.member - 49);
  drawTroubleLabels(pen, shown, span, top);
  // The role is the height of the band, the term its colour.
  for (let place = 0; place < shown.length; ) {
    let next = place + 1;
    const stand = shown[place];
    while (next < shown.length && shown[next].term === stand.term && shown[next].role === stand.role) next++;
    const left = x(stand.at), right = next < shown.length ? x(shown[next].at) : box.width;
    drawRole(pen, stand, Math.max(left, GUTTER - 4), right, y);
    place = next;
  }
  pen.restore();
}

// Words that stay readable on whatever they stand.
function write(pen, text, px, py, colour, ground) {
  pen.strokeStyle = ground;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeText(text, px, py);
  pen.fillStyle = colour;
  pen.fillText(text, px, py);
}

function drawRole(pen, stand, left, right, y) {
  const width = Math.max(right - left, 1);
  pen.fillStyle = pen.strokeStyle = termColour(stand.term);
  if (stand.role === "leader") pen.fillRect(left, y - 8, width, 16);
  else if (stand.role === "follower") pen.fillRect(left, y - 2, width, 4);
  else if (stand.role === "none") {
    pen.fillStyle = ink.line;
    pen.fillRect(left, y - 1, width, 2);
  } else {
    const solid = stand.role === "candidate";
    pen.globalAlpha = solid ? 0.5 : 0.2;
    pen.fillRect(left, y - 6, width, 12);
    pen.globalAlpha = 1;
    pen.lineWidth = 1.4;
    pen.setLineDash(solid ? [] : [3, 3]);
    pen.strokeRect(left, y - 6, width, 12);
    pen.setLineDash([]);
  }
  const label = stand.role === "leader" ? "leads T" + stand.term : stand.role === "none" ? "" :
    stand.role === "follower" ? "T" + stand.term : stand.role + " T" + stand.term;
  pen.font = "600 11px " + fonts.sans;
  pen.textAlign = "left";
  if (label && width > pen.measureText(label).width + 18) {
    const inside = stand.role === "leader";
    const colour = termColour(stand.term);
    if (inside) write(pen, label, left + 14, y + 4, ink.sheet, colour);
    else write(pen, label, left + 6, y - 8, colour, ink.lane);
  }
}

function drawTroubles(pen, shown, span, top) {
  for (let kind = 0; kind < TROUBLE_LABELS.length; kind++) {
    for (let place = 0; place < shown.length; place++) {
      if (!shown[place].troubles.includes(kind)) continue;
      const left = Math.max(span(place)[0], GUTTER - 4);
      while (place + 1 < shown.length && shown[place + 1].troubles.includes(kind)) place++;
      const right = Math.max(span(place)[1], left + 2);
      const hard = kind === 0;
      pen.fillStyle = hard ? ink.muted : kind === 1 ? ink.accent : ink.warn;
      pen.globalAlpha = hard ? 0.26 : 0.12;
      pen.fillRect(left, top + 3, right - left, box.member - 6);
      pen.globalAlpha = 1;
    }
  }
}

// What is wrong, in words, where they have room.
function drawTroubleLabels(pen, shown, span, top) {
  pen.font = "600 10.5px " + fonts.sans;
  pen.textAlign = "left";
  const key = (place) => shown[place].troubles.join();
  for (let place = 0; place < shown.length; place++) {
    const began = place;
    while (place + 1 < shown.length && key(place + 1) === key(began)) place++;
    if (!shown[began].troubles.length) continue;
    const [left, right] = [Math.max(span(began)[0], GUTTER - 4), span(place)[1]];
    const label = shown[began].troubles.map((kind) => TROUBLE_LABELS[kind]).join(", ");
    if (right - left < pen.measureText(label).width + 12) continue;
    const colour = shown[began].troubles[0] === 0 ? ink.muted : shown[began].troubles[0] === 1 ? ink.accent : ink.warn;
    write(pen, label, left + 6, top + 37, colour, ink.lane);
  }
}

// The log as a hill: what it holds, what of it is durable, committed, applied.
function drawLog(pen, shown, span, top, height) {
  if (shown.length === 0 || height < 8) return;
  let low = Infinity, high = 0;
  for (const stand of shown) {
    if (stand.role === "none") continue;
    low = Math.min(low, stand.applied, stand.commit);
    high = Math.max(high, stand.last);
  }
  if (high === 0) return;
  low = Math.max(0, low - 1);
  const scale = height / Math.max(4, high - low);
  const layers = [["last", 0.16], ["durable", 0.26], ["commit", 0.5]];
  let before = -1;
  for (let place = 0; place < shown.length; place++) {
    const stand = shown[place];
    let [left, right] = span(place);
    if (stand.role === "none" || right <= before + 0.4 || right < GUTTER - 4) continue;
    left = Math.max(left, GUTTER - 4, before);
    before = right;
    pen.fillStyle = termColour(stand.tail.length ? stand.tail[stand.tail.length - 1][1] : stand.term);
    for (const [name, alpha] of layers) {
      const tall = Math.max(0, (stand[name] - low) * scale);
      pen.globalAlpha = alpha;
      pen.fillRect(left, top + height - tall, right - left, tall);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = ink.ink;
    pen.fillRect(left, top + height - (stand.applied - low) * scale - 0.5, right - left, 1);
  }
}

function drawFrames(pen, from, to) {
  const [start, end] = between(FRAMES, (frame) => frame.sent, from, to);
  const step = Math.max(1, Math.ceil((end - start) / FRAMES_DRAWN_MAX));
  // Where many cross, each is faint.
  const faint = Math.min(1, Math.max(0.14, 260 / (end - start)));
  pen.lineCap = "round";
  for (let place = start; place < end; place++) {
    const frame = FRAMES[place];
    const chained = frame.came && CHAIN.has(frame.sent[0]) && CHAIN.has(frame.came[0]);
    if (place % step && !chained) continue;
    const came = frame.came || [frame.sent[0], frame.sent[1]];
    if (frame.came && came[0] < from) continue;
    const [x0, y0, y1] = [x(frame.sent), laneY(frame.from), laneY(frame.to)];
    let [x1, yEnd] = [x(came), y1];
    const under = frame.fate === "aloft" || frame.fate === "lost";
    if (under) [x1, yEnd] = [x0 + 26, y0 + (y1 - y0) * 0.42];
    const hovered = look.hover === frame;
    pen.strokeStyle = chained ? ink.accent : frame.fate === "lost" || frame.fate === "unheard" ? ink.danger : ink[family(frame.kind)];
    pen.globalAlpha = hovered || chained ? 1 : faint * (frame.kind.startsWith("heartbeat") ? 0.45 : 0.7);
    pen.lineWidth = hovered ? 2.6 : chained ? 2.4 : 1.1;
    pen.setLineDash(frame.fate === "heard" ? [] : [4, 3]);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, yEnd);
    pen.stroke();
    pen.setLineDash([]);
    if (frame.fate === "lost" || frame.fate === "unheard") cross(pen, x1, yEnd, 4);
    else if (frame.fate === "heard" && step === 1) arrow(pen, x0, y0, x1, yEnd);
    pen.globalAlpha = 1;
    drawn.push({ kind: "frame", frame, x0, y0, x1, y1: yEnd });
  }
  return step;
}

function cross(pen, px, py, size) {
  pen.lineWidth = 1.6;
  pen.beginPath();
  pen.moveTo(px - size, py - size);
  pen.lineTo(px + size, py + size);
  pen.moveTo(px - size, py + size);
  pen.lineTo(px + size, py - size);
  pen.stroke();
}

function arrow(pen, x0, y0, x1, y1) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 12) return;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const [px, py] = [x1 - ux * 3, y1 - uy * 3];
  pen.fillStyle = pen.strokeStyle;
  pen.beginPath();
  pen.moveTo(px, py);
  pen.lineTo(px - ux * 7 - uy * 3, py - uy * 7 + ux * 3);
  pen.lineTo(px - ux * 7 + uy * 3, py - uy * 7 - ux * 3);
  pen.fill();
}

function drawOperations(pen, from, to) {
  const [start, end] = between(OPERATIONS, (operation) => operation.asked, from, to);
  const rows = new Map(), intervals = [];
  for (let place = start; place < end; place++) {
    const operation = OPERATIONS[place], ended = endedAt(operation);
    if (ended[0] < from) continue;
    const lane = MEMBERS + operation.client;
    const [left, right] = [x(operation.asked), Math.max(x(ended), x(operation.asked) + 3)];
    // What is asked in one go stands in up to three rows.
    const busy = rows.get(lane) || [-1e9, -1e9, -1e9];
    let row = busy.findIndex((until) => until <= left + 0.5);
    if (row < 0) row = place % 3;
    busy[row] = right;
    rows.set(lane, busy);
    const y = laneTop(lane) + 6 + row * 7.6, height = 6.6;
    const hovered = look.hover === operation;
    const colour = operation.illegal ? ink.danger : operation.answered ? ink.append : ink.warn;
    pen.fillStyle = pen.strokeStyle = colour;
    pen.globalAlpha = hovered ? 0.95 : operation.illegal ? 0.8 : 0.36;
    pen.beginPath();
    pen.roundRect(left, y, right - left, height, 2.5);
    pen.fill();
    pen.globalAlpha = 1;
    if (!operation.answered) {
      pen.setLineDash([2, 2]);
      pen.lineWidth = 1;
      pen.stroke();
      pen.setLineDash([]);
    }
    if (operation.decided) {
      const px = x(operation.decided);
      pen.fillRect(px - 1.2, y - 1.5, 2.4, height + 3);
      if (hovered || operation.illegal) {
        pen.lineWidth = 1;
        pen.setLineDash([1, 3]);
        pen.beginPath();
        pen.moveTo(px, y);
        pen.lineTo(px, laneY(operation.by));
        pen.stroke();
        pen.setLineDash([]);
      }
    }
    intervals.push({ lane, left, right, y, operation });
    drawn.push({ kind: "operation", operation, x0: left, x1: right, y0: y - 1, y1: y + height + 1 });
  }
  labelOperations(pen, intervals);
}

// Only what stands alone in its lane has room for words.
function labelOperations(pen, intervals) {
  pen.font = "10.5px " + fonts.mono;
  pen.textAlign = "left";
  for (const { lane, left, right, y, operation } of intervals) {
    const from = Math.max(left, GUTTER), room = Math.floor((right - from - 6) / 6.4);
    if (room < 8) continue;
    const meets = (other) => other.lane === lane && other.left < right && other.right > left;
    if (intervals.filter(meets).length > 1) continue;
    const words = operation.words + (operation.value ? " → " + operation.value : "");
    pen.fillStyle = ink.ink;
    pen.fillText(words.length > room ? words.slice(0, room - 1) + "…" : words, from + 3, y + 17);
  }
}

function drawEvents(pen, from, to) {
  const start = first(EVENTS, (event) => event.n >= from), end = first(EVENTS, (event) => event.n > to);
  if (end - start > DOTS_DRAWN_MAX) return;
  for (let place = start; place < end; place++) {
    const event = EVENTS[place];
    if (event.lane === null || event.lane >= LANES) continue;
    const px = x([event.n, event.time]), py = laneY(event.lane);
    pen.fillStyle = ink.ink;
    pen.globalAlpha = 0.5;
    if (event.lane < MEMBERS) pen.fillRect(px - 0.5, py - 4, 1, 8);
    else pen.fillRect(px - 0.5, laneTop(event.lane) + CLIENT_LANE - 7, 1, 3);
    pen.globalAlpha = 1;
    drawn.push({ kind: "event", event, x0: px - 3, x1: px + 3, y0: py - 7, y1: py + 7 });
  }
}

function drawFaults(pen, from, to) {
  const start = first(FAULTS, (fault) => fault.at[0] >= from), end = first(FAULTS, (fault) => fault.at[0] > to);
  let before = {};
  for (let place = start; place < end; place++) {
    const fault = FAULTS[place];
    if (fault.member === null || /loss|twice|split|merge/.test(fault.key)) continue;
    const px = x(fault.at), py = laneTop(fault.member) + 5;
    if (Math.abs((before[fault.member] ?? -99) - px) < 2) continue;
    before[fault.member] = px;
    pen.fillStyle = ink.warn;
    pen.beginPath();
    pen.moveTo(px - 5, py);
    pen.lineTo(px + 5, py);
    pen.lineTo(px, py + 7);
    pen.fill();
    drawn.push({ kind: "fault", fault, x0: px - 6, x1: px + 6, y0: py - 2, y1: py + 8 });
  }
}

function drawChain(pen) {
  const chain = [...CHAIN].map(eventAt).filter((event) => event && event.lane !== null && event.lane < LANES);
  if (!HEAD.broken || chain.length === 0) return;
  pen.strokeStyle = ink.accent;
  pen.fillStyle = ink.accent;
  pen.lineJoin = "round";
  pen.globalAlpha = 0.3;
  pen.lineWidth = 7;
  pen.beginPath();
  chain.forEach((event, place) => {
    const [px, py] = [x([event.n, event.time]), laneY(event.lane)];
    if (place) pen.lineTo(px, py); else pen.moveTo(px, py);
  });
  pen.stroke();
  pen.globalAlpha = 1;
  for (const event of chain) {
    const [px, py] = [x([event.n, event.time]), laneY(event.lane)];
    pen.beginPath();
    pen.arc(px, py, 4, 0, 7);
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = ink.sheet;
    pen.stroke();
  }
}

function drawMarks(pen) {
  pen.fillStyle = ink.accent;
  for (const event of look.found.slice(0, 4000)) {
    const px = x([event.n, event.time]);
    if (px >= GUTTER && px <= box.width) pen.fillRect(px - 0.75, RULER - 5, 1.5, 5);
  }
  const cursor = eventAt(look.cursor);
  const px = look.axis === "order" ? x([look.cursor, 0]) : x([cursor.n, cursor.time]);
  pen.globalAlpha = 0.8;
  pen.fillRect(px - 0.75, RULER - 6, 1.5, box.height);
  pen.globalAlpha = 1;
  if (cursor.n === look.cursor && cursor.lane !== null && cursor.lane < LANES) {
    pen.strokeStyle = ink.accent;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(px, laneY(cursor.lane), 8, 0, 7);
    pen.stroke();
  }
  if (!HEAD.broken) return;
  const at = x(BREAK), last = eventAt(BREAK[0]);
  pen.fillStyle = pen.strokeStyle = ink.danger;
  pen.fillRect(at - 1, 0, 2, box.height);
  pen.font = "700 12px " + fonts.sans;
  pen.textAlign = "right";
  const width = pen.measureText(HEAD.broken.id).width + 14;
  pen.beginPath();
  pen.roundRect(at - width, 2, width, 19, [5, 0, 0, 5]);
  pen.fill();
  pen.fillStyle = ink.sheet;
  pen.fillText(HEAD.broken.id, at - 7, 16);
  if (!ILLEGAL.length && last.lane !== null && last.lane < LANES) {
    pen.lineWidth = 3;
    pen.beginPath();
    pen.arc(at, laneY(last.lane), 10, 0, 7);
    pen.stroke();
  }
}

// The whole run: a line for each member, what went wrong, and the frame of what is looked at.
let outline = null;
function drawOverview() {
  const width = overview.clientWidth, height = overview.clientHeight;
  const pen = fit(overview, width, height);
  const at = (moment) => value(moment) / axisEnd() * width;
  const key = [width, look.axis, ink.sheet].join();
  if (!outline || outline.key !== key) {
    const canvas = document.createElement("canvas");
    const back = fit(canvas, width, height);
    const row = (height - 10) / MEMBERS;
    STANDS.forEach((stands, member) => stands.forEach((stand, place) => {
      const left = at(stand.at), right = place + 1 < stands.length ? at(stands[place + 1].at) : width;
      back.fillStyle = stand.role === "none" ? ink.line : termColour(stand.term);
      const tall = stand.role === "leader" ? row * 0.8 : stand.role === "none" ? 1 : row * 0.3;
      back.fillRect(left, 5 + row * member + (row - tall) / 2, Math.max(right - left, 0.6), tall);
    }));
    back.fillStyle = ink.warn;
    for (const fault of FAULTS) if (!/loss|twice|split|merge/.test(fault.key)) back.fillRect(at(fault.at), 0, 1, 4);
    outline = { canvas, key };
  }
  pen.drawImage(outline.canvas, 0, 0, width, height);
  const [left, right] = [look.from, look.to].map((edge) => edge / axisEnd() * width);
  pen.fillStyle = ink.accent;
  pen.globalAlpha = 0.16;
  pen.fillRect(left, 0, Math.max(right - left, 3), height);
  pen.globalAlpha = 1;
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 1.5;
  pen.strokeRect(left, 0.75, Math.max(right - left, 3), height - 1.5);
  pen.fillRect((look.axis === "order" ? look.cursor : timeOfEvent(look.cursor)) / axisEnd() * width - 0.75, 0, 1.5, height);
  if (HEAD.broken) {
    pen.fillStyle = ink.danger;
    pen.fillRect(Math.min(at(BREAK), width - 1.5) - 1.5, 0, 3, height);
  }
}
