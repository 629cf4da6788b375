# Conditions that a jq answers: what happens when it is slow, ends, stops or is missing.
load hub

# A hub that finds in $T/path what `jq` is.
hub_with_path() {
	mkdir -p path
	[ -e path/jq ] || ln -s "$(command -v jq)" path/jq
	printf '#!/bin/bash\nPATH=%s exec %s "$@"\n' "$T/path" "$(command -v route)" > route-with-path
	chmod +x route-with-path
	mkdir -p run
	daemon_start hub "$T/route-with-path" -L text -R run -d spool -r rules -M run/metrics
}
number() { printf '{"specversion":"1.0","id":"n%s","source":"/t","type":"x","partitionkey":"k%s","data":{"n":%s}}\n' "$1" "$1" "$1"; }
numbers() { for i in $(seq "$1" "$2"); do number "$i"; done; }
# The lines of stdin, again until all are in: on a busy machine a jq may get no turn in time, and lines are refused with retry.
put_all() {
	cat > in
	_all_in() { put < in | grep -q "^acked $(wc -l < in) refused 0"; }
	wait_until 20 _all_in
}
# N lines of DEST, however many batches they come in.
gather() {
	: > got
	until [ "$(wc -l < got)" -ge "$2" ]; do
		timeout 60 "$P" take "ipc://run/to-$1" "w-$1" 256 1 2>/dev/null >> got || { echo "$1: $(wc -l < got) of $2 lines came" >&2; return 1; }
	done
	cat got
}
# The children of the hub that are called jq.
children() { pgrep -P "$(daemon_pid hub)" -x "${1:-jq}"; }

@test "lines go where jq says, also when they are read again" {
	printf "all -> store\njq '.data.n %% 2 == 0' -> even\nnot jq '.data.n %% 2 == 0' -> odd\n" > rules
	hub
	numbers 1 300 | put
	daemon_kill hub
	route ledger -d spool -R run > /dev/null
	hub
	numbers 301 400 | put_all
	gather even 200 | jq .data.n | cmp - <(seq 2 2 400)
	gather odd 200 | jq .data.n | cmp - <(seq 1 2 399)
	[ "$(children | wc -l)" = 2 ]
	daemon_stop hub
}

@test "a program that jq does not take is refused with its place" {
	hub
	printf 'all -> store\nall -> store\n  type == "x" and jq %s -> y\n' "'.a b'" > rules
	ask control '{"do":"reload"}' | jq -e '.error | startswith("rules:3:19: jq: syntax error")'
	printf 'all -> store\n  jq ".a\\n| foo(1)" -> y\n' > rules
	ask control '{"do":"reload"}' | jq -e '.error == "rules:2:3: jq: in its line 2: foo/1 is not defined"'
	printf "jq 'if .a then 1' -> y\n" > rules
	ask control '{"do":"reload"}' | jq -e '.error == "rules:1:1: jq: syntax error: the program is not complete"'
	[ -z "$(children)" ]
}

@test "processes of rules that are replaced end, and come back for lines of then" {
	printf "jq '.data.n > 5' -> big\nall -> store\n" > rules
	hub --window-lines 1
	numbers 1 10 | put_all
	for i in 1 2 3; do
		printf "jq '.data.n > %s' -> big\nall -> store\n" "$i" > rules
		ask control '{"do":"reload"}' | jq -e .changed
		numbers "${i}1" "${i}2" | put_all
	done
	[ "$(children | wc -l)" = 1 ]
	daemon_kill hub
	hub --window-lines 1
	gather big 11 | jq .data.n | cmp - <(seq 6 10; printf '%s\n' 11 12 21 22 31 32)
}

@test "a line that keeps jq busy holds up nothing for long, does not match, and is decided the same when it is read again" {
	cat > rules <<-'END'
		all -> store
		jq 'if .data.n == 7 then [range(1e9)] | length > 0 else .data.n > 5 end' -> big
		not jq 'if .data.n == 7 then [range(1e9)] | length > 0 else .data.n > 5 end' -> small
	END
	hub
	numbers 1 10 | put_all
	# Each of the two was asked once: one remembered its program's failure, the other found it.
	wait_for hub.err 'still busy after 100 ms'
	[ "$(grep -c 'still busy' hub.err)" = 1 ]
	[ "$(wc -l < spool/rules/failed)" = 1 ]
	daemon_kill hub
	hub
	gather big 4 | jq .data.n | cmp - <(seq 6 10 | grep -v 7)
	gather small 6 | jq .data.n | cmp - <(printf '%s\n' 1 2 3 4 5 7)
	run ! grep -q 'still busy' hub.err
}

# PATTERN: `jq` is a program that ends at a line with the pattern, and says 1 to others but null and those with "n":4
fake_jq() {
	mkdir path
	printf '%s\n' '#!/bin/bash' 'while IFS= read -r line; do' \
		"case \$line in $1) echo 'jq: error: not this' >&2; exit 5 ;; null | *'\"n\":4}'*) echo 0 ;; *) echo 1 ;; esac" done > path/jq
	chmod +x path/jq
}

@test "lines that are too much for jq, one after another: it rests, lines are refused with retry meanwhile, and all are kept in the end" {
	fake_jq "*'\"n\":'[123]'}'*"
	printf "all -> store\njq 'x' -> some\n" > rules
	hub_with_path
	numbers 1 5 > in
	# On a busy machine lines may be refused before because it does not answer in time.
	rests() { put < in > out && grep -q 'rests after' out; }
	wait_until 10 rests
	grep -Eq '^acked (2 refused 3 \[3|3 refused 2 \[4) [^]]*rests after lines that were too much for it, retry\]' out || { cat out; return 1; }
	accepted() { put < in | grep -q 'acked 5'; }
	wait_until 10 accepted
	[ "$(wc -l < spool/rules/failed)" = 3 ]
	gather some 1 | jq .data.n | cmp - <(echo 5)
	[ "$(spooled | wc -l)" = 5 ]
}

@test "a jq that is killed or stopped is replaced, and its line is asked again" {
	printf "jq '.data.n > 5' -> big\nall -> store\n" > rules
	hub
	kill -KILL "$(children)"
	numbers 1 10 | put_all
	wait_for hub.err 'a new one is asked'
	kill -STOP "$(children)"
	numbers 11 20 | put_all
	gather big 15 | jq .data.n | cmp - <(seq 6 20)
	[ ! -s spool/rules/failed ]
}

@test "a line that ends jq twice does not match; the next one is answered" {
	fake_jq "*'\"n\":3}'*"
	printf "jq 'x' -> some\nall -> store\n" > rules
	hub_with_path
	numbers 1 5 | put_all
	wait_for hub.err 'ended twice \(not this\)'
	gather some 3 | jq .data.n | cmp - <(printf '%s\n' 1 2 5)
	gather store 5 | jq .data.n | cmp - <(seq 5)
}

@test "without a jq rules that need one are refused; when it goes away under way lines wait, and none is lost" {
	mkdir path
	printf "all -> store\njq 'true' -> x\n" > rules
	run -1 env PATH="$T/path" "$(command -v route)" -L text -t -r rules <<<""
	[[ "$output" == *"rules:2:1: jq: it is not installed"* ]]
	hub_with_path
	rm path/jq
	kill -KILL "$(children)"
	number 1 > in
	put < in > out
	[[ "$(<out)" == "acked 0 refused 1 [1 "*"cannot be started, retry]" ]]
	grep -q 'not installed .*lines wait' hub.err
	ln -s "$(command -v jq)" path/jq
	accepted() { put < in | grep -q 'acked 1'; }
	wait_until 5 accepted
	take x 256 1 | cmp - in
	[ "$(spooled | wc -l)" = 1 ]
}
