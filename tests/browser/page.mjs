// Cases of the chat page in Chromium, one a name: node page.mjs CASE, against the gateway at $URL. Exit code 0: it holds.
// SHOTS=DIR: screenshots go there.
import { appendFileSync, existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { base, chat, check, fail, post } from './client.mjs';

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	timeout: 60000,
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
});
const troubles = [];

async function open(path = '/', options = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(30000);
	page.on('pageerror', e => troubles.push('error on the page: ' + e.message));
	page.on('console', m => { if (m.type() === 'error' && !/WebSocket|ERR_/.test(m.text())) troubles.push('console: ' + m.text()); });
	page.on('request', r => { if (!r.url().startsWith(base) && !r.url().startsWith(base.replace('http', 'ws'))) troubles.push('foreign request: ' + r.url()); });
	await page.goto(base + path);
	return page;
}

const online = p => p.waitForSelector('.state[data-s=on]');
const room = async (name, who, options) => {
	const p = await open(`/#room=${name}&name=${encodeURIComponent(who)}`, options);
	await online(p);
	return p;
};
const say = async (p, text) => {
	await p.fill('#text', text);
	await p.press('#text', 'Enter');
};
const texts = p => p.$$eval('.msg .bubble', all => all.map(b => b.textContent));
const has = (p, text) => p.waitForFunction(t => [...document.querySelectorAll('.msg:not(.waiting) .bubble')].some(b => b.textContent === t), text);
const emotion = (id, top, scores, more = {}) => ({
	...chat(id + '.analyze', ''), type: 'analysis.emotion', causationid: id,
	data: { channel: { id: 'lobby', name: 'lobby' }, message_id: id, top, scores, ...more },
});
const shot = async (p, name) => { if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/${name}.png` }); };
const until = async (what, test) => {
	for (let i = 0; i < 3000; i++) {
		if (await test()) return;
		await new Promise(r => setTimeout(r, 20));
	}
	fail('waited in vain for ' + what);
};

const cases = {
	async two() {
		const a = await open('/');
		await a.waitForSelector('#join');
		await shot(a, 'door');
		// By keyboard alone.
		await a.keyboard.type('Ada');
		await a.keyboard.press('Tab');
		await a.keyboard.press('Control+A');
		await a.keyboard.type('Lobby');
		await a.keyboard.press('Enter');
		await online(a);
		check(await a.evaluate(() => document.activeElement.id) === 'text', 'the cursor is where one writes');
		await a.waitForSelector('#begin:not([hidden])');	// with the history, which comes after the state
		const begin = await a.textContent('#begin');
		check(begin === 'This is the beginning of #lobby.', 'the beginning is told: ' + begin);
		const b = await room('lobby', 'Bob', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
		await a.keyboard.type('Hello <b>Bob</b> & "all"');
		await a.keyboard.press('Enter');
		await has(a, 'Hello <b>Bob</b> & "all"');
		await has(b, 'Hello <b>Bob</b> & "all"');
		check(await b.textContent('.msg .who') === 'Ada' && await b.$('.msg.own') === null && await b.$('.bubble b') === null, 'who said it, as text');
		check(await a.$eval('.msg', m => m.classList.contains('own') && !m.classList.contains('waiting')), 'the own one');
		await b.tap('#text');
		await say(b, 'two\nlines https://example.org/x?y=1. end');
		await has(a, 'two\nlines https://example.org/x?y=1. end');
		check(await a.$eval('.bubble a', x => x.href + x.rel + x.target) === 'https://example.org/x?y=1noopener noreferrer nofollow_blank', 'a link');
		for (let i = 0; i < 5; i++) await say(a, 'm' + i);
		await has(b, 'm4');
		check((await texts(b)).slice(-5).join() === 'm0,m1,m2,m3,m4', 'in order');
		check((await texts(a)).length === 7 && (await texts(b)).length === 7, 'each once');
		check(await a.$eval('#people', p => p.textContent.includes('Bob')), 'who was here lately');
		// No sideways scrolling on a phone, and nothing off the screen.
		check(await b.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'fits a phone');
		check(await b.$eval('#text', t => t.getBoundingClientRect().bottom <= innerHeight), 'one can write on a phone');
		await b.tap('#menu');
		await b.waitForSelector('#go-room', { state: 'visible' });
		await shot(b, 'phone-side');
		check(await a.$eval('#log', l => l.getAttribute('aria-live')) === 'polite', 'new messages are read out');
		await a.reload();
		await online(a);
		await has(a, 'm4');
		check((await texts(a)).length === 7, 'a reload shows the history');
		check(await a.$eval('.msg', m => m.classList.contains('own')), 'and still knows who one is');
	},

	async shown() {
		const a = await room('lobby', 'Ada');
		const events = [chat('e1', 'I love this, it is so much better than before!'), chat('e2', 'Hm, how does that work?'),
			{ ...chat('e1.respond', ''), type: 'message.send', data: { channel: { id: 'lobby' }, user: { name: 'penstock', bot: true }, text: 'Type !help', reply_to: 'e1' } }];
		// An analysis may come before its message.
		await post(emotion('e2', 'curiosity', { curiosity: 0.55, neutral: 0.31 }), ...events, emotion('e1', 'love', { love: 0.81, joy: 0.22, admiration: 0.12 }, { group: 'positive' }));
		await a.waitForFunction(() => document.querySelectorAll('.chip').length === 2);
		const chips = await a.$$eval('.msg', all => all.map(m => m.querySelector('.bubble').textContent + '|' + (m.querySelector('.chip')?.textContent || '') + '|' + (m.querySelector('.chip')?.className || '')));
		check(chips[0] === 'I love this, it is so much better than before!|love81 %|chip g-positive', chips[0]);
		check(chips[1] === 'Hm, how does that work?|curiosity55 %|chip g-ambiguous', chips[1]);
		check(await a.$eval('.chip', c => c.title) === 'love 81 %, joy 22 %, admiration 12 %', 'all probabilities');
		check(await a.$eval('.bot', m => m.querySelector('.tag').textContent + m.querySelector('.bubble').textContent) === 'botType !help', 'answers look different');
		check(await a.isHidden('.scores'), 'closed');
		await a.focus('.chip');
		await a.keyboard.press('Enter');
		check(await a.isVisible('.scores') && await a.getAttribute('.chip', 'aria-expanded') === 'true', 'opens by keyboard');
		check(await a.$eval('#mood', m => m.getAttribute('aria-label')) === 'The last messages: 50 % positive, 50 % ambiguous', 'the mood');
		await post({ ...chat('x', '<img src=x onerror=alert(1)>'), data: { channel: { id: 'lobby' }, user: { id: 'u', name: '<script>alert(1)</script>' }, text: '<img src=x onerror=alert(1)>' } });
		await has(a, '<img src=x onerror=alert(1)>');
		check(await a.$('.log img') === null && await a.$('.log script') === null, 'markup is text');
		// A reply of the real pipeline, when there is one, is not asked for here: posted events have no answers in this tree.
		await shot(a, 'desktop');
		await a.emulateMedia({ colorScheme: 'dark' });
		await shot(a, 'desktop-dark');
	},

	// The gateway is killed and started again by the caller, who waits for $T/cut and answers with $T/up.
	async cut() {
		const a = await room('lobby', 'Ada'), b = await room('lobby', 'Bob');
		await say(a, 'before');
		await has(b, 'before');
		appendFileSync(process.env.T + '/cut', 'yes\n');
		await a.waitForSelector('.state[data-s=off]');
		await say(a, 'while away 1');
		await say(a, 'while away 2');
		check((await a.$$('.waiting')).length === 2 && await a.$eval('.waiting .foot', f => f.textContent) === 'Not delivered yet', 'kept and said so');
		await shot(a, 'offline');
		appendFileSync(process.env.T + '/offline', 'yes\n');
		await until('the gateway', async () => existsSync(process.env.T + '/up'));
		await online(a);
		await online(b);
		await has(b, 'while away 2');
		await has(a, 'while away 2');
		await say(b, 'after');
		await has(a, 'after');
		for (const p of [a, b]) check((await texts(p)).join() === 'before,while away 1,while away 2,after', 'each once, in order: ' + await texts(p));
		check((await a.$$('.waiting')).length === 0 && await a.isHidden('#banner'), 'nothing waits any more');
		// Waiting messages survive a reload of the page.
		appendFileSync(process.env.T + '/again', 'yes\n');
		await a.waitForSelector('.state[data-s=off]');
		await say(a, 'kept over a reload');
		check(await a.evaluate(() => sessionStorage.getItem('penstock.pending.lobby')).then(t => t.includes('kept over')), 'kept');
		appendFileSync(process.env.T + '/waiting', 'yes\n');
		await until('the gateway again', async () => existsSync(process.env.T + '/up2'));
		await a.reload();
		await has(b, 'kept over a reload');
		await has(a, 'kept over a reload');
		check((await texts(b)).filter(t => t === 'kept over a reload').length === 1, 'once');
	},

	// The hub is stopped by the caller meanwhile ($T/stop, $T/stopped) and started again ($T/start).
	async hub() {
		const a = await room('lobby', 'Ada');
		appendFileSync(process.env.T + '/stop', 'yes\n');
		await until('the hub to stop', async () => existsSync(process.env.T + '/stopped'));
		await a.waitForFunction(() => !document.querySelector('#banner').hidden);
		check(/cannot be delivered/.test(await a.textContent('#banner')), 'the page says so');
		await say(a, 'patience');
		await a.waitForFunction(() => document.querySelector('.waiting .foot')?.textContent === 'Not delivered yet');
		await shot(a, 'hub-away');
		appendFileSync(process.env.T + '/start', 'yes\n');
		await has(a, 'patience');
		check((await texts(a)).join() === 'patience', 'delivered');
		await a.waitForSelector('#banner', { state: 'hidden' });
	},

	async rooms() {
		const a = await room('one', 'Ada');
		await say(a, 'in one');
		await has(a, 'in one');
		await a.fill('#go-room', 'Two Words');
		await a.press('#go-room', 'Enter');
		await a.waitForFunction(() => document.querySelector('#room-name').textContent === 'two-words');
		await online(a);
		check((await texts(a)).length === 0, 'another room');
		await say(a, 'in two');
		await has(a, 'in two');
		await a.goBack();
		await has(a, 'in one');
		check((await texts(a)).join() === 'in one', 'and back');
		check(await a.$eval('#rooms', r => r.textContent).then(t => t.includes('one') && t.includes('two-words')), 'the rooms are remembered');
		// Bad names are told at the door.
		await a.click('#me');
		await a.fill('#join-name', '\u202eevil');
		await a.click('#join button');
		await a.waitForFunction(() => document.querySelector('#join-error').textContent !== '');
		await a.fill('#join-name', 'Ada');
		await a.fill('#join-room', 'ö');
		await a.click('#join button');
		check(/a to z/.test(await a.textContent('#join-error')), 'a bad room');
		// Many messages: the reader's place stays; a long text is refused with its reason, and can be mended.
		await a.fill('#join-room', 'one');
		await a.click('#join button');
		await online(a);
		for (let i = 0; i < 40; i++) await post(chat('r' + i, 'line ' + i, 'one'));
		await has(a, 'line 39');
		check(await a.$eval('#scroll', s => s.scrollHeight - s.scrollTop - s.clientHeight < 60), 'at the end');
		await a.$eval('#scroll', s => { s.scrollTop = 0; });
		await post(chat('new', 'news', 'one'));
		await a.waitForSelector('#below', { state: 'visible' });
		check(await a.$eval('#scroll', s => s.scrollTop) === 0, 'the place stays');
		await a.click('#below');
		check(await a.$eval('#scroll', s => s.scrollHeight - s.scrollTop - s.clientHeight < 60), 'and goes when asked');
		await a.evaluate(() => { document.querySelector('#text').maxLength = 9999; });
		await say(a, 'a'.repeat(2001));
		await a.waitForSelector('.failed');
		check(/2000/.test(await a.textContent('.failed .foot')), 'why it was not sent');
		await a.click('.failed .edit');
		check((await a.inputValue('#text')).length === 2001 && await a.$('.failed') === null, 'back to be mended');
	},
};

const name = process.argv[2];
if (!cases[name]) fail('no case ' + name + '; there are ' + Object.keys(cases).join(' '));
await cases[name]();
check(troubles.length === 0, troubles.join('\n'));
await browser.close();
process.exit(0);
