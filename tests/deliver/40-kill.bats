load deliver

# Through the hub: what was put, what the hub was told.
hub_up() {
	mkdir -p run
	printf '%s\n' 'type == "message.send" -> deliver' >rules
	daemon_start route route -R run -d spool -r rules
}
worker() { daemon_start d deliver -i ipc://run/to-deliver -o ipc://run/in -A "$A" -b box.db "$@"; }
put() { nngcat --req --dial "ipc://$T/run/in" --file "$1" --ascii 2>&1 | grep -q "\"ack\":$(wc -l <"$1")"; }
outcomes() { grep -aho '"id":"[^"]*\.deliver"' spool/*.ndjson | sort | uniq -c | awk '{print $2, $1}'; }
told() { [ "$(outcomes | wc -l)" -eq "$1" ]; }

@test "killed again and again: every message is said once, in order, and told once" {
	lab_up -o discord.bucket_window_s=0.05 -o discord.global_limit=50
	hub_up
	fault 'request * method=POST path=/channels: slow 0.02'
	for i in $(seq 1 40); do say "a$i" discord "$GENERAL" "a $i"; say "b$i" discord "$BOTS" "b $i"; done >in
	worker
	put in
	for n in 5 25 50; do
		enough() { [ "$(said .text | wc -l)" -ge "$n" ]; }
		wait_until 20 enough
		daemon_kill d
		worker
	done
	wait_until 30 told 80
	said 'select(.name == "general").text' | diff - <(seq -f 'a %g' 40)
	said 'select(.name == "bots").text' | diff - <(seq -f 'b %g' 40)
	[ -z "$(outcomes | grep -v ' 1$')" ]
	[ "$(grep -ac '"type":"message.failed"' spool/*.ndjson)" -eq 0 ]
	daemon_stop d
	# Nothing is left to be said
	[ "$(sqlite3 box.db 'SELECT count(*) FROM message')" -eq 0 ]
}

@test "another process takes the outbox over while messages flow, and the first has it again when that one is killed" {
	lab_up -o discord.bucket_window_s=0.05 -o discord.global_limit=50
	hub_up
	fault 'request * method=POST path=/channels: slow 0.02'
	for i in $(seq 1 40); do say "a$i" discord "$GENERAL" "a $i"; say "b$i" discord "$BOTS" "b $i"; done >in
	worker
	split -n l/2 in part.
	put part.aa
	enough() { [ "$(said .text | wc -l)" -ge "$1" ]; }
	wait_until 20 enough 5
	daemon_start e deliver -i ipc://run/to-deliver -o ipc://run/in -A "$A" -b box.db --set next
	wait_for d.err 'standing by'	# it says so when the other one may have begun
	put part.ab
	wait_until 20 enough 30
	not grep -q 'standing by' e.err
	daemon_kill e
	wait_until 30 told 80
	said 'select(.name == "general").text' | diff - <(seq -f 'a %g' 40)
	said 'select(.name == "bots").text' | diff - <(seq -f 'b %g' 40)
	[ -z "$(outcomes | grep -v ' 1$')" ]
	[ "$(grep -ac '"type":"message.failed"' spool/*.ndjson)" -eq 0 ]
	[ "$(grep -c 'the outbox is ours' d.err)" -eq 1 ]
	daemon_stop d
}

@test "one tenant's flood holds up nobody, and is in the outbox, to the last one and through a kill" {
	lab_up
	hub_up
	mkdir "$A/other"
	# again: of those that were under way when it was killed nobody knows what became of them, and they stay
	printf 'platform = webhook\nurl = http://127.0.0.1:1/\nallow-private = yes\nsend-unknown = again\n' >"$A/default/dead.conf"
	cp "$A/default"/lab-discord* "$A/other/"
	awk '{ for (i = 1; i <= 2600; i++) { l = $0; gsub("NUMBER", i, l); print l } }' <(say fNUMBER webhook wNUMBER x) >in
	worker -g 10m
	split -l 256 in part.
	for i in part.*; do put "$i"; done
	taken() { [ "$(sqlite3 box.db 'SELECT count(*) FROM message')" -eq 2600 ]; }
	wait_until 20 taken
	event one message.send "{\"platform\":\"discord\",\"channel\":{\"id\":\"$GENERAL\"},\"text\":\"hello\"}" | sed 's/^{/{"tenant":"other",/' >in
	put in
	there() { [ "$(said .text)" = hello ]; }
	wait_until 10 there
	daemon_kill d
	worker -g 10m
	grep -q '260[01] messages were in the outbox; 600 of them wait there' d.err
	# With less patience all are late, those that wait for room, too.
	daemon_kill d
	worker -g 1s
	wait_until 20 told 2601
	[ -z "$(outcomes | grep -v ' 1$')" ]
	[ "$(grep -aEho '"cause":"(late|unknown)"' spool/*.ndjson | wc -l)" -eq 2600 ]
	daemon_stop d
}

@test "killed while Twitch has not answered: not said twice, and nobody is told that it was said" {
	lab_up
	hub_up
	fault 'request 1 path=/chat/messages: slow 5'
	say 1 twitch 42 x >in
	worker
	put in
	there() { [ "$(said .text)" = x ]; }
	wait_until 10 there
	daemon_kill d
	worker
	wait_until 10 told 1
	[ "$(said .text)" = x ]
	grep -aho '"type":"message.failed".*"cause":"unknown"' spool/*.ndjson
	daemon_stop d
}

@test "told to stop: what waits is said by the next one; what is under way is waited for" {
	lab_up -o discord.bucket_limit=2 -o discord.bucket_window_s=1.5
	hub_up
	fault 'request 2 method=POST path=/channels: slow 0.5'
	for i in 1 2 3 4; do say $i discord "$GENERAL" "x $i"; done >in
	worker
	put in
	two() { [ "$(said .text | wc -l)" -eq 2 ]; }
	wait_until 10 two
	daemon_stop d
	wait_until 5 told 2
	[ "$(sqlite3 box.db 'SELECT count(*) FROM message')" -eq 2 ]
	worker
	wait_until 10 told 4
	said .text | diff - <(seq -f 'x %g' 4)
	daemon_stop d
}

@test "the hub is away: outcomes wait, and are told when it is back" {
	lab_up
	hub_up
	fault 'request 1 method=POST path=/channels: slow 0.5'
	say 1 discord "$GENERAL" x >in
	worker
	put in
	there() { [ "$(said .text)" = x ]; }
	wait_until 10 there
	daemon_kill route
	daemon_start route route -R run -d spool -r rules
	wait_until 10 told 1
	[ "$(said .text)" = x ]
	daemon_stop d
}

@test "an outbox that cannot be written: nothing leaves, nothing is acknowledged, and all is said later" {
	lab_up
	hub_up
	worker
	mkfifo sql
	sqlite3 box.db <sql >locked 2>&1 &
	DAEMON_PID[sqlite]=$!
	exec {SQL}>sql
	printf '%s\n' 'BEGIN IMMEDIATE;' 'SELECT 1;' >&$SQL
	wait_for locked '^1$'
	say 1 discord "$GENERAL" x >in
	put in
	wait_for d.err 'outbox: .*box.db'
	[ "$(lab counts | jq '.counts["discord-request"] // 0')" -eq 0 ]
	echo 'ROLLBACK;' >&$SQL
	exec {SQL}>&-
	wait_until 10 told 1
	[ "$(said .text)" = x ]
	daemon_wait sqlite
	daemon_stop d
}
