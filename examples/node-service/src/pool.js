// A pool of worker threads, each with an engine of its own. A frame is handed over without a copy.
//
// One engine already uses every processor, off the main thread; for most services it is enough, and saves the memory of
// the others. What workers add: JSON and base64 of large bodies leave the main thread too, and a worker that dies takes
// no one with it.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export class Busy extends Error {}

export class Pool {
  #workers = []
  #waiting = []
  #maxWaiting
  #closed = false

  /** A pool of `size` workers that keeps at most `maxWaiting` calls waiting and refuses others with `Busy`. */
  static async start({ size, maxWaiting = size * 8 }) {
    const pool = new Pool(maxWaiting)
    const threads = Math.max(1, Math.floor(availableParallelism() / size))
    pool.#workers = await Promise.all(Array.from({ length: size }, () => pool.#hire(threads)))
    return pool
  }

  constructor(maxWaiting) {
    this.#maxWaiting = maxWaiting
  }

  get load() {
    const busy = this.#workers.filter((one) => one.job).length
    return { workers: this.#workers.length, busy, waiting: this.#waiting.length }
  }

  /** What the worker's function `task` returns for `image`, bytes of a picture, which are moved there. */
  run(task, image, rest = {}) {
    if (this.#waiting.length >= this.#maxWaiting) return Promise.reject(new Busy('too many pictures at once'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, image, rest, resolve, reject })
      this.#pump()
    })
  }

  async close() {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new Busy('the service is closing'))
    await Promise.all(this.#workers.map((one) => one.thread.terminate()))
  }

  async #hire(threads) {
    const one = { thread: new Worker(new URL('./worker.js', import.meta.url), { workerData: { threads } }), job: null }
    await new Promise((resolve, reject) => {
      one.thread.once('message', resolve)
      one.thread.once('error', reject)
    })
    one.thread.removeAllListeners('error')
    one.thread.on('message', ({ value, error }) => {
      const { resolve, reject } = one.job
      one.job = null
      if (error) reject(Object.assign(new Error(error.message), { code: error.code }))
      else resolve(value)
      this.#pump()
    })
    one.thread.on('error', (error) => one.job?.reject(error))
    one.thread.on('exit', async () => {
      this.#workers = this.#workers.filter((other) => other !== one)
      one.job?.reject(new Error('the worker died'))
      if (this.#closed) return
      // A new one takes the place.
      try {
        this.#workers.push(await this.#hire(threads))
        this.#pump()
      } catch (error) {
        console.error('no worker could be started:', error.message)
      }
    })
    return one
  }

  #pump() {
    for (const one of this.#workers) {
      if (one.job) continue
      const job = this.#waiting.shift()
      if (!job) return
      one.job = job
      // A buffer from Node's pool shares its memory with others: only one of its own may be moved.
      const own = job.image.byteLength === job.image.buffer.byteLength ? job.image : Uint8Array.from(job.image)
      one.thread.postMessage({ task: job.task, image: own, rest: job.rest }, [own.buffer])
    }
  }
}
