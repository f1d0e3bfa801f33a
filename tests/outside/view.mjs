// Opens the page of a failure in a headless Chromium, and uses it as a person would.
//   node view.mjs PAGE.html SCREENSHOT.png
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [page, screenshot] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "sim-view-"));
const browser = spawn("chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
  "--window-size=1600,1000", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , toBrowser, fromBrowser] = browser.stdio;

// The DevTools protocol over a pair of pipes: a message is JSON with a zero behind it.
let last = 0, rest = "";
const waiting = new Map(), troubles = [], asked = [];
fromBrowser.on("data", (bytes) => {
  const parts = (rest + bytes).split("\0");
  rest = parts.pop();
  for (const part of parts) {
    const { id, result, error, method, params } = JSON.parse(part);
    if (id) {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error.message)); else resolve(result);
    }
    if (method === "Runtime.exceptionThrown") troubles.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Network.requestWillBeSent") asked.push(params.request.url);
  }
});
let session;
function tell(method, params = {}) {
  const id = ++last;
  toBrowser.write(JSON.stringify({ id, method, params, ...(session && { sessionId: session }) }) + "\0");
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}
async function look(expression) {
  const { result, exceptionDetails } = await tell("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}
const text = (id) => look(`document.getElementById("${id}")?.textContent ?? null`);
const settle = () => look("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
async function press(key, code = key) {
  const text = key.length === 1 ? key : undefined;
  await tell("Input.dispatchKeyEvent", { type: "keyDown", key, code, text });
  await tell("Input.dispatchKeyEvent", { type: "keyUp", key, code });
  await settle();
}
async function click(px, py) {
  for (const type of ["mousePressed", "mouseReleased"]) {
    await tell("Input.dispatchMouseEvent", { type, x: px, y: py, button: "left", clickCount: 1 });
  }
  await settle();
}
const middleOf = (id, part = 0.5) => look(`(() => { const r = document.getElementById("${id}").getBoundingClientRect();
  return [r.left + r.width * ${part}, r.top + r.height / 2]; })()`);
const cursor = async () => Number((await look(`document.querySelector("#detail .when").textContent`)).match(/event (\d+)/)[1]);
const colours = () => look(`(() => { const c = document.getElementById("lanes"), seen = new Set();
  const bits = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  for (let at = 0; at < bits.length; at += 4) seen.add(bits[at] << 16 | bits[at + 1] << 8 | bits[at + 2]);
  return seen.size; })()`);

try {
  const { targetId } = await tell("Target.createTarget", { url: "about:blank" });
  session = (await tell("Target.attachToTarget", { targetId, flatten: true })).sessionId;
  await tell("Runtime.enable");
  await tell("Network.enable");
  const url = "file://" + resolve(page);
  const began = Date.now();
  await tell("Page.navigate", { url });
  while (!(await look(`document.readyState === "complete" && location.protocol === "file:" && !!document.querySelector("#detail h2")`))) {
    await new Promise((done) => setTimeout(done, 20));
  }
  await settle();
  const took = Date.now() - began;

  const id = await text("badge"), end = await cursor();
  assert.match(id, /^[A-Z]\d+$/, "the page names an invariant");
  assert.match(await text("seen"), /At event \d+|When the run was over/);
  assert.match(await text("facts"), /sim replay \d+ --profile/);
  assert.match(await text("break"), new RegExp(id), "it opens where the run breaks");
  assert.ok(await colours() > 20, "the lanes are painted");
  assert.ok(await look(`document.querySelectorAll("#detail ul.chain li").length`) > 1, "what led to the violation is told");
  const shot = await tell("Page.captureScreenshot", { format: "png" });
  writeFileSync(screenshot, Buffer.from(shot.data, "base64"));

  await click(...await middleOf("slider", 0.4));
  const middle = await cursor();
  assert.ok(middle < end && middle > 1, `the slider moves: ${middle} of ${end}`);
  assert.equal(await text("break"), null, "nothing is broken there");
  await press("ArrowRight");
  assert.ok(await cursor() > middle, "a key goes on");
  await press("0");
  assert.ok(await colours() > 20, "the whole run is painted");

  await press("v", "KeyV");
  assert.equal(await cursor(), end, "a key leads back to the violation");
  await press("ArrowUp");
  const cause = await cursor();
  assert.ok(cause < end, "and to what led to it");
  await press("ArrowDown");
  assert.equal(await cursor(), end, "and back along the chain");
  await press("t", "KeyT");
  assert.equal(await text("axis"), "axis: by time");
  assert.ok(await colours() > 20, "time is painted too");

  const all = Number((await text("count")).match(/of ([\d,]+)/)[1].replaceAll(",", ""));
  await click(...await middleOf("find"));
  await tell("Input.insertText", { text: "vote" });
  await settle();
  const found = Number((await text("count")).match(/^([\d,]+)/)[1].replaceAll(",", ""));
  assert.ok(found > 0 && found < all, `the search finds some of the events: ${found} of ${all}`);
  assert.ok(await look(`document.querySelectorAll("#list .row").length`) < 80, "only rows that are seen are in the page");
  await click(...await middleOf("broken"));
  assert.match(await text("break"), new RegExp(id), "the button leads to the violation");

  await tell("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
  await settle();
  assert.ok(await colours() > 20, "the dark page is painted");
  const foreign = asked.filter((one) => !one.startsWith("file:") && !one.startsWith("about:") && !one.startsWith("data:"));
  assert.deepEqual(foreign, [], "it asks nobody for anything");
  assert.deepEqual(troubles, [], "nothing goes wrong in its scripts");
  console.log(`pass: ${id} at event ${end} of ${all} that are told, open after ${took} ms`);
} finally {
  const gone = new Promise((done) => browser.once("exit", done));
  session = undefined;
  await Promise.race([tell("Browser.close").catch(() => {}), gone]);
  await gone;
  // Its children may write a little longer.
  rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
