// What an ES module in strict TypeScript may write; `npm run test:types` compiles it and runs nothing.
import { AttendanceBook, Camera, Engine, Gallery, LivenessSession, load, models, Store } from 'faceattend'
import type { CameraFrame } from 'faceattend'
import type { LivenessReasonCode, Outcome, Position } from 'faceattend'

const engine = await Engine.create()
const store = await Store.open('attendance.db')
const gallery = new Gallery(engine)
const book = new AttendanceBook(store, { timeZone: 'Europe/Berlin' })

export async function register(frames: Array<[Position, string]>): Promise<LivenessReasonCode[]> {
  const session = new LivenessSession({ mirrored: false })
  const codes: LivenessReasonCode[] = []
  for (const [position, image] of frames) {
    const outcome: Outcome = await session.observe(engine, image, position)
    codes.push(...outcome.reasons.map((reason) => reason.code))
    const next: Position | null = outcome.next
    if (next === null) break
  }
  await store.registerStudent(session, 'Grace Hopper', 'R1')
  return codes
}

export async function watch(): Promise<void> {
  const camera = Camera.open('rtsp://camera/1', { engine, gallery, book, location: 'Gate' })
  camera.on('frame', (frame: CameraFrame) => console.log(frame.faces?.length))
  camera.on('problem', (error) => console.error(error.code))
  for await (const { marks } of camera) {
    for (const { newlyMarked, record } of marks) if (newlyMarked) console.log(record.studentName, load().waiting)
  }
}

for (const pack of await models.list()) console.log(pack.name, pack.files[0]?.condition)
await models.pull('minifasnet', { onProgress: ({ done, total }) => console.log(done / total) })
