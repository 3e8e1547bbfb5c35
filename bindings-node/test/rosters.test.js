'use strict'

// A school's day: who is expected, who came, who is missing.

const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const path = require('node:path')
const { test } = require('node:test')
const { AttendanceBook, RosterDays, Rosters, Store, failsWith, folder } = require('./support.js')

const open = (t) => Store.open(path.join(folder(t), 'face_attendance.db'))
const site = { timeZone: 'Europe/Berlin' }
const before = new Date('2026-02-20T09:00:00Z')
const MONDAY = '2026-03-02'
/** A time of Monday by the clocks of the site, which are an hour before UTC. */
const clock = (time, day = MONDAY) => new Date(`${day}T${time}:00+01:00`)
const morning = { name: 'morning', begins: '07:30', lateAfter: '08:15', checkOutFrom: '11:00' }
const rolls = (entries) => entries.map(({ rollNumber }) => rollNumber)

/** A class of ten, R01 to R10, who are expected in the morning. */
async function classOfTen(t) {
  const store = await open(t)
  const rosters = new Rosters(store, { policy: site })
  const numbers = Array.from({ length: 10 }, (_, n) => `R${String(n + 1).padStart(2, '0')}`)
  const outcome = await rosters.changeRoster(
    [
      { change: 'group', name: '5A' },
      ...numbers.map((rollNumber) => ({ change: 'student', rollNumber, name: `Pupil ${rollNumber}` })),
      ...numbers.map((student) => ({ change: 'join', student, group: '5a', fromDay: '2026-02-23' })),
    ],
    { by: 'Ms Rao', at: before },
  )
  assert.deepEqual([outcome.outcome, outcome.refused], ['done', []])
  assert.deepEqual(new Set(outcome.changed), new Set(['created']))
  await rosters.setTimetable({ validFrom: '2026-02-23', periods: [morning], by: 'Ms Rao', at: before })
  const [{ group, members }] = await rosters.groups(MONDAY)
  assert.deepEqual([group.name, group.kind, group.createdBy, members], ['5A', 'class', 'Ms Rao', 10])
  const ids = new Map((await store.students()).items.map(({ id, rollNumber }) => [rollNumber, id]))
  const book = new AttendanceBook(store, site)
  const mark = (roll, time, day) => book.mark(ids.get(roll), 0.9, { at: clock(time, day) })
  return { store, rosters, book, mark, ids, group: group.id }
}

test('a Monday of a class: present, late, left early, excused, withdrawn and absent', async (t) => {
  const { rosters, book, mark, ids, group } = await classOfTen(t)
  for (const roll of ['R01', 'R02', 'R03', 'R04', 'R07']) await mark(roll, '07:50')
  const late = await mark('R05', '08:20')
  assert.equal(late.record.status, 'Late')
  const excuse = await rosters.addExcuse({
    studentId: ids.get('R06'), firstDay: MONDAY, lastDay: '2026-03-03', reason: 'Flu', by: 'Ms Rao',
  })
  assert.equal(await rosters.withdraw('R08', { fromDay: MONDAY, at: clock('07:00') }), 'created')
  // R07 is seen at the door before it is time to leave: the lesson has been made longer that day.
  await mark('R07', '11:05')
  const longer = [{ ...morning, checkOutFrom: '12:00' }]
  await rosters.setTimetable({ validFrom: MONDAY, periods: longer, at: clock('11:10') })

  const days = await rosters.days(MONDAY, { now: clock('13:00') })
  assert.ok(days instanceof RosterDays)
  assert.deepEqual(rolls(days.entries({ status: 'Absent' })), ['R09', 'R10'])
  assert.deepEqual(rolls(days.entries({ status: 'LeftEarly' })), ['R07'])
  assert.deepEqual(rolls(days.entries({ status: 'Excused', day: MONDAY })), ['R06'])
  assert.deepEqual(days.counts({ group }), {
    present: 4, late: 1, leftEarly: 1, excused: 1, absent: 2, pending: 0, expected: 9, came: 6, rate: 6 / 9,
  })
  assert.deepEqual(days.entry(ids.get('R05'), MONDAY), {
    studentId: ids.get('R05'),
    name: 'Pupil R05',
    rollNumber: 'R05',
    day: MONDAY,
    period: 'morning',
    status: 'Late',
    at: clock('08:20'),
    excuse: null,
  })
  const excused = days.entry(ids.get('R06'), MONDAY, 'morning')
  assert.deepEqual([excused.at, excused.excuse], [null, excuse])
  assert.equal(days.entry(ids.get('R08'), MONDAY), null, 'nobody expects who has left')
  assert.deepEqual([days.isThere(ids.get('R08'), MONDAY), days.groupsOf(ids.get('R08'), MONDAY)], [false, []])
  assert.deepEqual([days.isThere(ids.get('R01'), MONDAY), days.groupsOf(ids.get('R01'), MONDAY)], [true, [group]])
  assert.deepEqual([days.span, days.students.length, days.groups.length], [[MONDAY, MONDAY], 10, 1])
  assert.ok(days.changedAt > clock('11:04'))
  assert.deepEqual(days.arrivals(MONDAY), {
    minutes: 5,
    bins: ['07:50', '07:55', '08:00', '08:05', '08:10', '08:15', '08:20'].map((begins) => ({
      begins, inTime: begins === '07:50' ? 5 : 0, late: begins === '08:20' ? 1 : 0,
    })),
  })

  // At eight nobody is late who is not there.
  const early = await rosters.days(MONDAY, { group, now: clock('08:00') })
  assert.deepEqual(rolls(early.entries({ status: 'Pending' })), ['R09', 'R10'])
  assert.equal(early.counts().absent, 0)
  // The excuse is withdrawn, and the absence is one again.
  const gone = await rosters.withdrawExcuse(excuse.id, { by: 'Mr Iyer' })
  assert.deepEqual([gone.withdrawnBy, gone.withdrawnAt instanceof Date], ['Mr Iyer', true])
  await assert.rejects(rosters.withdrawExcuse(excuse.id), failsWith('state'))
  const after = await rosters.days(MONDAY, { studentId: ids.get('R06'), now: clock('13:00') })
  assert.deepEqual(after.entries().map(({ status }) => status), ['Absent'])
  // A deleted mark is an absence too.
  await book.delete(late.record.id)
  assert.equal((await rosters.days(MONDAY, { now: clock('13:00') })).counts().late, 0)
})

test('a past day keeps the timetable that it had, and holidays and extra days are days of their own', async (t) => {
  const { rosters, book, mark, ids, group } = await classOfTen(t)
  const [wednesday, thursday, saturday] = ['2026-03-04', '2026-03-05', '2026-03-07']
  await mark('R01', '08:10')
  const noon = { name: 'noon', begins: '12:00', lateAfter: '12:15' }
  const version = await rosters.setTimetable({
    validFrom: wednesday, weekdays: ['mon', 'wed', 'thu'], periods: [morning, noon], at: clock('18:00'),
  })
  assert.deepEqual(
    [version.group, version.validFrom, version.weekdays, version.periods],
    [null, wednesday, ['mon', 'wed', 'thu'], [morning, { ...noon, checkOutFrom: null }]],
  )
  const holiday = await rosters.addCalendarEntry({ name: 'Sports day', firstDay: thursday, by: 'Ms Rao' })
  assert.deepEqual([holiday.kind, holiday.group, holiday.lastDay], ['holiday', null, thursday])
  await rosters.addCalendarEntry({ kind: 'extra_day', name: 'Open day', firstDay: saturday, group })
  assert.deepEqual((await rosters.calendar(MONDAY, saturday)).map(({ name }) => name), ['Sports day', 'Open day'])
  assert.deepEqual(await rosters.calendar(MONDAY), [])
  book.forget()
  const seen = [await mark('R02', '07:50', wednesday), await mark('R02', '12:20', wednesday)]
  assert.deepEqual(seen.map(({ record }) => record.status), ['Present', 'Late'])
  const third = await mark('R03', '12:05', wednesday)
  assert.equal(third.record.status, 'Present', 'by the morning alone, noon would be late')

  const week = await rosters.days(MONDAY, { lastDay: saturday, now: clock('20:00', saturday) })
  const of = (day) => week.counts({ day }).expected
  assert.deepEqual([of(MONDAY), of('2026-03-03'), of(wednesday), of(thursday), of(saturday)], [10, 10, 20, 0, 20])
  assert.equal(week.entry(ids.get('R01'), MONDAY).status, 'Present', 'the Monday knows nothing of the new timetable')
  assert.deepEqual(week.plan(MONDAY).periods.map(({ name }) => name), ['morning'])
  assert.deepEqual(week.plan('2026-03-06').kind, 'free')
  assert.deepEqual([week.plan(thursday).kind, week.plan(thursday).name], ['holiday', 'Sports day'])
  assert.deepEqual([week.plan(saturday).kind, week.plan(saturday, { group }).kind], ['free', 'school'])
  assert.equal(week.plan(saturday, { studentId: ids.get('R01') }).name, 'Open day')
  const byPeriod = (period) => week.counts({ day: wednesday, period })
  assert.deepEqual([byPeriod('morning').came, byPeriod('noon').late, byPeriod('night').rate], [1, 1, null])
  assert.deepEqual(week.arrivals(wednesday).bins, [{ begins: '07:50', inTime: 1, late: 0 }], 'first periods alone')
  assert.deepEqual(rolls(week.entries({ day: wednesday, period: 'noon', status: 'Late' })), ['R02'])
  assert.equal(week.counts().expected, 60)

  // Days that were not read are no days of absence.
  assert.throws(() => week.entry(ids.get('R01'), '2026-03-08'), failsWith('invalid_input', /that were read/))
  assert.throws(() => week.counts({ day: '2026-03-01' }), failsWith('invalid_input', /that were read/))
  assert.throws(() => week.entries({ day: 'Monday' }), failsWith('invalid_input'))
  assert.throws(() => week.entries({ status: 'Lost' }), failsWith('invalid_input'))
  assert.throws(() => new RosterDays(), failsWith('invalid_input', /not made with new/))

  await assert.rejects(rosters.setTimetable({ validFrom: MONDAY, at: clock('09:00', thursday) }), failsWith('state'))
  await assert.rejects(rosters.setTimetable({ weekdays: [] }), failsWith('invalid_input'))
  await assert.rejects(rosters.setTimetable({ weekdays: ['Monday'] }), failsWith('invalid_input'))
  await assert.rejects(rosters.setTimetable({ periods: [morning, morning] }), failsWith('invalid_input', /two periods/))
  await assert.rejects(rosters.setTimetable({ periods: [{ name: 'a', begins: '8h' }] }), failsWith('invalid_input'))
  await assert.rejects(rosters.removeTimetable(version.id, { at: clock('09:00', thursday) }), failsWith('state'))
  assert.equal((await rosters.removeTimetable(version.id, { at: clock('18:00') })).id, version.id)
  assert.equal((await rosters.timetables()).length, 1)
  assert.equal((await rosters.removeCalendarEntry(holiday.id)).name, 'Sports day')
  await assert.rejects(rosters.removeCalendarEntry(holiday.id), failsWith('not_found'))
})

test('a book that forgets reads a changed timetable at once', async (t) => {
  const { rosters, book, mark } = await classOfTen(t)
  const status = async (roll) => (await mark(roll, '08:10')).record.status
  assert.equal(await status('R01'), 'Present')
  const earlier = [{ ...morning, lateAfter: '08:00' }]
  await rosters.setTimetable({ validFrom: MONDAY, periods: earlier, at: clock('07:00') })
  assert.equal(await status('R02'), 'Present', 'what was read a moment ago still holds')
  book.forget()
  assert.equal(await status('R03'), 'Late')
})

test('what is asked of days that cannot be', async (t) => {
  const rosters = new Rosters(await open(t), { policy: site })
  await assert.rejects(rosters.days('yesterday'), failsWith('invalid_input', /2026-03-31/))
  await assert.rejects(rosters.days(MONDAY, { lastDay: '2026-03-01' }), failsWith('invalid_input', /comes before/))
  await assert.rejects(rosters.days('0206-03-02', { lastDay: MONDAY }), failsWith('invalid_input', /too many/))
  await assert.rejects(rosters.days(MONDAY, { group: 7 }), failsWith('not_found'))
  await assert.rejects(rosters.days(MONDAY, { studentId: 7 }), failsWith('not_found'))
  await assert.rejects(rosters.days(MONDAY, { group: 7, studentId: 7 }), failsWith('invalid_input'))
  await assert.rejects(rosters.days(MONDAY, { now: new Date(NaN) }), failsWith('invalid_input'))
  await assert.rejects(rosters.days(MONDAY, { signal: AbortSignal.abort('enough') }), (reason) => reason === 'enough')
  const empty = await rosters.days(MONDAY)
  assert.deepEqual([empty.entries(), empty.counts().rate, empty.changedAt], [[], null, null])
  assert.throws(() => new Rosters({}), failsWith('invalid_input', /store/))
  assert.throws(() => new Rosters({}, { policy: { timeZone: 'Nowhere' } }), failsWith('invalid_input'))
})

test('groups are made, renamed, archived and taken back', async (t) => {
  const { rosters, ids, group } = await classOfTen(t)
  const choir = await rosters.createGroup('Choir', { kind: 'other', by: 'Mr Iyer', at: before })
  assert.deepEqual([choir.kind, choir.createdBy, choir.createdAt, choir.archivedAt], ['other', 'Mr Iyer', before, null])
  await assert.rejects(rosters.createGroup('CHOIR'), failsWith('conflict'))
  await assert.rejects(rosters.createGroup('Orchestra', { kind: 'band' }), failsWith('invalid_input'))
  assert.equal((await rosters.changeGroup(choir.id, { name: 'Chorus' })).name, 'Chorus')
  assert.equal(await rosters.removeGroup(choir.id), 'removed')
  assert.equal(await rosters.group(choir.id), null)
  await assert.rejects(rosters.changeGroup(choir.id, { name: 'Choir' }), failsWith('not_found'))

  assert.equal(await rosters.leave('R01', group, { untilDay: MONDAY }), 'changed')
  assert.equal(await rosters.join(ids.get('R01'), '5A', { fromDay: '2026-03-09', untilDay: '2026-03-16' }), 'created')
  assert.equal(await rosters.join('R01', '5A', { fromDay: '2026-03-09' }), 'unchanged')
  const memberships = await rosters.memberships({ studentId: ids.get('R01'), group })
  assert.deepEqual(
    memberships.map(({ fromDay, untilDay, studentId }) => [fromDay, untilDay, studentId]),
    [['2026-02-23', MONDAY, ids.get('R01')], ['2026-03-09', '2026-03-16', ids.get('R01')]],
  )
  assert.equal((await rosters.memberships({ on: MONDAY })).length, 9)
  const span = await rosters.days(MONDAY, { lastDay: '2026-03-09', group })
  const expected = (day, query) => span.counts({ day, ...query }).expected
  assert.deepEqual([expected(MONDAY), expected('2026-03-09')], [9, 10], 'members of the day alone are counted')
  assert.deepEqual([expected(MONDAY, { group: choir.id }), span.entries({ day: MONDAY }).length], [0, 9])
  const [, later] = memberships
  const redated = { change: 'redate', membership: later.id, fromDay: '2026-03-10' }
  assert.deepEqual((await rosters.changeRoster([redated])).changed, ['changed'])

  assert.equal(await rosters.removeGroup(group, { at: clock('09:00', '2026-03-20') }), 'archived')
  assert.ok((await rosters.group(group)).archivedAt instanceof Date)
  assert.deepEqual(await rosters.memberships({ on: '2026-03-20' }), [])
  await assert.rejects(rosters.join('R01', group), failsWith('state'))
  assert.equal((await rosters.restoreGroup(group)).archivedAt, null)
})

test('changes of a roster are made all together or not at all', async (t) => {
  const { store, rosters, ids } = await classOfTen(t)
  const changes = [
    { change: 'student', rollNumber: 'R11', name: 'Pupil R11' },
    { change: 'join', student: 'R99', group: '5A' },
    { change: 'join', student: 'R11', group: 'nobody' },
  ]
  const refused = await rosters.changeRoster(changes)
  assert.equal(refused.outcome, 'refused')
  assert.deepEqual(refused.refused.map(({ place, code }) => [place, code]), [[1, 'not_found'], [2, 'not_found']])
  assert.equal((await store.students()).total, 10)
  const preview = await rosters.changeRoster([changes[0]], { preview: true })
  assert.deepEqual([preview.outcome, preview.changed], ['done', ['created']])
  assert.equal((await store.students()).total, 10)

  await rosters.withdraw('R01', { fromDay: MONDAY })
  assert.equal(await rosters.readmit('R01', { fromDay: '2026-03-09' }), 'changed')
  await rosters.changeRoster([{ change: 'first_day', student: ids.get('R02'), day: '2026-03-03' }], { by: 'Ms Rao' })
  const spans = (await rosters.withdrawals()).map(({ studentId, fromDay, untilDay }) => [studentId, fromDay, untilDay])
  assert.deepEqual(new Set(spans), new Set([
    [ids.get('R01'), MONDAY, '2026-03-09'],
    [ids.get('R02'), null, '2026-03-03'],
  ]))
  const [own] = await rosters.withdrawals(ids.get('R02'))
  assert.deepEqual([own.by, own.at instanceof Date], ['Ms Rao', true])

  await assert.rejects(rosters.changeRoster([{ change: 'promote' }]), failsWith('invalid_input', /"promote"/))
  await assert.rejects(rosters.changeRoster([{ change: 'join', student: 1 }]), failsWith('invalid_input', /a group/))
  await assert.rejects(rosters.changeRoster('all'), failsWith('invalid_input'))
  await assert.rejects(rosters.join('R99', '5A'), failsWith('not_found'))
  await assert.rejects(rosters.join(1.5, '5A'), failsWith('invalid_input'))
})

const LIST = 'name,roll_number,group,guardian_email\nAsha Rao,017,5A; Choir,mother@example.org\nBen Ito,018,5B,\n'

test('a list with a bad line changes nothing, and says which line it is', async (t) => {
  const store = await open(t)
  const rosters = new Rosters(store, { policy: site })
  const bad = Buffer.from(`${LIST},019,5B,\nCem,020,5B,nowhere\n`)
  const { outcome, plan } = await rosters.importRoster(bad, { by: 'Ms Rao' })
  assert.equal(outcome, 'refused')
  assert.deepEqual(
    plan.problems.map(({ line, column, code }) => [line, column, code]),
    [[4, 'name', 'missing'], [5, 'guardian_email', 'bad_email']],
  )
  assert.match(plan.problems[0].message, /name is missing/)
  assert.deepEqual([(await store.students()).total, await rosters.groups()], [0, []])
})

test('a list is planned, imported once, and goes out as files that change nothing', async (t) => {
  const store = await open(t)
  const rosters = new Rosters(store, { policy: site })
  const plan = await rosters.planImport(Buffer.from(LIST), { day: MONDAY })
  assert.deepEqual(plan.new.map(({ rollNumber, line }) => [rollNumber, line]), [['017', 2], ['018', 3]])
  assert.deepEqual(plan.new[0].joins[0], { membership: null, group: '5A', fromDay: MONDAY, untilDay: null })
  assert.deepEqual(plan.newGroups.map(({ name }) => name).sort(), ['5A', '5B', 'Choir'])
  assert.deepEqual([plan.isEmpty, plan.problems, (await store.students()).total], [false, [], 0])

  // Somebody was faster.
  await store.createStudent('Ben Ito', '018')
  const held = { day: MONDAY, language: 'de', by: 'Ms Rao' }
  const outdated = await rosters.importRoster(Buffer.from(LIST), { ...held, fingerprint: plan.fingerprint })
  assert.deepEqual([outdated.outcome, (await rosters.groups(MONDAY)).length], ['outdated', 0])
  const { fingerprint } = outdated.plan
  const done = await rosters.importRoster(Buffer.from(LIST), { ...held, fingerprint })
  assert.deepEqual([done.outcome, done.plan.new.length, done.plan.changed.length], ['done', 1, 1])
  const again = await rosters.importRoster(Buffer.from(LIST), held)
  assert.deepEqual([again.outcome, again.plan.isEmpty, again.plan.unchanged], ['done', true, 2])
  const [asha] = (await store.students({ search: 'Asha' })).items
  assert.deepEqual(await store.guardians(asha.id), [{ email: 'mother@example.org', language: 'de' }])

  for (const format of ['csv', 'xlsx']) {
    const file = await rosters.export(MONDAY, { format, guardians: true })
    assert.ok(Buffer.isBuffer(file))
    const back = await rosters.planImport(file, { day: MONDAY })
    assert.deepEqual([format, back.isEmpty, back.unchanged, back.problems], [format, true, 2, []])
    assert.equal(back.sheet, format === 'xlsx' ? 'Students' : null)
  }
  const text = (await rosters.export(MONDAY)).toString()
  assert.ok(text.startsWith('name,roll_number,group') && !text.includes('mother@'), 'addresses are asked for')
  assert.ok((await rosters.export(MONDAY, { byteOrderMark: true })).toString().startsWith('\ufeff'))

  const shorter = Buffer.from('name,roll_number\nBen Ito,018\n')
  assert.deepEqual(rolls((await rosters.planImport(shorter, { day: MONDAY })).unlisted), ['017'])
  const without = await rosters.importRoster(shorter, { day: MONDAY, withdrawMissing: true })
  assert.deepEqual([without.outcome, without.plan.withdraws], ['done', true])
  assert.deepEqual((await rosters.withdrawals()).map(({ studentId, fromDay }) => [studentId, fromDay]), [
    [asha.id, MONDAY],
  ])
})

test('what was read and dropped is collected soon', async (t) => {
  const rosters = new Rosters(await open(t), { policy: site })
  const list = Array.from({ length: 2000 }, (_, n) => `Pupil ${n},${n}`).join('\n')
  await rosters.importRoster(Buffer.from(`name,roll_number\n${list}\n`), { day: MONDAY })
  let collected = 0
  const registry = new FinalizationRegistry(() => (collected += 1))
  for (let n = 0; n < 100; n++) registry.register(await rosters.days(MONDAY, { lastDay: '2026-03-08' }))
  assert.ok(collected > 30, `${collected} of 100: JavaScript does not know how large they are`)
})

test('files that are no lists', async (t) => {
  const rosters = new Rosters(await open(t), { policy: site })
  const codes = async (file, options) => (await rosters.planImport(file, options)).problems.map(({ code }) => code)
  assert.deepEqual(await codes(Buffer.alloc(0)), ['empty'])
  assert.deepEqual(await codes(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 2, 3])), ['unknown_format'])
  assert.deepEqual(await codes(new Uint8Array(64 * 1024 * 1024)), ['too_large'])
  const russian = Buffer.from([...Buffer.from('Roll number;Name\n1;'), 0xc0, 0xed, 0xed, 0xe0])
  const { new: [anna] } = await rosters.planImport(russian, { encoding: 'windows-1251' })
  assert.equal(anna.name, 'Анна')
  await assert.rejects(rosters.planImport('name,roll_number'), failsWith('invalid_input'))
  await assert.rejects(rosters.export('today'), failsWith('invalid_input'))
  await assert.rejects(rosters.export(null, { format: 'pdf' }), failsWith('invalid_input'))
})

test('excuses are noted, found and read', async (t) => {
  const { rosters, ids } = await classOfTen(t)
  const studentId = ids.get('R01')
  const made = await rosters.addExcuse({
    studentId, firstDay: MONDAY, period: 'morning', reason: 'Dentist', by: 'Ms Rao', at: before,
  })
  assert.deepEqual(
    [made.lastDay, made.period, made.createdBy, made.createdAt, made.withdrawnAt],
    [MONDAY, 'morning', 'Ms Rao', before, null],
  )
  assert.deepEqual(await rosters.excuse(made.id), made)
  assert.equal(await rosters.excuse(99), null)
  assert.deepEqual(await rosters.excuses({ studentId, fromDay: MONDAY, toDay: MONDAY }), [made])
  assert.deepEqual(await rosters.excuses({ fromDay: '2026-03-03' }), [])
  const wrong = { studentId, firstDay: MONDAY, reason: 'Flu' }
  await assert.rejects(rosters.addExcuse({ ...wrong, studentId: 99 }), failsWith('not_found'))
  await assert.rejects(rosters.addExcuse({ ...wrong, reason: ' ' }), failsWith('invalid_input'))
  await assert.rejects(rosters.addExcuse({ ...wrong, lastDay: '2026-03-01' }), failsWith('invalid_input'))
  await assert.rejects(rosters.addExcuse({ studentId, firstDay: MONDAY }), failsWith('invalid_input'))
})

test('guardians are kept, and erased with the student', async (t) => {
  const store = await open(t)
  const { id } = await store.createStudent('Asha', 'R1')
  assert.deepEqual(await store.guardians(id), [])
  await store.setGuardians(id, [{ email: 'a@example.org' }, { email: 'b@example.org', language: 'hi' }])
  assert.deepEqual(await store.guardians(id), [
    { email: 'a@example.org', language: 'en' },
    { email: 'b@example.org', language: 'hi' },
  ])
  await assert.rejects(store.setGuardians(id, [{ email: 'nobody' }]), failsWith('invalid_input'))
  await assert.rejects(store.setGuardians(99, []), failsWith('not_found'))
  assert.equal((await store.guardians(id)).length, 2, 'a refused change changes nothing')
  await store.eraseStudent(id)
  assert.deepEqual(await store.guardians(id), [])
})

test('lists come in the order that is asked for', async (t) => {
  const store = await open(t)
  const book = new AttendanceBook(store, site)
  const made = []
  for (const [name, roll] of [['Émile', '10'], ['zoe', '9'], ['Asha', '101']]) {
    made.push(await store.createStudent(name, roll))
  }
  const names = async (query) => (await store.students(query)).items.map(({ name }) => name)
  assert.deepEqual(await names({ sort: 'name' }), ['Asha', 'Émile', 'zoe'])
  assert.deepEqual(await names({ sort: 'name', descending: true, limit: 1 }), ['zoe'])
  assert.deepEqual(await names({ sort: 'roll_number' }), ['zoe', 'Émile', 'Asha'])
  assert.deepEqual(await names({ descending: true }), ['Asha', 'zoe', 'Émile'])
  assert.deepEqual(await names({ sort: 'face', noFace: true, search: 'o' }), ['zoe'])
  await store.replaceTemplates(made[1].id, [{ model: 'made-up', values: new Float32Array(128).fill(0.1) }])
  assert.deepEqual(await names({ sort: 'name', noFace: true }), ['Asha', 'Émile'])
  assert.deepEqual(await names({ sort: 'face' }), ['Émile', 'Asha', 'zoe'])
  await assert.rejects(store.students({ sort: 'age' }), failsWith('invalid_input'))

  const times = ['08:00', '07:50', '08:10']
  for (const [n, { id }] of made.entries()) {
    await book.mark(id, 0.9 - n / 10, { at: clock(times[n]), cameraLocation: `Gate ${n}` })
  }
  const seen = async (filter) => (await book.records(filter)).items.map(({ studentName }) => studentName)
  assert.deepEqual(await seen(), ['Asha', 'Émile', 'zoe'], 'newest first')
  assert.deepEqual(await seen({ descending: false }), ['zoe', 'Émile', 'Asha'])
  assert.deepEqual(await seen({ sort: 'time' }), ['zoe', 'Émile', 'Asha'])
  assert.deepEqual(await seen({ sort: 'name', descending: true }), ['zoe', 'Émile', 'Asha'])
  assert.deepEqual(await seen({ sort: 'roll_number' }), ['zoe', 'Émile', 'Asha'])
  assert.deepEqual(await seen({ sort: 'similarity' }), ['Asha', 'zoe', 'Émile'])
  assert.deepEqual(await seen({ sort: 'place' }), ['Émile', 'zoe', 'Asha'])
  assert.deepEqual(await seen({ sort: 'status' }), ['Asha', 'Émile', 'zoe'], 'equal rows come newest first')
  await assert.rejects(book.records({ sort: 'mood' }), failsWith('invalid_input'))
})

test('two programs on one database see one roster', async (t) => {
  const file = path.join(folder(t), 'a.db')
  const [one, other] = [await Store.open(file), await Store.open(file)].map((store) => new Rosters(store))
  const made = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => (n % 2 ? one : other).createGroup('5A')))
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const { reason } of made) if (reason) assert.ok(failsWith('conflict')(reason), reason)
  assert.equal((await other.groups()).length, 1)
})

// A URL in FACEATTEND_TEST_POSTGRES, of a database in which tests may write.
const server = process.env.FACEATTEND_TEST_POSTGRES ?? ''
const postgres = { skip: server.startsWith('postgres') ? false : 'skipped: FACEATTEND_TEST_POSTGRES names no server' }

test('a PostgreSQL keeps rosters too', postgres, async () => {
  const store = await Store.open(server)
  const rosters = new Rosters(store, { policy: site })
  const own = randomUUID()
  const list = Buffer.from(`name,roll_number,group\nAsha,${own},class ${own}\n`)
  const { outcome, plan } = await rosters.importRoster(list, { day: MONDAY })
  const [student] = (await store.students({ search: own })).items
  const { group } = (await rosters.groups(MONDAY)).find(({ group: { name } }) => name === `class ${own}`)
  try {
    assert.deepEqual([outcome, plan.new.length], ['done', 1])
    await new AttendanceBook(store, site).mark(student.id, 0.9, { at: clock('07:50') })
    const days = await rosters.days(MONDAY, { lastDay: '2026-03-03', group: group.id })
    assert.deepEqual(days.entries().map(({ status }) => status), ['Present', 'Absent'])
  } finally {
    await store.eraseStudent(student.id)
    await rosters.removeGroup(group.id)
  }
})
