// Makes the platform packages in npm/, as napi-rs lays them out: one for each target, and the addon in those that are
// built.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const program = path.join(path.dirname(createRequire(import.meta.url).resolve('@napi-rs/cli')), 'cli.js')
rmSync(path.join(here, 'npm'), { recursive: true, force: true })
const made = spawnSync(process.execPath, [program, 'create-npm-dirs'], { cwd: here, stdio: 'inherit' })
if (made.status !== 0) process.exit(made.status ?? 1)
for (const platform of readdirSync(path.join(here, 'npm'))) {
  const addon = `faceattend.${platform}.node`
  const there = existsSync(path.join(here, addon))
  if (there) copyFileSync(path.join(here, addon), path.join(here, 'npm', platform, addon))
  console.log(`npm/${platform}: ${there ? 'with its addon' : 'not built on this machine'}`)
}
