'use strict'

// What happens to a whole process: workers, an end with work in flight, two copies of the addon, promises left alone.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const { copyFileSync, cpSync, mkdirSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')
const { Worker } = require('node:worker_threads')
const { folder, media } = require('./support.js')

const here = path.join(__dirname, '..')
const face = media('hopper/center.jpg')

/** The outcome of a Node program, which finds this package and the picture `face`. */
async function program(source, nodeOptions = []) {
  const text = `const api = require(${JSON.stringify(here)})
    const face = require('fs').readFileSync(${JSON.stringify(face)});\n${source}`
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...nodeOptions, '-e', text], {
      timeout: 120_000,
    })
    return { code: 0, signal: null, stdout, stderr }
  } catch ({ code, signal, stdout, stderr }) {
    return { code, signal, stdout, stderr }
  }
}

const MAKE = "api.Engine.create({ antispoof: 'off' })"

test('a process ends at once and in order with work in flight', async () => {
  const ended = await program(`${MAKE}.then((engine) => {
    for (let i = 0; i < 50; i += 1) engine.analyze(face).catch(() => {})
    setTimeout(() => process.exit(7), 30)
  })`)
  assert.deepEqual([ended.code, ended.signal, ended.stderr], [7, null, ''])
})

test('a process ends in order while cameras run', async () => {
  const ended = await program(`${MAKE}.then((engine) => {
    const clip = ${JSON.stringify(media('class.avi'))}
    for (let i = 0; i < 3; i += 1) api.Camera.open(clip, { engine }).on('frame', () => {})
    setTimeout(() => process.exit(7), 500)
  })`)
  assert.deepEqual([ended.code, ended.signal, ended.stderr], [7, null, ''])
})

test('a process ends by itself when nothing is left to do', async () => {
  const ended = await program(`(async () => {
    const engine = await ${MAKE}
    const clip = ${JSON.stringify(media('hopper/turn.avi'))}
    for await (const _ of api.Camera.open(clip, { engine, analyze: { depth: 'detection' } })) break
    process.stdout.write(String((await engine.analyze(face)).faces.length))
  })()`)
  assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, '1', ''])
})

test('an uncaught error of a call ends a process as any other does; a caught one leaves nothing behind', async () => {
  const caught = await program(
    `${MAKE}.then(async (engine) => {
    const calls = [engine.analyze('!'), engine.analyze(7),
      engine.analyze(face, { signal: AbortSignal.abort() }), engine.detect({}), api.Store.open('/nowhere/x/y.db')]
    process.stdout.write(String((await Promise.allSettled(calls)).filter((call) => call.status === 'rejected').length))
    const camera = api.Camera.open('/nowhere.avi')
    await new Promise((resolve) => camera.on('end', resolve))
  })`,
    ['--unhandled-rejections=strict'],
  )
  assert.deepEqual([caught.code, caught.stdout, caught.stderr], [0, '5', ''])
})

/** Runs `source` in a worker, with what it posts. */
function worker(source) {
  const text = `const { parentPort } = require('worker_threads'); const api = require(${JSON.stringify(here)});
    const face = require('fs').readFileSync(${JSON.stringify(face)});\n${source}`
  return new Worker(text, { eval: true })
}

const settled = (one) =>
  new Promise((resolve, reject) => {
    const posted = []
    one.on('message', (message) => posted.push(message))
    one.on('error', reject)
    one.on('exit', (code) => resolve({ code, posted }))
  })

test('workers each have their own engine and find the same', async () => {
  const source = `${MAKE}.then(async (engine) => parentPort.postMessage(await engine.embed(face)))`
  const all = await Promise.all([1, 2, 3].map(() => settled(worker(source))))
  const [first, ...others] = all.map(({ code, posted }) => {
    assert.equal(code, 0)
    return posted[0]
  })
  assert.equal(first.values.length, 128)
  for (const other of others) assert.deepEqual(other.values, first.values)
})

test('workers can be taken down with work in flight, again and again', async () => {
  for (let round = 0; round < 4; round += 1) {
    const one = worker(`${MAKE}.then((engine) => {
      for (let i = 0; i < 20; i += 1) engine.analyze(face).catch(() => {})
      api.Camera.open(${JSON.stringify(media('class.avi'))}, { engine }).on('frame', () => {})
      setTimeout(() => parentPort.postMessage('busy'), 20 * ${round})
    })`)
    const end = settled(one)
    await new Promise((resolve) => one.once('message', resolve))
    await one.terminate()
    await end
  }
})

test('a process ends in order while a worker is busy', async () => {
  const busy = `const api = require(${JSON.stringify(here)})
    const face = require('fs').readFileSync(${JSON.stringify(face)});
    ${MAKE}.then((engine) => {
      for (let i = 0; i < 20; i += 1) engine.analyze(face).catch(() => {})
      api.Camera.open(${JSON.stringify(media('class.avi'))}, { engine }).on('frame', () => {})
      setTimeout(() => require('worker_threads').parentPort.postMessage('busy'), 300)
    })`
  const ended = await program(
    `const { Worker } = require('worker_threads')
    new Worker(${JSON.stringify(busy)}, { eval: true }).on('message', () => process.exit(7))`,
  )
  assert.deepEqual([ended.code, ended.signal, ended.stderr], [7, null, ''])
})

test('two copies of the addon live in one process', async (t) => {
  const copy = path.join(folder(t), 'faceattend')
  mkdirSync(copy)
  for (const name of readdirSync(here)) {
    if (/^(index\.js|native\.js|package\.json|faceattend\..*\.node)$/.test(name))
      copyFileSync(path.join(here, name), path.join(copy, name))
  }
  cpSync(path.join(here, 'lib'), path.join(copy, 'lib'), { recursive: true })
  const ended = await program(`(async () => {
    const other = require(${JSON.stringify(copy)})
    if (other.Engine === api.Engine) throw new Error('one copy only')
    const { locate } = require(${JSON.stringify(path.join(here, 'lib/onnxruntime.js'))})
    const options = { antispoof: 'off', onnxruntime: locate() }
    const [one, two] = await Promise.all([api.Engine.create(options), other.Engine.create(options)])
    const [a, b] = await Promise.all([one.embed(face), two.embed(face)])
    const crossed = await one.analyze(face).then(() => new other.Gallery(one)).catch((error) => error)
    process.stdout.write([one.cosine(a, b) > 0.999999, crossed instanceof other.FaceAttendError].join())
  })()`)
  assert.deepEqual([ended.code, ended.signal, ended.stderr, ended.stdout], [0, null, '', 'true,true'])
})

test('what is thrown away is freed', async () => {
  // 300 frames of 2.7 MB and their results, engines' garbage aside: a leak of either would show as hundreds of MB.
  const ended = await program(`(async () => {
    const engine = await ${MAKE}
    const frame = { data: new Uint8Array(1280 * 720 * 3).fill(90), width: 1280, height: 720 }
    const gallery = new api.Gallery(engine)
    const round = async (count) => {
      for (let i = 0; i < count; i += 1) {
        await engine.detect(frame, { region: { x1: 0, y1: 0, x2: 64, y2: 64 } })
        const embedding = { model: engine.description.embedder, values: new Float32Array(128).fill(1) }
        for (let j = 0; j < 200; j += 1) gallery.replace(j % 10, [embedding])
        const session = new api.LivenessSession({ mirrored: false })
        api.LivenessSession.fromState(session.toState())
        await engine.analyze('!').catch(() => {})
      }
      for (let i = 0; i < 5; i += 1) { global.gc(); await new Promise(setImmediate) }
      return process.memoryUsage().rss / 2 ** 20
    }
    await round(60)
    const before = await round(30)
    const after = await round(300)
    process.stdout.write(JSON.stringify({ before, after }))
  })()`, ['--expose-gc'])
  assert.equal(ended.code, 0, ended.stderr)
  const { before, after } = JSON.parse(ended.stdout)
  assert.ok(after - before < 60, `${before.toFixed()} MB grew to ${after.toFixed()} MB`)
})
