'use strict'

// The figures that Rust, Python and Node must all give: see core/tests/parity_fixture.rs.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { LivenessSession, engine, picture, root } = require('./support.js')

const fixture = JSON.parse(readFileSync(path.join(root, 'core/tests/fixtures/parity.json'), 'utf8'))
const { tolerances } = fixture

function near(found, expected, tolerance, what) {
  assert.ok(Math.abs(found - expected) <= tolerance, `${what}: found ${found}, expected ${expected} +- ${tolerance}`)
}

const embeddings = new Map()

test('the engine is the one of the fixture', async () => {
  const { embedder, dimension } = (await engine()).description
  assert.deepEqual([embedder, dimension], [fixture.model, fixture.dimension])
})

for (const expected of fixture.pictures) {
  test(`the figures of ${expected.file}`, async () => {
    const { faces, width, height } = await (await engine()).analyze(picture(expected.file))
    assert.deepEqual([width, height, faces.length], [expected.width, expected.height, expected.faces.length])
    embeddings.set(expected.file, faces[0].embedding)
    faces.forEach((face, index) => {
      const figures = expected.faces[index]
      const { x1, y1, x2, y2 } = face.bbox
      ;[x1, y1, x2, y2].forEach((edge, at) => near(edge, figures.box[at], tolerances.pixels, 'box'))
      near(face.score, figures.score, tolerances.score, 'score')
      face.landmarks.forEach(({ x, y }, at) => {
        near(x, figures.landmarks[at][0], tolerances.pixels, 'x')
        near(y, figures.landmarks[at][1], tolerances.pixels, 'y')
      })
      for (const angle of ['yaw', 'pitch', 'roll']) near(face.pose[angle], figures[angle], tolerances.degrees, angle)
      assert.deepEqual(face.quality.reasons, figures.reasons)
      figures.embedding_head.forEach((value, at) =>
        near(face.embedding.values[at], value, tolerances.embedding, `value ${at}`),
      )
    })
  })
}

test('every pair is as alike as in the fixture', async () => {
  assert.ok(fixture.pairs.length >= 60)
  for (const { a, b, cosine, similarity } of fixture.pairs) {
    const [one, other] = [embeddings.get(a), embeddings.get(b)]
    near((await engine()).cosine(one, other), cosine, tolerances.similarity, `cosine of ${a} and ${b}`)
    near((await engine()).similarity(one, other), similarity, tolerances.similarity, `similarity of ${a} and ${b}`)
  }
})

test('liveness sessions decide as in the fixture', async () => {
  assert.ok(fixture.liveness.length >= 3)
  for (const steps of fixture.liveness) {
    const session = new LivenessSession({ mirrored: false })
    for (const step of steps) {
      const outcome = await session.observe(await engine(), picture(step.file), step.position)
      const found = {
        file: step.file,
        position: outcome.requested,
        detected_pose: outcome.detectedPose,
        is_live: outcome.isLive,
        refused_for: outcome.isLive ? null : outcome.reasons[0].code,
        session_completed: outcome.sessionCompleted,
      }
      assert.deepEqual(found, { ...step })
    }
  }
})
