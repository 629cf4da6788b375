# The same commands under runit's own runsvdir and under supervise: the same words, exit codes, files and bytes.
load ../lib/daemon
load services

# What may differ between two runs: process ids and seconds.
plain() { sed -E 's/pid [0-9]+/pid N/g; s/\b[0-9]+s\b/Ns/g'; }

tell() {
	local rc=0 out
	out=$("$@" 2>&1) || rc=$?
	printf '$ %s\n%s\n= %s\n' "$*" "$out" "$rc" | plain
}

# Bytes 16 to 19 of the record, and the text.
files() {
	for f in "$@"; do
		echo "$f: $(od -An -tu1 -j16 -N4 "$S/$f/supervise/status") $(stat -c %s "$S/$f/supervise/status") $(cat "$S/$f/supervise/stat")" \
			"$([ -s "$S/$f/supervise/pid" ] && echo process || echo none)" \
			"$(stat -c %a "$S/$f"/supervise/{control,lock,ok,pid,stat,status} | tr '\n' ' ')"
	done
}

wants() { [ "$(od -An -c -j17 -N1 "$S/$1/supervise/status" | tr -d ' ')" = "$2" ]; }

make_services() {
	service plain 'exec sleep 1000'
	service stays "trap : TERM; trap : HUP; trap : INT; trap : ALRM; trap : USR1; trap : USR2; trap : QUIT" 'mkfifo hang' 'while :; do read x <>hang; done'
	service ended 'exec sleep 1000'
	script "$S/ended/finish" 'echo "$@" >>args'
	service off 'exec sleep 1000'
	touch "$S/off/down"
	service logged 'echo hello; exec sleep 1000'
	script "$S/logged/log/run" 'exec cat >out'
	service checked 'exec sleep 1000'
	script "$S/checked/check" 'exit 1'
}

up() {
	for s in plain stays ended logged logged/log checked; do wait_until 10 stat_is "$s" run; done
	wait_until 10 stat_is off down
	wait_for "$S/logged/log/out" hello
}

scenario() {
	up
	tell sv status plain stays ended off logged checked
	files plain stays ended off logged logged/log
	for s in plain ended off logged; do
		tell sv -v down "$s"
		files "$s"
		tell sv status "$s"
		tell sv -v up "$s"
		files "$s"
	done
	tell sv stop logged/log
	tell sv status logged
	tell sv start logged/log
	tell sv -v pause plain
	files plain
	tell sv -v cont plain
	tell sv -v once plain
	files plain
	# A running service meets sv's condition for `up` at once, so sv may print the record from before its own letter.
	sv up plain
	wait_until 10 wants plain u
	tell sv status plain
	for c in hup alarm interrupt quit 1 2; do tell sv "$c" stays; done
	tell sv -v -w 1 down stays
	tell sv -v -w 1 force-stop stays
	files stays
	tell sv -v up stays
	tell sv -w 1 start checked
	tell sv -w 1 check plain
	tell sv status nobody
	tell sv nonsense plain
	for s in plain ended off logged; do tell sv -v down $s; done
	files plain ended off logged
	cat "$S/ended/args"
}

# runsvdir leaves its runsv running at TERM; at HUP it ends them.
by_runit() {
	daemon_run peer runsvdir -P "$S"
	scenario >"$T/runit.said"
	sv down stays checked
	sv kill stays checked
	daemon_signal peer HUP
	daemon_wait peer
	for s in "$S"/*; do wait_until 10 unlocked "$s"; done
}
unlocked() { flock -n "$1/supervise/lock" true; }

@test "sv says the same, with the same codes, and finds the same bytes" {
	make_services
	by_runit
	rm -rf "${S:?}"/*
	make_services
	daemon_run sup supervise -L text -k 1s "$S"
	scenario >"$T/ours.said"
	sup_stop
	[ "$(grep -c '^= 0' "$T/ours.said")" -ge 28 ]
	diff "$T/runit.said" "$T/ours.said"
}
