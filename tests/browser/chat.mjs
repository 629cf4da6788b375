// Cases of the chat protocol, one a name: node chat.mjs CASE [ARGS], against the gateway at $URL. Exit code 0: it holds.
import net from 'node:net';
import { appendFileSync, readFileSync } from 'node:fs';
import { Client, base, chat, check, fail, handshake, join, post } from './client.mjs';

const cases = {
	// A gateway whose output is a pipe.
	async alone() {
		const a = await join();
		check(a.welcome.receives === false, 'says that nothing comes back');
		check((await a.say(1, 'said to a pipe')).ack, 'acknowledged');
		await a.close();
	},

	// Somebody says something in a room.
	async says(room, name, text) {
		const a = await join(room, name);
		check((await a.say(1, text)).ack, 'acknowledged');
		await a.close();
	},

	async two() {
		const a = await join('lobby', 'Ada'), b = await join('lobby', '  Bob  '), c = await join('other', 'Cy');
		check(a.welcome.session.length === 32 && a.welcome.session !== b.welcome.session, 'sessions');
		check(b.welcome.name === 'Bob' && b.welcome.room === 'lobby' && a.welcome.receives, 'welcome');
		const ack = (await a.say(1, 'Hello, Bob — "quoted" \\ <b>\n😀')).ack;
		const [x, y] = [await a.text('Hello, Bob — "quoted" \\ <b>\n😀'), await b.text('Hello, Bob — "quoted" \\ <b>\n😀')];
		check(x.event.id === ack.id && y.event.id === ack.id && x.seq === y.seq && x.seq > 0, 'the same event for both');
		check(x.event.data.user.id === a.welcome.user && x.event.data.user.name === 'Ada', 'who said it');
		check(x.event.type === 'chat.message' && x.event.source === '/browser/lobby' && x.event.partitionkey === 'browser:lobby' &&
			x.event.data.channel.id === 'lobby' && x.event.tenant === 'default' && /^00-/.test(x.event.traceparent) && x.event.time, 'the event');
		check(!JSON.stringify(x).includes(a.welcome.session), 'the session stays secret');
		await b.say(1, 'Hi, Ada');
		await a.text('Hi, Ada');
		await b.text('Hi, Ada');
		await c.say(1, 'alone here');
		await c.text('alone here');
		check(c.events.length === 1 && a.events.length === 2 && b.events.length === 2, 'rooms are apart');
		check(a.events[0].seq < a.events[1].seq, 'numbers grow');
		a.send({ ping: 7 });
		await a.want('pong', f => f.pong === 7);
	},

	// Events of other origins: posted ones, answers, emotions; other types and rooms are not shown.
	async shows() {
		const a = await join();
		await post(chat('p1', 'posted'), { ...chat('p2', 'x'), type: 'message.send' },
			{ ...chat('p3', 'x'), type: 'analysis.emotion', data: { channel: { id: 'lobby' }, message_id: 'p1', top: 'joy', scores: { joy: 0.9 } } },
			{ ...chat('p4', 'x'), partitionkey: 'tw-42' }, { ...chat('p5', 'x'), type: 'note' }, chat('p6', 'end'));
		await a.text('end');
		check(a.events.map(f => f.event.id).join() === 'p1,p2,p3,p6', a.events.map(f => f.event.id).join());
	},

	async history() {
		const first = await join('lobby', 'First');
		for (let i = 1; i <= 120; i++) await post(chat('h' + i, 'line ' + i));
		await first.text('line 120');
		const a = await join('lobby', 'Ada');
		check(a.events.length === 50 && a.texts()[0] === 'line 71' && a.texts()[49] === 'line 120', 'the last 50: ' + a.texts());
		check(a.history.more && !a.history.lost, JSON.stringify(a.history));
		const b = await join('lobby', 'Bob', { after: a.events[9].seq });
		check(b.events.length === 40 && b.events[0].seq === a.events[10].seq, 'what comes after a number');
		const c = await join('lobby', 'Cy', { after: 0 });
		check(c.events.length === 120 && c.texts()[0] === 'line 1' && c.texts()[119] === 'line 120', 'everything');
		const d = await join('lobby', 'Di', { after: a.events[49].seq });
		check(d.events.length === 0, 'nothing new');
		const e = await join('empty', 'Eve');
		check(e.events.length === 0 && !e.history.more && !e.history.lost, 'an empty room');
		for (const x of [a, b, c, d]) x.joined = x.events.length;
		await post(chat('h121', 'live'));
		for (const x of [a, b, c, d]) {
			await x.text('live');
			check(x.events.length === x.joined + 1, 'goes on live, without repeats');
		}
	},

	// A message for later has the number that it gets when it is due: whoever goes on from a number in between gets it.
	async later() {
		const a = await join('lobby', 'Ada');
		await post(chat('n1', 'now 1'), { ...chat('l', 'later'), notbefore: new Date(Date.now() + 3000).toISOString() }, chat('n2', 'now 2'));
		await a.text('now 2');
		const between = a.events[a.events.length - 1].seq;
		check(a.texts().join() === 'now 1,now 2', 'it is held: ' + a.texts());
		await a.text('later');
		check(a.events[2].seq > between, 'its number is a new one');
		const b = await join('lobby', 'Bob', { after: between }), c = await join('lobby', 'Cy');
		check(b.texts().join() === 'later', 'after a number in between: ' + b.texts());
		check(c.texts().join() === 'now 1,now 2,later', 'all of it: ' + c.texts());
	},

	// More than a ring holds lies in the history alone: --ring 16.
	async beyond() {
		const a = await join('lobby', 'Ada');
		for (let i = 1; i <= 300; i++) await post(chat('h' + i, 'line ' + i));
		await a.text('line 300');
		const b = await join('lobby', 'Bob', { after: a.events[4].seq });
		check(b.texts().join() === a.texts().slice(5).join(), 'all of it, in order: ' + b.texts());
		check(a.texts().length === 300, 'the reader missed nothing');
	},

	// The same message again, after a lost connection and not: one event, the same acknowledgement.
	async resend() {
		const a = await join(), session = a.welcome.session;
		const first = (await a.say(5, 'once')).ack;
		check((await a.say(5, 'once')).ack.id === first.id, 'the same id on the same connection');
		a.ws.terminate();
		const b = await join('lobby', 'Ada', { session });
		check(b.welcome.user === a.welcome.user && b.welcome.session === session, 'the same user');
		check((await b.say(5, 'once')).ack.id === first.id, 'the same id on another connection');
		const c = await join('lobby', 'Cy');
		check((await c.say(5, 'once')).ack.id !== first.id, 'another session, another message');
		await c.say(6, 'end');
		await c.text('end');
		check(c.texts().join() === 'once,once,end', c.texts().join());
	},

	async violations() {
		const ends = async (what, code, ...frames) => {
			const c = new Client();
			await c.opened;
			for (const f of frames) c.send(f);
			const closed = await c.ends(code);
			console.log(what, JSON.stringify(closed), JSON.stringify(c.frames.filter(f => f.error)));
			return c;
		};
		const j = { join: { room: 'lobby', name: 'Ada' } };
		let c = await ends('not JSON', 4400, '{"join":');
		check(c.frames[0].error.code === 'bad-json' && c.frames[0].error.at === 8, 'the place of the fault');
		await ends('no frame', 4400, '[]');
		await ends('unknown frame', 4400, '{"hello":1}');
		await ends('say first', 4401, { say: { n: 1, text: 'x' } });
		await ends('two joins', 4400, j, j);
		await ends('too large', 1009, JSON.stringify({ say: { n: 1, text: 'x'.repeat(17000) } }));
		await ends('flood', 4429, ...Array(200).fill({ ping: 1 }));
		c = new Client();
		await c.opened;
		c.ws.send(Buffer.from('{"ping":1}'), { binary: true });
		await c.ends(1003);
		c = new Client();
		await c.opened;
		c.ws.send(Buffer.from('{"ping":"\xff\xfe"}', 'latin1'), { binary: false });
		await c.ends(1007);
		// A fault in what is said, or in a join, does not end the connection.
		c = new Client();
		await c.opened;
		for (const bad of [{ room: 'Lobby' }, { room: '' }, { name: '' }, { name: 'x'.repeat(33) }, { name: 'a\nb' }, { session: 'x' },
			{ after: -1 }, { after: 9e15 }]) {
			const from = c.frames.length;
			c.send({ join: { room: 'lobby', name: 'Ada', ...bad } });
			await c.want('error', f => f.error?.code.startsWith('bad-'), from);
		}
		await c.join();
		for (const bad of ['', ' \n ', 'x'.repeat(2001), 'bell\u0007', 'nul\u0000']) {
			const r = (await c.say(1, bad)).refuse;
			check(r && r.code === 'bad-text' && !r.retry, 'refused: ' + JSON.stringify(r));
		}
		check((await c.say(2, 'x'.repeat(2000))).ack, 'a text of 2000 characters');
	},

	async fragments() {
		const c = await join();
		const text = JSON.stringify({ say: { n: 1, text: 'in many pieces é😀'.repeat(40) } });
		const bytes = Buffer.from(text);
		for (let i = 0; i < bytes.length; i += 7) c.ws.send(bytes.subarray(i, i + 7), { fin: i + 7 >= bytes.length, binary: false });
		await c.want('ack', f => f.ack?.n === 1);
		// One byte a segment, and a ping between the fragments of one message.
		const d = new Client();
		await d.opened;
		d.ws._socket.setNoDelay(true);
		d.ws.send('{"join":{"room":"lob', { fin: false });
		d.ws.ping();
		d.ws.send('by","name":"Bob"}}', { fin: true });
		await d.want('welcome', f => f.welcome);
		// A fragmented message over the cap.
		const e = new Client();
		await e.opened;
		for (let i = 0; i < 20; i++) e.ws.send('x'.repeat(1000), { fin: false });
		await e.ends(1009);
	},

	async rate() {
		const c = await join();
		const outcomes = await Promise.all([...Array(15).keys()].map(i => c.say(i + 1, 'm' + i)));
		const refused = outcomes.filter(o => o.refuse);
		check(refused.length >= 4 && refused.every(o => o.refuse.code === 'too-fast' && o.refuse.retry && o.refuse.after > 0), JSON.stringify(outcomes));
		check(outcomes.slice(0, 10).every(o => o.ack), 'a burst of ten');
		await new Promise(r => setTimeout(r, refused[0].refuse.after));
		check((await c.say(refused[0].refuse.n, 'again')).ack, 'taken when sent again');
	},

	async handshakes() {
		const host = new URL(base).host;
		const expect = async (what, status, options, protocol) => {
			const got = await handshake(options, protocol);
			check(got === status, `${what}: ${got}, not ${status}`);
		};
		await expect('own page', 101, { origin: 'http://' + host });
		await expect('foreign page', 403, { origin: 'http://elsewhere.example' });
		await expect('page without origin', 403, { origin: 'null' });
		await expect('allowed page', 101, { origin: 'https://good.example' });
		await expect('other subprotocol', 400, {}, 'chat');
		await expect('no subprotocol', 400, {}, []);
		await expect('one of two subprotocols', 101, {}, ['other', 'penstock.chat.1']);
		await expect('version 8', 426, { protocolVersion: 8 });
	},

	// Raw bytes where ws would not break the rules.
	async raw() {
		const open = () => new Promise(yes => {
			const s = net.connect(new URL(base).port, '127.0.0.1', () => s.write('GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
				'Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
				'Sec-WebSocket-Protocol: penstock.chat.1\r\n\r\n'));
			let head = '';
			s.on('data', d => {
				if (head === null) return;
				head += d.toString('latin1');
				if (!head.includes('\r\n\r\n')) return;
				check(/^HTTP\/1.1 101/.test(head) && /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i.test(head), head);
				head = null;
				yes(s);
			});
		});
		const ended = (s, what) => new Promise(yes => {
			const t = setTimeout(() => fail('still open: ' + what), 8000);
			const end = () => { clearTimeout(t); s.destroy(); yes(); };
			s.on('close', end);
			s.on('data', d => { if (d[0] === 0x88) end(); });	// its close frame
			s.on('error', () => {});
		});
		for (const [what, bytes] of [
			['a frame that is not masked', [0x81, 0x02, 0x7b, 0x7d]],
			['a reserved opcode', [0x83, 0x80, 1, 2, 3, 4]],
			['a reserved bit', [0xc1, 0x80, 1, 2, 3, 4]],
			['a continuation of nothing', [0x80, 0x80, 1, 2, 3, 4]],
			['a ping over 125 bytes', [0x89, 0xfe, 0x01, 0x00, 1, 2, 3, 4, ...Array(256).fill(1)]],
			['a close of one byte', [0x88, 0x81, 1, 2, 3, 4, 9]],
		]) {
			const s = await open();
			s.write(Buffer.from(bytes));
			await ended(s, what);
		}
		// Half a frame of a huge length, then nothing: no memory is taken for it, and the end is noticed.
		const s = await open();
		s.write(Buffer.from([0x81, 0xff, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 0x7b]));
		s.end();
		await ended(s, 'half a frame');
		// A flood of pings is answered or not, but hurts nobody else.
		const f = await open();
		f.on('error', () => {});
		for (let i = 0; i < 2000; i++) f.write(Buffer.from([0x89, 0x80, 1, 2, 3, 4]));
		const c = await join();
		check((await c.say(1, 'others go on')).ack, 'others go on');
		f.destroy();
	},

	// A client that neither answers pings nor says anything (--ping-time 1s), and one that never joins.
	async silent() {
		const c = new Client({ autoPong: false });
		await c.join();
		const began = Date.now();
		await c.gone;
		check(Date.now() - began < 15000, 'given up in time');
		const d = new Client();
		await d.opened;
		await d.ends(4408, 20000);
	},

	// Reads nothing while much is said: disconnected (gatewayd -v says so), and resumes without loss.
	async slow() {
		const a = await join('lobby', 'Ada');
		await post(chat('s0', 'first'));
		const first = await a.text('first');
		a.ws._socket.pause();
		const big = 'x'.repeat(60000), fine = await join('lobby', 'Fine');
		for (let i = 1; i <= 400; i++) await post(chat('s' + i, i + big));
		await fine.text('400' + big);
		for (let i = 0; !readFileSync(process.env.T + '/gw.err', 'utf8').includes('too slow'); i++) {
			check(i < 500, 'the gateway waits for ever');
			await new Promise(r => setTimeout(r, 20));
		}
		a.ws._socket.resume();
		await a.gone;
		check(a.events.length < 401, 'it was disconnected');
		const b = await join('lobby', 'Ada', { after: a.events.at(-1).seq, session: a.welcome.session });
		const got = [...a.events, ...b.events].map(f => f.event.id);
		check(got.join() === ['s0', ...[...Array(400).keys()].map(i => 's' + (i + 1))].join(), 'all of it, once: ' + got);
		check(first.seq < b.events[0].seq, 'in order');
	},

	// The hub is away: refused with retry, told, and taken when it is back. Waits for $T/back.
	async away() {
		const c = await join();
		await c.want('status', f => f.status?.delivery === false);
		const r = (await c.say(1, 'kept')).refuse;
		check(r.retry && r.after > 0 && r.code === 'busy', JSON.stringify(r));
		appendFileSync(process.env.T + '/refused', 'yes\n');
		await c.want('status', f => f.status?.delivery === true);
		check((await c.say(1, 'kept')).ack, 'taken');
		await c.text('kept');
	},

	// The last COUNT lines of the history, the very last one a text.
	async last(count, ...text) {
		const a = await join();
		check(a.events.length === count && a.texts().at(-1) === text.join(' '), JSON.stringify(a.texts()));
	},

	async nostore() {
		const a = await join(), b = await join('lobby', 'Bob', { after: 5 });
		check(a.history.lost && b.history.lost, 'told that lines may be missing');
		await a.say(1, 'one');
		await a.text('one');
		await b.text('one');
		const c = await join('lobby', 'Cy');
		check(c.texts().join() === 'one', 'what is in memory: ' + c.texts());
	},

	async crowd(count) {
		const all = await Promise.all([...Array(count).keys()].map(i => join('lobby', 'c' + i)));
		check(await handshake({}) === 503, 'one more is turned away');
		await all[0].say(1, 'to all');
		await Promise.all(all.map(c => c.text('to all')));
		all[1].ws.terminate();
		for (let i = 0; ; i++) {
			const c = new Client();
			if (await c.opened.then(() => true, () => false)) {
				check((await c.join('lobby', 'late')).welcome, 'a place became free');
				break;
			}
			check(i < 200, 'no place became free');
			await new Promise(r => setTimeout(r, 20));
		}
	},

	async goodbye() {
		const c = await join();
		appendFileSync(process.env.T + '/joined', 'yes\n');
		await c.ends(1001);
	},

	// One talks, two listen, all come back whenever the connection is lost: each message once, in order, for everybody.
	async storm(count) {
		const listeners = ['x', 'y'].map(name => ({ name, seqs: [], texts: [], after: undefined }));
		let stop = false;
		const listen = async l => {
			while (!stop) {
				const c = new Client();
				c.ws.on('message', d => {
					const f = JSON.parse(d);
					if (f.history?.lost) fail('lost');
					if (!f.event) return;
					if (l.seqs.length && f.seq <= l.seqs.at(-1)) fail('not in order: ' + f.seq);
					l.seqs.push(f.seq);
					l.texts.push(f.event.data.text);
					l.after = f.seq;
					if (l.name === 'x') appendFileSync(process.env.T + '/progress', l.texts.length + '\n');
				});
				const opened = await c.opened.then(() => true, () => false);
				if (opened) c.send({ join: { room: 'storm', name: l.name, after: l.after ?? 0 } });
				l.client = c;
				await Promise.race([c.gone, ...(opened ? [] : [Promise.resolve()])]);
				await new Promise(r => setTimeout(r, 20));
			}
		};
		const listening = listeners.map(listen);
		let session, n = 1;
		while (n <= count) {
			const c = new Client();
			if (await c.opened.then(() => true, () => false)) {
				c.send({ join: { room: 'storm', name: 'talker', session } });
				await Promise.race([c.gone, new Promise(yes => {
					c.ws.on('message', d => {
						const f = JSON.parse(d);
						if (f.welcome) session = f.welcome.session;
						if (f.ack && f.ack.n === n) n++;
						if (n > count) return yes();
						const next = () => { if (c.ws.readyState === 1) c.send({ say: { n, text: 'm' + n } }); };
						if (f.welcome || f.ack) next();
						if (f.refuse) setTimeout(next, Math.min(f.refuse.after, 50));
					});
				})]);
				c.ws.terminate();
			}
			await new Promise(r => setTimeout(r, 20));
		}
		for (let i = 0; i < 1000 && listeners.some(l => l.texts.at(-1) !== 'm' + count); i++) await new Promise(r => setTimeout(r, 20));
		stop = true;
		const want = [...Array(count).keys()].map(i => 'm' + (i + 1)).join();
		for (const l of listeners) check(l.texts.join() === want, l.name + ' got ' + l.texts.join());
		process.exit(0);
	},
};

const [name, ...args] = process.argv.slice(2);
if (!cases[name]) fail('no case ' + name + '; there are ' + Object.keys(cases).join(' '));
await cases[name](...args.map(a => /^\d+$/.test(a) ? Number(a) : a));
process.exit(0);
