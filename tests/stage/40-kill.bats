# kill -9 of the program and of stage, in the middle of batches, behind the hub: nothing lost, nothing twice, order kept, nothing left over.
load ../route/hub
load stage

EVENTS=4000

setup() {
	cd "$T"
	printf '%s\n' 'type == "chat.message" -> work' 'type == "x.out" -> got' 'all -> store' > rules
	# Says one thing for each message; slow enough to be hit.
	program bot <<'EOF'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
	if (!/"chat.message"/) { print; next }
	my ($id) = /"id":"([^"]*)"/;
	select(undef, undef, undef, 0.004) if $. % 10 == 0;
	print qq({"type":"x.out","causationid":"$id","data":{"for":"$id"}}\n);
}
EOF
}

work() { # NAME MODE: a stage as worker of "work"
	daemon_start "$1" stage -L text -i ipc://run/to-work -o ipc://run/in -a "$2" -s bot --take 50 -- ./bot
}
# Kills a program that the stage NAME runs now.
hit() {
	local pid p
	pid=$(daemon_pid "$1")
	for p in $(< "/proc/$pid/task/$pid/children"); do
		[[ $(tr '\0' ' ' 2>/dev/null < "/proc/$p/cmdline") == *./bot* ]] && kill -9 "$p" 2>/dev/null && return
	done
	return 1
}
hit_or_done() { hit "$1" || at_least "$2"; }
# Programs of this test, by its mark.
programs() {
	grep -lszF "PENSTOCK_TEST_MARK=$T" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | while read -r p; do
		case $(tr '\0' ' ' 2>/dev/null < "/proc/$p/cmdline") in *perl*./bot*) echo "$p" ;; esac
	done 2> /dev/null
}
none_left() { [ -z "$(programs)" ]; }
made() { spooled | grep -c '"type":"x.out"' || true; }
at_least() { [ "$(made)" -ge "$1" ]; }

check_all() {
	wait_until 60 at_least "$EVENTS"
	spooled > all
	grep '"type":"x.out"' all > out
	[ "$(wc -l < out)" -eq "$EVENTS" ]
	[ "$(ids out | sort | uniq -d)" = "" ]
	# Every message once, and in order in its conversation.
	diff <(grep '"type":"chat.message"' all | ids | sort) <(sed -E 's/.*"for":"([^"]*)".*/\1/' out | sort)
	sed -E 's/.*"partitionkey":"([^"]*)".*"for":"e-([0-9]*)".*/\1 \2/' out | awk '$2 <= last[$1] { print "order: " $0; bad = 1 } { last[$1] = $2 } END { exit bad }'
	wait_until 20 has work pending 0 || true
}

@test "kill -9 of the program" {
	hub
	for mode in $MODES; do
		rm -f out
		work "w-$mode" "$mode"
		events 1 "$EVENTS" 40 | sed "s/\"e-/\"$mode-e-/;s/test:r/$mode:r/" | put 256 > /dev/null &
		putter=$!
		for i in {1..8}; do
			wait_until 30 at_least $((i * EVENTS / 12 + ${base:-0}))
			# Where this shell gets little time all may be done before the last ones.
			wait_until 10 hit_or_done "w-$mode" $((EVENTS + ${base:-0}))
		done
		wait "$putter"
		wait_until 60 at_least $((EVENTS + ${base:-0}))
		base=$(made)
		[ "$base" -eq $((EVENTS * (++rounds))) ]
		daemon_stop "w-$mode"
		grep -q 'died of signal 9' "w-$mode.err"
		none_left
	done
	[ "$(spooled | grep '"type":"x.out"' | ids | sort | uniq -d)" = "" ]
}

@test "kill -9 of stage" {
	for mode in $MODES; do
		mkdir "in-$mode"
		cp rules bot "in-$mode"
		cd "in-$mode"
		hub "hub-$mode"
		events 1 "$EVENTS" 40 | put 256 > /dev/null &
		putter=$!
		for i in {1..6}; do
			work "w-$mode-$i" "$mode"
			wait_until 30 at_least $((i * EVENTS / 10))
			daemon_kill "w-$mode-$i"
			wait_until 5 none_left
		done
		work "w-$mode" "$mode"
		wait "$putter"
		check_all
		daemon_stop "w-$mode"
		daemon_stop "hub-$mode"
		cd ..
	done
}

@test "SIGTERM drains: what was taken is finished, the rest stays with the hub" {
	for mode in $MODES; do
		mkdir "in-$mode"
		cp rules bot "in-$mode"
		cd "in-$mode"
		hub "hub-$mode"
		events 1 "$EVENTS" 40 | put 256 > /dev/null &
		putter=$!
		for i in {1..4}; do
			work "w-$mode-$i" "$mode"
			wait_until 30 at_least $((i * EVENTS / 10))
			daemon_stop "w-$mode-$i"
			not grep -q warning "w-$mode-$i.err"
			none_left
		done
		work "w-$mode" "$mode"
		wait "$putter"
		check_all
		daemon_stop "w-$mode"
		daemon_stop "hub-$mode"
		cd ..
	done
}

@test "kill -9 takes with it what a shell started for the program" {
	mkfifo to
	stage -L text -a line -- sh -c 'trap "" TERM HUP; (sleep 1000 & sleep 1000) 3<&0 >/dev/null & exec sleep 1000' < to > from 2> log &
	pid=$!
	exec 7> to
	# The program, and the two that its shell left.
	sleepers() { groups=$(pgrep -P "$pid" -x sleep) && [ "$(pgrep -g "$groups" -x -c sleep)" -eq 3 ]; }
	wait_until 10 sleepers
	kill -9 "$pid"
	wait "$pid" || true
	gone() { ! pgrep -g "$groups" > /dev/null; }
	wait_until 5 gone
	exec 7>&-
}

@test "a line that kills the program goes to the dead letters, with its last words" {
	printf '%s\n' 'all -> work' > rules
	program fragile <<'EOF'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
	if (/"kill"/) { print STDERR "this is too much\n"; kill 9, $$ }
	print;
}
EOF
	hub
	for mode in $MODES; do
		daemon_start "w-$mode" stage -L text -i ipc://run/to-work -o ipc://run/in -a "$mode" -- ./fragile
		{ events 1 100; chat "bad-$mode" kill; events 101 200; } | sed "s/\"e-/\"$mode-/" | put 100 > /dev/null
		dead() { grep -hs "bad-$mode" spool/dead/* | tail -n 1; }
		is_dead() { [ -n "$(dead)" ]; }
		wait_until 30 is_dead
		[[ $(dead) == *'fragile died of signal 9'*'this is too much'* ]]
		[[ $(dead) == *'"attempts":1'* ]]
		wait_until 20 has work pending 0
		daemon_stop "w-$mode"
	done
}

@test "told to end in a pipe while its program says later: one more try, then exit 1 that says how many lines are left" {
	events 1 3 > in
	daemon_run later sh -c 'exec stage -L text -a eof -- sh -c "exit 111" < in'
	wait_until 10 grep -q 111 later.err
	daemon_signal later TERM
	daemon_wait later
	[ "$status" -eq 1 ]
	grep -q 'told to end, and 3 lines of standard input are not done' later.err
}
