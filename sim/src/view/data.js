// What the page knows of the run, in the order of events, and how to find things in it.

const DATA = JSON.parse(document.getElementById("run").textContent);
const HEAD = DATA.head, RUN = DATA.run;
const MEMBERS = RUN.members, LANES = RUN.members + RUN.clients;
const [LAST_EVENT, LAST_TIME] = RUN.end;

const EVENTS = RUN.events.map(([n, time, cause, lane, label, lines]) => ({ n, time, cause, lane, label, lines }));
const FRAMES = RUN.frames.map(([from, to, sent, came, fate, kind, term, says]) =>
  ({ from, to, sent, came, fate, kind, term, says }));
const OPERATIONS = RUN.operations.map(([client, conn, words, asked, decided, by, answered, value, left, illegal]) =>
  ({ client, conn, words, asked, decided, by, answered, value, left, illegal: illegal === 1 }));
const FAULTS = RUN.faults.map(([at, member, key]) => ({ at, member, key }));
// A history that no order explains breaks nothing at any event: there is no chain that led to it.
const ILLEGAL = OPERATIONS.filter((operation) => operation.illegal);
const CHAIN = new Set(ILLEGAL.length ? [] : RUN.chain);
// Where it breaks, or the end: of such a history the last answer.
const BREAK = ILLEGAL.reduce((last, { answered }) => answered && answered[0] > last[0] ? answered : last,
  ILLEGAL.length ? [0, 0] : RUN.end);

// For each member the places where it stood, from one change to the next.
const STANDS = Array.from({ length: MEMBERS }, () => []);
for (const [member, at, role, term, vote, applied, commit, durable, last, troubles, tail] of RUN.changes) {
  STANDS[member].push({ at, role, term, vote, applied, commit, durable, last, troubles, tail });
}

// The first place in a sorted list of which `is` holds, where it holds of all behind it.
function first(list, is) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(list[middle])) high = middle; else low = middle + 1;
  }
  return low;
}

// Lists in the order of their beginnings: of each the latest end so far, which never falls, so that
// whatever reaches into a window is found by halving.
function withReach(list, begin, end) {
  list.sort((a, b) => begin(a)[0] - begin(b)[0]);
  let reach = 0;
  for (const one of list) {
    reach = Math.max(reach, end(one)[0]);
    one.reach = reach;
  }
}
const END = [LAST_EVENT, LAST_TIME];
const cameAt = (frame) => frame.came || (frame.fate === "lost" ? frame.sent : END);
const endedAt = (operation) => operation.answered || operation.left || END;
withReach(FRAMES, (f) => f.sent, cameAt);
withReach(OPERATIONS, (o) => o.asked, endedAt);

// Which of a list with reach lie between two events.
function between(list, begin, from, to) {
  return [first(list, (one) => one.reach >= from), first(list, (one) => begin(one)[0] > to)];
}

// The event with a number, or the last that is told before it.
function eventAt(n) {
  const at = first(EVENTS, (event) => event.n > n) - 1;
  return EVENTS[Math.max(at, 0)];
}

// The event of a time, between those that are told.
function eventOfTime(time) {
  const at = first(EVENTS, (event) => event.time >= time);
  if (at === 0) return 1;
  if (at === EVENTS.length) return LAST_EVENT;
  const [a, b] = [EVENTS[at - 1], EVENTS[at]];
  return b.time === a.time ? b.n : a.n + (b.n - a.n) * (time - a.time) / (b.time - a.time);
}

function timeOfEvent(n) {
  const at = first(EVENTS, (event) => event.n >= n);
  if (at >= EVENTS.length) return LAST_TIME;
  const b = EVENTS[at], a = at > 0 ? EVENTS[at - 1] : { n: 0, time: 0 };
  return b.n === a.n ? b.time : a.time + (b.time - a.time) * (n - a.n) / (b.n - a.n);
}

// Where a member stands behind an event.
function standing(member, n) {
  const stands = STANDS[member];
  const at = first(stands, (stand) => stand.at[0] > n) - 1;
  return at < 0 ? null : stands[at];
}

// An event and what led to it, the last first, as far as it is told.
function chainOf(n) {
  const chain = [];
  for (let event = eventAt(n); event; ) {
    chain.push(event);
    if (event.cause === 0 || event.cause >= event.n || isOrigin(event)) break;
    const cause = eventAt(event.cause);
    if (!cause || cause.n !== event.cause) break;
    event = cause;
  }
  return chain;
}
const isOrigin = (event) => /acts$|deadline$|wants in$/.test(event.label);

const seconds = (time) => (time / 1e9).toFixed(6) + " s";

const FAMILIES = { vote: "vote", "pre-vote": "vote", append: "append", accepted: "append", rejected: "append",
  heartbeat: "beat", state: "state", piece: "state", timeout: "vote" };
const family = (kind) => FAMILIES[kind.split(" ")[0]] || "beat";
