import {
  expectAssignable, expectDeprecated, expectError, expectNotAssignable, expectNotDeprecated, expectType,
} from 'tsd'
import {
  type Analysis,
  AttendanceBook,
  Camera,
  type CameraFrame,
  type CameraHealth,
  type CameraState,
  type Depth,
  type Embedding,
  Engine,
  type Erasure,
  type Merged,
  FaceAttendError,
  type FaceAttendErrorCode,
  Gallery,
  type ImageInput,
  type LifeReason,
  type LivenessReasonCode,
  LivenessSession,
  type LivenessStatus,
  type Marking,
  type Order,
  type Pace,
  type Position,
  Receipt,
  ReceiptKey,
  type SecondLooking,
  Store,
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

// Names of earlier versions.
expectDeprecated(store.deleteStudent)
declare const health: CameraHealth
expectDeprecated(health.analysed)
expectNotDeprecated(health.analyzed)
expectAssignable<Pace>('as_analysed')
