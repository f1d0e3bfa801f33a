// Connects ioredis, which asks for INFO before it calls a server ready, and does the basics. usage: ioredis.mjs HOST PORT
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';

process.on('warning', (warning) => { throw warning; });
const client = new Redis({ host: process.argv[2], port: Number(process.argv[3]), db: 9, connectionName: 'outside' });
client.on('error', (error) => { throw error; });
await client.flushdb();
assert.equal(await client.ping(), 'PONG');
assert.equal(await client.set('greeting', 'hello', 'EX', 100), 'OK');
assert.equal(await client.get('greeting'), 'hello');
assert.equal(await client.get('nothing'), null);
assert.equal(await client.incrby('counter', 5), 5);
assert.equal(await client.hset('h', { x: '1', y: '2' }), 2);
assert.deepEqual(await client.hgetall('h'), { x: '1', y: '2' });
assert.deepEqual(await client.multi().set('t', '1').incr('t').exec(), [[null, 'OK'], [null, 2]]);
await assert.rejects(client.hget('greeting', 'x'), /WRONGTYPE/);
const pipeline = client.pipeline();
for (let number = 0; number < 1000; number += 1) pipeline.set(`p:${number}`, number);
assert.ok((await pipeline.exec()).every(([error, reply]) => error === null && reply === 'OK'));
await client.flushdb();
assert.equal(await client.quit(), 'OK');
console.log('ioredis: ok');
