// A bot as people write it, with discord.js itself: what it makes of the lab's guilds, channels, members, messages and interactions.
import { Client, Events, GatewayIntentBits, MessageFlags } from 'discord.js'
import { ask, got, lab, tell, until } from './ask.mjs'

const { discord } = await ask('GET', '/lab/world')
const { Guilds, GuildMessages, MessageContent, DirectMessages } = GatewayIntentBits
const client = new Client({ intents: [Guilds, GuildMessages, MessageContent, DirectMessages], rest: { api: `${lab}/api` } })
const wrong = e => { console.error(e); process.exit(1) }
client.on(Events.Error, wrong)
client.on(Events.Warn, wrong)
client.on(Events.ClientReady, () => tell(['ready']))
client.on(Events.MessageUpdate, (before, after) => tell(['update', before.content, after.content]))
client.on(Events.MessageDelete, m => tell(['delete', m.content]))
client.on(Events.MessageCreate, async m => {
	tell(['message', m.author.username, m.content, m.channel.name, m.member?.displayName, m.mentions.users.map(u => u.username).join()])
	if (!m.content.startsWith('!work')) return
	const answer = await m.reply('yes')
	await answer.edit('yes!')
	await m.channel.sendTyping()
	const history = await m.channel.messages.fetch({ limit: 5 })
	tell(['history', history.has(m.id)])
	await answer.delete()
	await (await m.author.createDM()).send('in private')
})
client.on(Events.InteractionCreate, async i => {
	tell(['interaction', i.commandName, i.options.getInteger('n'), i.channel.name, i.member.displayName])
	await i.deferReply()
	await i.editReply('done')
	await i.followUp({ content: 'for you', flags: MessageFlags.Ephemeral })
	tell(['reply', (await i.fetchReply()).content])
})
await client.login(discord.bots[0].token)
await until('READY', () => client.isReady())
const guild = client.guilds.cache.get(discord.guilds[0].id)
if (guild.name !== 'lab' || guild.channels.cache.size !== 2 || guild.memberCount !== 3) throw new Error(`the guild: ${JSON.stringify(guild)}`)
await client.application.commands.set([{ name: 'ping', description: 'answers' }])
await ask('POST', '/lab/say', { channel: 'general', user: 'bob', text: `!work <@${client.user.id}>` })
await ask('POST', '/lab/discord/interaction', { channel: 'general', name: 'ping', options: [{ name: 'n', type: 4, value: 3 }] })
const want = [
	['message', 'bob', `!work <@${client.user.id}>`, 'general', 'bob', 'penstock'], ['message', 'penstock', 'yes', 'general', 'penstock', ''],
	['update', 'yes', 'yes!'], ['history', true], ['delete', 'yes!'], ['interaction', 'ping', 3, 'general', 'ada'], ['update', '', 'done'], ['reply', 'done'],
]
for (const w of want) await until(JSON.stringify(w), () => got.some(g => JSON.stringify(g) === JSON.stringify(w)))
for (const text of ['in private', 'for you']) await until(text, () => got.some(g => g[0] === 'message' && g[2] === text))
await client.destroy()
