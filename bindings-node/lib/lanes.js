'use strict'

const { availableParallelism } = require('node:os')
const { FaceAttendError } = require('./errors.js')

// The addon's work runs on libuv's threads, which Node needs too, for files and names. Whoever hands over more work
// than there are threads waits here, where waiting costs nothing and can be given up, and not in libuv's queue.
const uvThreads = Math.max(1, Number.parseInt(process.env.UV_THREADPOOL_SIZE ?? '', 10) || 4)

// Who waits for which signal. One listener a signal, however many calls share it: Node warns of more than ten.
const watched = new WeakMap()

/** Calls `given` when `signal` is aborted; returns what takes that back. */
function onAbort(signal, given) {
  let watch = watched.get(signal)
  if (!watch) {
    const calls = new Set()
    watch = { calls, tell: () => [...calls].forEach((call) => call()) }
    watched.set(signal, watch)
    signal.addEventListener('abort', watch.tell, { once: true })
  }
  watch.calls.add(given)
  return () => {
    watch.calls.delete(given)
    if (watch.calls.size === 0) {
      watched.delete(signal)
      signal.removeEventListener('abort', watch.tell)
    }
  }
}

class Lane {
  #limit
  #running = 0
  #waiting = new Set()

  constructor(limit) {
    this.#limit = limit
  }

  get load() {
    return { running: this.#running, waiting: this.#waiting.size, limit: this.#limit }
  }

  /** Calls `start` when its turn comes and resolves as it does; rejects once `signal` is aborted. */
  run(start, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const entry = { start, resolve, reject, done: () => {} }
      if (signal) {
        const forget = onAbort(signal, () => {
          if (this.#waiting.delete(entry)) forget()
          reject(signal.reason)
        })
        entry.done = forget
      }
      this.#waiting.add(entry)
      this.#pump()
    })
  }

  #pump() {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#limit) return
      this.#waiting.delete(entry)
      this.#running += 1
      this.#perform(entry)
    }
  }

  async #perform({ start, resolve, reject, done }) {
    try {
      resolve(await start())
    } catch (error) {
      reject(error)
    } finally {
      done()
      this.#running -= 1
      this.#pump()
    }
  }
}

const lanes = {
  // One thread stays free for Node.
  analysis: new Lane(Math.max(1, Math.min(availableParallelism(), uvThreads - 1))),
  // SQLite has one writer at a time; waiting for it must not take threads from analyses.
  store: new Lane(1),
  files: new Lane(1),
}

/** Returns the signal among the options of a call. */
function signalOf(options) {
  const signal = options !== null && typeof options === 'object' ? options.signal : undefined
  if (signal === undefined || signal === null) return undefined
  if (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function') {
    throw new FaceAttendError('invalid_input', 'invalid signal: it is no AbortSignal')
  }
  return signal
}

/** Returns how much analysis work there is. */
const load = () => lanes.analysis.load

module.exports = { lanes, load, onAbort, signalOf }
