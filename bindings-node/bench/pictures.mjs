// The pixels of pictures, by way of the addon's own decoder.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Camera } from '../index.mjs'

export async function framesOf(files) {
  const folder = mkdtempSync(path.join(tmpdir(), 'faceattend-bench-'))
  try {
    files.forEach((file, at) =>
      symlinkSync(path.resolve(file), path.join(folder, `${String(at).padStart(4, '0')}.jpg`)),
    )
    const frames = []
    for await (const { pixels } of Camera.open(folder, { pace: 'as_analyzed' })) frames.push(pixels)
    return frames
  } finally {
    rmSync(folder, { recursive: true })
  }
}
