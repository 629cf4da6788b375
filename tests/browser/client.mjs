// A client of the chat protocol, for tests: remembers every frame, waits for one.
import WebSocket from 'ws';

export const base = process.env.URL;
export const patience = 20000;

export function fail(text) {
	console.error(text);
	process.exit(1);
}

export function check(condition, text) {
	if (!condition) {
		console.error(new Error(text).stack);
		process.exit(1);
	}
}

export class Client {
	constructor(options = {}) {
		this.frames = [];
		this.events = [];
		this.waiting = [];
		this.closed = null;
		this.ws = new WebSocket(base.replace('http', 'ws') + '/chat', options.protocol ?? 'penstock.chat.1', options);
		this.opened = new Promise((yes, no) => {
			this.ws.on('open', yes);
			this.ws.on('error', e => { this.error = e; no(e); });
		});
		this.opened.catch(() => {});
		this.ws.on('message', (data, binary) => {
			check(!binary, 'a binary message from the server');
			const f = JSON.parse(data);
			check(Object.keys(f).filter(k => k !== 'seq').length === 1, 'one member: ' + data);
			this.frames.push(f);
			if (f.event) this.events.push(f);
			this.look();
		});
		this.gone = new Promise(yes => this.ws.on('close', (code, reason) => {
			this.closed = { code, reason: String(reason) };
			this.look();
			yes(this.closed);
		}));
	}

	look() {
		this.waiting = this.waiting.filter(w => !w());
	}

	send(f) {
		this.ws.send(typeof f === 'string' ? f : JSON.stringify(f));
	}

	// The first frame for which test holds (from `from` on); fails when the connection ends or time is up first.
	want(what, test, from = 0) {
		return new Promise(yes => {
			const timer = setTimeout(() => fail(`waited in vain for ${what}; got ${JSON.stringify(this.frames)}`), patience);
			const w = () => {
				const f = this.frames.slice(from).find(test);
				if (!f && this.closed) fail(`closed (${JSON.stringify(this.closed)}) before ${what}; got ${JSON.stringify(this.frames)}`);
				if (!f) return false;
				clearTimeout(timer);
				yes(f);
				return true;
			};
			if (!w()) this.waiting.push(w);
		});
	}

	async ends(code, within = patience) {
		const timer = setTimeout(() => fail(`waited in vain for close ${code}; got ${JSON.stringify(this.frames)}`), within);
		const c = await this.gone;
		clearTimeout(timer);
		check(c.code === code, `closed with ${JSON.stringify(c)}, not ${code}`);
		return c;
	}

	async join(room = 'lobby', name = 'Ada', more = {}) {
		await this.opened;
		this.send({ join: { room, name, ...more } });
		this.welcome = (await this.want('welcome', f => f.welcome)).welcome;
		this.history = (await this.want('history', f => f.history)).history;
		return this;
	}

	async say(n, text) {
		const from = this.frames.length;
		this.send({ say: { n, text } });
		return this.want('outcome of ' + n, f => (f.ack || f.refuse)?.n === n, from);
	}

	text(t) {
		return this.want('text ' + t, f => f.event?.data?.text === t);
	}

	texts() {
		return this.events.map(f => f.event.data.text);
	}

	async close() {
		this.ws.close();
		await this.gone;
	}
}

export async function join(room, name, more) {
	return new Client().join(room, name, more);
}

// Resolves with the HTTP status of a refused handshake, 101 if it was taken.
export function handshake(options, protocol = 'penstock.chat.1') {
	return new Promise(yes => {
		const ws = new WebSocket(base.replace('http', 'ws') + '/chat', protocol, options);
		ws.on('unexpected-response', (req, res) => { yes(res.statusCode); req.destroy(); });
		ws.on('open', () => { yes(101); ws.close(); });
		ws.on('error', () => {});
	});
}

export async function post(...events) {
	const r = await fetch(base + '/events', {
		method: 'POST', headers: { 'Content-Type': 'application/cloudevents-batch+json' }, body: JSON.stringify(events),
	});
	check(r.status === 202, 'POST: ' + r.status + ' ' + await r.text());
}

export function chat(id, text, room = 'lobby') {
	return {
		specversion: '1.0', id, source: '/test', type: 'chat.message', partitionkey: 'browser:' + room,
		data: { channel: { id: room, name: room }, user: { id: 'u-bob', name: 'Bob' }, text },
	};
}
