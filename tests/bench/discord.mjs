// discord.js' own gateway package as a peer of gatewayd: node discord.mjs URL-OF-THE-LAB zlib|none SHARDS
// Says "up" when every shard is, then "last T" (milliseconds since 1970) each time a message with the text "flood N ..." of the number it was told on
// stdin has come. Counts nothing else, keeps nothing.
import { createInterface } from 'node:readline'
import { REST } from '@discordjs/rest'
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'

const [lab, compress, shards] = process.argv.slice(2)
const world = await (await fetch(`${lab}/lab/world`)).json()
const token = world.discord.bots[0].token
const rest = new REST({ version: '10', api: `${lab}/api` }).setToken(token)
const gateway = new WebSocketManager({
	token, rest, intents: 37377, shardCount: Number(shards), compression: compress === 'none' ? null : CompressionMethod.ZlibNative,
})
let left = Number(shards), messages = 0, want = -1

gateway.on(WebSocketShardEvents.Ready, () => { if (--left === 0) console.log('up') })
gateway.on(WebSocketShardEvents.Dispatch, payload => {
	if (payload.t === 'MESSAGE_CREATE' && ++messages === want) console.log(`last ${performance.timeOrigin + performance.now()}`)
})
gateway.on(WebSocketShardEvents.Error, e => { console.error(String(e)); process.exit(1) })
createInterface({ input: process.stdin }).on('line', line => { want = messages + Number(line) }).on('close', () => process.exit(0))
await gateway.connect()
