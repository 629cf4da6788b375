# A channel that refuses each message (403): its account goes on, and the platform is not asked for each.
load deliver

# deliver on a pipe that stays open: what is written to $IN goes in.
pipe_up() {
	rm -f pipe
	mkfifo pipe
	deliver -A "$A" -b box.db -L text "$@" <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
}
pipe_end() { exec {IN}>&-; daemon_wait d; [ "$status" -eq 0 ]; }
deny() { lab discord/channel "{\"id\":\"$1\",\"deny\":$2}" >/dev/null; }
refused() { lab counts | jq '.counts["invalid-request"] // 0'; }
# told ID WHAT: its outcome is in out.
told() { grep -q "\"$1.deliver\".*message.$2" out; }
failures() { [ "$(grep -c '"message.failed"' out)" -eq "$1" ]; }
# Says one more message in general, and another one when that was refused.
try_again() {
	say "again$((++N))" discord "$GENERAL" "again $N" >&$IN
	wait_for out "\"again$N.deliver\""
	told "again$N" sent
}

@test "a flood for a channel that refuses: a few requests, all fail, another channel goes on; it is open again when the platform allows it" {
	lab_up -o discord.bucket_window_s=0.2
	deny "$GENERAL" 50013
	pipe_up
	for i in $(seq 300); do say "f$i" discord "$GENERAL" x; done >&$IN
	say b1 discord "$BOTS" during >&$IN
	wait_until 20 failures 300
	# More than its account may make
	say b2 discord "$BOTS" after >&$IN
	wait_for out '"b2.deliver".*message.sent'
	told b1 sent
	[ "$(refused)" -ge 3 ]
	[ "$(refused)" -le 12 ]
	[ "$(jq -r 'select(.type == "message.failed").data | .cause + " " + .code' out | sort -u)" = "refused 50013" ]
	jq -se --arg g "$GENERAL" --argjson asked "$(refused)" 'map(select(.type == "message.failed").data.error) |
		(map(select(. == "Missing Permissions")) | length) == $asked and (map(select(. != "Missing Permissions")) |
		all(test("^channel \($g) refused [0-9]+ times \\(Missing Permissions\\), next try at 20[0-9-]+T[0-9:.]+Z$")))' out
	# Each is told once, and not in the log
	[ "$(jq -r 'select(.type == "message.failed").causationid' out | sort -u | wc -l)" -eq 300 ]
	[ "$(grep -c 'refused 3 times in a row' err)" -eq 1 ]
	[ "$(grep -c 'not said' err)" -le 12 ]
	deny "$GENERAL" 0
	N=0
	wait_until 30 try_again
	grep -q "channel $GENERAL takes messages again" err
	for i in 1 2 3; do say "o$i" discord "$GENERAL" "o $i"; done >&$IN
	wait_for out '"o3.deliver".*message.sent'
	pipe_end
	[ "$(said 'select(.text | startswith("o ")).text' | xargs)" = "o 1 o 2 o 3" ]
}

@test "it is known to the next process, which asks no more often; a reload, or another file of the account, has it tried at once" {
	lab_up -o discord.bucket_window_s=0.2
	deny "$GENERAL" 50001
	for i in 1 2 3 4; do say "$i" discord "$GENERAL" x; done >in
	through <in | sort -u -k 2 | diff - <(echo '1 failed refused 50001')
	asked=$(refused)
	[ "$asked" -ge 3 ]
	# As if it had been refused for long
	later() { sqlite3 box.db 'UPDATE spot SET until = max(until, at) + 500000000000'; }
	later
	for i in 5 6 7; do
		pipe_up
		say "$i" discord "$GENERAL" x >&$IN
		wait_for out "\"$i.deliver\".*refused $asked times"
		daemon_kill d
		exec {IN}>&-
	done
	[ "$(refused)" -eq "$asked" ]
	deny "$GENERAL" 0
	pipe_up
	say 8 discord "$GENERAL" x >&$IN
	wait_for out "\"8.deliver\".*refused $asked times"
	daemon_signal d HUP
	wait_until 10 eval '[ "$(grep -c "accounts are in force" err)" -eq 2 ]'
	say 9 discord "$GENERAL" y >&$IN
	wait_for out '"9.deliver".*message.sent'
	pipe_end
	deny "$GENERAL" 50001
	for i in a b c; do say "$i" discord "$GENERAL" x; done | through >/dev/null
	later
	echo 'enabled = yes' >>"$A/default/lab-discord.conf"
	deny "$GENERAL" 0
	[ "$(say d discord "$GENERAL" z | through)" = "d sent" ]
	[ "$(said .text | xargs)" = "y z" ]
}

@test "edits that are refused are not the channel's; a channel of Twitch that bans the sender uses up nobody's turns" {
	lab_up -o discord.bucket_window_s=0.2 -o twitch.chat_mod_limit=1000
	theirs=$(lab say '{"channel":"general","text":"hers"}' | jq -r '.ids[0]')
	for i in $(seq 20); do say "e$i" discord "$GENERAL" x "\"edit\":\"$theirs\""; done >in
	say m discord "$GENERAL" mine >>in
	through <in | cut -d' ' -f2- | sort | uniq -c | xargs -L1 | sort | diff - <(printf '%s\n' '1 sent' '20 failed refused 50005')
	[ "$(refused)" -le 12 ]
	mine=$(said 'select(.text == "mine").id')
	[ "$(say n discord "$GENERAL" changed "\"edit\":\"$mine\"" | through)" = "n sent" ]
	# Of more messages than Twitch bears in half a minute
	lab twitch/user '{"login":"closed","id":"4711"}' >/dev/null
	lab twitch/user '{"login":"penstock","banned_in":["closed"]}' >/dev/null
	for i in $(seq 30); do say "t$i" twitch 4711 x; done >in
	say u twitch 42 hello >>in
	through <in | cut -d' ' -f2- | sort | uniq -c | xargs -L1 | sort | diff - <(printf '%s\n' '1 sent' '30 failed refused 403')
	[ "$(lab counts | jq '.counts["helix-request"]')" -le 12 ]
}
