// discord.js as a peer of gatewayd: node discord.mjs URL-OF-THE-LAB ws|client none|zlib|zlib-sync SHARDS
// ws: @discordjs/ws, its gateway package: events parsed and emitted. client: discord.js' Client, messageCreate emitted.
// zlib: with node's own zlib; zlib-sync: with the addon of that name, which has to be there.
// Says "up" when every shard is, then "last T" (milliseconds since 1970) when as many messages have come as it was told on stdin. Counts them
// and does nothing else.
import { createInterface } from 'node:readline'
import { REST } from '@discordjs/rest'
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'

const [lab, what, compress, shards] = process.argv.slice(2)
const world = await (await fetch(`${lab}/lab/world`)).json()
const token = world.discord.bots[0].token
const intents = 37377, shardCount = Number(shards), api = `${lab}/api`
const compression = { none: null, zlib: CompressionMethod.ZlibNative, 'zlib-sync': CompressionMethod.ZlibSync }[compress]
let left = shardCount, messages = 0, want = -1

const ready = () => { if (--left === 0) console.log('up') }
const message = () => { if (++messages === want) console.log(`last ${performance.timeOrigin + performance.now()}`) }
const wrong = e => { console.error(String(e)); process.exit(1) }

createInterface({ input: process.stdin }).on('line', line => { want = messages + Number(line) }).on('close', () => process.exit(0))
if (what === 'client') {
	const { Client } = await import('discord.js')
	// It asks for compression when it finds zlib-sync, and never else.
	const client = new Client({ intents, shardCount, rest: { api } })

	client.on('clientReady', () => console.log('up'))
	client.on('messageCreate', message)
	client.on('error', wrong)
	await client.login(token)
} else {
	const rest = new REST({ version: '10', api }).setToken(token)
	const gateway = new WebSocketManager({ token, rest, intents, shardCount, compression })

	gateway.on(WebSocketShardEvents.Ready, ready)
	gateway.on(WebSocketShardEvents.Dispatch, payload => { if (payload.t === 'MESSAGE_CREATE') message() })
	gateway.on(WebSocketShardEvents.Error, wrong)
	await gateway.connect()
}
