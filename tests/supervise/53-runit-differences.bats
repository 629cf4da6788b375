# What penstock-runit(7) says is different from runit: both sides of it, so that the page stays true.
load ../lib/daemon
load services
load conform
setup_file() { at_once letters_differ loops_differ; }

# Both say what is expected of each.
differ() { # NAME RUNIT OURS
	DIFFER=yes both "$1"
	diff <(echo "$2") "$T/runit.said"
	diff <(echo "$3") "$T/ours.said"
}
only() { [ "$WHO" = "$1" ]; }

letters_services() {
	service a 'exec sleep 1000'
	service b 'exec sleep 1000'
	script "$S/b/finish" 'echo "$@" >>args; [ -e go ] || { : >started; exec sleep 1000; }'
	service c 'exec sleep 1000'
	script "$S/c/finish" 'echo "$@" >args; exit 125'
	service d 'exec sleep 1000'
	service e 'exec sleep 1000'
	script "$S/e/control/k" ': >asked; exit 0'
}
paused() { grep -q paused "$S/$1/supervise/stat"; }
goes_on() { ! paused "$1"; }
letters() {
	local old s
	for s in a b c d e; do wait_until 10 stat_is $s run; done
	if [ "$(ps -o sid= -p "$(cat "$S/a/supervise/pid")")" -eq "$(cat "$S/a/supervise/pid")" ]; then echo "own session"; else echo "session of runsv"; fi
	sv term b
	wait_until 10 stat_is b finish
	wait_until 10 test -e "$S/b/started"
	: >"$S/b/go"
	old=$(cat "$S/b/supervise/pid")
	sv kill b
	if only runit; then
		# K writes nothing down; p and c, read behind it, do. Were the process gone before k is read, it would run no second time.
		sv pause b
		wait_until 10 paused b
		sv cont b
		wait_until 10 goes_on b
		kill -9 "$old"
		wait_until 10 lines_are "$S/b/args" 2
	fi
	wait_until 10 process_gone "$old"
	wait_until 10 stat_is b run
	echo "finish with" $(cat "$S/b/args")
	sv term c
	wait_until 10 test -s "$S/c/args"
	if only runit; then wait_until 10 stat_is c run; else wait_until 10 stat_is c down; fi
	echo "after 125 $(cat "$S/c/supervise/stat")"
	old=$(cat "$S/e/supervise/pid")
	sv kill e
	wait_until 10 test -e "$S/e/asked"
	sv pause e
	wait_until 10 paused e
	only runit || wait_until 10 stopped "$old"
	echo "k taken over, and p: $(cat "$S/e/supervise/stat"), $(grep -q '^State:.T' "/proc/$old/status" && echo stopped || echo on)"
	kill -9 "$old"
	sv -v -w 3 exit d >/dev/null
	if only runit; then wait_until 10 stat_is d run; fi
	echo "after exit $(cat "$S/d/supervise/stat")"
	only runit || daemon_signal ours ALRM
	wait_until 10 stat_is d run
}
letters_differ() {
	differ letters $'session of runsv\nfinish with -1 15 -1 9\nafter 125 run\nk taken over, and p: down, paused, on\nafter exit run' \
		$'own session\nfinish with -1 15\nafter 125 down\nk taken over, and p: run, paused, stopped\nafter exit down'
}
@test "sessions, k in finish, k taken over, finish's 125, exit" { outcome letters_differ; }

loops_services() { service c 'echo >>n; exit 1'; }
wants() { [ "$(od -An -c -j17 -N1 "$S/$1/supervise/status" | tr -d ' ')" = "$2" ]; }
loops() {
	wait_until 10 lines_are "$S/c/n" 2
	if only runit; then wait_until 10 wants c u; else wait_until 10 wants c d; fi
	wait_until 10 stat_is c down
	echo "$(sv status c | plain)"
	# Runsv is deaf until the second is over, sv has nothing to write for it: u is what it shows.
	[ "$WHO" = runit ] || { wait_until 10 stat_is c down; n=$(wc -l <"$S/c/n"); sv up c; wait_until 10 lines_are "$S/c/n" $((n + 1)); }
	quiet sv -v down c
}
loops_differ() {
	differ loops $'down: c: Ns, normally up, want up\n$ sv -v down c = 0' $'down: c: Ns, normally up\n$ sv -v down c = 0'
}
@test "a crash loop shows that down is wanted" { outcome loops_differ; }
