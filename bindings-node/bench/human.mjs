// @vladmandic/human on its CPU backend (WebAssembly), on the same pixels; prints JSON. See compare.mjs.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { framesOf } from './pictures.mjs'

const require = createRequire(import.meta.url)
const here = path.dirname(fileURLToPath(import.meta.url))
const inside = (name, ...rest) => path.join(here, 'node_modules', name, ...rest)

// Its models and its WebAssembly lie in files; Node's fetch does not read those.
const fetchHttp = globalThis.fetch
globalThis.fetch = async (url, ...rest) =>
  String(url).startsWith('file:')
    ? new Response(readFileSync(fileURLToPath(url)), {
        headers: {
          'content-type': String(url).endsWith('.wasm')
            ? 'application/wasm'
            : String(url).endsWith('.json')
              ? 'application/json'
              : 'application/octet-stream',
        },
      })
    : fetchHttp(url, ...rest)

const tf = require('@tensorflow/tfjs')
const wasm = require('@tensorflow/tfjs-backend-wasm')
wasm.setWasmPaths(`${inside('@tensorflow/tfjs-backend-wasm', 'dist')}/`)
const threads = Number(process.env.WASM_THREADS ?? 1)
wasm.setThreadsCount(threads)
const { Human } = require(inside('@vladmandic/human', 'dist', 'human.node-wasm.js'))

const off = { enabled: false }
const human = new Human({
  backend: 'wasm',
  wasmPath: `${inside('@tensorflow/tfjs-backend-wasm', 'dist')}/`,
  modelBasePath: pathToFileURL(`${inside('@vladmandic/human', 'models')}/`).href,
  cacheSensitivity: 0,
  skipAllowed: false,
  debug: false,
  filter: off, gesture: off, body: off, hand: off, object: off, segmentation: off,
  // The same stages as ours: boxes, mesh and pose, embedding.
  face: {
    enabled: true,
    detector: { rotation: false, maxDetected: 10, skipFrames: 0, skipTime: 0 },
    mesh: { enabled: true },
    description: { enabled: true, skipFrames: 0, skipTime: 0 },
    iris: off, emotion: off, attention: off, antispoof: off, liveness: off,
  },
})
await human.load()
const rounds = Number(process.env.ROUNDS ?? 10)
const frames = await framesOf(process.argv.slice(2))
const times = []
let found = 0
for (let round = 0; round <= rounds; round += 1) {
  for (const { data, width, height } of frames) {
    const began = performance.now()
    const tensor = tf.tensor3d(data, [height, width, 3], 'int32')
    const { face, error } = await human.detect(tensor)
    tf.dispose(tensor)
    if (error) throw new Error(error)
    if (round > 0) {
      times.push(performance.now() - began)
      found += face.length
    }
  }
}
console.log(JSON.stringify({ times, found, embedding: undefined }))
