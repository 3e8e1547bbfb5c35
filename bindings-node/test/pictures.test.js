'use strict'

// Pictures of other programs: cut off, of another depth, on worker threads.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { engine, failsWith, picture } = require('./support.js')

test('a picture that is cut off is an error, and a missing end marker alone is none', async () => {
  const made = await engine()
  const whole = picture('collins/center.jpg')
  for (const part of [0.3, 0.5, 0.9]) {
    const cut = whole.subarray(0, Math.floor(whole.length * part))
    await assert.rejects(made.detect(cut), failsWith('invalid_image', /cut off/))
    await assert.rejects(made.detect(cut.toString('base64')), failsWith('invalid_image', /cut off/))
  }
  assert.equal((await made.detect(whole.subarray(0, whole.length - 2))).length, 1)
})

test('pixels of more than eight bits are refused', async () => {
  const made = await engine()
  for (const data of [new Uint16Array(12), new Float32Array(12), new Uint16Array(12).buffer]) {
    await assert.rejects(made.detect({ data, width: 2, height: 2 }), failsWith('invalid_input'))
  }
  // The bytes of such an array are twice as many as pixels need.
  const bytes = new Uint8Array(new Uint16Array(12).buffer)
  await assert.rejects(made.detect({ data: bytes, width: 2, height: 2 }), failsWith('invalid_image'))
})

test('threads of a program each have an engine, also when they end in the middle of a call', async () => {
  const body = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { engine, picture } = require(workerData.support)
    engine().then(async (made) => {
      const faces = await made.detect(picture('collins/center.jpg'))
      parentPort.postMessage(faces.length)
      made.analyze(picture('hopper/left.jpg'))
      if (workerData.leaves) process.exit(0)
    })`
  const support = require.resolve('./support.js')
  const found = [false, true, false, true].map((leaves) => new Promise((done, failed) => {
    const worker = new Worker(body, { eval: true, workerData: { support, leaves } })
    let faces
    worker.on('message', (count) => { faces = count })
    worker.on('error', failed)
    worker.on('exit', (code) => (code === 0 ? done(faces) : failed(new Error(`a thread ended with ${code}`))))
  }))
  assert.deepEqual(await Promise.all(found), [1, 1, 1, 1])
  assert.equal((await (await engine()).detect(picture('collins/center.jpg'))).length, 1)
})
