// JSON strings of Markdown on standard input, one a line -> for each a line {renderer: {html, outline, text}}.
// `node render.mjs --versions` prints {renderer: versions} instead.
// Knows the renderers and how clients set them up; knows nothing of cards.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { HtmlRenderer, Parser } from 'commonmark'
import MarkdownIt from 'markdown-it'
import { Marked } from 'marked'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import ReactMarkdown from 'react-markdown'
import rehypeRaw from 'rehype-raw'
import remarkGfm from 'remark-gfm'
import showdown from 'showdown'
import { outlineOf } from './outline.mjs'

const markdownIt = (options) => {
  const renderer = new MarkdownIt(options)
  return (source) => renderer.render(source)
}
const showdownAs = (flavor) => {
  const converter = new showdown.Converter()
  converter.setFlavor(flavor)
  return (source) => converter.makeHtml(source)
}
const react = (rehypePlugins) => (source) =>
  renderToStaticMarkup(createElement(ReactMarkdown, { remarkPlugins: [remarkGfm], rehypePlugins }, source))
const marked = new Marked()
const commonmarkParser = new Parser()
const commonmarkWriter = new HtmlRenderer()

// Name -> [how it renders, the packages it is made of]. The first is what the CDS Hooks sandbox shows cards with.
const RENDERERS = {
  'react-markdown + gfm + raw': [react([rehypeRaw]), ['react-markdown', 'remark-gfm', 'rehype-raw', 'react-dom']],
  'react-markdown + gfm': [react([]), ['react-markdown', 'remark-gfm', 'react-dom']],
  marked: [(source) => marked.parse(source), ['marked']],
  commonmark: [(source) => commonmarkWriter.render(commonmarkParser.parse(source)), ['commonmark']],
  showdown: [showdownAs('vanilla'), ['showdown']],
  'showdown, GitHub flavour': [showdownAs('github'), ['showdown']],
  'markdown-it, HTML on': [markdownIt({ html: true }), ['markdown-it']],
  'markdown-it, HTML off': [markdownIt({ html: false }), ['markdown-it']],
  'markdown-it, all on': [markdownIt({ html: true, linkify: true, typographer: true }), ['markdown-it']]
}

function rendered(source) {
  const found = {}
  for (const [name, [render]] of Object.entries(RENDERERS)) {
    const html = render(source)
    found[name] = { html, ...outlineOf(html) }
  }
  return found
}

if (process.argv.includes('--versions')) {
  const locked = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url))).packages
  const versions = Object.entries(RENDERERS).map(([name, [, packages]]) => [
    name,
    packages.map((one) => `${one} ${locked[`node_modules/${one}`].version}`).join(', ')
  ])
  process.stdout.write(JSON.stringify(Object.fromEntries(versions)) + '\n')
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(rendered(JSON.parse(line))) + '\n')
  }
}
