'use strict'

const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const {
  AttendanceBook,
  Gallery,
  LivenessSession,
  Store,
  completed,
  engine,
  failsWith,
  folder,
  picture,
} = require('./support.js')

const open = (t) => Store.open(path.join(folder(t), 'face_attendance.db'))

test('students are made, found, changed and deleted', async (t) => {
  const store = await open(t)
  await store.check()
  const made = await store.createStudent('Grace Hopper', 'R1')
  assert.deepEqual(
    [made.name, made.rollNumber, made.livenessVerified, made.model, made.updatedAt],
    ['Grace Hopper', 'R1', false, null, null],
  )
  assert.ok(made.createdAt instanceof Date && Math.abs(made.createdAt - Date.now()) < 60_000)
  await store.createStudent('Eileen Collins', 'R2')
  await assert.rejects(store.createStudent('Another', 'R1'), failsWith('conflict'))
  assert.equal((await store.students()).total, 2)
  assert.deepEqual((await store.students({ search: 'hopper' })).items.map((student) => student.rollNumber), ['R1'])
  assert.deepEqual((await store.students({ skip: 1, limit: 1 })).items.map((student) => student.rollNumber), ['R2'])
  const changed = await store.updateStudent(made.id, { name: 'Rear Admiral Hopper' })
  assert.equal(changed.name, 'Rear Admiral Hopper')
  assert.ok(changed.updatedAt instanceof Date)
  const erased = await store.eraseStudent(made.id)
  assert.deepEqual([erased.student.rollNumber, erased.templates, erased.marksDeleted], ['R1', 0, 0])
  assert.equal(await store.student(made.id), null)
  await assert.rejects(store.eraseStudent(made.id), failsWith('not_found'))
  await assert.rejects(store.students({ skip: -1 }), failsWith('invalid_input'))
})

test('a person decides whether somebody was there', async (t) => {
  const store = await open(t)
  const book = new AttendanceBook(store, { timeZone: 'UTC' })
  const [grace, eileen] = [await store.createStudent('Grace', 'R1'), await store.createStudent('Eileen', 'R2')]
  const at = new Date('2026-03-02T08:15:00Z')
  const seen = await book.secondLook(grace.id, 'undecided', ['few_views'], {
    similarity: 0.8, cameraLocation: 'Gate', at,
  })
  assert.ok(seen.newlyListed && seen.record === null)
  const { look } = seen
  assert.deepEqual([look.studentName, look.day, look.period, look.status], ['Grace', '2026-03-02', 'day', 'Present'])
  assert.deepEqual(
    [look.verdict, look.reasons, look.state, look.timestamp, look.decidedBy],
    ['undecided', ['few_views'], 'open', at, null],
  )
  const again = await book.secondLook(grace.id, 'undecided', ['few_views'], { at })
  assert.deepEqual([again.newlyListed, again.look.id], [false, look.id])
  const picture = (await book.secondLook(eileen.id, 'spoof', ['frozen'], { at })).look
  assert.equal(await store.openSecondLooks(), 2)
  const { items, total } = await store.secondLooks({ state: 'open', limit: 1 })
  assert.deepEqual([items.map(({ id }) => id), total], [[picture.id], 2])

  const marking = await store.decideSecondLook(look.id, 'confirm', 'Ms Rao')
  assert.deepEqual(
    [marking.newlyMarked, marking.record.timestamp, marking.record.cameraLocation],
    [true, at, 'Gate'],
  )
  assert.equal(await store.decideSecondLook(picture.id, 'refuse', 'Ms Rao'), null)
  const decided = await store.secondLook(picture.id)
  assert.deepEqual([decided.state, decided.decidedBy], ['refused', 'Ms Rao'])
  assert.ok(decided.decidedAt instanceof Date)
  const marked = await book.secondLook(grace.id, 'spoof', ['frozen'], { at })
  assert.deepEqual([marked.look, marked.record.id], [null, marking.record.id])
  await assert.rejects(store.decideSecondLook(look.id, 'refuse', 'somebody else'), failsWith('state'))
  await assert.rejects(store.decideSecondLook(99, 'confirm', 'Ms Rao'), failsWith('not_found'))
  await assert.rejects(store.decideSecondLook(look.id, 'perhaps', 'Ms Rao'), failsWith('invalid_input'))
  await assert.rejects(store.secondLooks({ state: 'lost' }), failsWith('invalid_input'))
  await assert.rejects(book.secondLook(grace.id, 'live', []), failsWith('invalid_input'))
  assert.equal((await store.eraseStudent(eileen.id)).secondLooks, 1)
  assert.equal(await store.secondLook(picture.id), null)
})

test('a completed session registers one student, once, and a gallery loads the face', async (t) => {
  const store = await open(t)
  const session = await completed('hopper')
  await store.createStudent('Somebody', 'R1')
  await assert.rejects(store.registerStudent(session, 'Grace Hopper', 'R1'), failsWith('conflict'))
  const student = await store.registerStudent(session, 'Grace Hopper', 'R2')
  assert.ok(student.livenessVerified && student.livenessConfidenceScore > 0)
  assert.equal(student.model, (await engine()).description.embedder)
  assert.ok(session.isConsumed)
  await assert.rejects(store.registerStudent(session, 'Grace Hopper', 'R3'), failsWith('state'))
  assert.equal((await store.templatesOf(student.id)).length, 3)
  const gallery = new Gallery(await engine())
  assert.deepEqual(await gallery.load(store), { people: 1, ofOtherModels: 0, legacy: 0 })
  const probe = await (await engine()).embed(picture('hopper/yaw-10.jpg'))
  assert.equal((await gallery.identify(probe)).best.studentId, student.id)
})

test('an erasure leaves no byte of the face in the files', async (t) => {
  const home = folder(t)
  const store = await Store.open(path.join(home, 'a.db'))
  const face = await (await engine()).embed(picture('hopper/center.jpg'))
  const { buffer, byteOffset, byteLength } = face.values
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const { id } = await store.createStudent('Grace Hopper', 'R1')
  await store.replaceTemplates(id, [face])
  const holds = (wanted) => fs.readdirSync(home).some((name) => fs.readFileSync(path.join(home, name)).includes(wanted))
  assert.ok(holds(bytes))
  await store.eraseStudent(id)
  assert.ok(!holds(bytes) && !holds('Grace Hopper'))
})

test('another face takes the place of a student only when that is said', async (t) => {
  const store = await Store.open(path.join(folder(t), 'a.db'))
  const registrar = await store.withGallery(new Gallery(await engine()))
  const { id } = await registrar.registerStudent(await completed('hopper'), 'Grace Hopper', 'R1', { actor: 'desk' })
  const other = await completed('collins')
  await assert.rejects(registrar.enrolStudent(other, id, { actor: 'desk' }), failsWith('conflict', /unlike face/))
  assert.ok(!other.isConsumed)
  await registrar.enrolStudent(other, id, { actor: 'head office', replaceUnlike: true })
  assert.ok(other.isConsumed)
})

test('a face that is enrolled already is refused, also by another process', async (t) => {
  const file = path.join(folder(t), 'a.db')
  const [one, other] = [await Store.open(file), await Store.open(file)]
  const known = new Gallery(await engine())
  const registrar = await one.withGallery(known)
  assert.ok(registrar instanceof Store)
  const first = await registrar.registerStudent(await completed('hopper'), 'Grace Hopper', 'R1')
  assert.ok(known.contains(first.id), 'the gallery follows')
  // The gallery of the other process was loaded before.
  const elsewhere = await other.withGallery(new Gallery(await engine()), 'refuse')
  const second = await elsewhere.registerStudent(await completed('collins'), 'Eileen Collins', 'R2')
  const again = await completed('collins')
  await assert.rejects(registrar.registerStudent(again, 'Another', 'R3'), failsWith('conflict', /with this face/))
  assert.ok(!again.isConsumed)
  const { id } = await one.createStudent('Another', 'R3')
  await assert.rejects(registrar.enrolStudent(again, id), failsWith('conflict', /with this face/))
  await elsewhere.eraseStudent(second.id)
  assert.ok((await registrar.enrolStudent(again, id)).livenessVerified)
  // Unless told otherwise, or without a gallery, faces are compared with nobody.
  const lenient = await one.withGallery(new Gallery(await engine()), 'allow')
  await lenient.registerStudent(await completed('hopper'), 'Twin', 'R4')
  await other.registerStudent(await completed('hopper'), 'Twin', 'R5')
  await registrar.eraseStudent(first.id)
  assert.ok(!known.contains(first.id))
  await assert.rejects(one.withGallery({}), failsWith('invalid_input', /gallery/))
  await assert.rejects(one.withGallery(known, 'perhaps'), failsWith('invalid_input'))
})

test('an erasure takes the sessions too, and keeps marks without a name where that is wanted', async (t) => {
  const store = await open(t)
  const session = await completed('hopper')
  const student = await store.registerStudent(session, 'Grace Hopper', 'R1')
  await new AttendanceBook(store).mark(student.id, 0.9)
  const erased = await store.eraseStudent(student.id, { marks: 'anonymize' })
  assert.deepEqual([erased.templates, erased.sessions, erased.marksDeleted, erased.marksAnonymized], [3, 1, 0, 1])
  assert.equal(await store.session(session.id), null)
  await assert.rejects(store.eraseStudent(student.id, { marks: 'burn' }), failsWith('invalid_input'))
})

test('two records of one person become one', async (t) => {
  const plain = await open(t)
  const [kept, again, bare] = [
    await plain.registerStudent(await completed('hopper'), 'Grace Hopper', 'R1'),
    await plain.registerStudent(await completed('hopper'), 'Grace M. Hopper', 'R1-copy'),
    await plain.createStudent('Grace', 'R3'),
  ]
  const book = new AttendanceBook(plain)
  for (const { id } of [again, bare]) await book.mark(id, 0.9)
  const store = await plain.withGallery(new Gallery(await engine()), 'refuse')
  const merged = await store.mergeStudents(kept.id, again.id, { actor: 'office' })
  assert.deepEqual([merged.student.name, merged.erasure.student.rollNumber], ['Grace Hopper', 'R1-copy'])
  assert.deepEqual([merged.marksMoved, merged.erasure.templates, merged.tookFace], [1, 3, false])
  assert.equal(await store.student(again.id), null)
  await assert.rejects(store.mergeStudents(kept.id, bare.id), failsWith('conflict'))
  const unlike = await store.mergeStudents(bare.id, kept.id, { face: 'other', mergeUnlike: true })
  assert.deepEqual([unlike.tookFace, unlike.erasure.marksDeleted, unlike.student.hasFace], [true, 1, true])
  await assert.rejects(store.mergeStudents(bare.id, kept.id), failsWith('not_found'))
  await assert.rejects(store.mergeStudents(bare.id, bare.id), failsWith('invalid_input'))
  await assert.rejects(store.mergeStudents(bare.id, kept.id, { face: 'both' }), failsWith('invalid_input'))
})

test('deleteStudent, the old name, erases', async (t) => {
  const store = await open(t)
  const session = await completed('hopper')
  const student = await store.registerStudent(session, 'Grace Hopper', 'R1')
  assert.equal((await store.deleteStudent(student.id)).rollNumber, 'R1')
  assert.equal(await store.session(session.id), null)
  await assert.rejects(store.deleteStudent(student.id), failsWith('not_found'))
})

test('a store is opened by a URL, and no error shows its password', async (t) => {
  const file = path.join(folder(t), 'a.db')
  const made = await (await Store.open(`sqlite:///${file}`)).createStudent('Grace Hopper', 'R1')
  assert.equal((await (await Store.open(file)).student(made.id)).name, 'Grace Hopper')
  const hidden = (code) => (error) => failsWith(code)(error) && !error.message.includes('geheim')
  await assert.rejects(Store.open('mysql://me:geheim@host/db'), hidden('invalid_input'))
  await assert.rejects(Store.open('postgres://me:geheim@127.0.0.1:1/db'), hidden('store'))
})

// A URL in FACEATTEND_TEST_POSTGRES, of a database in which tests may write.
const server = process.env.FACEATTEND_TEST_POSTGRES ?? ''
const postgres = { skip: server.startsWith('postgres') ? false : 'skipped: FACEATTEND_TEST_POSTGRES names no server' }

test('a PostgreSQL is a store like any other', postgres, async () => {
  const store = await Store.open(server)
  await store.check()
  const roll = `node-${randomUUID()}`
  const student = await store.registerStudent(await completed('hopper'), 'Grace Hopper', roll)
  try {
    await assert.rejects(store.createStudent('Another', roll), failsWith('conflict'))
    assert.equal((await store.templatesOf(student.id)).length, 3)
    const book = new AttendanceBook(store)
    const marks = await Promise.all(Array.from({ length: 4 }, () => book.mark(student.id, 0.9)))
    assert.equal(marks.filter(({ newlyMarked }) => newlyMarked).length, 1)
  } finally {
    assert.equal((await store.eraseStudent(student.id)).marksDeleted, 1)
  }
})

test('of registrations that race, one wins', async (t) => {
  const store = await open(t)
  const session = await completed('hopper')
  const made = await Promise.allSettled(['R1', 'R2', 'R3'].map((roll) => store.registerStudent(session, 'Grace', roll)))
  assert.equal(made.filter((one) => one.status === 'fulfilled').length, 1)
  for (const one of made) if (one.status === 'rejected') assert.ok(failsWith('state')(one.reason), one.reason)
  assert.equal((await store.students()).total, 1)
})

test('a session that is not complete enrols nobody', async (t) => {
  const store = await open(t)
  const session = new LivenessSession({ mirrored: false })
  await assert.rejects(store.registerStudent(session, 'A', 'R1'), failsWith('state'))
  assert.equal((await store.students()).total, 0)
})

test('a session goes on in another process through the store', async (t) => {
  const file = path.join(folder(t), 'a.db')
  const [one, other] = [await Store.open(file), await Store.open(file)]
  const student = await one.createStudent('Grace', 'R1')
  const session = new LivenessSession({ mirrored: false, studentId: student.id })
  await session.observe(await engine(), picture('hopper/center.jpg'), 'center')
  await one.saveSession(session)
  await one.saveSession(session)
  const there = await other.session(session.id)
  assert.ok(there instanceof LivenessSession)
  assert.deepEqual([there.status, there.studentId], ['IN_PROGRESS', student.id])
  await there.observe(await engine(), picture('hopper/left.jpg'), 'left')
  await other.saveSession(there)
  // This process has not seen the frame of the other.
  await session.observe(await engine(), picture('hopper/right.jpg'), 'right')
  await assert.rejects(one.saveSession(session), failsWith('state', /read it again/))
  const again = await one.session(session.id)
  await again.observe(await engine(), picture('hopper/right.jpg'), 'right')
  assert.ok(again.isCompleted)
  assert.ok((await one.enrolStudent(again, student.id)).livenessVerified)
  assert.equal(await one.session('no key'), null)
  assert.equal(await one.session('00000000-0000-4000-8000-000000000000'), null)
})

test('an operator can import templates', async (t) => {
  const store = await open(t)
  const { id } = await store.createStudent('Eileen Collins', 'R1')
  const embedding = await (await engine()).embed(picture('collins/center.jpg'))
  const student = await store.replaceTemplates(id, [embedding])
  assert.equal(student.livenessVerified, false)
  const [stored] = await store.templatesOf(id)
  assert.equal(stored.model, embedding.model)
  assert.ok((await engine()).cosine(stored, embedding) > 0.99999)
})

test("attendance is marked once in the site's own day", async (t) => {
  const store = await open(t)
  const book = new AttendanceBook(store, { timeZone: 'Asia/Kolkata' })
  const { id } = await store.createStudent('Grace', 'R1')
  const mark = async (at) => (await book.mark(id, 0.91, { at: new Date(at), cameraLocation: 'Gate' })).newlyMarked
  // 18:29 and 18:31 UTC are on either side of that midnight.
  assert.equal(await mark('2026-03-02T03:00:00Z'), true)
  assert.equal(await mark('2026-03-02T18:29:59Z'), false)
  assert.equal(await mark('2026-03-02T18:30:00Z'), true)
  const { items, total } = await book.records()
  assert.equal(total, 2)
  assert.deepEqual(items.map((row) => row.localDay), ['2026-03-03', '2026-03-02'])
  assert.deepEqual(
    [items[0].confidenceScore, items[0].cameraLocation, items[0].status, items[0].studentRollNumber],
    [0.91, 'Gate', 'Present', 'R1'],
  )
  assert.equal((await book.records({ fromDay: '2026-03-03', toDay: '2026-03-03' })).total, 1)
  assert.deepEqual(await book.summary({ studentId: id }), {
    total: 2,
    present: 2,
    absent: 0,
    late: 0,
    uniqueStudents: 1,
  })
  assert.equal((await book.record(items[0].id)).id, items[0].id)
  await book.delete(items[0].id)
  assert.equal(await book.record(items[0].id), null)
  assert.equal(await mark('2026-03-02T18:30:00Z'), true, 'a deleted row can be marked again at once')
})

test('many marks at once make one row', async (t) => {
  const store = await open(t)
  const [one, other] = [new AttendanceBook(store, { timeZone: 'UTC' }), new AttendanceBook(store, { timeZone: 'UTC' })]
  const { id } = await store.createStudent('Grace', 'R1')
  const at = new Date('2026-03-02T08:00:00Z')
  const marks = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).mark(id, 0.9, { at })))
  assert.equal(marks.filter((mark) => mark.newlyMarked).length, 1)
  assert.equal((await one.records()).total, 1)
})

test('the site decides when its day begins', async (t) => {
  const store = await open(t)
  const book = new AttendanceBook(store, { timeZone: 'Europe/Berlin', dayBoundary: '04:00' })
  const day = book.day(new Date('2026-03-03T01:00:00Z'))
  assert.equal(day.date, '2026-03-02')
  assert.equal(day.startsAt.toISOString(), '2026-03-02T03:00:00.000Z')
  await assert.rejects(book.mark(99, 0.9), failsWith('not_found'))
  await assert.rejects(book.mark(1, 7), failsWith('invalid_input'))
  for (const at of [new Date(NaN), new Date('-000001-01-01T00:00:00Z')]) {
    await assert.rejects(book.mark(1, 0.9, { at }), failsWith('invalid_input'))
  }
  await assert.rejects(book.records({ fromDay: 'yesterday' }), failsWith('invalid_input'))
  assert.throws(() => new AttendanceBook(store, { timeZone: 'Nowhere' }), failsWith('invalid_input', /IANA/))
  assert.throws(() => new AttendanceBook(store, { dayBoundary: '25:00' }), failsWith('invalid_input'))
})

test('a database that cannot be opened is an error of its own', async (t) => {
  await assert.rejects(Store.open(folder(t)), (error) => failsWith('store')(error) || failsWith('io')(error))
})
