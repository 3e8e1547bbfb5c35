'use strict'

const assert = require('node:assert/strict')
const { createPublicKey, verify } = require('node:crypto')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { LivenessSession, Receipt, ReceiptKey, completed, engine, failsWith, picture } = require('./support.js')

test('three positions of one person complete a session, once', async () => {
  const session = new LivenessSession({ mirrored: false })
  assert.deepEqual([session.status, session.isCompleted, session.studentId], ['PENDING', false, null])
  const first = await session.observe(await engine(), picture('hopper/center.jpg'), 'center')
  assert.ok(first.isLive && first.confidence > 0.7)
  assert.deepEqual(
    [first.detectedPose, first.verified, first.next, first.status],
    ['center', ['center'], 'left', 'IN_PROGRESS'],
  )
  assert.throws(() => session.consume(), failsWith('state'))
  await session.observe(await engine(), picture('hopper/left.jpg'), 'left')
  const last = await session.observe(await engine(), picture('hopper/right.jpg'), 'right')
  assert.deepEqual(
    [last.sessionCompleted, last.movementVerified, last.status, last.next],
    [true, true, 'COMPLETED', null],
  )
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
  assert.deepEqual(
    [wrong.isLive, wrong.reasons[0].code, wrong.reasons[0].turn],
    [false, 'wrong_pose', 'back_from_right'],
  )
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
  const outcomes = await Promise.all(
    all.map((position) => session.observe(made, picture(`collins/${position}.jpg`), position)),
  )
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

test('an answer to a step has to carry its nonce', async () => {
  const session = new LivenessSession({ mirrored: false, order: 'random', extraSteps: 0 })
  assert.deepEqual([session.order, session.steps], ['random', [0, 3]])
  const views = { center: ['yaw+00', 'center'], left: ['yaw+25', 'left'], right: ['yaw-25', 'right'] }
  const nonces = new Set()
  let outcome
  while (session.next && nonces.size < 3) {
    const { next, nonce } = session
    const answer = async (word) =>
      session.observeAnswer(word, await engine(), picture(`hopper/${views[next].pop()}.jpg`), next)
    const refused = await answer(nonces.size === 0 ? null : '0'.repeat(32))
    assert.deepEqual([refused.isLive, refused.reasons[0].code], [false, 'wrong_nonce'])
    assert.equal(session.nonce, nonce, 'a refused frame has changed the nonce')
    outcome = await answer(nonce)
    assert.ok(outcome.isLive, JSON.stringify(outcome.reasons))
    nonces.add(nonce)
  }
  assert.ok(session.isCompleted && nonces.size === 3)
  assert.deepEqual([session.nonce, session.verified, outcome.passive, outcome.passiveMean], [
    null, ['center', 'left', 'right'], 'not_run', null,
  ])
  assert.equal(new LivenessSession({ mirrored: false }).nonce, null)
})

test('a guarded session asks at random and smooths over frames', async () => {
  const options = (session) => JSON.parse(session.toState()).options
  const guarded = new LivenessSession({ mirrored: false, guarded: true })
  const { order, steady_frames, frozen_frames } = options(guarded)
  assert.deepEqual([guarded.order, order, steady_frames, frozen_frames], ['random', 'random', 3, 5])
  const first = await guarded.observe(await engine(), picture('hopper/center.jpg'), guarded.next)
  assert.deepEqual([first.isLive, first.stepsDone], [false, 0])
  const chosen = new LivenessSession({ mirrored: false, guarded: true, order: 'fixed', steadyFrames: 1 })
  assert.deepEqual([chosen.order, options(chosen).steady_frames], ['fixed', 1])
})

test('an outcome says where the gate is', async () => {
  const session = new LivenessSession({ mirrored: false, leftGate: 20 })
  const { gate, yaw, smoothedYaw } = await session.observe(await engine(), picture('collins/left.jpg'), 'left')
  assert.deepEqual([gate, smoothedYaw], [[20, 90], yaw])
})

test('a receipt is read with the public key alone, and a forged one is refused', async () => {
  assert.equal(new LivenessSession({ mirrored: false }).receipt(1), null)
  const session = await completed('collins')
  const key = ReceiptKey.generate()
  const token = key.sign(session.receipt(12))
  const read = Receipt.verify(token, key.publicKeyPem())
  assert.deepEqual([read.studentId, read.order, read.passive, read.nonce.length], [12, 'fixed', 'not_run', 32])
  assert.equal(read.model, (await engine()).description.embedder)
  assert.ok(Math.abs(read.livenessScore - session.livenessScore) < 1e-6 && read.issuedAt instanceof Date)
  assert.equal(JSON.parse(JSON.stringify(read)).nonce, session.receipt(12).nonce)
  // Node's own crypto checks it as well.
  const [header, claims, signature] = token.split('.')
  const signed = Buffer.from(`${header}.${claims}`)
  assert.ok(verify(null, signed, createPublicKey(key.publicKeyPem()), Buffer.from(signature, 'base64url')))
  assert.equal(ReceiptKey.parse(key.toText()).publicKeyPem(), key.publicKeyPem())
  assert.throws(
    () => Receipt.verify(token, ReceiptKey.generate().publicKeyPem()),
    failsWith('invalid_input', /another key/),
  )
  assert.throws(() => Receipt.verify(`${header}.${claims}.AAAA`, key.publicKeyPem()), failsWith('invalid_input'))
  assert.throws(() => ReceiptKey.parse('no base64'), failsWith('invalid_input'))
  assert.ok(!inspect(key).includes(key.toText()))
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
    { mirrored: false, steadyFrames: 2 },
    { mirrored: false, quality: 'any' },
    { mirrored: false, extraSteps: 9 },
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
