#!/usr/bin/env bats
# How a connection to Discord can end, and what is done about it.

setup() { load discord; }

# After its connection ended: "resume", "identify", "nothing".
next_of() { # SHARD
	local resumes identifies
	resumes=$(lab_books resumed | jq -c "select(.session as \$s | $sessions[\$s] == $1)" | wc -l)
	identifies=$(lab_books identify | jq -c "select(.shard[0] == $1)" | wc -l)
	echo "$resumes resumed, $identifies identified"
}

@test "each close code by its column" {
	local -a codes=(1000 1001 4000 4001 4002 4003 4005 4007 4008 4009 4999 none 4004 4010 4011 4012 4013 4014)
	local n=${#codes[@]} shard
	SHARDS=$n bot_start -o "discord.shards=$n" -o "discord.max_concurrency=$n"
	sessions=$(lab sessions | jq -c '[.discord[]? | {(.session): .shard[0]}] | add')
	for shard in "${!codes[@]}"; do
		fault "now shard=$shard: close ${codes[shard]}"
	done
	# 12 come back (a new session after 5 s), 6 do not.
	wait_events gateway.down "$n"
	back() { [ "$(($(events gateway.up | wc -l) + $(events gateway.resumed | wc -l)))" -eq $((n + 12)) ]; }
	wait_until 30 back
	for shard in "${!codes[@]}"; do
		case ${codes[shard]} in
		4000 | 4001 | 4002 | 4999 | none) want="1 resumed, 1 identified" ;;
		1000 | 1001 | 4003 | 4005 | 4007 | 4008 | 4009) want="0 resumed, 2 identified" ;;
		*) want="0 resumed, 1 identified" ;;
		esac
		[ "$(next_of "$shard")" = "$want" ] || { echo "${codes[shard]}: $(next_of "$shard"), not $want" >&2; return 1; }
	done
	# A new session is a gap; a resumed one is none; each end has its reason.
	[ "$(events gateway.gap | jq -r .data.connection | sort -u | wc -l)" -eq 7 ]
	[ "$(events gateway.down | jq -r 'select(.data.reason | test("^4014 disallowed intents")) | .data.code' | wc -l)" -eq 1 ]
	spooled | schema >"$T/types"
	[ "$(awk '{ print $1 }' "$T/types" | xargs)" = "gateway.down gateway.gap gateway.resumed gateway.up" ]
	well_behaved
}

@test "a zombie is noticed within one and a half heartbeats, and said why" {
	bot_start -o discord.heartbeat_interval_ms=2000
	lab_wait heartbeat 1
	fault "now: zombie"
	wait_events gateway.down 1
	[[ "$(events gateway.down | jq -r .data.reason)" == "zombie: a heartbeat was not acknowledged"* ]]
	wait_for "$T/gw.err" 'zombie: a heartbeat was not acknowledged'
	say "after"
	wait_events chat.message 1
	[ "$(lab_books identify | wc -l)" = 1 ]
	# By the books' clock: 3 s, and up to 0.5 s for the next dial; what is over is the machine's.
	at=$(lab_books zombie | jq .at)
	seen=$(lab_books connect | tail -n 1 | jq .at)
	awk -v at="$at" -v seen="$seen" 'BEGIN { exit !(seen - at < 4) }'
}

@test "heartbeats without answers while events go on: the same" {
	bot_start -o discord.heartbeat_interval_ms=1000
	fault "now: noack 100"
	fault "now: flood 200 rate=50"
	wait_events gateway.resumed 1
	[[ "$(events gateway.down | head -n 1 | jq -r .data.reason)" == zombie* ]]
	[ "$(lab_books identify | wc -l)" = 1 ]
}

@test "what a server may do and ought not: nothing is lost, nothing comes twice, no identify is spent" {
	local -a what=(op7 "op9 resumable=true" "close none" fin reset beat "split 3" "parts 4" "binary 1" "duplicate 1" "late 1 seconds=0.2"
		"garbage form=json" "garbage form=zlib" "garbage form=utf8" "garbage form=types" "frame form=reserved" "huge 300000" unknown)
	local n=${#what[@]} i
	SHARDS=$n bot_start -o "discord.shards=$n" -o "discord.max_concurrency=$n"
	channels "$n"
	for ((i = 0; i < n; i++)); do
		fault "now shard=$i: ${what[i]}"
		say "one ${what[i]}" 1 "c$i"
		say "two ${what[i]}" 1 "c$i"
	done
	wait_events chat.message $((2 * n)) || { texts >&2; return 1; }
	[ "$(texts | sort | uniq -d)" = "" ]
	[ "$(texts | wc -l)" = $((2 * n)) ]
	[ "$(lab_books identify | wc -l)" = "$n" ]
	[ "$(events gateway.gap | wc -l)" = 0 ]
	well_behaved
}

@test "a resume URL that is dead: the main URL, and the same session" {
	bot_start
	fault "now: deadresume form=reset"
	say "before"
	fault "now: reset"
	say "meanwhile"
	wait_events chat.message 2
	[ "$(lab_books resumed | wc -l)" = 1 ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	well_behaved
}
