// Measures @discordjs/ws against the lab, for scripts/bench: LAB is the lab's URL; it prints one line of JSON.
//   node bench.mjs events N [plain]   N messages through one connection, with zlib-stream or without: seconds of wall and processor time
//   node bench.mjs idle N             N shards connected and idle for some seconds: kilobytes and processor time of each
import { readFileSync } from 'node:fs'
import { REST } from '@discordjs/rest'
import { CompressionMethod, SimpleShardingStrategy, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'
import { ask, lab } from './ask.mjs'

const [what, count, how] = process.argv.slice(2)
const n = Number(count)
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6 }
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

const { discord } = await ask('GET', '/lab/world')
const token = discord.bots[0].token
await ask('POST', '/lab/config', { 'discord.max_concurrency': 100000, 'discord.identify_interval_s': 0, 'discord.identify_total': 1000000 })
const rest = new REST({ version: '10', api: `${lab}/api` }).setToken(token)
const gateway = new WebSocketManager({
	token, rest, intents: 33281, shardCount: what === 'idle' ? n : 1, compression: how === 'plain' ? null : CompressionMethod.ZlibNative,
	buildStrategy: manager => new SimpleShardingStrategy(manager),
})
gateway.on(WebSocketShardEvents.Error, e => { throw e })

if (what === 'idle') {
	const before = rss()
	await gateway.connect()
	await sleep(2000)
	const used = cpu()
	await sleep(5000)
	console.log(JSON.stringify({ shards: n, kib_each: (rss() - before) / n, cpu_each: (cpu() - used) / 5 / n }))
} else {
	let got = 0, done
	const all = new Promise(resolve => { done = resolve })
	gateway.on(WebSocketShardEvents.Dispatch, payload => {
		if (payload.t === 'MESSAGE_CREATE' && ++got === n) done()
	})
	await gateway.connect()
	await sleep(200)
	const begun = performance.now(), used = cpu()
	await Promise.all([ask('POST', '/lab/flood', { n, keep: false }), all])
	const prepared = (await ask('GET', '/lab/journal?kind=flooded')).entries.at(-1).prepared_s
	const wall = (performance.now() - begun) / 1000 - prepared
	console.log(JSON.stringify({ events: n, seconds: wall, cpu: cpu() - used, per_second: Math.round(n / wall) }))
}
process.exit(0)
