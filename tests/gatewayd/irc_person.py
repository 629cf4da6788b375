#!/usr/bin/env python3
"""irc_person PORT NICK SAY HEARD: a person on IRC. Lines of the pipe SAY go to the server, what comes goes to the file HEARD; PING is answered."""
import os
import select
import signal
import socket
import sys

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
port, nick, say, heard = int(sys.argv[1]), sys.argv[2], sys.argv[3], open(sys.argv[4], "ab", buffering=0)
sock = socket.create_connection(("127.0.0.1", port))
pipe = os.open(say, os.O_RDWR)
sock.sendall(b"PASS letmein\r\nNICK %s\r\nUSER %s 0 * :%s\r\n" % ((nick.encode(),) * 3))
rest = typed = b""
while True:
	for fd in select.select([sock, pipe], [], [])[0]:
		if fd is sock:
			data = sock.recv(65536)
			if not data:
				sys.exit(0)
			*lines, rest = (rest + data).split(b"\n")
			for line in lines:
				if line.startswith(b"PING"):
					sock.sendall(b"PONG" + line[4:].rstrip(b"\r") + b"\r\n")
				heard.write(line.rstrip(b"\r") + b"\n")
		else:
			*lines, typed = (typed + os.read(pipe, 65536)).split(b"\n")
			for line in lines:
				sock.sendall(line + b"\r\n")
