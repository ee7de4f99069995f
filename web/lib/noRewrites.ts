/** Stands for the parser of patterns by which Next.js matches rewrites and middleware: files that are served as they are have neither. */
function refuse(): never {
  throw new Error('an exported page has no rewrites and no middleware')
}

export { refuse as compile, refuse as match, refuse as parse, refuse as pathToRegexp, refuse as tokensToRegexp }
