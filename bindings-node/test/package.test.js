'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const api = require('faceattend')

test('both kinds of module hand out the same', async () => {
  const esm = await import('faceattend')
  assert.equal(esm.default, api)
  for (const [name, value] of Object.entries(api)) assert.equal(esm[name], value, name)
  assert.deepEqual(Object.keys(esm).filter((name) => name !== 'default').sort(), Object.keys(api).sort())
})

test('nothing of the inside is handed out', () => {
  assert.deepEqual(Object.keys(api).sort(), [
    'AttendanceBook', 'Camera', 'Engine', 'FaceAttendError', 'Gallery', 'LivenessSession', 'Receipt', 'ReceiptKey',
    'RosterDays', 'Rosters', 'Store', 'load', 'models',
  ])
})

test('the types know every reason and every error that the core has', () => {
  const { readFileSync } = require('node:fs')
  const path = require('node:path')
  const read = (...parts) => readFileSync(path.join(__dirname, '..', ...parts), 'utf8')
  const types = read('index.d.ts')
  const core = read('../core/src/liveness/decision.rs') + read('../core/src/quality.rs') + read('../core/src/error.rs')
  const codes = [...core.matchAll(/=> "([a-z_]+)",/g)].map(([, code]) => code)
  assert.ok(codes.length > 30, `${codes.length} codes found`)
  assert.deepEqual(codes.filter((code) => !types.includes(`'${code}'`)), [])
})
