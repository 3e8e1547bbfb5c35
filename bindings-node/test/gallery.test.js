'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Gallery, engine, failsWith, picture } = require('./support.js')

const embed = async (file) => (await engine()).embed(picture(file))

test('a gallery knows who is in it and nobody else', async () => {
  const gallery = new Gallery(await engine())
  const probe = await embed('collins/yaw+10.jpg')
  assert.deepEqual(await gallery.identify(probe), { known: false, best: null, margin: null })
  gallery.insert(1, [await embed('collins/center.jpg'), await embed('collins/left.jpg')])
  gallery.insert(2, [await embed('hopper/center.jpg')])
  assert.deepEqual([gallery.people, gallery.templates, gallery.contains(2), gallery.contains(3)], [2, 3, true, false])
  const found = await gallery.identify(probe)
  assert.ok(found.known && found.best.studentId === 1 && found.margin > 0)
  const stranger = await gallery.identify(await embed('obama/center.jpg'))
  assert.ok(!stranger.known && stranger.best !== null && stranger.margin === null)
  const matches = await gallery.search(probe, 5)
  assert.deepEqual(matches.map((match) => match.studentId), [1, 2])
  assert.ok(matches[0].similarity > matches[1].similarity && matches[0].cosine > matches[1].cosine)
})

test('a replaced or removed person is recognized accordingly', async () => {
  const gallery = new Gallery(await engine())
  gallery.insert(1, [await embed('collins/center.jpg')])
  gallery.replace(1, [await embed('hopper/center.jpg')])
  assert.equal((await gallery.identify(await embed('hopper/yaw+10.jpg'))).best.studentId, 1)
  assert.equal(gallery.remove(1), true)
  assert.equal(gallery.remove(1), false)
  assert.equal(gallery.people, 0)
})

test('what does not belong into a gallery is refused', async () => {
  const gallery = new Gallery(await engine())
  const probe = await embed('collins/center.jpg')
  assert.throws(() => gallery.insert(1, [{ model: 'another', values: probe.values }]), failsWith('model_mismatch'))
  assert.throws(() => gallery.insert(1.5, [probe]), failsWith('invalid_input'))
  assert.throws(() => gallery.insert(2 ** 60, [probe]), failsWith('invalid_input'))
  assert.throws(() => gallery.insert(1, probe), failsWith('invalid_input'))
  assert.equal(gallery.people, 0)
  await assert.rejects(gallery.identify(probe, 1.5), failsWith('invalid_input'))
  await assert.rejects(gallery.search(probe, -1), failsWith('invalid_input'))
  await assert.rejects(gallery.search({ model: 'another', values: probe.values }, 1), failsWith('model_mismatch'))
  assert.throws(() => new Gallery(), failsWith('invalid_input'))
  assert.throws(() => new Gallery({}), failsWith('invalid_input'))
  assert.ok(gallery instanceof Gallery && gallery.constructor === Gallery)
})
