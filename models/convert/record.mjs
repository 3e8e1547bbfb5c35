// Runs MediaPipe's networks with the runtime they were published for, and records what they say. `record_sface.py` adds
// the recordings of the third network, so run it afterwards.
//
//     npm ci --prefix models/convert && npm run --prefix models/convert record
//
// The recordings are what the converted files are checked against (check.py here, and a test of the core library).
// `recorded/index.json` names each output's place in `recorded/outputs.bin`, which holds little-endian 32-bit floats.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const { PNG } = require('pngjs');

const here = path.dirname(fileURLToPath(import.meta.url));
const packageFolder = (name) => path.join(here, 'node_modules', name);

/**
 * Pseudo-random RGB pixels that any language makes again: a 32-bit linear congruential generator
 * (state = state * 1664525 + 1013904223), whose upper byte is the next channel value.
 */
function noise(height, width, seed) {
  const pixels = new Uint8Array(height * width * 3);
  let state = seed >>> 0;
  for (let i = 0; i < pixels.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[i] = state >>> 24;
  }
  return pixels;
}

/** The RGB pixels of a part of `recorded/face.png`, cut without any scaling. */
function face(top, left, height, width) {
  const image = PNG.sync.read(readFileSync(path.join(here, 'recorded', 'face.png')));
  const pixels = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = 4 * ((y + top) * image.width + x + left);
      pixels.set(image.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return pixels;
}

/** Pixels for one network: an object that says where they come from, for the index, and the pixels themselves. */
function input(description) {
  const { source, height, width } = description;
  const pixels = source === 'noise'
    ? noise(height, width, description.seed)
    : face(description.top, description.left, height, width);
  return { description, tensor: tf.tensor4d(Float32Array.from(pixels), [1, height, width, 3]) };
}

/** A TensorFlow.js graph model from its files; `anySize` takes back what they say of the input's height and width. */
function graphModel(name, { anySize = false } = {}) {
  const folder = path.join(packageFolder('@vladmandic/human'), 'models');
  const description = JSON.parse(readFileSync(path.join(folder, `${name}.json`)));
  if (anySize) {
    const placeholder = description.modelTopology.node.find((node) => node.op === 'Placeholder');
    for (const index of [1, 2]) placeholder.attr.shape.shape.dim[index].size = '-1';
  }
  const files = description.weightsManifest.flatMap((group) => group.paths);
  const bytes = Buffer.concat(files.map((file) => readFileSync(path.join(folder, file))));
  return tf.loadGraphModel({
    load: async () => ({
      modelTopology: description.modelTopology,
      weightSpecs: description.weightsManifest.flatMap((group) => group.weights),
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
      signature: anySize ? undefined : description.signature,
    }),
  });
}

const recordings = [];
const chunks = [];
let offset = 0;

function record(model, from, outputs, note) {
  const entry = { model, input: from.description, outputs: {} };
  if (note) entry.note = note;
  for (const [name, tensor] of Object.entries(outputs)) {
    const values = tensor.dataSync();
    entry.outputs[name] = { offset, shape: tensor.shape };
    chunks.push(Buffer.from(Float32Array.from(values).buffer));
    offset += values.length;
  }
  recordings.push(entry);
}

const LCG = { source: 'noise', seed: 1 };
const FACE = { source: 'face.png' };

async function recordBlazeface() {
  const model = await graphModel('blazeface');
  const outputs = ['Identity:0', 'Identity_2:0', 'Identity_1:0', 'Identity_3:0'];
  const names = ['scores_16', 'boxes_16', 'scores_32', 'boxes_32'];
  const prepared = (from) => from.tensor.div(127.5).sub(1);
  for (const from of [
    input({ ...LCG, height: 256, width: 256 }),
    input({ ...FACE, top: 0, left: 0, height: 256, width: 256 }),
  ]) {
    const results = model.execute(prepared(from), outputs);
    record('blazeface', from, Object.fromEntries(names.map((name, i) => [name, results[i]])));
  }
  // The original's last Reshape knows one size only. For another one its heads are read where they are still images.
  const convolution = (index) => `StatefulPartitionedCall/functional_1/conv2d_${index}/BiasAdd`;
  const heads = [33, 35, 34, 36].map(convolution);
  const from = input({ ...FACE, top: 32, left: 32, height: 160, width: 192 });
  const results = (await graphModel('blazeface', { anySize: true })).execute(prepared(from), heads);
  const columns = [1, 16, 1, 16];
  record(
    'blazeface',
    from,
    Object.fromEntries(names.map((name, i) => [name, results[i].reshape([1, -1, columns[i]])])),
    'heads of the original before its fixed Reshape',
  );
}

async function recordFaceMesh() {
  const model = await graphModel('facemesh');
  for (const from of [
    input({ ...LCG, height: 192, width: 192 }),
    input({ ...FACE, top: 28, left: 32, height: 192, width: 192 }),
  ]) {
    const [points, presence] = model.execute(from.tensor.div(255), ['Identity_2:0', 'Identity_1:0']);
    record('face-mesh', from, { points, presence });
  }
}

await tf.setBackend('cpu');
await recordBlazeface();
await recordFaceMesh();

const versions = JSON.parse(readFileSync(path.join(here, 'package.json'))).dependencies;
const folder = path.join(here, 'recorded');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'outputs.bin'), Buffer.concat(chunks));
writeFileSync(
  path.join(folder, 'index.json'),
  `${JSON.stringify({ versions, backend: tf.getBackend(), recordings }, null, 1)}\n`,
);
