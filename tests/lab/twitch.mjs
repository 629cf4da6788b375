// twurple (its API client, tokens and EventSub listener) against the lab: URL of the lab in LAB. Its calls of api.twitch.tv and id.twitch.tv
// are led to the lab where they leave it, in fetch; its listener takes the URL of the socket as an option.
import { ApiClient } from '@twurple/api'
import { RefreshingAuthProvider } from '@twurple/auth'
import { EventSubWsListener } from '@twurple/eventsub-ws'
import { ask, count, got, lab, tell, until } from './ask.mjs'

const really = globalThis.fetch
globalThis.fetch = (url, options) =>
	really(String(url).replace('https://api.twitch.tv/helix/', `${lab}/helix/`).replace('https://id.twitch.tv/oauth2/', `${lab}/oauth2/`), options)

const world = await ask('GET', '/lab/world')
const { id: clientId, secret: clientSecret } = world.twitch.clients[0]
const token = world.twitch.tokens.find(t => t.login === 'penstock')
const say = (text, user = 'ada') => ask('POST', '/lab/say', { channel: 'twitch:lab', user, text })

const authProvider = new RefreshingAuthProvider({ clientId, clientSecret })
authProvider.onRefresh(() => tell(['refresh']))
authProvider.addUser('99', {
	accessToken: token.access_token, refreshToken: token.refresh_token, expiresIn: token.expires_in, scope: token.scope, obtainmentTimestamp: Date.now(),
}, ['chat'])
const apiClient = new ApiClient({ authProvider })
const listener = new EventSubWsListener({ apiClient, url: `${lab.replace('http', 'ws')}/ws` })
listener.onSubscriptionCreateSuccess(s => tell(['subscribed', s.id]))
listener.onSubscriptionCreateFailure((s, e) => tell(['failed', String(e)]))
listener.onUserSocketDisconnect((user, e) => tell(['disconnect', String(e)]))
listener.onUserSocketReady(() => tell(['socket']))
listener.onRevoke((s, status) => tell(['revoked', status]))
listener.onChannelChatMessage('42', '99', async e => {
	tell(['message', e.messageText, e.chatterName, e.parentMessageText])
	tell(['whole', e.broadcasterId, e.broadcasterName, e.broadcasterDisplayName, e.chatterId, e.chatterName, e.chatterDisplayName, e.messageType,
		e.messageParts.map(p => p.type + p.text).join(), /^#[0-9A-F]{6}$/.test(e.color), e.messageId.length, Object.keys(e.badges).join()])
	if (e.messageText === '!ping') await apiClient.asUser('99', c => c.chat.sendChatMessage('42', 'pong', { replyParentMessageId: e.messageId }))
})
listener.onChannelFollow('42', '99', e => tell(['follow', e.userName]))
listener.start()

await until('two subscriptions', () => count('subscribed') === 2)
await say('hello')
await ask('POST', '/lab/twitch/event', { type: 'channel.follow', channel: 'lab', user: 'bob' })
await say('!ping')
await until('message, follow and its own answer', () => got.some(e => e[0] === 'message' && e[1] === 'pong' && e[3] === '!ping') && count('follow') === 1)

const wholes = ['42,lab,lab,7,ada,ada,text,texthello,true,36,', '42,lab,lab,99,penstock,penstock,text,textpong,true,36,moderator']
for (const w of wholes)
	if (!got.some(e => e[0] === 'whole' && e.slice(1).join() === w)) throw new Error(`${w}: ${JSON.stringify(got)}`)

// Moved by the server: nothing is subscribed anew.
await ask('POST', '/lab/fault', 'now platform=twitch: reconnect')
await ask('GET', '/lab/wait?kind=moved&timeout=40')
await say('after the move')
await until('the message after the move', () => got.some(e => e[1] === 'after the move'))
if (count('subscribed') !== 2) throw new Error('subscribed again after a reconnect')

// The socket is cut: a new one, and everything anew.
await ask('POST', '/lab/fault', 'now platform=twitch: close 4000')
await until('subscriptions anew', () => count('subscribed') === 4)
await say('after the cut')
await until('the message after the cut', () => got.some(e => e[1] === 'after the cut'))

// The token ends: refreshed, and the call is made all the same.
await ask('POST', '/lab/twitch/expire', { user: 'penstock' })
const users = await apiClient.asUser('99', c => c.users.getUsersByNames(['ada']))
if (users[0].id !== '7' || count('refresh') !== 1) throw new Error(`refresh: ${JSON.stringify(got)}`)

await ask('POST', '/lab/twitch/revoke', { type: 'channel.follow' })
await until('the revocation', () => got.some(e => e[0] === 'revoked' && e[1] === 'authorization_revoked'))
if (count('failed')) throw new Error(JSON.stringify(got))
const names = got.filter(e => e[0] === 'message').map(e => e[1])
const want = ['hello', '!ping', 'pong', 'after the move', 'after the cut']
if (JSON.stringify(names) !== JSON.stringify(want)) throw new Error(`messages: ${names}`)
listener.stop()
process.exit(0)
