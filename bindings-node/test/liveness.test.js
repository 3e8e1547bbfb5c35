'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { LivenessSession, completed, engine, failsWith, picture } = require('./support.js')

test('three positions of one person complete a session, once', async () => {
  const session = new LivenessSession({ mirrored: false })
  assert.deepEqual([session.status, session.isCompleted, session.studentId], ['PENDING', false, null])
  const first = await session.observe(await engine(), picture('hopper/center.jpg'), 'center')
  assert.ok(first.isLive && first.confidence > 0.7)
  assert.deepEqual([first.detectedPose, first.verified, first.next, first.status], ['center', ['center'], 'left', 'IN_PROGRESS'])
  assert.throws(() => session.consume(), failsWith('state'))
  await session.observe(await engine(), picture('hopper/left.jpg'), 'left')
  const last = await session.observe(await engine(), picture('hopper/right.jpg'), 'right')
  assert.deepEqual([last.sessionCompleted, last.movementVerified, last.status, last.next], [true, true, 'COMPLETED', null])
  assert.ok(last.livenessScore > 0 && last.livenessScore <= 1)
  assert.equal(session.verify().finalTemplate.values.length, 128)
  assert.equal(session.consume().length, 3)
  assert.throws(() => session.consume(), failsWith('conflict'))
})

test('left is the own left of the person, in mirrored frames as well', async () => {
  const pose = async (mirrored) => {
    const session = new LivenessSession({ mirrored })
    return (await session.observe(await engine(), picture('collins/left.jpg'), 'left')).detectedPose
  }
  assert.equal(await pose(false), 'left')
  assert.equal(await pose(true), 'right')
})

test('a frame that is refused says why and what to do', async () => {
  const session = new LivenessSession({ mirrored: false, studentId: 7 })
  assert.equal(session.studentId, 7)
  const wrong = await session.observe(await engine(), picture('hopper/right.jpg'), 'center')
  assert.deepEqual([wrong.isLive, wrong.reasons[0].code, wrong.reasons[0].turn], [false, 'wrong_pose', 'back_from_right'])
  assert.ok(wrong.reasons[0].advice.endsWith('.'))
  const wall = { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64 }
  const nobody = await session.observe(await engine(), wall, 'center')
  assert.deepEqual([nobody.detectedPose, nobody.yaw, nobody.reasons[0].code], [null, null, 'no_face'])
  await session.observe(await engine(), picture('obama/center.jpg'), 'center')
  const other = await session.observe(await engine(), picture('collins/left.jpg'), 'left')
  assert.equal(other.reasons[0].code, 'different_person')
  assert.ok(other.reasons[0].figure < 0.65)
  const stale = await session.observe(await engine(), picture('obama/left.jpg'), 'left', { capturedAt: new Date(0) })
  assert.equal(stale.reasons[0].code, 'stale_frame')
  assert.deepEqual(session.verify().missing, ['left', 'right'])
})

test('a session written down goes on where it was', async () => {
  const session = new LivenessSession({ mirrored: false })
  await session.observe(await engine(), picture('hopper/center.jpg'), 'center')
  const again = LivenessSession.fromState(session.toState())
  assert.deepEqual([again.id, again.expiresAt], [session.id, session.expiresAt])
  await again.observe(await engine(), picture('hopper/left.jpg'), 'left')
  assert.ok((await again.observe(await engine(), picture('hopper/right.jpg'), 'right')).sessionCompleted)
  assert.equal(session.isCompleted, false)
  assert.throws(() => LivenessSession.fromState('{}'), failsWith('invalid_input'))
})

test('frames that overlap each get their answer', async () => {
  const session = new LivenessSession({ mirrored: false, order: 'any' })
  const made = await engine()
  const all = ['center', 'left', 'right', 'center', 'left', 'right']
  const outcomes = await Promise.all(all.map((position) => session.observe(made, picture(`collins/${position}.jpg`), position)))
  assert.equal(outcomes.length, 6)
  assert.ok(session.isCompleted)
})

test('a random order is asked step by step, and another order is refused', async () => {
  const orders = new Set()
  for (let draw = 0; draw < 30; draw += 1) orders.add(new LivenessSession({ mirrored: false, order: 'random' }).next)
  assert.ok(orders.size > 1, 'thirty sessions began alike')
  const session = new LivenessSession({ mirrored: false, order: 'random', extraSteps: 0 })
  const other = ['center', 'left', 'right'].find((position) => position !== session.next)
  const early = await session.observe(await engine(), picture(`hopper/${other}.jpg`), other)
  assert.deepEqual([early.isLive, early.stepsDone], [false, 0])
  let outcome
  const left = { center: ['yaw+00', 'center'], left: ['yaw+25', 'left'], right: ['yaw-25', 'right'] }
  // Each picture counts once: another one for each time a position comes up.
  for (let step = 0; session.next && step < 3; step += 1) {
    outcome = await session.observe(await engine(), picture(`hopper/${left[session.next].pop()}.jpg`), session.next)
  }
  assert.ok(outcome.sessionCompleted && outcome.stepsDone === 3 && outcome.steps === 3, JSON.stringify(outcome))
})

test('a session ends when its time is over', async () => {
  const session = new LivenessSession({ mirrored: false, ttlSeconds: 60 })
  assert.ok(Math.abs(session.expiresAt - session.createdAt - 60_000) <= 1)
  const late = await session.observe(await engine(), picture('hopper/center.jpg'), 'center', {
    now: new Date(Date.now() + 61_000),
  })
  assert.deepEqual([late.status, late.reasons[0].code], ['EXPIRED', 'expired'])
})

test('options no session could work with are refused', () => {
  for (const options of [
    { mirrored: false, centerGate: 90 },
    { mirrored: false, ttlSeconds: -1 },
    { mirrored: false, ttlSeconds: Infinity },
    { mirrored: false, samePerson: 2 },
    { mirrored: false, suspiciousLimit: 0 },
    { mirrored: false, pad: 'maybe' },
    { mirrored: 'no' },
    {},
  ]) {
    assert.throws(() => new LivenessSession(options), failsWith('invalid_input'), JSON.stringify(options))
  }
})

test('two people side by side are several faces, and a suspicious many end the session', async () => {
  const session = await completed('hopper')
  assert.ok(session.isCompleted)
  const strict = new LivenessSession({ mirrored: false, suspiciousLimit: 1 })
  await strict.observe(await engine(), picture('obama/center.jpg'), 'center')
  const given = await strict.observe(await engine(), picture('hopper/left.jpg'), 'left')
  assert.equal(given.status, 'FAILED')
})
