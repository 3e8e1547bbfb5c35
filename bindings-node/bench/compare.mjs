// Speed beside the core alone and beside @vladmandic/human, on the same pictures, in turn, in one run:
//
//     npm run build && npm ci --prefix bench
//     cargo build --release --package faceattend-node --example native_speed
//     node bench/compare.mjs [TURNS]
//
// Each turn starts each program once; of each the turn with the lowest median counts, because another program on the
// machine can only slow one down. On a busy machine the fastest tenth (p10) says more than the median.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '..', '..')
const turns = Number(process.argv[2] ?? 3)
const pictures = ['collins', 'hopper', 'obama'].flatMap((person) =>
  readdirSync(path.join(root, 'examples/media', person))
    .filter((name) => /^yaw.(00|10|20)\.jpg$/.test(name))
    .map((name) => path.join(root, 'examples/media', person, name)),
)
const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target')
const native = path.join(target, 'release/examples/native_speed')
const library = require('../lib/onnxruntime.js').locate() ?? ''

const programs = {
  'core, JPEG': { command: [native], env: { INPUT: 'jpeg' } },
  'addon, JPEG': { command: [process.execPath, path.join(here, 'addon.mjs')], env: { INPUT: 'jpeg' } },
  'core, pixels': { command: [native], env: { INPUT: 'pixels' } },
  'addon, pixels': { command: [process.execPath, path.join(here, 'addon.mjs')], env: { INPUT: 'pixels' } },
  'human, pixels': { command: [process.execPath, path.join(here, 'human.mjs')], env: {} },
}
if (!existsSync(native)) {
  console.error(
    `${native} is not there: the core's own figures are left out. The head of this file says how to build it.`,
  )
  for (const name of ['core, JPEG', 'core, pixels']) delete programs[name]
}
if (!existsSync(path.join(here, 'node_modules'))) {
  console.error('@vladmandic/human is not installed and left out: npm ci --prefix bench')
  delete programs['human, pixels']
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
const best = {}
for (let turn = 0; turn < turns; turn += 1) {
  for (const [name, { command, env }] of Object.entries(programs)) {
    const [program, ...first] = command
    const out = execFileSync(program, [...first, ...pictures], {
      env: { ...process.env, ONNXRUNTIME: library, ROUNDS: process.env.ROUNDS ?? '5', ...env },
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const figures = JSON.parse(out.toString().trim().split('\n').at(-1))
    const times = figures.times.sort((a, b) => a - b)
    const row = {
      ...figures,
      times: undefined,
      n: times.length,
      p10: quantile(times, 0.1),
      p50: quantile(times, 0.5),
      p95: quantile(times, 0.95),
    }
    if (!best[name] || row.p50 < best[name].p50) best[name] = row
  }
}

console.log(`${pictures.length} pictures of 480x360, ${turns} turns; milliseconds a picture, one after the other`)
for (const [name, { n, p10, p50, p95, throughput, atOnce }] of Object.entries(best)) {
  const parallel = throughput ? `; ${throughput.toFixed(1)} pictures/s with ${atOnce} at once` : ''
  console.log(
    `${name.padEnd(14)} p10 ${p10.toFixed(1).padStart(6)}  p50 ${p50.toFixed(1).padStart(7)}  ` +
      `p95 ${p95.toFixed(1).padStart(7)}  n ${n}${parallel}`,
  )
}
const ratio = (one, other, by) => `${(best[one][by] / best[other][by]).toFixed(3)} by ${by}`
for (const [one, other] of [
  ['addon, JPEG', 'core, JPEG'],
  ['addon, pixels', 'core, pixels'],
  ['human, pixels', 'addon, pixels'],
]) {
  if (best[one] && best[other])
    console.log(`${one} / ${other}: ${ratio(one, other, 'p10')}, ${ratio(one, other, 'p50')}`)
}
for (const name of ['addon, JPEG', 'addon, pixels']) {
  const { eventLoop, mainThread, roundTrip } = best[name]
  const says = ({ p50, p99, max }) => `p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}, max ${max.toFixed(2)} ms`
  console.log(
    `${name}: an empty call and back ${(roundTrip * 1000).toFixed(0)} us; ` +
      `of the main thread ${mainThread.toFixed(3)} ms a picture`,
  )
  console.log(`  event loop late while analyzing: ${says(eventLoop.busy)}`)
  console.log(`  event loop late with nothing to do: ${says(eventLoop.idle)}`)
}
