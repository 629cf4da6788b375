#!/usr/bin/env bats
# A hundred shards of a bot go from one instance to another and back while 2,000 events a second come.
bats_require_minimum_version 1.5.0

setup() { load discord; }

SHARDS=100 RATE=2000 SECONDS_EACH=${DRAIN_SECONDS:-2}

live() { # NAME COUNT: it holds so many connections that are live
	[ "$(nngcat --req --dial "ipc://$T/run/$1" --data '{"do":"accounts"}' --raw | jq '[.accounts[].connections[] | select(.state == "live")] | length')" = "$2" ]
}
flooded() { [ "$(lab_books flooded | wc -l)" -ge "$1" ]; }
all_kept() { [ "$(spooled | grep -c '"type":"chat.message"')" -ge "$1" ]; }

# The shards of an account move while they are talked in: nothing lost, nothing twice, nobody silent for long. N: of this run
stream_while() {
	local n=$1 total
	shift
	total=$((n * RATE * SECONDS_EACH))
	lab flood "{\"n\":$((RATE * SECONDS_EACH)),\"rate\":$RATE,\"channels\":$CHANNELS,\"wait\":false}" >/dev/null
	wait_until 20 all_kept $((total - RATE * SECONDS_EACH + RATE / 4))
	"$@"
	wait_until 60 flooded "$n"
	wait_until 60 all_kept "$total"
}

@test "a hundred shards are handed over at 2,000 events/s, and come back when that instance stops: no loss, no identify, no shard silent for 2 s" {
	local total=$((2 * RATE * SECONDS_EACH))
	bot_lab -o "discord.shards=$SHARDS" -o "discord.max_concurrency=$SHARDS"
	channels "$SHARDS"
	CHANNELS=$(jq -nc --argjson n "$SHARDS" '[range($n) | "c\(.)"]')
	bot_gw
	wait_events gateway.up "$SHARDS"
	daemon_start two gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/two"
	wait_for "$T/two.err" "lab-discord/$((SHARDS - 1)) waits: another process holds it"
	daemon_start silence "$BATS_TEST_DIRNAME/silence.py" "$T/spool" "$T/silence" "$(daemon_pid gw)" "$(daemon_pid two)" "$(daemon_pid lab)" "$(daemon_pid route)"
	drain() { nngcat --req --dial "ipc://$T/run/gw" --data '{"do":"drain"}' --raw >"$T/drain"; }
	stream_while 1 drain
	wait_until 20 live two "$SHARDS"
	wait_until 20 live gw 0
	stream_while 2 daemon_stop two
	wait_until 20 live gw "$SHARDS"
	daemon_stop silence
	jq -c '{messages, twice, waited, longest: (.silence | [.[]] | max)}' "$T/silence"
	# Each that the lab said, and once.
	diff <(lab chat | jq -r '.entries[] | select(.kind == "chat") | .id' | sort) <(events chat.message | jq -r .data.message_id | sort)
	[ "$(events chat.message | wc -l)" = "$total" ]
	jq -e --argjson t "$total" --argjson n "$SHARDS" '.messages == $t and .twice == [] and (.silence | length) == $n and ([.silence[]] | max) < 2' "$T/silence"
	[ "$(events gateway.gap | wc -l)" = 0 ]
	[ "$(lab_books identify-sent | wc -l)" = "$SHARDS" ]
	[ "$(lab_books resumed | wc -l)" = $((2 * SHARDS)) ]
	well_behaved
}
