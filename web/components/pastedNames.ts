/** Whether the words beside files only name them, as a file manager puts them on the clipboard. */
export function areNames(words: string, files: Iterable<File>): boolean {
  const names = new Set([...files].map(({ name }) => name.normalize()))
  const lines = words.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  return lines.every((line) => names.has(lastPart(line.trim()).normalize()))
}

function lastPart(path: string): string {
  const last = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  if (!path.startsWith('file:')) return last
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
