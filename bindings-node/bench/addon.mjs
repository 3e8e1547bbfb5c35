// The addon on the same pictures; prints JSON. See compare.mjs.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Engine, Gallery, load } from '../index.mjs'
import { framesOf } from './pictures.mjs'

const rounds = Number(process.env.ROUNDS ?? 10)
const engine = await Engine.create({ antispoof: 'off' })
const files = process.argv.slice(2)
const inputs = process.env.INPUT === 'pixels' ? await framesOf(files) : files.map((file) => readFileSync(file))
const options = { depth: 'embedding' }

for (const input of inputs) await engine.analyze(input, options)
const times = []
let found = 0
for (let round = 0; round < rounds; round += 1) {
  for (const input of inputs) {
    const began = performance.now()
    found += (await engine.analyze(input, options)).faces.length
    times.push(performance.now() - began)
  }
}

/** How late timers of one millisecond are while `work` goes on, in milliseconds. */
async function delayDuring(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - 1)
  return { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }
}

// What the machine does to an event loop that has nothing to do: other programs make it late as well.
const idle = await delayDuring(() => new Promise((resolve) => setTimeout(resolve, 2000)))

// As many at once as there are threads for, and as many waiting, as in a service that refuses more.
const calls = rounds * inputs.length
const start = performance.now()
const before = performance.eventLoopUtilization()
const queue = Array.from({ length: rounds }, () => inputs).flat()
const client = async () => {
  for (let input = queue.pop(); input; input = queue.pop()) await engine.analyze(input, options)
}
const busy = await delayDuring(() => Promise.all(Array.from({ length: 2 * load().limit }, client)))
const { active } = performance.eventLoopUtilization(before)
const throughput = calls / ((performance.now() - start) / 1000)

// The way there and back alone: a search of nobody.
const gallery = new Gallery(engine)
const probe = await engine.embed(inputs[0])
const trips = []
for (let call = 0; call < 3000; call += 1) {
  const began = performance.now()
  await gallery.search(probe, 1)
  trips.push(performance.now() - began)
}
trips.sort((one, other) => one - other)

console.log(JSON.stringify({
  times,
  found,
  throughput,
  atOnce: load().limit,
  eventLoop: { idle, busy },
  // Of the main thread, for one picture: handing over, its copy, the answer's objects, and this program's own share.
  mainThread: active / calls,
  roundTrip: trips[trips.length >> 1],
}))
