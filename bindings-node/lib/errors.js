'use strict'

// What stands between code and message in the addon's errors: see src/error.rs.
const SEPARATOR = '\u001f'

class FaceAttendError extends Error {
  constructor(code, message, options) {
    super(message, options)
    this.code = code
  }
}
Object.defineProperty(FaceAttendError.prototype, 'name', {
  value: 'FaceAttendError', configurable: true, writable: true,
})

/** Returns the error that a message of the addon stands for. */
function fromReason(reason) {
  const at = reason.indexOf(SEPARATOR)
  return at > 0
    ? new FaceAttendError(reason.slice(0, at), reason.slice(at + 1))
    : new FaceAttendError('internal', reason)
}

/**
 * Returns the error to throw for what the addon threw. An error without a code of ours was thrown while an argument was
 * read: by napi or V8 for the wrong type, or by a getter of the caller's own, whose error becomes the `cause`.
 */
function translate(error) {
  if (error instanceof FaceAttendError) return error
  const message = error instanceof Error && error.message
  if (message && message.includes(SEPARATOR)) return fromReason(message)
  return new FaceAttendError('invalid_input', message || 'an argument could not be read', { cause: error })
}

module.exports = { FaceAttendError, fromReason, translate }
