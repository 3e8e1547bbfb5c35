'use strict'

const { EventEmitter } = require('node:events')
const { FaceAttendError, fromReason, translate } = require('./errors.js')
const { checkDates, checkOwn } = require('./guard.js')
const { onAbort, signalOf } = require('./lanes.js')
const { NativeCamera } = require('../native.js')

const MAKING = Symbol('making')

// `process.exit` runs no finalizers: the threads of cameras have to be at rest before the process takes down what they
// use.
const running = new Set()
process.on('exit', () => {
  for (const native of running) native.quieten()
  for (const native of running) native.halt()
})

class Camera extends EventEmitter {
  static parts = {}
  #native
  #iterating = false
  // A frame that nobody has taken yet. The threads wait until it is taken and the next one asked for.
  #held = null
  #taken = false
  #takers = []
  #over = false
  #failure = null
  #forget = () => {}

  static open(source, options = {}) {
    const { engine, gallery, book, signal: _, ...read } = options ?? {}
    const signal = signalOf(options)
    signal?.throwIfAborted()
    const camera = new Camera(MAKING)
    try {
      checkDates([read])
      for (const [name, Class] of Object.entries(this.parts)) {
        const part = options?.[name]
        if (part !== undefined && part !== null) checkOwn(part, Class, name)
      }
      camera.#native = NativeCamera.start(source, read, engine, gallery, book, (event) => camera.#tell(event))
    } catch (error) {
      throw translate(error)
    }
    running.add(camera.#native)
    if (signal) {
      camera.#forget = onAbort(signal, () => {
        camera.#failure ??= signal.reason
        camera.#stop()
      })
    }
    return camera
  }

  constructor(making) {
    if (making !== MAKING) throw new FaceAttendError('invalid_input', 'a camera is made by Camera.open')
    super()
    this.on('newListener', (name) => {
      // The listener is there only after this; a frame that was held is for it.
      if (name === 'frame') queueMicrotask(() => this.#offer())
    })
  }

  get source() {
    return this.#native.source
  }

  get health() {
    return this.#native.health
  }

  async stop() {
    await this.#stop()
  }

  [Symbol.asyncIterator]() {
    this.#iterating = true
    return {
      next: () => this.#next(),
      return: async (value) => {
        this.#iterating = false
        await this.#stop()
        return { done: true, value }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  #next() {
    if (this.#held) {
      const value = this.#held
      this.#held = null
      this.#taken = true
      return Promise.resolve({ done: false, value })
    }
    if (this.#over) {
      const failure = this.#failure
      this.#failure = null
      return failure ? Promise.reject(failure) : Promise.resolve({ done: true, value: undefined })
    }
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject })
      this.#resume()
    })
  }

  // Asks for the next frame, if the last one has been taken.
  #resume() {
    if (this.#taken) {
      this.#taken = false
      this.#native.resume()
    }
  }

  // A frame goes to whoever iterates, else to the listeners, else it is held.
  #offer() {
    if (!this.#held) return
    const taker = this.#takers.shift()
    if (taker) {
      const value = this.#held
      this.#held = null
      this.#taken = true
      taker.resolve({ done: false, value })
      if (this.#takers.length > 0) this.#resume()
    } else if (!this.#iterating && this.listenerCount('frame') > 0) {
      const value = this.#held
      this.#held = null
      this.#taken = true
      try {
        this.emit('frame', value)
      } finally {
        this.#resume()
      }
    }
  }

  #tell({ frame, state, problem, secondLooks }) {
    if (secondLooks) this.#lookAgain(secondLooks)
    if (frame) {
      // Of these nobody is lost, whether somebody takes the frame or not.
      for (const sighting of frame.suspected) this.emit('suspected', sighting)
      this.#lookAgain(frame.secondLooks)
      if (this.#over) return
      this.#held = frame
      this.#offer()
    }
    if (problem) this.emit('problem', fromReason(problem))
    if (state) {
      if (state === 'failed' || state === 'stopped') running.delete(this.#native)
      if (state === 'failed') {
        this.#failure ??= new FaceAttendError('camera', this.health.lastError ?? 'the camera failed')
      }
      // A camera that has been stopped tells its end once, though its threads tell it again.
      if (!this.#over) {
        const over = state === 'stopped' || state === 'failed'
        if (over) this.#end()
        this.emit('state', state)
        if (over) {
          if (state === 'failed' && this.listenerCount('error') > 0) this.emit('error', this.#failure)
          this.emit('end')
        }
      }
    }
  }

  #lookAgain(sightings) {
    for (const sighting of sightings) this.emit('secondLook', sighting)
  }

  #end() {
    this.#over = true
    this.#forget()
    for (const { resolve, reject } of this.#takers.splice(0)) {
      const failure = this.#failure
      this.#failure = null
      if (failure) reject(failure)
      else resolve({ done: true, value: undefined })
    }
  }

  #stop() {
    this.#held = null
    const stopped = this.#native
      .stop()
      .catch((error) => {
        throw translate(error)
      })
      .then((sightings) => this.#lookAgain(sightings))
      .finally(() => running.delete(this.#native))
    if (!this.#over) {
      this.#end()
      this.emit('state', 'stopped')
      this.emit('end')
    }
    return stopped
  }
}

/** The class of cameras, whose options may name the classes `parts`. */
function cameraOf(parts) {
  Camera.parts = parts
  return Camera
}

module.exports = { cameraOf }
