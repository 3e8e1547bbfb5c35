// What somebody does who has just installed the package: registers three people and recognizes them. The argument is
// the folder of the sample media. Nothing of the repository but its pictures is used.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AttendanceBook, Engine, Gallery, LivenessSession, Store } from 'faceattend'

const picture = (...name) => readFileSync(path.join(process.argv[2], ...name))
const people = { collins: 'Eileen Collins', hopper: 'Grace Hopper', obama: 'Barack Obama' }
const folder = mkdtempSync(path.join(tmpdir(), 'faceattend-stranger-'))
const engine = await Engine.create()
const store = await Store.open(path.join(folder, 'attendance.db'))
for (const [name, fullName] of Object.entries(people)) {
  const session = new LivenessSession({ mirrored: false })
  for (const position of ['center', 'left', 'right']) {
    await session.observe(engine, picture(name, `${position}.jpg`), position)
  }
  await store.registerStudent(session, fullName, `R-${name}`)
}
const gallery = new Gallery(engine)
await gallery.load(store)
const book = new AttendanceBook(store, { timeZone: 'Europe/Berlin' })
for (const [name, fullName] of Object.entries(people)) {
  const { faces } = await engine.analyze(picture(name, 'yaw+15.jpg'))
  const { known, best } = await gallery.identify(faces[0].embedding)
  assert.ok(known, `${name} is not recognized`)
  const { newlyMarked, record } = await book.mark(best.studentId, best.similarity, { cameraLocation: 'Front door' })
  assert.ok(newlyMarked && record.studentName === fullName, record.studentName)
}
rmSync(folder, { recursive: true })
console.log(`registered and recognized ${Object.keys(people).length} on Node ${process.version}`)
