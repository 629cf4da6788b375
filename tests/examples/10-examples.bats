#!/usr/bin/env bats
# Each of scripts/examples as a stage of a real hub, beside a store, while its program and stage itself are killed: every message has exactly
# one answer in the spool and in the history, and none is dead.
load ../lib/daemon
load ../route/hub

EXAMPLES=$ROOT/scripts/examples
N=3000

# messages FROM TO: each one is something for every example to answer
messages() {
	awk -v from="$1" -v to="$2" 'BEGIN {
		for (i = from; i <= to; i++)
			printf "{\"specversion\":\"1.0\",\"id\":\"e-%d\",\"source\":\"/test\",\"type\":\"chat.message\",\"tenant\":\"t%d\",\"partitionkey\":\"test:r%d\",\"data\":{\"channel\":{\"id\":\"r%d\"},\"user\":{\"id\":\"u1\",\"name\":\"ann\"},\"text\":\"!ping ann++ !roll https://example.org/%d is good for penstock\"}}\n",
				i, i % 2, i % 20, i % 20, i
	}'
}

stage_start() { daemon_start stage stage -L text "${STAGE[@]}"; }

# How many lines with an id that ends in .NAME have come back.
answers() { route -T -d "${SPOOL:-spool}" --from 1 --once | grep -cE "\"id\":\"e-[0-9]+$SUFFIX\"" || true; }
stored() { [ "$(store -x -d history | wc -l)" -ge "$1" ]; }
more_than() { [ "$(answers)" -gt "$1" ]; }
# A run in mode eof lasts some milliseconds: looked for without a pause, and without a process. stage has a child of its own besides.
kill_program() {
	local pid=${DAEMON_PID[stage]} kids= kid= what= i
	for ((i = 0; i < 10000; i++)); do
		read -r kids <"/proc/$pid/task/$pid/children" || [ -n "$kids" ] || continue	# no LF at its end
		for kid in $kids; do
			read -r what <"/proc/$kid/comm" || continue
			[[ $what == stage* ]] || ! kill -9 "$kid" || return 0
		done 2>/dev/null
	done
	return 1
}

# example NAME MODE PROGRAM...: see above
example() {
	local name=$1 mode=$2
	shift 2
	SUFFIX=${SUFFIX-.$name}
	STAGE=(-i "ipc://run/to-$name" -o "${OUT:-ipc://run/in}" -a "$mode" -s "$name" ${OPTIONS:-} -- "$@")
	printf 'all -> store\ntype == "chat.message" -> %s\n' "$name" >rules
	hub
	daemon_start store store -L text -i ipc://run/to-store -d history
	stage_start
	DAEMON_KILLED=yes
	messages 1 1000 | put >/dev/null
	wait_until 20 more_than 0
	messages 1001 2000 | put 8 >/dev/null &
	putter=$!
	wait_until 20 kill_program
	wait "$putter"
	# A run that had just ended was no kill: once more, with more to do.
	local last=$((N + 100)) tries
	for ((tries = 0; tries < 20; tries++)); do
		! _has_line stage.err 'signal 9' || break
		messages $((last + 1)) $((last + 200)) | put 8 >/dev/null &
		putter=$!
		last=$((last + 200))
		wait_until 20 kill_program
		wait "$putter"
		wait_until 1 _has_line stage.err 'signal 9' 2>/dev/null || true
	done
	_has_line stage.err 'signal 9'
	wait_until 20 more_than 1000
	messages 2001 $N | put >/dev/null
	daemon_kill stage
	stage_start
	messages 1 $N | put >/dev/null			# as a source does that did not see its acknowledgement
	wait_until 20 more_than 2000
	messages 3001 $((N + 100)) | put >/dev/null
	kill_program || true
	wait_until 60 more_than $((last - 1))
	daemon_stop stage
	seq -f "e-%.0f$SUFFIX" 1 $last | sort >want
	route -T -d "${SPOOL:-spool}" --from 1 --once | ids | grep -E "^e-[0-9]+$SUFFIX\$" | sort >got
	diff want got | head -n 5 >differs || true
	[ ! -s differs ] || { cat differs stage.err >&2; return 1; }
	[ ! -s "spool/dead/$name.ndjson" ] || { head -n 3 "spool/dead/$name.ndjson" >&2; return 1; }
	[ -n "${OUT:-}" ] || wait_until 60 stored $((2 * last))
	daemon_stop store
	[ -n "${OUT:-}" ] || store -x -d history | ids | grep -E "^e-[0-9]+$SUFFIX\$" | sort | diff want -
}

@test "sh: ping.sh" { example ping line "$EXAMPLES/ping.sh"; }
@test "awk: words.awk" { example words eof awk -f "$EXAMPLES/words.awk"; }
@test "jq: links.jq" { example links eof jq -c -f "$EXAMPLES/links.jq"; }
@test "sed: mask.sed" { example mask line sed -u -f "$EXAMPLES/mask.sed"; }
@test "python: mood.py" { example mood sync "$EXAMPLES/mood.py"; }
@test "node: dice.js" { example dice sync "$EXAMPLES/dice.js"; }
@test "perl: karma.pl" { example karma line "$EXAMPLES/karma.pl"; }
@test "C: length.c" {
	"${CC:-cc}" -O2 -o "$T/length" "$EXAMPLES/length.c"
	example length line "$T/length"
}

@test "grep: bridge-grep.sh, to another hub, killed too" {
	mkdir far
	echo 'all -> nobody' >far.rules
	daemon_start far route -L text -R far -d far.spool -r far.rules
	SUFFIX= OUT=ipc://far/in SPOOL=far.spool OPTIONS='--ok 0,1' example bridge eof "$EXAMPLES/bridge-grep.sh" penstock
}

@test "each says its mode, and how it is run: as these tests run it" {
	for file in "$EXAMPLES"/*; do
		name=${file##*/}
		run -0 sed -n 's/.*stage -i ipc:.* -a \([a-z]*\) .*/\1/p' "$file"
		mode=$output
		grep -q "Mode $mode" "$file"
		grep -qE "example [a-z]+ $mode .*(/$name|/${name%.c})\"" "$BATS_TEST_FILENAME"
	done
}

@test "an example alone, in a pipe" {
	messages 1 10 >in
	[ "$(stage -a line -s ping -- "$EXAMPLES/ping.sh" <in | ids | grep -c '\.ping$')" -eq 10 ]
	[ "$(stage -a sync -s mood -- "$EXAMPLES/mood.py" <in | ids | grep -c '\.mood$')" -eq 10 ]
}

@test "texts with escapes, and of 200 kB" {
	chat() { printf '{"specversion":"1.0","id":"m","source":"/t","type":"chat.message","data":{"text":"%s"}}\n' "$1"; }
	text='caf\u00e9 42 \"call 0171\" \\5 \ud83d\ude00 ren\u00e9e ann++'
	[ "$(chat "$text" | sed -u -f "$EXAMPLES/mask.sed" | jq -r .data.text)" = 'café ## "call ####" \# 😀 renée ann++' ]
	[ "$(chat "$text" | "$EXAMPLES/karma.pl" | jq -c .data)" = '{"who":"ann","by":1}' ]
	"${CC:-cc}" -O2 -o "$T/length" "$EXAMPLES/length.c"
	[ "$(chat "$text" | "$T/length" | jq .data.bytes)" -eq "$(chat "$text" | jq '.data.text | utf8bytelength')" ]
	chat "$(head -c 200000 /dev/zero | tr '\0' a)1" >big
	[ "$(timeout 10 "$EXAMPLES/karma.pl" <big)" = '' ]
	[ "$(timeout 10 sed -u -f "$EXAMPLES/mask.sed" <big | jq -r .data.text | tail -c 3)" = 'a#' ]
}
