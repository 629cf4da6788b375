#!/usr/bin/env python3
"""A receiver of webhooks: hook.py FILE. Says its port on stdout; writes each request to FILE as a JSON line; the path says what is
answered: /ok, /STATUS (3xx: /ok is the place to go to), /retry (429 once, then 200), /hang (never), /reset (nothing, after reading),
/once-reset (the first), /absent-N (N times 404, then 200), /unknown (Discord's 404 of a webhook that is not there). Only what stands behind
the last slash counts."""
import http.server
import json
import socket
import struct
import sys

seen = {}


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen[self.path] = seen.get(self.path, 0) + 1
        with open(sys.argv[1], "a") as f:
            f.write(json.dumps({"path": self.path, "body": body.decode(), "fields": dict(self.headers)}) + "\n")
        word = self.path.rsplit("/", 1)[1]
        if word == "hang":
            self.rfile.read(1)
            return
        if word == "reset" or (word == "once-reset" and seen[self.path] == 1):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        status = int(word) if word.isdigit() else 429 if word == "retry" and seen[self.path] == 1 else 200
        text = b'{"id":"h%d"}' % seen[self.path]
        if word.startswith("absent-") and seen[self.path] <= int(word[7:]):
            status = 404
        elif word == "unknown":
            status, text = 404, b'{"message":"Unknown Webhook","code":10015}'
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "0.2")
        if 300 < status < 400:
            self.send_header("Location", "/ok")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
