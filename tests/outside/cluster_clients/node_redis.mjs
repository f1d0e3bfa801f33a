// Writes through node-redis's cluster client while the leader changes. usage: node_redis.mjs SECONDS PORT...
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { createCluster } from 'redis';

process.on('warning', (warning) => { throw warning; });
const [seconds, ...ports] = process.argv.slice(2).map(Number);
const client = createCluster({
  rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
  // By default it asks who leads now only after a dead leader has been away for five seconds.
  topologyRefreshOnReconnectionAttemptStrategy: 200,
});
client.on('error', () => {});
await client.connect();
const begun = performance.now();
let [number, acknowledged, gap, last] = [0, 0, 0, begun];
const errors = [];
while (performance.now() - begun < seconds * 1000) {
  number += 1;
  try {
    assert.equal(await client.set('node-redis', String(number)), 'OK');
    const now = performance.now();
    [acknowledged, gap, last] = [number, Math.max(gap, now - last), now];
  } catch (error) {
    errors.push(String(error));
    await setTimeout(50);
  }
}
assert.ok(Number(await client.get('node-redis')) >= acknowledged);
console.log(`node-redis writes=${acknowledged} errors=${errors.length} gap_ms=${gap.toFixed(0)}`);
console.error(errors.slice(0, 5).join('\n'));
process.exit(0);
