// One worker of the pool: an engine, and what it does with a picture.
import { parentPort, workerData } from 'node:worker_threads'
import { Engine, LivenessSession } from 'faceattend'

const engine = await Engine.create({ threads: workerData.threads })

const tasks = {
  /** The embeddings of every face, largest first, with where they are. */
  async embed(image) {
    const { faces } = await engine.analyze(image, { depth: 'embedding' })
    return faces.map(({ bbox, quality, embedding }) => ({ bbox, reasons: quality?.reasons ?? [], embedding }))
  },
  /** What a frame does to a liveness session, and the session after it. */
  async observe(image, { state, position }) {
    const session = LivenessSession.fromState(state)
    const outcome = await session.observe(engine, image, position)
    return { outcome, state: session.toState() }
  },
}

parentPort.on('message', async ({ task, image, rest }) => {
  try {
    parentPort.postMessage({ value: await tasks[task](image, rest) })
  } catch (error) {
    parentPort.postMessage({ error: { code: error.code ?? 'internal', message: error.message } })
  }
})
parentPort.postMessage('ready')
