// The service from end to end: people register with the sample pictures, are recognized, and are marked once.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { build } from '../src/service.js'

const folder = mkdtempSync(path.join(tmpdir(), 'faceattend-service-'))
const media = (file) => readFileSync(new URL(`../../media/${file}`, import.meta.url))
let service

before(async () => {
  const database = path.join(folder, 'a.db')
  service = await build({ database, timeZone: 'UTC', workers: 2, singlePicturesMark: true })
})
after(async () => {
  await service.close()
  rmSync(folder, { recursive: true, force: true })
})

const post = (url, payload, type) =>
  service
    .inject({ method: 'POST', url, payload, headers: type ? { 'content-type': type } : {} })
    .then((reply) => ({ status: reply.statusCode, body: reply.json() }))
const frame = (id, position, file) => post(`/sessions/${id}/frames/${position}`, media(file), 'image/jpeg')

async function register(person, rollNumber) {
  const { body: session } = await post('/sessions', { mirrored: false })
  for (const position of ['center', 'left', 'right']) {
    const { status, body } = await frame(session.id, position, `${person}/${position}.jpg`)
    assert.equal(status, 200)
    assert.ok(body.isLive, JSON.stringify(body.reasons))
  }
  return post(`/sessions/${session.id}/student`, { name: person, rollNumber })
}

test('people register, are recognized and marked once', async () => {
  const registered = await Promise.all([register('hopper', 'R1'), register('collins', 'R2')])
  assert.deepEqual(registered.map(({ status }) => status), [201, 201])
  assert.ok(registered.every(({ body }) => body.livenessVerified))

  const recognized = await post('/recognize?mark=true', media('hopper/yaw+10.jpg'), 'image/jpeg')
  const [person] = recognized.body.people
  assert.equal(person.student.rollNumber, 'R1')
  assert.ok(person.newlyMarked && person.similarity >= 0.7)
  const again = await post('/recognize?mark=true', media('hopper/yaw-10.jpg'), 'image/jpeg')
  assert.equal(again.body.people[0].newlyMarked, false)
  const stranger = await post('/recognize', media('obama/center.jpg'), 'image/jpeg')
  assert.equal(stranger.body.people[0].student, null)
  const attendance = (await service.inject('/attendance')).json()
  assert.deepEqual(attendance.items.map((row) => row.studentRollNumber), ['R1'])
  assert.equal((await service.inject('/health')).json().people, 2)
})

test('a second person cannot slip into a session, nor an unfinished one enrol', async () => {
  const { body: session } = await post('/sessions', {})
  await frame(session.id, 'center', 'obama/center.jpg')
  const slipped = await frame(session.id, 'left', 'collins/left.jpg')
  assert.deepEqual([slipped.body.isLive, slipped.body.reasons[0].code], [false, 'different_person'])
  assert.deepEqual((await post(`/sessions/${session.id}/student`, { name: 'A', rollNumber: 'R9' })).body.code, 'state')
})

test('what is wrong is said, with a status of its own', async () => {
  assert.equal((await post('/sessions/none/frames/center', media('hopper/center.jpg'), 'image/jpeg')).status, 404)
  assert.deepEqual((await post('/recognize', Buffer.from('no picture'), 'image/jpeg')).body.code, 'invalid_image')
  assert.equal((await post('/recognize', {})).status, 400)
})

test('a flood is refused, and not piled up', async () => {
  const all = await Promise.all(
    Array.from({ length: 60 }, () => post('/recognize', media('hopper/center.jpg'), 'image/jpeg')),
  )
  const statuses = new Set(all.map(({ status }) => status))
  assert.deepEqual([...statuses].sort(), [200, 503])
  assert.equal((await post('/recognize', media('hopper/center.jpg'), 'image/jpeg')).status, 200)
})

test('one picture names a student and marks nobody, unless that is said', async () => {
  const asking = await build({ database: path.join(folder, 'a.db'), timeZone: 'UTC', workers: 1 })
  try {
    const before = (await asking.inject('/attendance')).json().total
    const payload = media('collins/yaw+10.jpg')
    const headers = { 'content-type': 'image/jpeg' }
    const answer = await asking.inject({ method: 'POST', url: '/recognize?mark=true', payload, headers })
    const [person] = answer.json().people
    assert.equal(person.student.rollNumber, 'R2')
    assert.deepEqual([person.newlyMarked, person.notMarked], [false, 'one_picture'])
    assert.equal((await asking.inject('/attendance')).json().total, before)
  } finally {
    await asking.close()
  }
})

test('with a token, nobody else is let in', async () => {
  const guarded = await build({ database: path.join(folder, 'b.db'), timeZone: 'UTC', workers: 1, token: 'secret' })
  try {
    assert.equal((await guarded.inject('/attendance')).statusCode, 401)
    assert.equal(
      (await guarded.inject({ url: '/attendance', headers: { authorization: 'Bearer secret' } })).statusCode,
      200,
    )
    assert.equal((await guarded.inject('/health')).statusCode, 200)
  } finally {
    await guarded.close()
  }
})
