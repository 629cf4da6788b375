// The chat page. The protocol is penstock-browser(7); everything from others is put into the page as text, never as markup.
const PROTOCOL = 'penstock.chat.1';
const ROOM = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PING_EVERY = 20000, PONG_WITHIN = 10000, RETRY_FIRST = 300, RETRY_MOST = 10000;
const KEEP = 1000;			// messages on the page
const TOGETHER = 5 * 60 * 1000;		// messages of one person within this time stand together
const GROUPS = ['positive', 'ambiguous', 'neutral', 'negative'];
const GROUP_OF = {};
for (const [group, labels] of Object.entries({
	positive: 'admiration amusement approval caring desire excitement gratitude joy love optimism pride relief',
	negative: 'anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse sadness',
	ambiguous: 'confusion curiosity realization surprise',
})) for (const l of labels.split(' ')) GROUP_OF[l] = group;

const $ = id => document.getElementById(id);
const make = (tag, cls, text) => {
	const e = document.createElement(tag);
	if (cls) e.className = cls;
	if (text !== undefined) e.textContent = text;
	return e;
};
// Storage may be forbidden: then nothing is remembered, and all else works.
const store = (where, key, value) => {
	try {
		if (value === undefined) return where().getItem('penstock.' + key);
		where().setItem('penstock.' + key, value);
	} catch { /* nothing to do */ }
	return null;
};
const local = (k, v) => store(() => localStorage, k, v), tab = (k, v) => store(() => sessionStorage, k, v);
const parse = (text, otherwise) => { try { return JSON.parse(text) ?? otherwise; } catch { return otherwise; } };

const me = { name: '', room: '', user: '', session: tab('session') || undefined };
let socket = null, joined = false, tries = 0, retryTimer = 0, pingTimer = 0, pongTimer = 0, receives = true, delivery = true;
let seq;				// number of the last event shown; undefined: none yet
let pending = [];			// own messages without an outcome: {n, text, at, el, id}
let sending = null;			// the one that is under way
let items = new Map();			// event id -> its element
let emotions = new Map();		// message id -> analysis that came before the message
let moods = new Map(), people = new Map();
let last = null, lastDay = '', unread = 0;

/* ---- which room, who ---- */

function fromHash() {
	const h = new URLSearchParams(location.hash.slice(1));
	return { room: (h.get('room') || '').toLowerCase(), name: h.get('name') || '' };
}

function toHash(room, name) {
	return '#' + new URLSearchParams({ room, name }).toString();
}

function cleanRoom(text) {
	return text.trim().toLowerCase().replace(/^#/, '').replace(/\s+/g, '-');
}

function openDoor(error) {
	leave();
	$('chat').hidden = true;
	$('door').hidden = false;
	const h = fromHash();
	$('join-name').value = h.name || me.name || local('name') || '';
	$('join-room').value = h.room || me.room || local('room') || 'lobby';
	$('join-error').textContent = error || '';
	document.title = 'Join the chat';
	($('join-name').value ? $('join-room') : $('join-name')).focus();
}

function enter(room, name) {
	leave();
	me.room = room;
	me.name = name;
	local('name', name);
	local('room', room);
	const known = parse(local('rooms'), []).filter(r => ROOM.test(r) && r !== room);
	local('rooms', JSON.stringify([room, ...known].slice(0, 12)));
	if (location.hash !== toHash(room, name)) history.replaceState(null, '', toHash(room, name));
	$('door').hidden = true;
	$('chat').hidden = false;
	$('room-name').textContent = room;
	$('text').placeholder = 'Message #' + room;
	showMe();
	showRooms();
	showSide(false);
	clearLog();
	for (const p of parse(tab('pending.' + room), [])) queue(p.text, p.n);
	tries = 0;
	connect();
	$('text').focus({ preventScroll: true });
}

function leave() {
	clearTimeout(retryTimer);
	clearTimeout(pingTimer);
	clearTimeout(pongTimer);
	if (socket) {
		const s = socket;
		socket = null;
		s.close(1000);
	}
	joined = false;
	sending = null;
	pending = [];
}

/* ---- the connection ---- */

function connect() {
	clearTimeout(retryTimer);
	state('wait', 'connecting');
	const s = new WebSocket(location.origin.replace(/^http/, 'ws') + '/chat', PROTOCOL);
	socket = s;
	s.onopen = () => {
		const join = { room: me.room, name: me.name };
		if (seq !== undefined) join.after = seq;
		if (me.session) join.session = me.session;
		s.send(JSON.stringify({ join }));
	};
	s.onmessage = e => { if (s === socket) receive(parse(e.data, {})); };
	s.onclose = () => { if (s === socket) lost(); };
}

function lost() {
	clearTimeout(pingTimer);
	clearTimeout(pongTimer);
	socket = null;
	joined = false;
	sending = null;
	for (const p of pending) outcome(p, 'Not delivered yet');
	const most = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** tries++);
	const wait = most * (0.5 + Math.random() / 2);
	state('off', 'offline');
	if (tries > 1) banner('Connection lost. Trying again' + (wait > 1500 ? ' in ' + Math.round(wait / 1000) + ' s.' : '.'), true);
	retryTimer = setTimeout(connect, wait);
}

function now() {
	if ($('chat').hidden || socket) return;
	tries = 0;
	connect();
}

function alive() {
	clearTimeout(pingTimer);
	clearTimeout(pongTimer);
	pingTimer = setTimeout(() => {
		if (!socket || socket.readyState !== WebSocket.OPEN) return;
		socket.send('{"ping":1}');
		// A connection that is only half there says nothing by itself.
		pongTimer = setTimeout(() => { const s = socket; if (s) { socket = null; s.close(); lost(); } }, PONG_WITHIN);
	}, PING_EVERY);
}

function receive(f) {
	alive();
	if (f.event) showEvent(f.event, f.seq);
	else if (f.ack) acknowledged(f.ack);
	else if (f.refuse) refused(f.refuse);
	else if (f.welcome) welcomed(f.welcome);
	else if (f.history) historyDone(f.history);
	else if (f.status) { delivery = f.status.delivery; showState(); if (delivery) sendNext(); }
	else if (f.error) complain(f.error);
}

function welcomed(w) {
	joined = true;
	tries = 0;
	me.session = w.session;
	me.user = w.user;
	me.name = w.name;
	receives = w.receives;
	delivery = true;
	tab('session', w.session);
	showMe();
	showState();
	sendNext();
}

function historyDone(h) {
	const begin = $('begin');
	if (begin.hidden) {
		begin.textContent = h.lost ? 'Earlier messages cannot be loaded now.' :
			h.more ? 'Earlier messages are in the history.' : 'This is the beginning of #' + me.room + '.';
		begin.hidden = false;
	} else if (h.lost) {
		$('log').append(make('li', 'note', 'Some messages may be missing here.'));
		last = null;
	}
	$('log').setAttribute('aria-live', 'polite');
	toBottom();
}

function complain(e) {
	if (['bad-name', 'bad-room', 'bad-after', 'bad-session'].includes(e.code)) {
		if (e.code === 'bad-session') me.session = undefined;
		if (e.code === 'bad-after') seq = undefined;
		if (e.code === 'bad-session' || e.code === 'bad-after') return void socket.close();
		openDoor(e.error);
	}
}

/* ---- saying ---- */

let lastN = Number(tab('n')) || 0;
function number() {
	// Never used twice in this session, and another tab that copied it will not meet it either.
	lastN = Math.max(lastN + 1, Date.now() * 1000 + Math.floor(Math.random() * 1000));
	tab('n', lastN);
	return lastN;
}

function keepPending() {
	tab('pending.' + me.room, JSON.stringify(pending.map(p => ({ n: p.n, text: p.text }))));
}

function queue(text, n) {
	const p = { n: n || number(), text, at: Date.now() };
	p.el = message({ own: true, name: me.name, text, at: p.at, user: me.user });
	pending.push(p);
	keepPending();
	outcome(p, joined ? '' : 'Not delivered yet');
	put(p.el, true);
	return p;
}

function outcome(p, text, failed) {
	p.el.classList.toggle('waiting', !failed);
	p.el.classList.toggle('failed', !!failed);
	const foot = p.el.querySelector('.foot');
	foot.replaceChildren();
	if (text) foot.append(make('span', '', text));
	if (failed) {
		const b = make('button', 'edit', 'Edit');
		b.type = 'button';
		b.onclick = () => { $('text').value = p.text; p.el.remove(); resize(); $('text').focus(); };
		foot.append(b);
	}
}

// One at a time, so that they arrive in the order they were written.
function sendNext() {
	if (!joined || sending || !pending.length) return;
	sending = pending.find(p => !p.id) || null;
	if (!sending) return;
	const p = sending;
	setTimeout(() => { if (sending === p) outcome(p, 'Sending'); }, 500);
	socket.send(JSON.stringify({ say: { n: p.n, text: p.text } }));
}

function acknowledged(a) {
	const p = pending.find(x => x.n === a.n);
	if (sending && sending.n === a.n) sending = null;
	if (p) {
		const shown = items.get(a.id);
		pending.splice(pending.indexOf(p), 1);
		keepPending();
		if (shown && shown !== p.el) p.el.remove();
		else if (!shown) {
			items.set(a.id, p.el);
			p.el.dataset.id = a.id;
			outcome(p, receives ? '' : 'Sent');
			p.el.classList.remove('waiting');
		}
	}
	sendNext();
}

function refused(r) {
	const p = pending.find(x => x.n === r.n);
	if (sending && sending.n === r.n) sending = null;
	if (!p) return;
	if (r.retry) {
		outcome(p, 'Not delivered yet');
		sending = p;	// keeps those behind it waiting
		setTimeout(() => { if (sending === p) { sending = null; sendNext(); } }, r.after || 1000);
		return;
	}
	pending.splice(pending.indexOf(p), 1);
	keepPending();
	outcome(p, 'Not sent: ' + r.error, true);
	sendNext();
}

/* ---- showing ---- */

function state(s, text) {
	$('state').dataset.s = s;
	$('state').textContent = text;
}

function banner(text, button) {
	$('banner').hidden = !text;
	$('banner-text').textContent = text || '';
	$('banner-now').hidden = !button;
}

function showState() {
	state(delivery ? 'on' : 'wait', delivery ? 'online' : 'waiting');
	banner(!delivery ? 'Messages cannot be delivered at the moment. They are kept and sent as soon as possible.' :
		!receives ? 'This gateway only takes messages in: nothing comes back to the room.' : '');
}

function hue(text) {
	let h = 0;
	for (const c of text) h = (h * 31 + c.codePointAt(0)) >>> 0;
	return h % 360;
}

function avatar(name, key, small) {
	const words = [...name.trim().matchAll(/[\p{L}\p{N}]+/gu)].map(m => [...m[0]][0]);
	const a = make('span', small ? 'avatar small' : 'avatar', (words.slice(0, 2).join('') || [...name][0] || '?').toUpperCase());
	a.setAttribute('aria-hidden', 'true');
	a.style.setProperty('--hue', hue(key || name));
	return a;
}

function showMe() {
	$('me').replaceChildren(avatar(me.name, me.user, true), make('span', '', me.name));
	$('me').setAttribute('aria-label', 'You are ' + me.name + '. Change your name or room');
}

function showRooms() {
	$('rooms').replaceChildren(...parse(local('rooms'), []).filter(r => ROOM.test(r)).map(r => {
		const li = make('li'), a = make('a', '', r);
		a.href = toHash(r, me.name);
		if (r === me.room) a.setAttribute('aria-current', 'page');
		li.append(a);
		return li;
	}));
}

function links(el, text) {
	let from = 0;
	for (const m of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g)) {
		const a = make('a', '', m[0]);
		a.href = m[0];
		a.target = '_blank';
		a.rel = 'noopener noreferrer nofollow';
		el.append(text.slice(from, m.index), a);
		from = m.index + m[0].length;
	}
	el.append(text.slice(from));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

function dayOf(at) {
	const d = new Date(at).toDateString();
	return d === new Date().toDateString() ? 'Today' : d === new Date(Date.now() - 86400000).toDateString() ? 'Yesterday' : date.format(at);
}

function message({ own, bot, name, text, at, user }) {
	const li = make('li', 'msg' + (own ? ' own' : '') + (bot ? ' bot' : ''));
	const head = make('div', 'head'), time = make('time', '', clock.format(at)), bubble = make('div', 'bubble');
	time.dateTime = new Date(at).toISOString();
	time.title = new Date(at).toLocaleString();
	head.append(make('span', own ? 'who sr' : 'who', own ? 'You' : name));
	if (bot) head.append(make('span', 'tag', 'bot'));
	head.append(time);
	links(bubble, text);
	li.append(avatar(name, user || name), head, bubble, make('div', 'foot'));
	Object.assign(li.dataset, { at, from: (bot ? 'bot:' : '') + (user || name) });
	return li;
}

// Puts a message at the end, before own ones that wait; the place stays where the reader is unless it is the end.
function put(el, own) {
	const log = $('log'), stick = atBottom() || own;
	const waiting = own ? null : log.querySelector('.waiting');
	const at = Number(el.dataset.at), day = dayOf(at);
	if (day !== lastDay && !el.classList.contains('waiting')) {
		log.insertBefore(make('li', 'day', day), waiting);
		lastDay = day;
		last = null;
	}
	el.classList.toggle('follow', !!last && last.isConnected && last.dataset.from === el.dataset.from && at - last.dataset.at < TOGETHER);
	log.insertBefore(el, waiting);
	last = el;
	while (log.childElementCount > KEEP) {
		if (log.firstElementChild.dataset.id) items.delete(log.firstElementChild.dataset.id);
		log.firstElementChild.remove();
	}
	if (stick) toBottom();
	else if (log.getAttribute('aria-live') === 'polite') $('below').hidden = false;
}

function showEvent(e, n) {
	if (n !== undefined) {
		if (seq !== undefined && n <= seq) return;
		seq = n;
	}
	const d = e.data || {};
	if (e.type === 'analysis.emotion') return void showEmotion(d);
	if (e.type !== 'chat.message' && e.type !== 'message.send' || typeof d.text !== 'string' || items.has(e.id) && isShown(e.id)) return;
	const bot = e.type === 'message.send', user = d.user?.id || '', name = String(d.user?.name || (bot ? 'bot' : 'someone'));
	const own = !bot && !!user && user === me.user;
	let el = items.get(e.id);
	if (own && !el) {
		const p = pending.find(x => x.text === d.text);
		if (p) {
			el = p.el;
			p.id = e.id;
			pending.splice(pending.indexOf(p), 1);
			keepPending();
			if (sending === p) sending = null;
			sendNext();
		}
	}
	if (el) {
		el.remove();
		el.classList.remove('waiting');
		el.querySelector('.foot').replaceChildren();
	} else {
		el = message({ own, bot, name, text: d.text, at: Date.parse(e.time) || Date.now(), user });
	}
	el.dataset.id = e.id;
	el.dataset.shown = '1';
	items.set(e.id, el);
	put(el, false);
	if (emotions.has(e.id)) {
		showEmotion(emotions.get(e.id));
		emotions.delete(e.id);
	}
	if (!bot && user) seen(user, name);
	if (document.hidden && !own && $('log').getAttribute('aria-live') === 'polite') unread++;
	title();
}

function isShown(id) {
	return items.get(id).dataset.shown === '1';
}

function showEmotion(d) {
	const el = items.get(d.message_id), stick = atBottom();
	if (!el) {
		if (emotions.size < KEEP) emotions.set(d.message_id, d);
		return;
	}
	const scores = Object.entries(d.scores || {}).filter(([, v]) => typeof v === 'number').sort((a, b) => b[1] - a[1]).slice(0, 5);
	const top = String(d.top), p = (d.scores || {})[top];
	const group = GROUPS.includes(d.group) ? d.group : GROUP_OF[top] || 'neutral';
	const chip = make('button', 'chip g-' + group, top), list = make('ul', 'scores');
	const percent = v => Math.round(v * 100) + ' %';
	chip.type = 'button';
	if (typeof p === 'number') chip.append(make('b', '', percent(p)));
	chip.title = scores.map(([l, v]) => l + ' ' + percent(v)).join(', ');
	chip.setAttribute('aria-label', 'Sounds like ' + top + (typeof p === 'number' ? ', ' + percent(p) : '') + '. Show all');
	chip.setAttribute('aria-expanded', 'false');
	list.hidden = true;
	for (const [l, v] of scores) {
		const li = make('li'), bar = make('i');
		bar.style.setProperty('--part', v);
		li.append(make('span', '', l), bar, make('span', '', percent(v)));
		list.append(li);
	}
	chip.onclick = () => {
		const end = atBottom();
		list.hidden = !list.hidden;
		if (end) toBottom();
		chip.setAttribute('aria-expanded', String(!list.hidden));
	};
	const foot = el.querySelector('.foot');
	foot.querySelectorAll('.chip, .scores').forEach(x => x.remove());
	foot.append(chip, list);
	moods.set(d.message_id, group);
	showMood();
	if (stick) toBottom();
}

function showMood() {
	const recent = [...moods.values()].slice(-30), counts = GROUPS.map(g => [g, recent.filter(x => x === g).length]).filter(([, n]) => n);
	const text = ([g, n]) => Math.round(100 * n / recent.length) + ' % ' + g;
	$('mood').parentElement.hidden = !counts.length;
	$('mood').replaceChildren(...counts.map(([g, n]) => {
		const i = make('i', 'g-' + g);
		i.style.setProperty('--part', n);
		return i;
	}));
	$('mood').setAttribute('aria-label', counts.length ? 'The last messages: ' + counts.map(text).join(', ') : 'No messages analysed yet');
	$('mood-key').replaceChildren(...counts.map(c => make('li', 'g-' + c[0], text(c))));
}

function seen(user, name) {
	people.delete(user);
	people.set(user, name);
	$('people').replaceChildren(...[...people].reverse().slice(0, 20).map(([id, n]) => {
		const li = make('li');
		li.append(avatar(n, id, true), make('span', '', n));
		return li;
	}));
}

function clearLog() {
	seq = undefined;
	items = new Map();
	emotions = new Map();
	moods = new Map();
	people = new Map();
	last = null;
	lastDay = '';
	unread = 0;
	$('log').replaceChildren();
	$('log').setAttribute('aria-live', 'off');
	$('begin').hidden = true;
	$('below').hidden = true;
	$('people').replaceChildren();
	showMood();
	banner('');
	title();
}

function title() {
	document.title = (unread ? '(' + unread + ') ' : '') + '#' + me.room;
}

function atBottom() {
	const s = $('scroll');
	return s.scrollHeight - s.scrollTop - s.clientHeight < 60;
}

function toBottom() {
	$('scroll').scrollTop = $('scroll').scrollHeight;
	$('below').hidden = true;
}

function resize() {
	const t = $('text'), stick = atBottom();
	t.style.height = 'auto';
	t.style.height = Math.min(t.scrollHeight + 2, 144) + 'px';
	$('count').hidden = t.value.length < 1800;
	$('count').textContent = t.value.length + ' of 2000';
	if (stick) toBottom();
}

function showSide(open) {
	$('side').classList.toggle('open', open);
	$('menu').setAttribute('aria-expanded', String(open));
}

/* ---- what people do ---- */

$('join').onsubmit = e => {
	e.preventDefault();
	const name = $('join-name').value.trim(), room = cleanRoom($('join-room').value);
	if (!name) { $('join-error').textContent = 'Please enter a name.'; return void $('join-name').focus(); }
	if (!ROOM.test(room)) {
		$('join-error').textContent = 'A room is made of a to z, digits, dots, dashes and underscores.';
		return void $('join-room').focus();
	}
	enter(room, name);
};
$('compose').onsubmit = e => {
	e.preventDefault();
	const text = $('text').value;
	if (!text.trim()) return;
	queue(text.trim());
	$('text').value = '';
	resize();
	toBottom();
	sendNext();
	$('text').focus();
};
$('text').onkeydown = e => {
	if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
		e.preventDefault();
		$('compose').requestSubmit();
	}
};
$('text').oninput = resize;
$('go').onsubmit = e => {
	e.preventDefault();
	const room = cleanRoom($('go-room').value);
	if (!ROOM.test(room)) return void $('go-room').focus();
	$('go-room').value = '';
	location.hash = toHash(room, me.name);
};
$('me').onclick = () => openDoor();
$('menu').onclick = () => showSide(!$('side').classList.contains('open'));
$('below').onclick = toBottom;
document.querySelector('.talk').addEventListener('pointerdown', () => showSide(false));
$('banner-now').onclick = now;
$('scroll').onscroll = () => { if (atBottom()) $('below').hidden = true; };
document.onkeydown = e => { if (e.key === 'Escape' && $('side').classList.contains('open')) { showSide(false); $('menu').focus(); } };
addEventListener('hashchange', () => {
	const h = fromHash();
	if (ROOM.test(h.room) && (h.name || me.name)) enter(h.room, h.name || me.name);
	else openDoor();
});
addEventListener('online', now);
addEventListener('resize', () => { if (!$('chat').hidden) resize(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) { unread = 0; if (!$('chat').hidden) title(); now(); } });

{
	const h = fromHash(), name = h.name || local('name') || '';
	if (ROOM.test(h.room) && name) enter(h.room, name);
	else openDoor();
}
