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
    'AttendanceBook', 'Camera', 'Engine', 'FaceAttendError', 'Gallery', 'LivenessSession', 'Store', 'load', 'models',
  ])
})
