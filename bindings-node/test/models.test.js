'use strict'

const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:net')
const path = require('node:path')
const { test } = require('node:test')
const { Engine, failsWith, folder, models, picture, root } = require('./support.js')

// ArcFace MobileFaceNet in Paddle's conversion, which wants blue first. No pack knows it.
const PADDLE = path.join(root, '../shared/models/embed/arcface_mobilefacenet_paddle_128.onnx')
const SCRFD = path.join(root, '../shared/models/detect/scrfd_2.5g_bnkps.onnx')
const beside = { skip: existsSync(PADDLE) ? false : `skipped: ${PADDLE} is not here` }
const PART = 'minifasnet/2.7_80x80_MiniFASNetV2.onnx.part'

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

/** The lowest cosine of two views of one person less the highest of two people. */
async function gap(engine) {
  const seen = []
  for (const person of ['collins', 'hopper', 'obama']) {
    for (const view of ['center', 'left', 'right'])
      seen.push([person, await engine.embed(picture(`${person}/${view}.jpg`))])
  }
  const pairs = seen.flatMap((a, at) => seen.slice(0, at).map((b) => [a[0] === b[0], engine.cosine(a[1], b[1])]))
  const of = (same) => pairs.filter(([one]) => one === same).map(([, cosine]) => cosine)
  return Math.min(...of(true)) - Math.max(...of(false))
}

test('an embedder that wants blue first gets it and tells people apart better', beside, async () => {
  const rgb = await Engine.create({ embedder: PADDLE, antispoof: 'off', threads: 1 })
  const bgr = await Engine.create({ embedder: PADDLE, embedderChannels: 'bgr', antispoof: 'off', threads: 1 })
  assert.ok((await gap(bgr)) > (await gap(rgb)))
  assert.equal(bgr.description.embedder, `${rgb.description.embedder}-bgr`)
})

test('a detector of ones own looks as closely as it is told', beside, async () => {
  const boxOf = async (options) => {
    const engine = await Engine.create({ antispoof: 'off', threads: 1, ...options })
    assert.match(engine.description.detector, /Scrfd/)
    return (await engine.detect(picture('hopper/center.jpg')))[0].bbox
  }
  const fixed = await boxOf({ detector: SCRFD, detectorSize: 640 })
  assert.deepEqual(await boxOf({ detector: { file: SCRFD, kind: 'scrfd' }, detect: { inputSize: 640 } }), fixed)
  assert.notDeepEqual(await boxOf({ detector: SCRFD, detectorSize: 'auto' }), fixed)
})

test('a choice that cannot be meant is refused with what to do', async (t) => {
  for (const [options, code, words] of [
    [{ embedderChannels: 'grb' }, 'invalid_input', /neither rgb nor bgr/],
    [{ embedderChannels: 'bgr' }, 'invalid_input', /name the embedder's file too/],
    [{ detectorSize: 5 }, 'invalid_input', /from 32 to 4096/],
    [{ detectorSize: 'large' }, 'invalid_input', /from 32 to 4096/],
    [{ detectorSize: 640, detect: { inputSize: 640 } }, 'invalid_input', /one of the two/],
    [{ pack: 'nothing' }, 'model', /minifasnet/],
    [{ pack: 'minifasnet' }, 'model', /no detector/],
    [{ pack: 'buffalo_s' }, 'model', /models pull buffalo_s/],
  ]) {
    await assert.rejects(
      Engine.create({ antispoof: 'off', modelsFolder: folder(t), ...options }),
      failsWith(code, words),
    )
  }
})

test('a brought file is put into its pack', async (t) => {
  const place = folder(t)
  const brought = path.join(place, 'download.bin')
  writeFileSync(brought, readFileSync(path.join(root, 'models/default/blazeface.onnx')))
  const [added] = await models.add(brought, { folder: place })
  assert.deepEqual([added.pack, added.file], ['default', 'blazeface.onnx'])
  assert.deepEqual(readFileSync(added.path), readFileSync(brought))
  assert.ok(added.missing.includes('face-mesh.onnx'))
  writeFileSync(brought, 'something else')
  const hash = createHash('sha256').update('something else').digest('hex')
  await assert.rejects(models.add(brought, { folder: place }), failsWith('model', new RegExp(hash)))
})

test('a signal stops a download at once, and what has arrived is kept', async (t) => {
  const place = folder(t)
  const part = path.join(place, PART)
  mkdirSync(path.dirname(part))
  writeFileSync(part, Buffer.alloc(1000))
  // A proxy that takes every connection and says nothing.
  const connections = []
  const proxy = createServer((connection) => connections.push(connection.on('error', () => {})))
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening))
  const before = { HTTPS_PROXY: process.env.HTTPS_PROXY, NO_PROXY: process.env.NO_PROXY }
  process.env.HTTPS_PROXY = `http://127.0.0.1:${proxy.address().port}`
  delete process.env.NO_PROXY
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    connections.forEach((connection) => connection.destroy())
    proxy.close()
  })
  const giveUp = new AbortController()
  const told = []
  const onProgress = (progress) => {
    told.push(progress)
    if (told.length === 3) giveUp.abort(new Error('enough'))
  }
  await assert.rejects(models.pull('minifasnet', { folder: place, onProgress, signal: giveUp.signal }), /enough/)
  assert.deepEqual(told[0], { file: '2.7_80x80_MiniFASNetV2.onnx', done: 1000, total: 1743495 })
  assert.equal(readFileSync(part).length, 1000)
  // Downloads run one at a time: this one gets its turn only because the first has ended.
  const began = Date.now()
  await models.list({ folder: place })
  assert.ok(Date.now() - began < 5000)
  // And nobody holds what it had begun.
  const again = models.pull('minifasnet', { folder: place, signal: AbortSignal.timeout(500) })
  await assert.rejects(again, (error) => error.name === 'TimeoutError')
})
