# Real clients are content with the lab, and the lab with them.
bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ -d "$ROOT/tests/lab/node_modules/discord.js" ] ||
		(cd "$ROOT/tests/lab" && npm ci --ignore-scripts --no-audit --no-fund >&2)
}

content() { # nothing was against the rules
	run -0 curl -s "$LAB/lab/violations"
	[ "$output" = '{"violations":[]}' ]
}

@test "a bot written with discord.js: guild, messages, interactions" {
	lab_start
	timeout -k 5 110 node "$ROOT/tests/lab/bot.mjs"
	content
}

@test "discord.js' gateway: commands, answers, interactions; resumes after op 7, a cut and silence; identifies after op 9" {
	lab_start -o discord.heartbeat_interval_ms=1500
	timeout -k 5 110 node "$ROOT/tests/lab/discord.mjs" "op7,reset,op9 resumable=true,zombie,op9"
	content
	run -0 curl -s "$LAB/lab/counts"
	[ "$(jq '.counts | .identify, .resumed, .said' <<<"$output" | xargs)" = "2 4 2" ]
}

@test "discord.js' gateway without compression, split into small frames and writes" {
	lab_start -o discord.heartbeat_interval_ms=1500
	curl -s --data-binary 'connect *: split 50' "$LAB/lab/fault"
	timeout -k 5 110 node "$ROOT/tests/lab/discord.mjs" "close 4000" plain
	content
}

@test "twurple: subscriptions, chat, a move, a cut, a token that ends, a revocation" {
	lab_start
	timeout -k 5 110 node "$ROOT/tests/lab/twitch.mjs"
	content
}
