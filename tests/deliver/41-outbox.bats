load deliver
bats_require_minimum_version 1.5.0

# deliver -b box.db, for messages that are in its outbox already
rest() { through "$@" </dev/null; }
fresh() { rm -f box.db*; deliver -A "$A" -b box.db </dev/null 2>/dev/null; }
put_row() { sqlite3 box.db "INSERT INTO message (line, taken) VALUES (CAST('$(say "$1" discord "$GENERAL" "$2")' AS BLOB), $(date +%s)000000000)"; }

@test "of an older version it is carried on, of a newer one it is left alone; a line in it that cannot be read holds up nobody" {
	lab_up
	fresh
	sqlite3 box.db 'DROP TABLE used; DROP TABLE refused; DROP TABLE closed; DROP TABLE stopped; DROP TABLE spot; ALTER TABLE message DROP COLUMN due; DELETE FROM schema_step WHERE n > 1'
	put_row 1 old
	sqlite3 box.db "INSERT INTO message (line, taken) VALUES ('{', 0), (x'00ff', 0)"
	put_row 2 newer
	[ "$(rest)" = $'1 sent\n2 sent' ]
	[ "$(grep -c 'cannot be read' err)" -eq 2 ]
	[ "$(said .text)" = $'old\nnewer' ]
	[ "$(sqlite3 box.db 'SELECT count(*) FROM message')" -eq 2 ]
	sqlite3 box.db "INSERT INTO schema_step VALUES (99, 'tomorrow', 1)"
	run -1 deliver -A "$A" -b box.db </dev/null
	[[ $output == *"box.db"*newer* ]]
}

@test "a damaged one is not worked with, and the message says what to do" {
	lab_up
	fresh
	printf 'no database' | dd of=box.db bs=1 conv=notrunc status=none
	run -1 deliver -A "$A" -b box.db </dev/null
	[[ $output == *"box.db"*"move it away"* ]]
}

@test "how long to wait, and what Twitch bears, is known to the next process" {
	lab_up -o twitch.chat_mod_limit=1000
	hub=(-A "$A" -b box.db -L text)
	fault 'request 1 method=POST path=/channels: 429 scope=shared retry=3'
	# 22 for Twitch, of which 20 may go; none of them in the same channel, as that has a limit of its own
	{ say d discord "$GENERAL" x; for i in $(seq 22); do say "t$i" twitch "$((1000 + i))" x; done; } >in
	mkfifo pipe
	deliver "${hub[@]}" <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	cat in >&$IN
	over() { [ "$(grep -c '"message.failed"' out)" -eq 20 ] && [ "$(lab counts | jq '.counts.ratelimit // 0')" -eq 1 ]; }
	wait_until 10 over
	daemon_kill d
	exec {IN}>&-
	# Whoever ignores the wait breaks a rule of the lab's; what Twitch bears is up for half a minute
	rm pipe
	mkfifo pipe
	deliver "${hub[@]}" <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	wait_for out '"d.deliver".*message.sent'
	[ "$(grep -c '"causationid":"t2[12]"' out)" -eq 0 ]
	[ "$(lab counts | jq '.counts["helix-request"]')" -eq 20 ]
	daemon_kill d
	exec {IN}>&-
}

@test "a message that was perhaps said is not told as refused" {
	lab_up
	fault $'request 1 method=POST path=/channels: lost form=reset\nrequest 1 method=POST path=/channels: status 403 code=50013'
	[ "$(say 1 discord "$GENERAL" x | through)" = "1 failed unknown 50013" ]
	# Nor by a process that was not there
	fault $'request 1 method=POST path=/channels: slow 5\nrequest 1 method=POST path=/channels: status 403 code=50013'
	mkfifo pipe
	deliver -A "$A" -b box.db -L text <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	say 2 discord "$GENERAL" y >&$IN
	there() { [ "$(said .text | tail -n 1)" = y ]; }
	wait_until 10 there
	daemon_kill d
	exec {IN}>&-
	[ "$(through </dev/null)" = "2 failed unknown 50013" ]
}

@test "refusals are counted, also by the next process, and an account with too many of them is left alone" {
	lab_up
	fault 'request 1 method=POST path=/channels: status 403 code=50013'
	[ "$(say 1 discord "$GENERAL" x | through)" = "1 failed refused 50013" ]
	[ "$(sqlite3 box.db 'SELECT count(*), min(n), max(n) FROM refused')" = "2|1|1" ]
	# As many as one account may have in ten minutes
	sqlite3 box.db 'UPDATE refused SET n = 250'
	[ "$(say 2 discord "$BOTS" x | through -g 1s)" = "2 failed late" ]
	# Half of them are for channels that have not refused
	sqlite3 box.db 'UPDATE refused SET n = 125'
	{ say 3 discord "$GENERAL" x; say 4 discord "$BOTS" hello; } | through | sort | diff - <(printf '%s\n' '3 failed refused 50013' '4 sent')
	jq -se 'any(.[]; .id == "3.deliver" and (.data.error | test("^channel [0-9]+ refused 1 time .*Missing Permissions.*, next try at 20")))' passed
	sqlite3 box.db 'UPDATE refused SET n = 124'
	[ "$(say 5 discord "$GENERAL" again | through)" = "5 sent" ]
	[ "$(said .text | xargs)" = "hello again" ]
}
