'use strict'

const native = require('./native.js')
const { cameraOf } = require('./lib/camera.js')
const { FaceAttendError } = require('./lib/errors.js')
const { checkOwn, guardClass, queued } = require('./lib/guard.js')
const { lanes, load, onAbort } = require('./lib/lanes.js')
const { locate } = require('./lib/onnxruntime.js')

const { analysis, store, files } = lanes

/** Tells `create` where ONNX Runtime is, unless the caller does. */
const withRuntime = (create) =>
  function (options, ...rest) {
    const search = options === undefined || options === null || typeof options === 'object'
    return create.call(this, search ? { ...options, onnxruntime: options?.onnxruntime ?? locate() } : options, ...rest)
  }

/** Checks that the argument number `at` is of this copy of the package. */
const own = (Class, what, at = 0) => (method) =>
  function (...values) {
    checkOwn(values[at], Class(), what)
    return method.apply(this, values)
  }

const Engine = guardClass(native.Engine, {
  create: { lane: analysis, options: 0, before: withRuntime },
  analyze: { lane: analysis, options: 1 },
  detect: { lane: analysis, options: 1 },
  embed: { lane: analysis, options: 1 },
  template: { lane: analysis, options: 1 },
})
const Gallery = guardClass(native.Gallery, {
  search: { lane: analysis, options: 2 },
  identify: { lane: analysis, options: 2 },
  load: { lane: store, options: 1, before: own(() => Store, 'store') },
}, (engine) => checkOwn(engine, Engine, 'engine'))
const LivenessSession = guardClass(native.LivenessSession, {
  observe: { lane: analysis, options: 3, before: own(() => Engine, 'engine') },
  observeAnswer: { lane: analysis, options: 4, before: own(() => Engine, 'engine', 1) },
})
const Receipt = guardClass(native.Receipt)
const ReceiptKey = guardClass(native.ReceiptKey)
const AttendanceBook = guardClass(native.AttendanceBook, {
  mark: { lane: store, options: 2 },
  secondLook: { lane: store, options: 3 },
  records: { lane: store, options: 0 },
  record: { lane: store, options: 1 },
  delete: { lane: store, options: 1 },
  summary: { lane: store, options: 0 },
}, (store) => checkOwn(store, Store, 'store'))
const Store = guardClass(native.Store, {
  open: { lane: store, options: 1 },
  withGallery: { lane: store, options: 2, before: own(() => Gallery, 'gallery') },
  check: { lane: store, options: 0 },
  createStudent: { lane: store, options: 2 },
  student: { lane: store, options: 1 },
  students: { lane: store, options: 0 },
  updateStudent: { lane: store, options: 2 },
  eraseStudent: { lane: store, options: 1 },
  mergeStudents: { lane: store, options: 2 },
  deleteStudent: { lane: store, options: 1 },
  registerStudent: { lane: store, options: 3, before: own(() => LivenessSession, 'session') },
  enrolStudent: { lane: store, options: 2, before: own(() => LivenessSession, 'session') },
  replaceTemplates: { lane: store, options: 2 },
  templatesOf: { lane: store, options: 1 },
  saveSession: { lane: store, options: 1, before: own(() => LivenessSession, 'session') },
  session: { lane: store, options: 1 },
  secondLooks: { lane: store, options: 0 },
  secondLook: { lane: store, options: 1 },
  openSecondLooks: { lane: store, options: 0 },
  decideSecondLook: { lane: store, options: 3 },
  guardians: { lane: store, options: 1 },
  setGuardians: { lane: store, options: 2 },
})
const Rosters = guardClass(native.Rosters, {
  groups: { lane: store, options: 1 },
  group: { lane: store, options: 1 },
  createGroup: { lane: store, options: 1 },
  changeGroup: { lane: store, options: 2 },
  removeGroup: { lane: store, options: 1 },
  restoreGroup: { lane: store, options: 1 },
  memberships: { lane: store, options: 0 },
  withdrawals: { lane: store, options: 1 },
  changeRoster: { lane: store, options: 1 },
  join: { lane: store, options: 2 },
  leave: { lane: store, options: 2 },
  withdraw: { lane: store, options: 1 },
  readmit: { lane: store, options: 1 },
  timetables: { lane: store, options: 0 },
  setTimetable: { lane: store, options: 1 },
  removeTimetable: { lane: store, options: 1 },
  calendar: { lane: store, options: 2 },
  addCalendarEntry: { lane: store, options: 1 },
  removeCalendarEntry: { lane: store, options: 1 },
  excuses: { lane: store, options: 0 },
  excuse: { lane: store, options: 1 },
  addExcuse: { lane: store, options: 1 },
  withdrawExcuse: { lane: store, options: 1 },
  planImport: { lane: store, options: 1 },
  importRoster: { lane: store, options: 1 },
  export: { lane: store, options: 1 },
  days: { lane: store, options: 1 },
}, (store) => checkOwn(store, Store, 'store'))
const RosterDays = guardClass(native.RosterDays)

const Camera = cameraOf({ engine: Engine, gallery: Gallery, book: AttendanceBook })

const models = {
  list: queued(native.models.list, files, 0),
  verify: queued(native.models.verify, files, 1),
  add: queued(native.models.add, files, 1),
  pull: queued(
    async (pack, options) => {
      const { onProgress, signal, ...rest } = options ?? {}
      const stop = new native.NativeStop()
      const forget = signal ? onAbort(signal, () => stop.stop()) : () => {}
      try {
        return await native.models.pull(pack, rest, onProgress, stop)
      } finally {
        forget()
      }
    },
    files,
    1,
  ),
}

module.exports = {
  AttendanceBook, Camera, Engine, FaceAttendError, Gallery, LivenessSession, Receipt, ReceiptKey, RosterDays, Rosters,
  Store, load, models,
}
