# Peers that break the rules lose their connection, and nobody else notices.
load probes

still_serving() {
	run -0 "$P" put "$URL" <<<line
	[ "$output" = "acked 1 refused 0" ]
}

@test "URLs that can't be opened say what can" {
	for url in http://x ipc: ipc:// tcp://x tcp://x:99999 tcp://::1:5 'tcp://[::1:5' tls+tcp://127.0.0.1:1 nothing '' -- ; do
		run -1 "$P" server "$url"
		[[ "$output" == *error* ]]
	done
	run -1 "$P" server http://x
	[[ "$output" == *"begins with one of: -, ipc://, abstract://, tcp://, tls+tcp://, null://"* ]]
	run -1 "$P" put tcp://:80 </dev/null
	[[ "$output" == *"host is missing"* ]]
	run -1 "$P" server -
	[[ "$output" == *"nobody can dial a pipe"* ]]
	run -1 "$P" ask - x
	[[ "$output" == *"nobody can be asked over a pipe"* ]]
	run -1 "$P" server ipc://missing/folder/in
	[[ "$output" == *"No such file"* ]]
}

@test "another protocol's hello, garbage, another SP protocol" {
	serve s ipc://in
	run -0 "$R" talk "$URL" 474554202f20485454 eof
	[ "$output" = closed ]
	wait_for s.err 'does not speak SP'
	run -0 "$R" talk "$URL" 0053500000500000 eof
	wait_for s.err 'speaks protocol 0x50 of SP, not REQ'
	nngcat --push --dial "ipc://$T/in" --data x --send-timeout 1 2>/dev/null || true
	still_serving
}

@test "a dialler that meets a stranger says so once" {
	nngcat --pull --listen "ipc://$T/pull" & nng=$!
	wait_socket pull
	run -1 "$P" ask ipc://pull x 1000
	[[ "$output" == *"0x51"* ]]
	kill "$nng"; wait "$nng" || true
	rm -f pull
}

@test "a message over the limit costs the connection before a byte of it is taken" {
	serve s ipc://in
	run -0 "$R" talk "$URL" hello 010000000000600041 eof
	wait_for s.err "pid [0-9]+: announces a message of 6291521 bytes, the limit is 6291520"
	run -0 "$R" talk "$URL" hello 01ffffffffffffffff eof
	wait_for s.err "announces a message of 18446744073709551615 bytes"
	still_serving
	[ "$(rss_kib s)" -lt 30000 ] || [[ "$BIN" == *asan* ]]
}

@test "a frame of another type, one too short for a request id, one without a request id" {
	serve s ipc://in
	run -0 "$R" talk "$URL" hello 02 eof
	wait_for s.err 'no frame of SP'
	run -0 "$R" talk "$URL" hello 010000000000000003 414141 eof
	run -0 "$R" talk "$URL" hello 010000000000000008 4141414141414141 eof
	[ "$(grep -c 'without a request id' s.err)" -eq 2 ]
	not grep '^request' s.out
	still_serving
}

@test "a request behind devices: the reply repeats their words" {
	serve s ipc://in ack
	run -0 "$R" talk "$URL" hello 01000000000000000a 0000000700000009 800000ff eof
	# ten bytes hold two words and half a request id
	run -0 "$R" talk "$URL" hello 01000000000000000e 0000000700000009800000ff610a read:31
	[ "$output" = "010000000000000016""0000000700000009800000ff""$(printf '{"ack":1}\n' | od -An -tx1 | tr -d ' \n')" ]
}

@test "one who says nothing, or a byte a second, is sent away; a half frame holds up nobody" {
	serve s ipc://in
	daemon_run quiet "$R" talk "$URL" eof
	daemon_run slow "$R" talk "$URL" 00 eof
	daemon_run half "$R" talk "$URL" hello 'half:one|two|' hold
	wait_for half.out holding
	still_serving
	wait_for quiet.out closed 15
	wait_for slow.out closed 15
	[ "$(grep -c 'no hello within 5 s' s.err)" -eq 2 ]
	daemon_wait quiet
	daemon_wait slow
	daemon_kill half
	wait_for s.out '^gone$'
	not grep '16 bytes' s.out
}

@test "a frame that comes byte by byte is a frame" {
	serve s tcp://127.0.0.1:0 echo
	run -0 "$R" talk "$URL" 00 53 50 00 00 30 00 00 read:8 00 00 00 00 00 00 00 06 80 00 00 01 61 62 reply
	[ "${lines[1]}" = ab ]
}

@test "a second request of a connection waits for the answer to the first" {
	serve s ipc://in echo
	run -0 "$R" talk "$URL" hello req:one req:two reply reply
	[ "$output" = onetwo ]
}

@test "memory follows what has come, not what was announced" {
	serve s ipc://in
	for i in {1..50}; do
		# six MiB announced, 64 KiB sent
		daemon_run "r$i" "$R" talk "$URL" hello 010000000000600000 zeros:65536 hold
	done
	for i in {1..50}; do wait_for "r$i.out" holding; done
	still_serving
	[ "$(rss_kib s)" -lt 30000 ] || [[ "$BIN" == *asan* ]]
	for i in {1..50}; do daemon_kill "r$i"; done
}

@test "a hub whose answer is no acknowledgement is asked again, not believed" {
	serve s ipc://in text:hello 'text:{"ack":7}' 'text:{"ack":1,"refused":[{"n":9}]}' 'text:{"error":"no"}' ack
	run -0 --separate-stderr "$P" put ipc://in <<<$'a\nb'
	[ "$output" = "acked 2 refused 0" ]
	[ "$(grep -c '^request 4 bytes' s.out)" -eq 5 ]
	[[ "$stderr" == *"not a JSON object"*"speaks of 7"*"no ack"* ]]
}

@test "a hub whose batch is broken is asked again" {
	serve s ipc://to text:x 'text:{"batch":"b","n":1}' $'text:{"batch":"b","n":1}\nline\n' 'text:{}'
	run -0 --separate-stderr "$P" take ipc://to w 1 1
	[ "$output" = line ]
	[[ "$stderr" == *"lines that follow"* ]]
}

@test "a hub that has nothing and says so at once is not asked without end" {
	serve s ipc://to 'text:{"batch":"","n":0}' 'text:{"batch":"","n":0}' 'text:{"batch":"","n":0}' $'text:{"batch":"b","n":1}\nline\n' 'text:{}'
	run -0 --separate-stderr "$P" take ipc://to w 1 1
	[ "$output" = line ]
	[ "$(grep -c '^request' s.out)" -eq 5 ]
}

@test "what is no batch is not sent" {
	serve s ipc://in ack
	seq 1 5000 > many
	run "$P" put ipc://in 5000 < many
	[[ "$output" == *"not sent: Message too long"* ]]
	printf 'half' > half
	run "$P" put ipc://in < half
	[[ "$output" == *"not sent: Invalid argument"* ]]
}
