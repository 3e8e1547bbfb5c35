'use strict'

const { readdirSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')

const LIBRARY = {
  win32: /^onnxruntime\.dll$/,
  darwin: /^libonnxruntime\.(\d.*\.)?dylib$/,
}[process.platform] ?? /^libonnxruntime\.so(\.\d.*)?$/

function libraryIn(folder) {
  try {
    const name = readdirSync(folder).sort().find((entry) => LIBRARY.test(entry))
    return name && path.join(folder, name)
  } catch {
    return undefined
  }
}

/** Finds the library in the npm package `onnxruntime-node`. It runs nothing of that package, not its install script. */
function inPackage() {
  // From this package, and from the program itself: either may have it. Not from the working directory, where anybody
  // may have put a library that would be run.
  for (const from of [__filename, process.argv[1]].filter(Boolean)) {
    let bin
    try {
      bin = path.join(path.dirname(createRequire(path.resolve(from)).resolve('onnxruntime-node/package.json')), 'bin')
    } catch {
      continue
    }
    let versions = []
    try {
      versions = readdirSync(bin)
    } catch {
      // The package is there without its libraries: it was made for another system.
    }
    for (const version of versions) {
      const found = libraryIn(path.join(bin, version, process.platform, process.arch))
      if (found) return found
    }
  }
  return undefined
}

/**
 * Returns the ONNX Runtime library to ask for, or `undefined` to let the core search. A package that a lock file pins
 * goes before the user's cache and the system, which other programs fill as well.
 */
function locate() {
  if (process.env.ORT_DYLIB_PATH) return undefined
  return libraryIn(path.join(__dirname, '..')) ?? inPackage()
}

module.exports = { locate }
