import {
  expectAssignable, expectDeprecated, expectError, expectNotAssignable, expectNotDeprecated, expectType,
} from 'tsd'
import {
  type Analysis,
  type Arrivals,
  AttendanceBook,
  type AttendanceList,
  Camera,
  type CameraFrame,
  type CameraHealth,
  type CalendarEntry,
  type CameraState,
  type DayPlan,
  type Depth,
  type DayStatus,
  type Embedding,
  Engine,
  type Erasure,
  type Excuse,
  type Merged,
  FaceAttendError,
  type FaceAttendErrorCode,
  Gallery,
  type Group,
  type GroupSize,
  type Guardian,
  type ImageInput,
  type LifeReason,
  type LivenessReasonCode,
  LivenessSession,
  type LivenessStatus,
  type Marking,
  type Membership,
  type Order,
  type Pace,
  type Position,
  Receipt,
  ReceiptKey,
  type RemovedGroup,
  type RosterChange,
  type RosterChanged,
  RosterDays,
  type RosterEntry,
  type RosterImport,
  type RosterOutcome,
  type RosterPlan,
  Rosters,
  type SecondLooking,
  type StatusCounts,
  Store,
  type StudentList,
  type TimetableVersion,
  type Withdrawal,
  models,
} from '..'

declare const engine: Engine
declare const store: Store
declare const session: LivenessSession
declare const embedding: Embedding
declare const bytes: Uint8Array

// Unions are exact: neither any text nor a number.
expectAssignable<Depth>('embedding')
expectNotAssignable<Depth>('deep')
expectNotAssignable<Depth>('' as string)
expectType<'center' | 'left' | 'right' | 'up' | 'down'>('center' as Position)
expectType<'PENDING' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'EXPIRED'>('PENDING' as LivenessStatus)
expectType<'connecting' | 'running' | 'reconnecting' | 'stopped' | 'failed'>('running' as CameraState)
expectAssignable<LivenessReasonCode>('too_dark')
expectNotAssignable<FaceAttendErrorCode>('E_WHATEVER')

// Pictures.
expectAssignable<ImageInput>(bytes)
expectAssignable<ImageInput>(Buffer.alloc(1))
expectAssignable<ImageInput>({ data: new Uint8ClampedArray(4), width: 1, height: 1, format: 'rgba' })
expectNotAssignable<ImageInput>({ data: bytes, width: 1 })
expectNotAssignable<ImageInput>({ data: bytes, width: 1, height: 1, format: 'yuv' })
expectNotAssignable<ImageInput>(new Float32Array(4))

// The engine.
expectNotAssignable<new () => unknown>(Engine)
expectNotAssignable<new () => unknown>(Store)
expectNotAssignable<new () => unknown>(Camera)
expectType<Promise<Engine>>(Engine.create())
expectError(Engine.create({ thread: 2 }))
expectType<Promise<Engine>>(
  Engine.create({ detector: 'a.onnx', detectorSize: 640, embedder: 'b.onnx', embedderChannels: 'bgr' }),
)
expectType<Promise<Engine>>(
  Engine.create({ detector: { file: 'a.onnx', kind: 'scrfd' }, detectorSize: 'auto', pack: 'buffalo_s' }),
)
expectError(Engine.create({ embedderChannels: 'grb' }))
expectType<Promise<Analysis>>(
  engine.analyze(bytes, { depth: 'pose', selection: 'most_central', signal: AbortSignal.abort() }),
)
expectType<Promise<Embedding | null>>(engine.embed('data:image/png;base64,'))
expectType<number>(engine.similarity(embedding, embedding))
expectType<Float32Array>(embedding.values)
expectError(engine.analyze(42))
expectError(engine.analyze(bytes, { depth: 'deep' }))

// The rest of the way.
expectError(new Gallery())
expectError(new LivenessSession())
expectError(new LivenessSession({}))
expectType<LivenessStatus>(session.status)
expectError(session.observe(engine, bytes, 'upward'))
expectAssignable<Parameters<typeof session.observeAnswer>>([
  null,
  engine,
  bytes,
  'left',
  { signal: AbortSignal.abort() },
])
expectError(session.observeAnswer(engine, bytes, 'left'))
expectType<string | null>(session.nonce)
expectType<Order>(session.order)
expectType<[passed: number, all: number]>(session.steps)
expectAssignable<ConstructorParameters<typeof LivenessSession>>([{ mirrored: false, guarded: true, steadyFrames: 3 }])
expectNotAssignable<new () => unknown>(Receipt)
expectNotAssignable<new () => unknown>(ReceiptKey)
expectType<Receipt | null>(session.receipt(1))
expectType<Receipt>(Receipt.verify(ReceiptKey.generate().toText(), ''))
expectType<Promise<Store>>(Store.open('postgres://host/db'))
expectType<Promise<Erasure>>(store.eraseStudent(1, { marks: 'anonymize' }))
expectError(store.eraseStudent(1, { marks: 'burn' }))
expectType<Promise<Merged>>(store.mergeStudents(1, 2, { face: 'other', mergeUnlike: true }))
expectError(store.mergeStudents(1))
expectType<Promise<Marking | null>>(store.decideSecondLook(1, 'confirm', 'Ms Rao'))
expectError(store.decideSecondLook(1, 'perhaps', 'Ms Rao'))
expectError(store.secondLooks({ state: 'lost' }))
expectType<Promise<SecondLooking>>(new AttendanceBook(store).secondLook(1, 'spoof', ['frozen'], { similarity: 0.8 }))
expectType<Promise<LivenessSession | null>>(store.session('id'))
expectType<Date>(new AttendanceBook(store).day().startsAt)
expectType<FaceAttendErrorCode>(new FaceAttendError('state', 'no').code)
expectType<AsyncIterableIterator<CameraFrame>>(Camera.open('0')[Symbol.asyncIterator]())
expectError(Camera.open('0').on('frame', (frame: string) => frame))
Camera.open('0', { gate: 'observe', gateWaitMs: 2000 }).on('secondLook', ({ liveness, livenessReason, at }) => {
  expectType<'live' | 'undecided' | 'spoof'>(liveness)
  expectType<LifeReason | null>(livenessReason)
  expectType<Date>(at)
})
expectError(Camera.open('0', { gate: 'sometimes' }))
expectType<Promise<Array<string>>>(models.pull('minifasnet', { acceptLicense: true, signal: AbortSignal.abort() }))
expectType<Promise<Array<models.AddedFile>>>(models.add('a.onnx', { pack: 'minifasnet' }))
expectError(models.add())

// A school's day.
const rosters = new Rosters(store, { policy: { timeZone: 'Europe/Berlin', dayBoundary: '04:00' } })
declare const days: RosterDays
declare const list: Buffer
expectError(new Rosters())
expectError(new Rosters(store, { timeZone: 'Europe/Berlin' }))
expectNotAssignable<new () => unknown>(RosterDays)
expectType<Promise<Array<GroupSize>>>(rosters.groups('2026-03-02', { signal: AbortSignal.abort() }))
expectType<Promise<Group | null>>(rosters.group(1))
expectType<Promise<Group>>(rosters.createGroup('5A', { kind: 'class', by: 'Ms Rao', at: new Date() }))
expectError(rosters.createGroup('5A', { kind: 'band' }))
expectType<Promise<Group>>(rosters.changeGroup(1, { name: '5B' }))
expectType<Promise<RemovedGroup>>(rosters.removeGroup(1))
expectType<Promise<Group>>(rosters.restoreGroup(1))
expectType<Promise<Array<Membership>>>(rosters.memberships({ on: '2026-03-02' }))
expectType<Promise<Array<Withdrawal>>>(rosters.withdrawals(null, { signal: AbortSignal.abort() }))
expectType<Promise<RosterOutcome>>(rosters.changeRoster([{ change: 'join', student: '017', group: 1 }]))
expectAssignable<RosterChange>({ change: 'redate', membership: 1, fromDay: '2026-03-02', untilDay: null })
expectNotAssignable<RosterChange>({ change: 'join', student: '017' })
expectNotAssignable<RosterChange>({ change: 'promote', student: '017' })
expectType<Promise<RosterChanged>>(rosters.join('017', '5A', { fromDay: '2026-03-02' }))
expectType<Promise<RosterChanged>>(rosters.withdraw(1))
expectError(rosters.leave('017'))
expectType<Promise<Array<TimetableVersion>>>(rosters.timetables())
const { periods } = days.plan('2026-03-02')
expectType<Promise<TimetableVersion>>(rosters.setTimetable({ weekdays: ['mon'], periods }))
expectError(rosters.setTimetable({ weekdays: ['Monday'] }))
expectError(rosters.setTimetable({ periods: [{ name: 'morning' }] }))
expectType<Promise<TimetableVersion>>(rosters.removeTimetable(1, { at: new Date() }))
expectType<Promise<Array<CalendarEntry>>>(rosters.calendar('2026-03-02', '2026-03-08'))
expectType<Promise<CalendarEntry>>(rosters.addCalendarEntry({ name: 'Holi', firstDay: '2026-03-04', kind: 'holiday' }))
expectType<Promise<CalendarEntry>>(rosters.removeCalendarEntry(1))
expectType<Promise<Array<Excuse>>>(rosters.excuses())
expectType<Promise<Excuse | null>>(rosters.excuse(1))
expectType<Promise<Excuse>>(rosters.addExcuse({ studentId: 1, firstDay: '2026-03-02', reason: 'Flu' }))
expectError(rosters.addExcuse({ studentId: 1, firstDay: '2026-03-02' }))
expectType<Promise<Excuse>>(rosters.withdrawExcuse(1, { by: 'Ms Rao' }))
expectType<Promise<RosterPlan>>(rosters.planImport(list, { sheet: 'List' }))
expectType<Promise<RosterImport>>(rosters.importRoster(new Uint8Array(4), { withdrawMissing: true, fingerprint: 'a' }))
expectError(rosters.importRoster('list.csv'))
expectType<'done' | 'outdated' | 'refused'>({} as RosterImport['outcome'])
expectType<Promise<Buffer>>(rosters.export(null, { format: 'xlsx' }))
expectError(rosters.export(null, { format: 'pdf' }))
expectType<Promise<RosterDays>>(rosters.days('2026-03-02', { lastDay: '2026-03-08', group: 1, now: new Date() }))
expectType<Array<RosterEntry>>(days.entries({ day: '2026-03-02', status: 'LeftEarly' }))
expectError(days.entries({ status: 'late' }))
expectType<RosterEntry | null>(days.entry(1, '2026-03-02', 'morning'))
expectType<'Present' | 'Late' | 'LeftEarly' | 'Excused' | 'Absent' | 'Pending'>('Late' as DayStatus)
expectType<StatusCounts>(days.counts({ group: 1 }))
expectType<number | null>(days.counts().rate)
expectType<DayPlan>(days.plan('2026-03-02', { studentId: 1 }))
expectType<'school' | 'holiday' | 'free'>(days.plan('2026-03-02').kind)
expectType<Arrivals>(days.arrivals())
expectType<Date | null>(days.changedAt)
expectType<[firstDay: string, lastDay: string]>(days.span)
expectType<boolean>(days.isThere(1, '2026-03-02'))
expectType<Array<number>>(days.groupsOf(1, '2026-03-02'))
expectType<Promise<Array<Guardian>>>(store.guardians(1))
expectType<Promise<void>>(store.setGuardians(1, [{ email: 'mother@example.org' }]))
expectType<Promise<StudentList>>(store.students({ noFace: true, sort: 'roll_number', descending: true }))
expectError(store.students({ sort: 'rollNumber' }))
expectType<Promise<AttendanceList>>(new AttendanceBook(store).records({ sort: 'similarity', descending: true }))

// Names of earlier versions.
expectDeprecated(store.deleteStudent)
declare const health: CameraHealth
expectDeprecated(health.analysed)
expectNotDeprecated(health.analyzed)
expectAssignable<Pace>('as_analysed')
