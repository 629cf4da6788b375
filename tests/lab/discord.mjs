// discord.js' gateway, REST and core packages against the lab: URL of the lab in LAB, and what is to be shown as argument.
// Fails when the client is not satisfied; what the lab found wrong, the test asks it itself.
import { REST } from '@discordjs/rest'
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'
import { Client, GatewayDispatchEvents, GatewayIntentBits } from '@discordjs/core'
import { ask, count, got, lab, tell, until } from './ask.mjs'

const world = await ask('GET', '/lab/world')
const bot = world.discord.bots[0]
const channel = world.discord.guilds[0].channels.general
const say = text => ask('POST', '/lab/say', { channel: 'general', user: 'ada', text })
const fault = text => ask('POST', '/lab/fault', text)

const rest = new REST({ version: '10', api: `${lab}/api` }).setToken(bot.token)
const gateway = new WebSocketManager({
	token: bot.token, rest, compression: process.argv[3] === 'plain' ? null : CompressionMethod.ZlibNative,
	intents: GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent,
})
const client = new Client({ rest, gateway })

client.on(GatewayDispatchEvents.Ready, ({ data }) => tell(['ready', data.session_id]))
client.on(GatewayDispatchEvents.GuildCreate, ({ data }) => tell(['guild', data.name]))
gateway.on(WebSocketShardEvents.Resumed, () => tell(['resumed']))
gateway.on(WebSocketShardEvents.HeartbeatComplete, () => tell(['ack']))
gateway.on(WebSocketShardEvents.Error, e => tell(['error', String(e)]))
client.on(GatewayDispatchEvents.MessageCreate, async ({ api, data }) => {
	tell(['message', data.content])
	if (data.content === '!ping') {
		await api.channels.createMessage(data.channel_id, { content: 'pong', message_reference: { message_id: data.id }, nonce: 'n1', enforce_nonce: true })
	}
})
client.on(GatewayDispatchEvents.InteractionCreate, async ({ api, data }) => {
	await api.interactions.defer(data.id, data.token)
	await api.interactions.editReply(data.application_id, data.token, { content: 'answered' })
	tell(['interaction', data.data.name])
})

// Each text that was said must come once, in order: also what was said while the connection was down.
const texts = () => got.filter(([k, t]) => k === 'message' && t.startsWith('m')).map(([, t]) => t)
let said = 0
const more = async n => {
	for (let i = 0; i < n; i++) await say(`m${++said}`)
}
const all = () => until(`${said} messages`, () => texts().length >= said)

await gateway.connect()
await until('READY and the guild', () => count('ready') === 1 && count('guild') === 1)
await client.api.applicationCommands.bulkOverwriteGlobalCommands(bot.id, [{ name: 'ping', description: 'answers' }])
await more(3)
await all()
await say('!ping')
await until('its own answer', () => got.some(([k, t]) => k === 'message' && t === 'pong'))
await ask('POST', '/lab/discord/interaction', { channel: 'general', name: 'ping' })
await until('the interaction', () => count('interaction') === 1)
await until('a heartbeat that was answered', () => count('ack') > 0)
let resumed = 0
for (const f of process.argv[2].split(',')) {
	const before = count('ready')
	await fault(`now platform=discord: ${f}`)
	await more(2)
	if (f.startsWith('op9') && !f.includes('true')) {
		await until(`a new session after ${f}`, () => count('ready') > before)
		said -= 2		// what was said while there was no session is lost
		got.splice(0, got.length, ...got.filter(([k, t]) => k !== 'message' || !t.startsWith('m') || Number(t.slice(1)) <= said))
	} else {
		await until(`to be resumed after ${f}`, () => count('resumed') > resumed)
		resumed = count('resumed')
	}
	await more(1)
	await all()
}
const want = Array.from({ length: said }, (_, i) => `m${i + 1}`)
if (JSON.stringify(texts()) !== JSON.stringify(want)) throw new Error(`messages: ${texts()}`)
if (count('error')) throw new Error(JSON.stringify(got.filter(([k]) => k === 'error')))
await gateway.destroy({ code: 1000 })
