'use strict'

// The package as somebody gets it: installed from its tarball, with no network, in an empty folder.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { folder, media } = require('./support.js')
const { locate } = require('../lib/onnxruntime.js')

const here = path.join(__dirname, '..')
const npm = (arguments_, cwd) =>
  execFileSync('npm', [...arguments_, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
const addon = readdirSync(here).find((name) => /^faceattend\..*\.node$/.test(name))

/** Whether the package installed in `cwd` finds the face of the picture beside it, from both kinds of module. */
function works(cwd) {
  copyFileSync(media('hopper/center.jpg'), path.join(cwd, 'face.jpg'))
  const body = `
    const engine = await Engine.create({ antispoof: 'off' })
    console.log((await engine.analyze(readFileSync('face.jpg'))).faces.length)`
  writeFileSync(
    path.join(cwd, 'a.mjs'),
    `import { readFileSync } from 'node:fs'; import { Engine } from 'faceattend'; ${body}`,
  )
  writeFileSync(
    path.join(cwd, 'a.cjs'),
    `const { readFileSync } = require('node:fs'); const { Engine } = require('faceattend')
    ;(async () => { ${body} })()`,
  )
  const library = locate()
  const env = library ? { ...process.env, ORT_DYLIB_PATH: library } : process.env
  for (const program of ['a.mjs', 'a.cjs']) {
    assert.equal(execFileSync(process.execPath, [program], { cwd, env, encoding: 'utf8' }).trim(), '1', program)
  }
}

const install = (cwd, tarballs) => {
  writeFileSync(path.join(cwd, 'package.json'), '{ "name": "clean", "private": true }')
  npm(['install', '--offline', '--omit=optional', ...tarballs], cwd)
}

test('the tarball holds what it needs, installs offline and works in a clean folder', (t) => {
  const place = folder(t)
  const [{ filename, files }] = JSON.parse(
    npm(['pack', '--json', '--pack-destination', place], here).replace(/^[^[]*/, ''),
  )
  const names = files.map((file) => file.path)
  for (const needed of [
    'index.js',
    'index.mjs',
    'index.d.ts',
    'index.d.mts',
    'native.js',
    'README.md',
    'LICENSE',
    'licenses/Apache-2.0.txt',
    addon,
  ]) {
    assert.ok(names.includes(needed), needed)
  }
  assert.deepEqual(names.filter((name) => /^(src|test|bench|types|scripts|node_modules)\//.test(name)), [])
  install(place, [path.join(place, filename)])
  works(place)
})

test('the platform package carries the addon for the package that has none', (t) => {
  const place = folder(t)
  npm(['run', 'platforms'], here)
  const platform = addon.split('.')[1]
  const carried = path.join(here, 'npm', platform)
  const description = JSON.parse(readFileSync(path.join(carried, 'package.json'), 'utf8'))
  assert.equal(description.main, addon)
  assert.ok(description.os.includes(process.platform) && description.cpu.includes(process.arch))
  // The package as it is published: the same files without an addon.
  const bare = path.join(place, 'bare')
  mkdirSync(bare)
  const [{ files }] = JSON.parse(npm(['pack', '--json', '--dry-run'], here).replace(/^[^[]*/, ''))
  for (const { path: name } of files) {
    if (name.endsWith('.node')) continue
    mkdirSync(path.dirname(path.join(bare, name)), { recursive: true })
    copyFileSync(path.join(here, name), path.join(bare, name))
  }
  const pack = (from) =>
    path.join(
      place,
      JSON.parse(
        npm(['pack', '--json', '--ignore-scripts', '--pack-destination', place], from).replace(/^[^[]*/, ''),
      )[0].filename,
    )
  const clean = path.join(place, 'clean')
  mkdirSync(clean)
  install(clean, [pack(bare), pack(carried)])
  assert.ok(!existsSync(path.join(clean, 'node_modules/faceattend', addon)))
  works(clean)
  rmSync(path.join(here, 'npm'), { recursive: true })
})
