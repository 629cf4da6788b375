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

@test "the bot of the lab's README answers, is told to come back, and answers again" {
	lab_start
	export PENSTOCK_SHARE=$ROOT/share
	ln -s "$ROOT/tests/lab/node_modules" "$T/node_modules"
	sed -n '/^```js$/,/^```$/{/^```/!p}' "$ROOT/tests/peers/lab/README.md" >"$T/bot.mjs"
	daemon_run bot node "$T/bot.mjs"
	happened() { curl -sf -m 60 -o "$T/happened" "$LAB/lab/wait?kind=$1&count=$2&timeout=50"; }
	happened identify 1
	run -0 penstock lab say -d "$T/lab" general '!ping'
	happened said 1
	run -0 penstock lab fault -d "$T/lab" - <<<'now: op7'
	happened resumed 1
	run -0 penstock lab say -d "$T/lab" general '!ping'
	happened said 2
	run -0 penstock lab show -d "$T/lab"
	[ "$(grep -c '<penstock> (answers) pong' <<<"$output")" = 2 ]
	run -0 penstock lab violations -d "$T/lab"
	[ -z "$output" ]
	daemon_kill bot
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
