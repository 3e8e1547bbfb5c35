'use strict'

// The programs of README.md, run as they stand, one after the other in one folder.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { media } = require('./support.js')

const here = path.join(__dirname, '..')
const readme = readFileSync(path.join(here, 'README.md'), 'utf8')
const programs = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program)

test('the programs of the README run', (t) => {
  // Inside the package, so that its own name leads to it.
  const folder = mkdtempSync(path.join(here, 'node_modules', '.readme-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const position of ['center', 'left', 'right'])
    copyFileSync(media(`hopper/${position}.jpg`), path.join(folder, `${position}.jpg`))
  copyFileSync(media('class.avi'), path.join(folder, 'class.avi'))
  assert.equal(programs.length, 4)
  const said = programs.map((program, at) => {
    const file = path.join(here, 'test', `.readme-${process.pid}-${at}.mjs`)
    writeFileSync(file, program)
    try {
      return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
    } finally {
      rmSync(file)
    }
  })
  assert.match(said[0], /^student 1, 0\.\d\d/)
  assert.match(said[1], /true null \[\]\n1 0\.\d+/)
  assert.match(said[2], /^Grace Hopper \d{4}-\d\d-\d\d\n$/)
  assert.deepEqual(said[3].trimEnd().split('\n'), [
    'done 3 []', 'Asha Rao Present', 'Ben Ito Absent', 'Cem Kaya Excused',
    '1 of 3 came, 1 without an excuse: 33 %',
  ])
})
