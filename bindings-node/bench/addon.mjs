// The addon on the same pictures; prints JSON. See compare.mjs.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Engine, load } from '../index.mjs'
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
// As many at once as there are threads for, and the event loop watched meanwhile.
const delay = monitorEventLoopDelay({ resolution: 1 })
const began = performance.now()
delay.enable()
await Promise.all(Array.from({ length: rounds }, () => inputs.map((input) => engine.analyze(input, options))).flat())
delay.disable()
const ms = (nanoseconds) => nanoseconds / 1e6
console.log(JSON.stringify({
  times,
  found,
  throughput: (rounds * inputs.length) / ((performance.now() - began) / 1000),
  atOnce: load().limit,
  // The timer itself fires each millisecond; what it is late beyond that is the delay.
  eventLoop: { p50: ms(delay.percentile(50)) - 1, p99: ms(delay.percentile(99)) - 1, max: ms(delay.max) - 1, mean: ms(delay.mean) - 1 },
}))
