// Before `npm pack`: the licences lie beside the package, of the code and of the models inside it.
import { copyFileSync, cpSync, existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const root = path.join(here, '..')
if (!existsSync(path.join(here, 'native.js')) || !existsSync(path.join(here, 'index.d.ts'))) {
  console.error('Nothing to pack yet: npm run build')
  process.exit(1)
}
for (const name of readdirSync(root)) {
  if (name.startsWith('LICENSE')) copyFileSync(path.join(root, name), path.join(here, name))
}
cpSync(path.join(root, 'models/default/licenses'), path.join(here, 'licenses'), { recursive: true })
