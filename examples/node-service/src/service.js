// The routes. Everything that knows about faces is in the package `faceattend`; this is how a service puts it together.
import { timingSafeEqual } from 'node:crypto'
import { AttendanceBook, Engine, Gallery, LivenessSession, Store } from 'faceattend'
import Fastify from 'fastify'
import { Busy, Pool } from './pool.js'

/** How an error of the package is answered. */
const STATUS = {
  invalid_image: 400, invalid_input: 400, not_found: 404, conflict: 409, state: 409, model_mismatch: 409,
}

const POSITIONS = ['center', 'left', 'right']

/**
 * The service, not yet listening. With a `token`, every call but `/health` has to bear it. One picture shows nothing of
 * life, and a photograph is a picture too: only with `singlePicturesMark` does it mark whom it shows.
 */
export async function build({ database, timeZone, workers, token, singlePicturesMark = false, logger = false }) {
  const store = await Store.open(database)
  // The main thread analyses nothing: it needs an engine only for what it knows of the model.
  const engine = await Engine.create({ threads: 1 })
  const gallery = new Gallery(engine)
  await gallery.load(store)
  const book = new AttendanceBook(store, { timeZone })
  const pool = await Pool.start({ size: workers })
  // Sessions under way, each with the end of the queue of its frames: they are judged one after the other.
  const sessions = new Map()

  const service = Fastify({ logger, bodyLimit: 20 * 2 ** 20 })
  service.addHook('onClose', () => pool.close())
  service.setErrorHandler((error, request, reply) => {
    const status = error instanceof Busy ? 503 : (STATUS[error.code] ?? error.statusCode ?? 500)
    if (status === 503) reply.header('retry-after', '1')
    if (status >= 500) request.log.error(error)
    const code = error instanceof Busy ? 'busy' : (error.code ?? 'internal')
    reply.code(status).send({ code, message: status === 500 ? 'internal error' : error.message })
  })
  // Pictures come as they are, in the body.
  for (const type of ['image/jpeg', 'image/png', 'image/webp', 'application/octet-stream']) {
    service.addContentTypeParser(type, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  }
  if (token) {
    const wanted = Buffer.from(`Bearer ${token}`)
    service.addHook('onRequest', async (request, reply) => {
      const given = Buffer.from(request.headers.authorization ?? '')
      const right = given.length === wanted.length && timingSafeEqual(given, wanted)
      if (!right && request.url !== '/health') {
        return reply.code(401).send({ code: 'unauthorized', message: 'a token is needed' })
      }
    })
  }

  service.get('/health', async () => {
    await store.check()
    return { status: 'ok', people: gallery.people, pool: pool.load }
  })

  // Registration: begin a session, send a frame for each position it asks for, then enrol.
  service.post('/sessions', async (request, reply) => {
    const session = new LivenessSession({ mirrored: request.body?.mirrored ?? false })
    for (const [id, { expires }] of sessions) if (expires <= Date.now()) sessions.delete(id)
    const expires = session.expiresAt.getTime()
    sessions.set(session.id, { state: session.toState(), tail: Promise.resolve(), expires })
    return reply.code(201).send({ id: session.id, next: 'center', expiresAt: session.expiresAt })
  })

  service.post('/sessions/:id/frames/:position', async (request) => {
    const { id, position } = request.params
    const entry = sessions.get(id)
    if (!entry) throw missing('no such session')
    if (!POSITIONS.includes(position)) throw missing(`a position is one of ${POSITIONS.join(', ')}`)
    const image = picture(request.body)
    const judged = entry.tail.then(async () => {
      const { outcome, state } = await pool.run('observe', image, { state: entry.state, position })
      entry.state = state
      return outcome
    })
    entry.tail = judged.catch(() => {})
    return judged
  })

  service.post('/sessions/:id/student', async (request, reply) => {
    const entry = sessions.get(request.params.id)
    if (!entry) throw missing('no such session')
    const { name, rollNumber } = request.body ?? {}
    if (typeof name !== 'string' || typeof rollNumber !== 'string' || !name.trim() || !rollNumber.trim()) {
      throw Object.assign(new Error('name and rollNumber are needed'), { code: 'invalid_input' })
    }
    const enrolled = entry.tail.then(async () => {
      const session = LivenessSession.fromState(entry.state)
      const student = await store.registerStudent(session, name, rollNumber)
      gallery.replace(student.id, await store.templatesOf(student.id))
      sessions.delete(request.params.id)
      return student
    })
    entry.tail = enrolled.catch(() => {})
    return reply.code(201).send(await enrolled)
  })

  // Recognition: who is in the picture; with ?mark=true they are marked present, where single pictures mark.
  service.post('/recognize', async (request) => {
    const faces = await pool.run('embed', picture(request.body))
    const asked = request.query.mark === 'true'
    const marks = asked && singlePicturesMark
    const people = []
    for (const { bbox, reasons, embedding } of faces) {
      const nobody = { known: false, best: null, margin: null }
      const { known, best, margin } = embedding ? await gallery.identify(embedding) : nobody
      const student = known ? await store.student(best.studentId) : null
      const marking = student && marks ? await book.mark(student.id, best.similarity) : null
      people.push({
        bbox,
        reasons,
        student: student && { id: student.id, name: student.name, rollNumber: student.rollNumber },
        similarity: best?.similarity ?? null,
        margin,
        newlyMarked: marking?.newlyMarked ?? false,
        // Why somebody who is known is not marked.
        notMarked: student && asked && !marks ? 'one_picture' : null,
      })
    }
    return { people }
  })

  service.get('/attendance', async (request) => {
    const { day } = request.query
    return book.records(day ? { fromDay: day, toDay: day } : {})
  })

  return service
}

function picture(body) {
  if (Buffer.isBuffer(body) && body.length > 0) return body
  const problem = new Error('the body must be a JPEG, PNG or WebP picture, with its content type')
  throw Object.assign(problem, { code: 'invalid_image' })
}

const missing = (message) => Object.assign(new Error(message), { code: 'not_found' })
