// Connects node-redis in RESP2 and RESP3, fails on every warning, and does the basics. usage: node_redis.mjs HOST PORT
import assert from 'node:assert/strict';
import { createClient } from 'redis';

process.on('warning', (warning) => { throw warning; });
const [host, port] = [process.argv[2], Number(process.argv[3])];

for (const RESP of [2, 3]) {
  const client = createClient({ RESP, socket: { host, port }, database: 9, name: 'outside' });
  client.on('error', (error) => { throw error; });
  await client.connect();
  await client.flushDb();
  assert.equal(await client.ping(), 'PONG');
  assert.equal(await client.set('greeting', 'hello', { EX: 100 }), 'OK');
  assert.equal(await client.get('greeting'), 'hello');
  assert.equal(await client.get('nothing'), null);
  assert.equal(await client.incrBy('counter', 5), 5);
  assert.equal(await client.hSet('h', { x: '1', y: '2' }), 2);
  assert.deepEqual({ ...(await client.hGetAll('h')) }, { x: '1', y: '2' });
  assert.deepEqual(await client.mGet(['greeting', 'nothing']), ['hello', null]);
  assert.deepEqual(await client.multi().set('t', '1').incr('t').get('t').exec(), ['OK', 2, '2']);
  await assert.rejects(client.hGet('greeting', 'x'), /^\w*Error: WRONGTYPE|WRONGTYPE/);
  const many = Array.from({ length: 1000 }, (_, number) => client.set(`p:${number}`, String(number)));
  assert.ok((await Promise.all(many)).every((reply) => reply === 'OK'));
  let keys = 0;
  for await (const batch of client.scanIterator({ MATCH: 'p:*', COUNT: 100 })) keys += batch.length;
  assert.ok(keys >= 1000);
  await client.flushDb();
  await client.close();
  console.log(`node-redis, RESP${RESP}: ok`);
}
