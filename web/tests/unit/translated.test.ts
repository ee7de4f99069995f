import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

// A browser that translates a page puts every text into an element of its own. React does not know of it: it can still take away or
// change an element, and a text that is all there is in an element, but no text beside other things.

const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd())
const program = ts.createProgram(
  fileNames.filter((name) => /\/(components|context|lib|pages)\//.test(name)),
  { ...options, incremental: false },
)
const checker = program.getTypeChecker()

/** What a component is given to show: whoever gives it knows what it is. */
const isGiven = (type: ts.Type): boolean => type.aliasSymbol?.name === 'ReactNode'
const isText = (type: ts.Type): boolean =>
  type.isUnion() ? type.types.some(isText) : (type.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike)) !== 0
/** Whether there may be nothing in its place. */
const isAbsent = (type: ts.Type): boolean =>
  type.isUnion()
    ? type.types.some(isAbsent)
    : (type.flags & (ts.TypeFlags.BooleanLike | ts.TypeFlags.Null | ts.TypeFlags.Undefined)) !== 0

function childrenOf(node: ts.Node): ts.JsxChild[] {
  if (!ts.isJsxElement(node) && !ts.isJsxFragment(node)) return []
  return node.children.filter(
    (child) => !(ts.isJsxText(child) && child.containsOnlyTriviaWhiteSpaces) && !(ts.isJsxExpression(child) && !child.expression),
  )
}

/** Texts that come and go, or before which something comes and goes. */
function wrong(node: ts.Node): ts.JsxChild[] {
  const children = childrenOf(node)
  if (children.length < 2) return []
  let mayChange = false
  return children.filter((child) => {
    const type = ts.isJsxExpression(child) && child.expression !== undefined ? checker.getTypeAtLocation(child.expression) : null
    if (type !== null && isGiven(type)) return false
    const isBare = ts.isJsxText(child) || (type !== null && isText(type))
    const comesAndGoes = type !== null && (isAbsent(type) || (isBare && !isOnlyText(type)))
    const found = isBare && (comesAndGoes || mayChange)
    mayChange ||= comesAndGoes
    return found
  })
}

const isOnlyText = (type: ts.Type): boolean => (type.isUnion() ? type.types.every(isOnlyText) : isText(type))

test('no text beside other things comes or goes, nor does anything before it, which would end a page that is translated', () => {
  const found: string[] = []
  const look = (source: ts.SourceFile, node: ts.Node): void => {
    for (const child of wrong(node)) {
      const { line } = source.getLineAndCharacterOfPosition(child.getStart(source))
      found.push(`${source.fileName.replace(join(process.cwd(), '/'), '')}:${line + 1} ${child.getText(source)}`)
    }
    ts.forEachChild(node, (inner) => look(source, inner))
  }
  for (const source of program.getSourceFiles())
    if (source.fileName.endsWith('.tsx') && !source.fileName.includes('node_modules')) look(source, source)
  expect(found).toEqual([])
})
