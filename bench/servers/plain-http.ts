/** The least a server can do with an exchange: node:http reads the form and answers something of a token's size. */
import { createServer } from 'node:http'
import { beMeasured } from './measured.ts'

const ANSWER = JSON.stringify({ access_token: 'x'.repeat(2000), expires_in: 300 })

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    res.statusCode = form.has('client_assertion') ? 200 : 400
    res.setHeader('content-type', 'application/json')
    res.end(ANSWER)
  })
})
server.listen(Number(process.env['BENCH_PORT']), '127.0.0.1', () => {
  beMeasured(async () => void server.close())
})
