'use strict'

// Whatever is handed over: an answer or one of our errors, never a crash, never an error that says nothing.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { FaceAttendError, Gallery, LivenessSession, engine, picture } = require('./support.js')

const CODES = ['invalid_image', 'invalid_input', 'model_mismatch']
const told = (error) => {
  assert.ok(
    error instanceof FaceAttendError && CODES.includes(error.code) && error.message.length > 0,
    String(error?.stack),
  )
}
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
