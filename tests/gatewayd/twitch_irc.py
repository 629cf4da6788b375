#!/usr/bin/env python3
"""twitch_irc -F FD FOLDER: Twitch's IRC, as far as its rules are known (dev.twitch.tv, "Twitch IRC"); 127.0.0.1, its port in FOLDER/port.

Who breaks a rule is written to FOLDER/wrong: no PASS oauth:..., a nick with capitals, a channel that is no login, more than 20 JOINs within 10 s or
20 messages within 30 s, a line over 512 bytes without its tags, a message without JOIN, a PRIVMSG over 500 characters, PING unanswered.
Lines of FOLDER/say (a pipe) are given to every connection: "chat TEXT" as a message of Ada's in #ada (room 42), "raw LINE" as it is, "drop" ends TCP.
"""
import os
import re
import signal
import socket
import sys
import threading
import time

fd, folder = int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
lock = threading.Lock()
people = set()
numbers = iter(range(1, 1 << 30))


def wrong(text):
	with open(os.path.join(folder, "wrong"), "a") as f:
		f.write(text + "\n")


class Person:
	def __init__(self, sock):
		self.sock, self.caps, self.password, self.nick, self.channels = sock, set(), None, None, set()
		self.joins, self.said, self.last = [], [], None

	def put(self, line):
		with lock:
			try:
				self.sock.sendall(line.encode() + b"\r\n")
			except OSError:
				pass

	def tags(self, **tags):
		return "@" + ";".join(f"{k.replace('_', '-')}={v}" for k, v in tags.items()) + " " if "twitch.tv/tags" in self.caps else ""

	def often(self, times, n, seconds, what):
		now = time.monotonic()
		times[:] = [t for t in times if t > now - seconds] + [now]
		if len(times) > n:
			wrong(f"{len(times)} {what} within {seconds} s")

	def login(self):
		if not re.fullmatch(r"(PASS )?oauth:[a-z0-9]+", self.password or ""):
			self.put(":tmi.twitch.tv NOTICE * :Improperly formatted auth")
			raise EOFError
		if self.password != "oauth:good":
			self.put(":tmi.twitch.tv NOTICE * :Login authentication failed")
			raise EOFError
		for code, text in (("001", "Welcome, GLHF!"), ("002", "Your host is tmi.twitch.tv"), ("003", "This server is rather new"), ("004", "-"),
				   ("375", "-"), ("372", "You are in a maze of twisty passages, all alike."), ("376", ">")):
			self.put(f":tmi.twitch.tv {code} {self.nick} :{text}")

	def line(self, text):
		tags = ""
		if text.startswith("@"):
			tags, text = text[1:].split(" ", 1)
		if len(text.encode()) > 510:
			wrong(f"a line of {len(text.encode())} bytes")
		word, _, rest = text.partition(" ")
		if word == "CAP" and rest.startswith("LS"):
			self.put(":tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/membership twitch.tv/tags")
		elif word == "CAP" and rest.startswith("REQ"):
			asked = rest.split(":", 1)[1].split()
			self.caps |= set(asked)
			self.put(f":tmi.twitch.tv CAP * ACK :{' '.join(asked)}")
		elif word == "PASS":
			self.password = rest
		elif word == "NICK":
			self.nick = rest
			if rest != rest.lower():
				wrong(f"a nick with capitals: {rest}")
			self.login()
		elif word == "PING":
			self.put(f":tmi.twitch.tv PONG tmi.twitch.tv {rest}")
		elif word == "JOIN":
			self.often(self.joins, 20, 10, "JOINs")
			if not re.fullmatch(r"#[a-z0-9_]+", rest):
				wrong(f"JOIN {rest}")
			self.channels.add(rest)
			self.put(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv JOIN {rest}")
			self.put(f"{self.tags(badges='moderator/1', mod='1')}:tmi.twitch.tv USERSTATE {rest}")
			self.put(f"{self.tags(room_id='42')}:tmi.twitch.tv ROOMSTATE {rest}")
		elif word == "PRIVMSG":
			self.message(tags, *rest.split(" :", 1))
		elif word not in ("CAP", "USER", "PONG", "QUIT", "PART"):
			self.put(f":tmi.twitch.tv 421 {self.nick} {word} :Unknown command")

	def message(self, tags, channel, text):
		self.often(self.said, 20, 30, "messages")
		if channel not in self.channels:
			wrong(f"a message in {channel} without JOIN")
		if len(text) > 500:
			wrong(f"a message of {len(text)} characters")
		with open(os.path.join(folder, "said"), "a") as f:
			f.write(f"{channel} {tags} {text}\n")
		if text == self.last:
			self.put(f"{self.tags(msg_id='msg_duplicate')}:tmi.twitch.tv NOTICE {channel} :Your message is identical to the previous one.")
			return
		self.last = text
		self.put(f"{self.tags(badges='moderator/1', id=f's{next(numbers)}', mod='1')}:tmi.twitch.tv USERSTATE {channel}")

	def run(self):
		people.add(self)
		try:
			for data in self.sock.makefile("rb"):
				self.line(data.decode().rstrip("\r\n"))
		except (EOFError, OSError):
			pass
		people.discard(self)
		self.sock.close()


def orders():
	# For writing, too: it does not end when a writer does, and what the next one writes is not lost.
	with open(os.open(os.path.join(folder, "say"), os.O_RDWR)) as f:
		for order in f:
			word, _, text = order.rstrip("\n").partition(" ")
			for p in list(people):
				if word == "chat":
					p.put(p.tags(badges="broadcaster/1", display_name="Ada", id=f"c{next(numbers)}", room_id="42",
						tmi_sent_ts=int(time.time() * 1000), user_id="42") + f":ada!ada@ada.tmi.twitch.tv PRIVMSG #ada :{text}")
				elif word == "raw":
					p.put(text)
				else:
					p.sock.shutdown(socket.SHUT_RDWR)


os.makedirs(folder, exist_ok=True)
os.mkfifo(os.path.join(folder, "say"))
server = socket.create_server(("127.0.0.1", 0))
with open(os.path.join(folder, "port"), "w") as f:
	f.write(f"{server.getsockname()[1]}\n")
os.write(fd, b"\n")
os.close(fd)
threading.Thread(target=orders, daemon=True).start()
while True:
	threading.Thread(target=Person(server.accept()[0]).run, daemon=True).start()
