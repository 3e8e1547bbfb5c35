// Starts the service: `node src/main.js`. Settings come from the environment; see README.md.
import { availableParallelism } from 'node:os'
import { build } from './service.js'

const setting = (name, fallback) => process.env[name] ?? fallback
const workers = Number(setting('WORKERS', Math.max(1, Math.min(4, availableParallelism()))))

const singlePicturesMark = setting('SINGLE_PICTURES_MARK', 'no') === 'yes'
if (singlePicturesMark) console.warn('SINGLE_PICTURES_MARK=yes: a photograph of a student marks the student')

const service = await build({
  database: setting('DATABASE', 'face_attendance.db'),
  timeZone: setting('TIME_ZONE', 'UTC'),
  workers,
  token: process.env.API_TOKEN,
  singlePicturesMark,
})
const address = await service.listen({ port: Number(setting('PORT', 8011)), host: setting('HOST', '127.0.0.1') })
console.log(`Listening on ${address} with ${workers} workers. Ctrl-C stops it.`)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => service.close())
