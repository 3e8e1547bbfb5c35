// What a CommonJS program in strict TypeScript may write; `npm run test:types` compiles it and runs nothing.
import faceattend = require('faceattend')

export async function greet(picture: Buffer, canvas: ImageDataLike): Promise<string> {
  const { Engine, FaceAttendError, Gallery, Store } = faceattend
  const engine: faceattend.Engine = await Engine.create({ threads: 2, detect: { inputSize: 'auto' } })
  const store = await Store.open('attendance.db')
  const gallery = new Gallery(engine)
  const { people }: faceattend.GalleryLoad = await gallery.load(store)
  try {
    const analysis = await engine.analyze(picture, { depth: 'embedding', signal: AbortSignal.timeout(1000) })
    await engine.detect({ ...canvas, format: 'rgba' })
    const embedding = analysis.faces[0]?.embedding
    if (!embedding) return `nobody, of ${people}`
    const { known, best } = await gallery.identify(embedding)
    return known && best ? `student ${best.studentId}` : 'a stranger'
  } catch (error) {
    if (error instanceof FaceAttendError) {
      const code: faceattend.FaceAttendErrorCode = error.code
      return code
    }
    throw error
  }
}

interface ImageDataLike {
  data: Uint8ClampedArray
  width: number
  height: number
}
