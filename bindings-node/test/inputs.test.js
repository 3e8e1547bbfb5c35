'use strict'

// Whatever is handed over: an answer or one of our errors, never a crash, never an error that says nothing.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const {
  FaceAttendError, Gallery, LivenessSession, Rosters, Store, engine, folder, picture,
} = require('./support.js')

const CODES = ['invalid_image', 'invalid_input', 'model_mismatch']
const toldAs = (codes) => (error) => {
  assert.ok(
    error instanceof FaceAttendError && codes.includes(error.code) && error.message.length > 0,
    String(error?.stack),
  )
}
const told = toldAs(CODES)
const runs = (numRuns) => ({ numRuns, endOnFailure: true })

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
})
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -0, 2 ** 53, -1, 0.5))
const bytes = fc.uint8Array({ maxLength: 200 })
const frame = fc.record(
  {
    data: fc.oneof(bytes, fc.uint8ClampedArray({ maxLength: 200 }), anything),
    width: number,
    height: number,
    format: fc.oneof(fc.constantFrom('rgb', 'bgr', 'rgba', undefined, 'yuv'), anything),
  },
  { requiredKeys: [] },
)

test('whatever is handed over as a picture', async () => {
  const made = await engine()
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, frame, bytes, fc.string(), fc.base64String()), async (image) => {
      await made.detect(image).then((faces) => assert.ok(Array.isArray(faces)), told)
    }),
    runs(300),
  )
})

test('whatever is damaged in a real picture', async () => {
  const made = await engine()
  const real = picture('collins/center.jpg')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      fc.nat(real.length),
      async (changes, length) => {
        const damaged = Uint8Array.from(real.subarray(0, length))
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value
        await made.detect(damaged).then((faces) => assert.ok(Array.isArray(faces)), told)
      },
    ),
    runs(40),
  )
})

test('whatever is handed over as options', async () => {
  const made = await engine()
  const small = { data: new Uint8Array(32 * 32 * 3), width: 32, height: 32 }
  const region = fc.record({ x1: number, y1: number, x2: number, y2: number })
  const options = fc.record(
    {
      depth: fc.oneof(anything, fc.constantFrom('pose', 'embedding')),
      selection: anything,
      region: fc.oneof(region, anything),
      signal: fc.constantFrom(undefined, null),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(options, anything), async (given) => {
      await made.analyze(small, given).then((analysis) => assert.ok(Array.isArray(analysis.faces)), told)
    }),
    runs(200),
  )
})

test('whatever is handed over as an embedding, a student or a threshold', async () => {
  const made = await engine()
  const gallery = new Gallery(made)
  const model = fc.oneof(fc.constant(made.description.embedder), fc.string())
  const embedding = fc.oneof(
    anything,
    fc.record({ model, values: fc.oneof(fc.float32Array({ maxLength: 130 }), anything) }),
  )
  const attempt = async (call) => {
    try {
      await call()
    } catch (error) {
      told(error)
    }
  }
  await fc.assert(
    fc.asyncProperty(embedding, embedding, fc.oneof(number, anything), async (a, b, n) => {
      await attempt(() => assert.ok(Math.abs(made.cosine(a, b)) <= 1))
      await attempt(() => gallery.insert(n, [a]))
      await attempt(() => gallery.contains(n))
      await attempt(() => gallery.identify(b, n))
      await attempt(() => gallery.search(a, n))
    }),
    runs(200),
  )
})

test('similarity is symmetric, within its scale, and 1 only for the same direction', async () => {
  const made = await engine()
  const { embedder: model, dimension } = made.description
  const values = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: dimension, maxLength: dimension })
    .filter((all) => all.some((value) => Math.abs(value) > 1e-3))
    .map((all) => ({ model, values: Float32Array.from(all) }))
  fc.assert(
    fc.property(values, values, fc.float({ min: 0.5, max: 100, noNaN: true }), (a, b, scale) => {
      const similarity = made.similarity(a, b)
      assert.ok(similarity >= 0 && similarity <= 1)
      assert.equal(similarity, made.similarity(b, a))
      const scaled = { model, values: a.values.map((value) => value * scale) }
      assert.ok(Math.abs(made.similarity(scaled, b) - similarity) < 1e-4)
    }),
    runs(200),
  )
})

test('whatever is handed over as a session', async () => {
  fc.assert(
    fc.property(fc.oneof(anything, fc.string(), fc.json()), (state) => {
      try {
        LivenessSession.fromState(state)
        assert.fail('a session out of nothing')
      } catch (error) {
        told(error)
      }
    }),
    runs(300),
  )
  const options = fc.record(
    {
      mirrored: fc.boolean(),
      centerGate: number,
      ttlSeconds: number,
      dominance: number,
      suspiciousLimit: number,
      pad: fc.constantFrom('off', 'prefer', 'x'),
    },
    { requiredKeys: ['mirrored'] },
  )
  fc.assert(
    fc.property(fc.oneof(options, anything), (given) => {
      try {
        assert.equal(new LivenessSession(given).status, 'PENDING')
      } catch (error) {
        told(error)
      }
    }),
    runs(300),
  )
})

test('whatever is handed over to rosters', async (t) => {
  const rosters = new Rosters(await Store.open(`${folder(t)}/a.db`), { policy: { timeZone: 'UTC' } })
  const days = await rosters.days('2026-03-02')
  const refused = toldAs([...CODES, 'conflict', 'not_found', 'state'])
  const dates = fc.constantFrom('2026-03-02', '2026-02-30', '-000001-01-01', '9999-12-31')
  const day = fc.oneof(dates, fc.string(), anything)
  const kinds = fc.constantFrom('student', 'group', 'join', 'leave', 'redate', 'withdraw', 'first_day')
  const period = fc.record({ name: fc.string(), begins: fc.constantFrom('08:00', '25:00') })
  const given = fc.record(
    {
      change: fc.oneof(kinds, anything),
      student: fc.oneof(number, fc.string(), anything),
      group: fc.oneof(number, fc.string(), anything),
      name: fc.oneof(fc.string(), anything),
      rollNumber: fc.oneof(fc.string(), anything),
      studentId: fc.oneof(number, anything),
      membership: number,
      day, fromDay: day, untilDay: day, firstDay: day, lastDay: day, validFrom: day, on: day,
      status: fc.oneof(fc.constantFrom('Absent', 'Late'), anything),
      weekdays: fc.oneof(fc.array(fc.constantFrom('mon', 'sun', 'Mo')), anything),
      periods: fc.oneof(fc.array(period), anything),
      reason: fc.string(),
      at: fc.oneof(fc.date(), anything),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(given, anything), day, fc.oneof(number, anything), async (one, when, id) => {
      const calls = [
        rosters.changeRoster([one]), rosters.changeRoster(one), rosters.join(id, id, one), rosters.days(when, one),
        rosters.createGroup(when, one), rosters.changeGroup(id, one), rosters.removeGroup(id, one),
        rosters.setTimetable(one), rosters.calendar(when, when), rosters.addCalendarEntry(one),
        rosters.addExcuse(one), rosters.excuses(one), rosters.memberships(one), rosters.withdrawals(id),
        rosters.export(when, one),
      ]
      await Promise.all(calls.map((call) => call.then(() => {}, refused)))
      for (const ask of [
        () => days.entries(one), () => days.counts(one), () => days.entry(id, when), () => days.plan(when, one),
        () => days.groupsOf(id, when), () => days.arrivals(when, one),
      ]) {
        try {
          ask()
        } catch (error) {
          refused(error)
        }
      }
    }),
    runs(150),
  )
})

test('whatever is handed over as a list of students', async (t) => {
  const rosters = new Rosters(await Store.open(`${folder(t)}/a.db`), { policy: { timeZone: 'UTC' } })
  const book = await rosters.export('2026-03-02', { format: 'xlsx' })
  const cell = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('name', 'roll_number', 'class', '2026-03-02', '"'))
  const table = fc.array(fc.array(cell, { maxLength: 5 }).map((cells) => cells.join(',')), { maxLength: 8 })
  const damaged = fc.array(fc.tuple(fc.nat(book.length - 1), fc.nat(255)), { maxLength: 20 }).map((changes) => {
    const copy = Uint8Array.from(book)
    for (const [at, value] of changes) copy[at] = value
    return copy
  })
  const file = fc.oneof(anything, bytes, damaged, table.map((lines) => Buffer.from(lines.join('\n'))))
  const options = fc.oneof(anything, fc.record({ encoding: fc.string(), sheet: fc.string() }))
  await fc.assert(
    fc.asyncProperty(file, options, async (...given) => {
      const plan = await rosters.planImport(...given).catch(told)
      const { outcome } = (await rosters.importRoster(...given).catch(told)) ?? {}
      if (plan) assert.ok(outcome === 'refused' || (outcome === 'done' && plan.problems.length === 0), outcome)
    }),
    runs(200),
  )
})
