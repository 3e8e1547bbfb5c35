'use strict'

const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const api = require('faceattend')

const root = path.join(__dirname, '..', '..')
const media = (file) => path.join(root, 'examples', 'media', file)
const picture = (file) => readFileSync(media(file))

let made
/** One engine for all tests of a file. */
const engine = () => (made ??= api.Engine.create({ antispoof: 'off' }))

/** A folder that is gone after the test `t`. */
function folder(t) {
  const made = mkdtempSync(path.join(tmpdir(), 'faceattend-node-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Whether `error` is ours, with this code and something to read. */
const failsWith = (code, message = /./) => (error) =>
  error instanceof api.FaceAttendError && error instanceof Error && error.name === 'FaceAttendError' &&
  error.code === code && message.test(error.message) && !error.message.includes('\u001f')

/** A session of the three positions, completed. */
async function completed(person, options = {}) {
  const session = new api.LivenessSession({ mirrored: false, ...options })
  for (const position of ['center', 'left', 'right']) {
    await session.observe(await engine(), picture(`${person}/${position}.jpg`), position)
  }
  return session
}

module.exports = { ...api, completed, engine, failsWith, folder, media, picture, root }
