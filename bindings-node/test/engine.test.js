'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Engine, FaceAttendError, engine, failsWith, folder, load, media, picture } = require('./support.js')

const center = (bbox) => [(bbox.x1 + bbox.x2) / 2, (bbox.y1 + bbox.y2) / 2]

test('analyze finds the face of a picture and takes it all the way', async () => {
  const analysis = await (await engine()).analyze(picture('hopper/center.jpg'))
  assert.deepEqual([analysis.width, analysis.height, analysis.faces.length], [480, 360, 1])
  const [face] = analysis.faces
  assert.ok(face.score > 0.5 && face.score <= 1)
  assert.equal(face.landmarks.length, 5)
  assert.ok(face.mesh instanceof Float32Array && face.mesh.length === 468 * 3)
  assert.ok(face.embedding.values instanceof Float32Array)
  assert.equal(face.embedding.values.length, 128)
  assert.ok(Math.abs(face.embedding.values.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-4)
  assert.ok(Math.abs(face.pose.yaw) < 6)
  assert.deepEqual(face.quality.reasons, [])
  assert.equal(face.real, null)
  assert.equal(typeof face.antispoofUnavailable, 'string')
})

test("yaw is positive when the nose points to the image's right edge", async () => {
  const yaw = async (file) => (await (await engine()).analyze(picture(file))).faces[0].pose.yaw
  assert.ok((await yaw('collins/yaw+25.jpg')) > 15)
  assert.ok((await yaw('collins/yaw-25.jpg')) < -15)
})

test('each depth includes the ones before it and nothing after', async () => {
  const at = async (depth) => (await (await engine()).analyze(picture('obama/center.jpg'), { depth })).faces[0]
  const has = (face) => [face.pose, face.quality, face.embedding].map((part) => part !== null)
  assert.deepEqual(has(await at('detection')), [false, false, false])
  assert.deepEqual(has(await at('pose')), [true, true, false])
  assert.deepEqual(has(await at('embedding')), [true, true, true])
})

test('every way to hand over a picture shows the same face', async () => {
  const made = await engine()
  const bytes = picture('collins/center.jpg')
  const reference = await made.embed(bytes)
  const base64 = bytes.toString('base64')
  const ways = {
    bytes: new Uint8Array(bytes),
    base64,
    'base64 in lines': base64.replace(/.{76}/g, '$&\n'),
    'data URI': `data:image/jpeg;base64,${base64}`,
  }
  for (const [way, image] of Object.entries(ways)) {
    assert.deepEqual((await made.embed(image)).values, reference.values, way)
  }
})

test('pixels in any order show the same face as the file they come from', async () => {
  const made = await engine()
  const { Camera } = require('./support.js')
  let frame
  for await (const event of Camera.open(media('hopper/turn.avi'), { pace: 'as_analyzed' })) {
    frame = event.pixels
    break
  }
  const reference = await made.embed(frame)
  const { data, width, height, format } = frame
  assert.equal(format, 'rgb')
  const swapped = Uint8Array.from(data, (_, at) => data[at + 2 - 2 * (at % 3)])
  const canvas = new Uint8ClampedArray(width * height * 4).fill(7)
  for (let at = 0; at < width * height; at += 1) canvas.set(data.subarray(at * 3, at * 3 + 3), at * 4)
  for (const image of [
    { data: swapped, width, height, format: 'bgr' },
    { data: canvas, width, height, format: 'rgba' },
    { data: Buffer.from(data), width, height },
  ]) {
    assert.deepEqual((await made.embed(image)).values, reference.values, image.format)
  }
})

test('a part of a larger buffer is read from where it begins', async () => {
  const bytes = picture('collins/center.jpg')
  const larger = new Uint8Array(bytes.length + 64).fill(0xff)
  larger.set(bytes, 32)
  const [whole, part] = await Promise.all(
    [bytes, larger.subarray(32, 32 + bytes.length)].map(async (image) => (await engine()).embed(image)),
  )
  assert.deepEqual(part.values, whole.values)
})

test('detect looks everywhere or in a region only', async () => {
  const made = await engine()
  const [{ bbox, landmarks }] = await made.detect(picture('obama/center.jpg'))
  assert.ok(landmarks === null || landmarks.length === 5)
  const around = { x1: bbox.x1 - 60, y1: bbox.y1 - 60, x2: bbox.x2 + 60, y2: bbox.y2 + 60 }
  const [again] = await made.detect(picture('obama/center.jpg'), { region: around })
  center(again.bbox).forEach((at, axis) => assert.ok(Math.abs(at - center(bbox)[axis]) < 10))
  assert.deepEqual(await made.detect(picture('obama/center.jpg'), { region: { x1: 0, y1: 0, x2: 60, y2: 60 } }), [])
})

test('an encoded picture shows its boxes where its pixels do', async () => {
  const made = await engine()
  for (const person of ['hopper', 'collins', 'obama']) {
    // The first is decoded at a part of its size.
    const [encoded] = await made.detect(picture(`${person}/center.jpg`))
    const { faces } = await made.analyze(picture(`${person}/center.jpg`), { depth: 'detection' })
    assert.equal(faces.length, 1)
    const side = faces[0].bbox.x2 - faces[0].bbox.x1
    for (const edge of ['x1', 'y1', 'x2', 'y2']) {
      assert.ok(Math.abs(encoded.bbox[edge] - faces[0].bbox[edge]) < 0.04 * side, `${person}: ${edge}`)
    }
  }
})

test('a picture without a face is an empty list and no error', async () => {
  const wall = { data: new Uint8Array(320 * 240 * 3).fill(128), width: 320, height: 240 }
  assert.deepEqual((await (await engine()).analyze(wall)).faces, [])
  assert.equal(await (await engine()).embed(wall), null)
})

test('one person resembles themselves and nobody else', async () => {
  const made = await engine()
  const [a, b, c] = await Promise.all(
    ['collins/center.jpg', 'collins/yaw+10.jpg', 'hopper/center.jpg'].map((file) => made.embed(picture(file))),
  )
  assert.ok(made.similarity(a, b) >= 0.7)
  assert.ok(made.similarity(a, c) < 0.7)
  assert.equal(made.similarity(a, c), made.similarity(c, a))
  assert.ok(Math.abs(made.cosine(a, a) - 1) < 1e-6)
  assert.ok(made.similarity(made.mean([a, b]), b) > made.similarity(a, b))
})

test('embeddings survive a copy to another thread', async () => {
  const made = await engine()
  const embedding = await made.embed(picture('collins/center.jpg'))
  assert.ok(Math.abs(made.cosine(structuredClone(embedding), embedding) - 1) < 1e-6)
})

test('what an engine runs is told', async () => {
  const { embedder, dimension, threads, detector } = (await engine()).description
  assert.ok(embedder.length > 0 && detector.length > 0)
  assert.equal(dimension, 128)
  assert.ok(threads >= 1)
})

test('errors carry their stable code, in promises too', async () => {
  const made = await engine()
  const a = await made.embed(picture('collins/center.jpg'))
  await assert.rejects(made.analyze(Buffer.from('no picture')), failsWith('invalid_image'))
  await assert.rejects(made.analyze('!!!'), failsWith('invalid_image', /base64/))
  await assert.rejects(made.analyze('data:text/plain,hello'), failsWith('invalid_image'))
  await assert.rejects(made.analyze(picture('collins/center.jpg').subarray(0, 300)), failsWith('invalid_image'))
  await assert.rejects(
    made.analyze({ data: new Uint8Array(11), width: 2, height: 2 }),
    failsWith('invalid_image', /12 bytes/),
  )
  await assert.rejects(made.analyze({ data: new Uint8Array(0), width: -1, height: 2 }), failsWith('invalid_input'))
  await assert.rejects(made.analyze({ data: new Uint8Array(0), width: NaN, height: 2 }), failsWith('invalid_input'))
  await assert.rejects(made.analyze(42), failsWith('invalid_input'))
  await assert.rejects(made.analyze(undefined), failsWith('invalid_input'))
  await assert.rejects(made.analyze(new Float32Array(4)), failsWith('invalid_input'))
  await assert.rejects(made.analyze(picture('collins/center.jpg'), { depth: 'deep' }), failsWith('invalid_input'))
  assert.throws(() => made.similarity(a, { model: 'another', values: a.values }), failsWith('model_mismatch'))
  assert.throws(() => made.similarity(a, { model: a.model, values: new Float32Array(128) }), failsWith('invalid_input'))
  const mine = new RangeError('mine')
  const trap = { data: new Uint8Array(3), get width() { throw mine }, height: 1 }
  await assert.rejects(made.analyze(trap), (error) => failsWith('invalid_input', /mine/)(error) && error.cause === mine)
  assert.throws(() => made.similarity(a), failsWith('invalid_input'))
  assert.throws(() => made.mean([]), failsWith('invalid_input'))
  assert.throws(() => new Engine(), failsWith('invalid_input'))
  await assert.rejects(Engine.create({ threads: 0 }), failsWith('invalid_input'))
  await assert.rejects(Engine.create({ threads: -1 }), failsWith('invalid_input'))
  await assert.rejects(Engine.create({ pack: 'no-such-pack' }), failsWith('model', /default/))
  await assert.rejects(Engine.create({ embedder: '/nowhere.onnx' }), failsWith('model', /nowhere/))
  await assert.rejects(Engine.create({ detect: { inputSize: 7 } }), failsWith('invalid_input'))
  await assert.rejects(Engine.create({ provider: 'cuda' }), failsWith('runtime', /cuda/))
})

test('an error of an async call tells where it was called', async () => {
  const made = await engine()
  async function calledHere() {
    await made.analyze('!!!')
  }
  await assert.rejects(calledHere(), (error) => error instanceof FaceAttendError && /calledHere/.test(error.stack))
})

test('a damaged model file is told by its name', async (t) => {
  const file = require('node:path').join(folder(t), 'broken.onnx')
  require('node:fs').writeFileSync(file, 'this is no model')
  await assert.rejects(Engine.create({ embedder: file }), failsWith('model', /broken\.onnx/))
})

test('a call that is given up rejects with the reason of its signal', async () => {
  const made = await engine()
  const image = picture('hopper/center.jpg')
  const reason = new Error('no longer wanted')
  await assert.rejects(made.analyze(image, { signal: AbortSignal.abort(reason) }), reason)

  // Given up on the way: at once, though the analysis itself goes on.
  const onTheWay = new AbortController()
  const call = made.analyze(image, { signal: onTheWay.signal })
  await new Promise(setImmediate)
  onTheWay.abort(reason)
  await assert.rejects(call, reason)

  // Given up while it waits: it never begins.
  const { limit } = load()
  const busy = Array.from({ length: limit + 2 }, () => made.analyze(image))
  const waiting = new AbortController()
  const last = made.analyze(image, { signal: waiting.signal })
  const before = load().waiting
  waiting.abort()
  assert.equal(load().waiting, before - 1)
  await assert.rejects(last, { name: 'AbortError' })
  await Promise.all(busy)
  assert.deepEqual(load(), { running: 0, waiting: 0, limit })
  await assert.rejects(made.analyze(image, { signal: 'soon' }), failsWith('invalid_input', /AbortSignal/))
})

test('many calls with one signal leave no listener behind', async () => {
  const { getEventListeners } = require('node:events')
  const made = await engine()
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 12 }, () => made.detect(picture('hopper/center.jpg'), { signal })))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('the main thread is free while an analysis runs', async () => {
  const made = await engine()
  let done = false
  const call = made.analyze(picture('hopper/center.jpg')).then(() => (done = true))
  // If the work were done on this thread, no timer could fire before the promise settles.
  let turns = 0
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    turns += 1
  }
  await call
  assert.ok(turns >= 2, `${turns} turns of the event loop`)
})

test('no more work at once than there are threads for', async () => {
  const made = await engine()
  const { limit } = load()
  const calls = Array.from({ length: limit * 3 }, () => made.detect(picture('hopper/center.jpg')))
  assert.deepEqual(load(), { running: limit, waiting: limit * 2, limit })
  await Promise.all(calls)
})

test('a template is the embedding of one clear face, or says why there is none', async () => {
  const made = await engine()
  const bytes = picture('hopper/center.jpg')
  assert.deepEqual(await made.template(bytes), await made.embed(bytes))
  const wall = { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64 }
  await assert.rejects(made.template(wall), failsWith('invalid_input', /face/))
})
