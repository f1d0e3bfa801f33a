// Writes through ioredis's Cluster while the leader changes. usage: ioredis.mjs SECONDS PORT...
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { Cluster } from 'ioredis';

process.on('warning', (warning) => { throw warning; });
const [seconds, ...ports] = process.argv.slice(2).map(Number);
const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
client.on('error', () => {});
const begun = performance.now();
let [number, acknowledged, gap, last] = [0, 0, 0, begun];
const errors = [];
while (performance.now() - begun < seconds * 1000) {
  number += 1;
  try {
    assert.equal(await client.set('ioredis', number), 'OK');
    const now = performance.now();
    [acknowledged, gap, last] = [number, Math.max(gap, now - last), now];
  } catch (error) {
    errors.push(String(error));
    await setTimeout(50);
  }
}
assert.ok(Number(await client.get('ioredis')) >= acknowledged);
console.log(`ioredis writes=${acknowledged} errors=${errors.length} gap_ms=${gap.toFixed(0)}`);
console.error(errors.slice(0, 5).join('\n'));
client.disconnect();
