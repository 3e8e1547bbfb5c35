'use strict'

const { FaceAttendError, translate } = require('./errors.js')
const { signalOf } = require('./lanes.js')

/** Refuses invalid dates among arguments and in options: the addon would take them for 1970. */
function checkDates(values) {
  for (const value of values) {
    const within = value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
    for (const date of within ? Object.values(value) : [value]) {
      if (date instanceof Date && Number.isNaN(date.getTime())) {
        throw new FaceAttendError('invalid_input', 'invalid date: it is no moment')
      }
    }
  }
}

/**
 * Refuses what is no `Class` of this copy of the package. The addon itself distinguishes versions, but not two builds
 * of one version, whose objects may differ inside.
 */
function checkOwn(value, Class, what) {
  if (!(value instanceof Class)) {
    throw new FaceAttendError('invalid_input', `invalid ${what}: it is no ${Class.name} of this copy of the package`)
  }
}

/** Returns `method` so that it throws at once, with the package's own errors. */
function guarded(method) {
  return function (...values) {
    try {
      checkDates(values)
      return method.apply(this, values)
    } catch (error) {
      throw translate(error)
    }
  }
}

/**
 * Returns `method`, whose result is a promise, so that it runs in its `lane`, is cancelled by a signal, and rejects
 * instead of throwing. `options` is the number of the argument that may carry a signal.
 */
function queued(method, lane, options) {
  return async function (...values) {
    let signal
    try {
      checkDates(values)
      if (options !== undefined) signal = signalOf(values[options])
      return await lane.run(() => method.apply(this, values), signal)
    } catch (error) {
      // The reason of a signal is the caller's own, and is passed on as it is.
      throw signal?.aborted ? error : translate(error)
    }
  }
}

function define(target, name, value) {
  if (name !== 'constructor') Object.defineProperty(value, 'name', { value: name })
  Object.defineProperty(target, name, { value, writable: true, configurable: true })
}

/**
 * The addon's class `native` as it is handed out. `promises` names its methods that return promises, each with its lane
 * and the number of its options; all others are guarded. `check` looks at the constructor's arguments. The addon's own
 * objects are instances of it too.
 */
function guardClass(native, promises = {}, check = () => {}) {
  function Guarded(...values) {
    if (new.target === undefined) {
      throw new TypeError(`Class constructor ${native.name} cannot be invoked without 'new'`)
    }
    try {
      check(...values)
      return Reflect.construct(native, values, new.target)
    } catch (error) {
      if (error.message?.startsWith('Class contains no `constructor`')) {
        throw new FaceAttendError('invalid_input', `${native.name}: it is not made with new; see its documentation`)
      }
      throw translate(error)
    }
  }
  Object.defineProperty(Guarded, 'name', { value: native.name })
  Object.defineProperty(Guarded, 'prototype', { value: native.prototype, writable: false })
  define(native.prototype, 'constructor', Guarded)
  for (const [from, to] of [[native, Guarded], [native.prototype, native.prototype]]) {
    for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (typeof method !== 'function' || name === 'constructor') continue
      const how = promises[name]
      define(to, name, how ? queued(how.before?.(method) ?? method, how.lane, how.options) : guarded(method))
    }
  }
  return Guarded
}

module.exports = { checkDates, checkOwn, guardClass, guarded, queued }
