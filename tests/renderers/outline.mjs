// HTML -> what a browser makes of it: the tree of its elements with their attributes, and the text in it.
import { parseFragment } from 'parse5'

// {outline: 'p[strong[] a{href=/x}[]] #comment', text}: text nodes are not in the outline, comments are.
export function outlineOf(html) {
  const texts = []
  const outline = children(parseFragment(html), texts)
  return { outline, text: texts.join('') }
}

function children(node, texts) {
  return (node.content ?? node).childNodes
    .map((child) => one(child, texts))
    .filter(Boolean)
    .join(' ')
}

function one(node, texts) {
  if (node.nodeName === '#text') {
    texts.push(node.value)
    return ''
  }
  if (node.nodeName.startsWith('#')) return node.nodeName
  const attributes = node.attrs.map(({ name, value }) => `${name}=${value}`)
  return `${node.tagName}${attributes.length ? `{${attributes.join(' ')}}` : ''}[${children(node, texts)}]`
}
