'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { writeFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { AttendanceBook, Camera, Gallery, Store, engine, failsWith, folder, media, picture } = require('./support.js')

const CLASS = media('class.avi')
const startsAt = new Date('2026-03-02T08:00:00Z')

async function school(t) {
  const store = await Store.open(path.join(folder(t), 'a.db'))
  const gallery = new Gallery(await engine())
  for (const [person, name] of [['collins', 'Eileen Collins'], ['obama', 'Barack Obama'], ['hopper', 'Grace Hopper']]) {
    const { id } = await store.createStudent(name, person)
    const views = await Promise.all(
      ['center', 'left', 'right'].map(async (view) => (await engine()).embed(picture(`${person}/${view}.jpg`))),
    )
    gallery.insert(id, views)
  }
  return { store, gallery, book: new AttendanceBook(store, { timeZone: 'UTC' }) }
}

test('a recording marks everybody in it once', async (t) => {
  const { gallery, book } = await school(t)
  const camera = Camera.open(CLASS, {
    engine: await engine(), gallery, book, location: 'Gate', pace: 'as_analyzed', recordingStartsAt: startsAt,
  })
  const came = []
  let last = new Date(0)
  for await (const { faces, marks, capturedAt, analysis, pixels, width, height } of camera) {
    assert.deepEqual([analysis, pixels, width, height], [null, null, 640, 360])
    assert.ok(capturedAt > last)
    last = capturedAt
    came.push(...marks.filter((mark) => mark.newlyMarked).map((mark) => mark.record.studentName))
    for (const face of faces) assert.equal(face.decision === 'known', face.studentId !== null && face.similarity >= 0.7)
  }
  assert.deepEqual(came.sort(), ['Barack Obama', 'Eileen Collins', 'Grace Hopper'])
  const { items } = await book.records()
  assert.ok(items.every((row) => row.cameraLocation === 'Gate' && row.localDay === '2026-03-02'))
  const { state, captured, analyzed, dropped, lastError } = camera.health
  assert.deepEqual([state, captured, analyzed, dropped, lastError], ['stopped', 64, 64, 0, null])
})

// A folder of the same photograph, 25 a second: what a telephone shows that is held to a camera.
function held(t, person, seconds) {
  const pictures = folder(t)
  for (let n = 0; n < seconds * 25; n += 1) {
    writeFileSync(path.join(pictures, `${String(n).padStart(3, '0')}.jpg`), picture(`${person}/center.jpg`))
  }
  return pictures
}

test('a head that turns is marked when it is known to be alive', async (t) => {
  const { store, gallery, book } = await school(t)
  const camera = Camera.open(media('collins/turn.avi'), {
    engine: await engine(), gallery, book, pace: 'as_analyzed', gate: 'require',
  })
  const heard = []
  for (const name of ['secondLook', 'suspected']) camera.on(name, (sighting) => heard.push([name, sighting]))
  const admitted = []
  let first = null
  let last = null
  for await (const { faces, marks, ...frame } of camera) {
    admitted.push(...frame.admitted)
    first ??= faces[0]
    last = faces[0] ?? last
    if (marks.length > 0) assert.equal(faces[0].liveness, 'live')
  }
  assert.equal(first.liveness, 'undecided')
  assert.deepEqual([last.liveness, last.livenessReason], ['live', null])
  assert.equal(admitted[0].liveness, 'live')
  assert.deepEqual((await book.records()).items.map((row) => row.studentName), ['Eileen Collins'])
  assert.deepEqual(heard, [])
  assert.equal(await store.openSecondLooks(), 0)
})

test('a photograph is not marked, and somebody has to look', async (t) => {
  const { store, gallery, book } = await school(t)
  const options = { engine: await engine(), gallery, book, pace: 'as_analyzed', location: 'Gate' }
  const camera = Camera.open(held(t, 'collins', 2), { ...options, gate: 'require', gateWaitMs: 200 })
  const looks = []
  const suspected = []
  camera.on('secondLook', (sighting) => looks.push(sighting))
  camera.on('suspected', (sighting) => suspected.push(sighting))
  const told = []
  for await (const { faces, marks, admitted, secondLooks } of camera) {
    assert.deepEqual([marks, admitted], [[], []])
    assert.ok(faces.every(({ liveness }) => liveness !== 'live'))
    told.push(...secondLooks)
  }
  assert.equal(looks.length, 1)
  assert.ok(looks[0].similarity > 0.9 && looks[0].livenessReason !== null && looks[0].at instanceof Date)
  assert.ok(told.length <= 1 && suspected.every(({ liveness }) => liveness === 'spoof'))
  assert.equal((await book.records()).items.length, 0)
  const { items } = await store.secondLooks()
  assert.deepEqual(items.map((look) => [look.studentId, look.cameraLocation]), [[looks[0].studentId, 'Gate']])
  // A recording is observed, unless somebody says otherwise.
  for await (const _ of Camera.open(held(t, 'collins', 1), options)) continue
  assert.equal((await book.records()).items.length, 1)
})

test('whoever is being watched when a camera stops is not lost', async (t) => {
  const { store, gallery, book } = await school(t)
  const camera = Camera.open(held(t, 'collins', 2), {
    engine: await engine(), gallery, book, pace: 'as_analyzed', gate: 'require',
  })
  const looks = []
  camera.on('secondLook', (sighting) => looks.push(sighting))
  let frames = 0
  for await (const { faces } of camera) if (faces[0]?.decision === 'known' && (frames += 1) > 2) break
  await camera.stop()
  assert.equal(looks.length, 1)
  assert.equal(await store.openSecondLooks(), 1)
})

test('events tell the same as the iterator', async () => {
  const camera = Camera.open(media('hopper/turn.avi'), {
    engine: await engine(), analyze: { depth: 'pose' }, pace: 'as_analyzed',
  })
  const seen = { frames: 0, states: [] }
  camera.on('frame', ({ analysis, faces }) => {
    assert.equal(faces, null)
    assert.ok(analysis.faces.length <= 1)
    seen.frames += 1
  })
  camera.on('state', (state) => seen.states.push(state))
  await once(camera, 'end')
  assert.equal(seen.frames, 46)
  assert.equal(seen.states.at(-1), 'stopped')
})

test('a slow consumer misses frames and gets no old one', async () => {
  const camera = Camera.open(media('hopper/turn.avi'), { recordingStartsAt: new Date() })
  const began = Date.now()
  let count = 0
  for await (const { capturedAt, pixels } of camera) {
    assert.ok(pixels.data.length === pixels.width * pixels.height * 3)
    // The recording's clock runs with ours: a frame is never older than one pause and a second for a busy machine.
    assert.ok(Date.now() - capturedAt < 1_700, `${Date.now() - capturedAt} ms old`)
    count += 1
    await new Promise((resolve) => setTimeout(resolve, 700))
    if (Date.now() - began > 3_000) break
  }
  assert.ok(count >= 2 && count < 10, `${count} frames`)
  assert.ok(camera.health.dropped > 0)
  assert.equal(camera.health.state, 'stopped')
})

test('leaving the loop, stop and a signal each end a camera', async () => {
  const left = Camera.open(CLASS)
  for await (const _ of left) break
  assert.equal(left.health.state, 'stopped')

  const stopped = Camera.open(CLASS)
  const end = once(stopped, 'end')
  await stopped.stop()
  await stopped.stop()
  await end
  assert.deepEqual(await stopped[Symbol.asyncIterator]().next(), { done: true, value: undefined })

  const controller = new AbortController()
  const reason = new Error('closing time')
  const aborted = Camera.open(CLASS, { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(async () => {
    for await (const _ of aborted) await new Promise(setImmediate)
  }, reason)
  assert.throws(() => Camera.open(CLASS, { signal: AbortSignal.abort(reason) }), reason)
})

test('a camera that cannot be opened says so, and the iterator throws', async () => {
  const camera = Camera.open('/nowhere/clip.avi')
  const states = []
  camera.on('state', (state) => states.push(state))
  await assert.rejects(async () => {
    for await (const _ of camera) assert.fail('a frame out of nothing')
  }, failsWith('camera'))
  assert.equal(states.at(-1), 'failed')
  const heard = Camera.open('/nowhere/clip.avi')
  const [error] = await once(heard, 'error')
  assert.ok(failsWith('camera')(error))
})

test('a camera shows no credentials', () => {
  const camera = Camera.open('rtsp://user:S3CRET@127.0.0.1:9/x')
  assert.equal(camera.source, 'rtsp://user:***@127.0.0.1:9/x')
  return camera.stop()
})

test('options that do not fit are refused', async (t) => {
  const { gallery, book } = await school(t)
  assert.throws(() => Camera.open(''), failsWith('invalid_input'))
  assert.throws(() => Camera.open('file:///etc/passwd'), failsWith('invalid_input'))
  assert.throws(() => Camera.open(7), failsWith('invalid_input'))
  assert.throws(() => Camera.open(CLASS, { gallery }), failsWith('invalid_input', /engine/))
  assert.throws(() => Camera.open(CLASS, { engine: gallery }), failsWith('invalid_input', /Engine/))
  const made = await engine()
  assert.throws(() => Camera.open(CLASS, { engine: made, book }), failsWith('invalid_input', /gallery/))
  assert.throws(() => Camera.open(CLASS, { engine: made, pace: 'fast' }), failsWith('invalid_input'))
  assert.throws(() => Camera.open(CLASS, { openTimeoutMs: -1 }), failsWith('invalid_input'))
  assert.throws(() => Camera.open(CLASS, { engine: made, gallery, gate: 'sometimes' }), failsWith('invalid_input'))
  assert.throws(() => Camera.open(CLASS, { engine: made, gallery, gateWaitMs: -1 }), failsWith('invalid_input'))
  assert.throws(() => new Camera(), failsWith('invalid_input'))
})

test('the spelling of earlier versions still works', async () => {
  const camera = Camera.open(media('hopper/turn.avi'), { pace: 'as_analysed' })
  let frames = 0
  for await (const _ of camera) frames += 1
  assert.equal(frames, 46)
  assert.deepEqual([camera.health.analysed, camera.health.analyzed], [46, 46])
})

test('an orientation sets the pictures of a camera upright', async () => {
  const size = async (options) => {
    for await (const { width, height, pixels } of Camera.open(media('collins/turn.avi'), options)) {
      return [width, height, pixels.data]
    }
  }
  const [width, height, upright] = await size({})
  const [sameWidth, , turned] = await size({ orientation: 180 })
  assert.deepEqual([sameWidth, turned[0], turned[1]], [width, upright.at(-3), upright.at(-2)])
  assert.deepEqual((await size({ orientation: 90, mirror: true })).slice(0, 2), [height, width])
  assert.throws(() => Camera.open(CLASS, { orientation: 45 }), failsWith('invalid_input'))
})

test('a camera that is upside down names nobody', async (t) => {
  const { gallery } = await school(t)
  const pictures = folder(t)
  for (let n = 0; n < 40; n += 1) writeFileSync(path.join(pictures, `${n + 10}.jpg`), picture('collins/center.jpg'))
  const camera = Camera.open(pictures, {
    engine: await engine(), gallery, gate: 'off', pace: 'as_analyzed', orientation: 180, recordingStartsAt: startsAt,
  })
  for await (const { faces, problems } of camera) {
    assert.ok(faces.every(({ decision, bbox }) => decision !== 'known' && bbox.x1 >= 0 && bbox.y1 >= 0))
    assert.deepEqual(problems, [], 'no minute has passed')
  }
})
