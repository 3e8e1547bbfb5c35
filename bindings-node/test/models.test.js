'use strict'

const assert = require('node:assert/strict')
const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { failsWith, folder, models } = require('./support.js')

test('the packs are listed with their licences and what is on disk', async (t) => {
  const packs = await models.list({ folder: folder(t) })
  const byName = Object.fromEntries(packs.map((pack) => [pack.name, pack]))
  assert.ok(byName.default.builtIn && byName.default.commercialUse)
  assert.equal(byName.buffalo_s.requiresAcceptance, true)
  assert.ok(packs.every((pack) => pack.license && pack.files.length > 0))
  assert.ok(byName.minifasnet.files.every((file) => file.role === 'antispoof' && file.condition !== 'sound'))
})

test('a damaged file is told from a missing one', async (t) => {
  const place = folder(t)
  const [file] = (await models.verify('default', { folder: place })).files
  assert.equal(file.condition, 'missing')
  mkdirSync(path.dirname(file.path), { recursive: true })
  writeFileSync(file.path, 'short')
  assert.equal((await models.verify('default', { folder: place })).files[0].condition, 'damaged')
  await assert.rejects(models.verify('nothing'), failsWith('model'))
})

test('a licence has to be accepted before a pack is fetched', async (t) => {
  await assert.rejects(models.pull('buffalo_s', { folder: folder(t) }), failsWith('state', /licen[cs]e/))
  await assert.rejects(models.pull('nothing'), failsWith('model'))
})
