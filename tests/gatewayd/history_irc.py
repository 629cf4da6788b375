#!/usr/bin/env python3
"""history_irc -F FD FOLDER: an IRC server that keeps a history (ircv3.net, "chathistory", with message-tags, server-time, batch and message-ids);
127.0.0.1, its port in FOLDER/port. A page holds at most 50 messages, and one of another server's making holds fewer than was asked for.

Who breaks a rule is written to FOLDER/wrong: CHATHISTORY without the capabilities it needs, of a channel without JOIN, of more than a page, with a
reference that is none, of a message there never was, or while the one before is not answered yet; a line over 512 bytes.
Lines of FOLDER/say (a pipe): "chat CHANNEL TEXT" is said by ada in a channel, or to a nick; "cut N": connections end in the middle of the
N-th page from now on. FOLDER/asked has each question, and each cut.
"""
import datetime
import os
import re
import signal
import socket
import sys
import threading

fd, folder = int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
PAGE, FEWER = 50, 40
CAPS = {"batch", "draft/chathistory", "message-tags", "server-time", "echo-message"}
NEEDED = CAPS - {"echo-message"}
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
lock = threading.RLock()
people, past, cut = set(), [], [0]


def note(name, text):
	with open(os.path.join(folder, name), "a") as f:
		f.write(text + "\n")


class Message:
	def __init__(self, who, to, text):
		now = datetime.datetime.now(datetime.timezone.utc)
		self.who, self.to, self.text = who, to, text
		self.time = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
		self.id = f"id{len(past)}"
		past.append(self)

	def line(self, batch=""):
		return f"@{batch}msgid={self.id};time={self.time} :{self.who}!{self.who}@irc.test PRIVMSG {self.to} :{self.text}"


class Person:
	def __init__(self, sock):
		self.sock, self.caps, self.nick, self.channels, self.batches = sock, set(), "*", set(), 0

	def put(self, line):
		try:
			self.sock.sendall(line.encode() + b"\r\n")
		except OSError:
			pass

	def sees(self, m):
		return m.to in self.channels or self.nick in (m.to, m.who)

	def batch(self, what, lines):
		self.batches += 1
		ref = f"b{self.batches}"
		self.put(f":irc.test BATCH +{ref} {what}")
		cut[0] -= 1
		for i, line in enumerate(lines):
			if cut[0] == 0 and i == len(lines) // 2:
				self.sock.shutdown(socket.SHUT_RDWR)
				return
			self.put(line.replace("@", f"@batch={ref};", 1) if line.startswith("@") else f"@batch={ref} {line}")
		self.put(f":irc.test BATCH -{ref}")

	def history(self, words):
		note("asked", " ".join(words))
		if not NEEDED <= self.caps:
			note("wrong", f"CHATHISTORY without {NEEDED - self.caps}")
		if not words[-1].isdigit() or not 1 <= int(words[-1]) <= PAGE:
			note("wrong", f"a page of {words[-1]}")
		if words[0] == "TARGETS" and len(words) == 4 and all(re.fullmatch("timestamp=" + STAMP, w) for w in words[1:3]):
			a, b = (w.split("=")[1] for w in words[1:3])
			seen = {m.to if m.to[0] == "#" else m.who: m.time for m in past if self.sees(m) and a < m.time < b}
			self.batch("draft/chathistory-targets", [f":irc.test CHATHISTORY TARGETS {who} {t}" for who, t in seen.items()])
		elif words[0] == "AFTER" and len(words) == 4:
			self.after(*words[1:])
		else:
			note("wrong", f"CHATHISTORY {' '.join(words)}")

	def after(self, where, ref, n):
		kind, _, value = ref.partition("=")
		if where[0] == "#" and where not in self.channels:
			note("wrong", f"the history of {where} without JOIN")
		known = [m for m in past if m.id == value]
		if (kind == "timestamp" and not re.fullmatch(STAMP, value)) or (kind == "msgid" and not known) or kind not in ("timestamp", "msgid"):
			note("wrong", f"a reference {ref}")
			self.put(f":irc.test FAIL CHATHISTORY INVALID_PARAMS {where} :what is that?")
			return
		of = [m for m in past if (m.to == where if where[0] == "#" else {m.to, m.who} == {where, self.nick})]
		of = [m for m in of if (past.index(m) > past.index(known[0]) if kind == "msgid" else m.time > value)]
		self.batch(f"chathistory {where}", [m.line() for m in of[:min(int(n), FEWER)]])

	def line(self, text):
		if len(text.encode()) > 510:
			note("wrong", f"a line of {len(text.encode())} bytes")
		word, *rest = text.split(" ")
		if word == "CAP" and rest[0] == "LS":
			self.put(f":irc.test CAP * LS :{' '.join(sorted(CAPS))}")
		elif word == "CAP" and rest[0] == "REQ":
			asked = text.split(":", 1)[1].split()
			self.caps |= set(asked)
			self.put(f":irc.test CAP * {'ACK' if set(asked) <= CAPS else 'NAK'} :{' '.join(asked)}")
		elif word == "CAP" and rest[0] == "END":
			self.put(f":irc.test 001 {self.nick} :Welcome")
			self.put(f":irc.test 005 {self.nick} CHATHISTORY={PAGE} MSGREFTYPES=msgid,timestamp NICKLEN=30 :are supported")
			self.put(f":irc.test 422 {self.nick} :no news")
		elif word == "NICK":
			self.nick = rest[0]
		elif word == "PING":
			self.put(f":irc.test PONG irc.test {' '.join(rest)}")
		elif word == "JOIN":
			self.channels.add(rest[0])
			self.put(f":{self.nick}!{self.nick}@irc.test JOIN {rest[0]}")
		elif word == "CHATHISTORY":
			self.history(rest)
		elif word not in ("USER", "PONG", "QUIT", "PART"):
			self.put(f":irc.test 421 {self.nick} {word} :Unknown command")

	def run(self):
		try:
			for data in self.sock.makefile("rb"):
				with lock:
					self.line(data.decode().rstrip("\r\n"))
		except OSError:
			pass
		with lock:
			people.discard(self)
		self.sock.close()


def orders():
	while True:
		with open(os.path.join(folder, "say")) as f:
			for order in f:
				word, *rest = order.rstrip("\n").split(" ", 2)
				with lock:
					if word == "cut":
						cut[0] = int(rest[0])
						note("asked", f"cut {cut[0]}")
						continue
					m = Message("ada", rest[0], rest[1])
					for p in list(people):
						if p.sees(m):
							p.put(m.line())


os.makedirs(folder, exist_ok=True)
os.mkfifo(os.path.join(folder, "say"))
server = socket.create_server(("127.0.0.1", 0))
with open(os.path.join(folder, "port"), "w") as f:
	f.write(f"{server.getsockname()[1]}\n")
os.write(fd, b"\n")
os.close(fd)
threading.Thread(target=orders, daemon=True).start()
while True:
	person = Person(server.accept()[0])
	with lock:
		people.add(person)
	threading.Thread(target=person.run, daemon=True).start()
