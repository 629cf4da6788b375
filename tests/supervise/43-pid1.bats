# As process 1 of a process namespace: everything that is left behind is its own.
load ../lib/daemon
load services

inner() { cat "/proc/$(daemon_pid outer)/task/$(daemon_pid outer)/children" 2>/dev/null | tr -d ' '; }
has_inner() { [ -n "$(inner)" ]; }
no_zombie() { [ -z "$(ps -o stat= --ppid "$1" | grep Z)" ]; }
in_it() { [ "$(pgrep -c -P "$1")" -eq "$2" ]; }

setup() {
	unshare --pid --fork true 2>/dev/null || skip "no right to make a process namespace"
	service a 'trap "echo term >>got; exit 0" TERM; setsid sh -c "trap : TERM; echo \$\$ >kid; sleep 1001 & echo on >on; wait; wait" & echo go >>got; while :; do sleep 1000 & wait; done'
	script "$S/a/finish" 'echo "$@" >args'
	service b 'echo hello; (exit 3) & exec sleep 1000'
	script "$S/b/log/run" 'exec cat >out'
}

@test "it collects what is orphaned, and TERM ends all in order, with code 0" {
	unshare --pid --fork --mount-proc true 2>"$T/no" || skip "no /proc of its own: $(cat "$T/no")"	# as in a chroot, whose / is no mount point
	daemon_run outer unshare --pid --fork --mount-proc supervise -L text -k 500ms "$S"
	wait_for "$T/outer.err" "2 services are up"
	wait_until 5 has_inner
	pid=$(inner)
	wait_for "$S/a/got" go
	wait_for "$S/a/on" on
	wait_for "$S/b/log/out" hello
	# An orphan of the shell's, whose end nobody but process 1 can collect.
	sv kill b
	wait_until 5 restarted b 1
	wait_until 5 no_zombie "$pid"
	kill -TERM "$pid"
	daemon_wait outer
	[ "$status" -eq 0 ]
	[ "$(tr '\n' ' ' <"$S/a/got")" = "go term " ]
	[ "$(cat "$S/a/args")" = "0 0" ]
	[ "$(sort -u "$S/b/log/out")" = hello ]
	stat_is a down
}

@test "HUP ends all, too, with code 111, also without a /proc of its own" {
	daemon_run outer unshare --pid --fork supervise -L text -k 500ms "$S"
	wait_for "$T/outer.err" "2 services are up"
	wait_until 5 has_inner
	wait_for "$S/a/got" go
	kill -HUP "$(inner)"
	daemon_wait outer
	[ "$status" -eq 111 ]
	[ "$(tr '\n' ' ' <"$S/a/got")" = "go term " ]
	grep -q "/proc: .*are not ended" "$T/outer.err"	# the kernel does, with process 1
}
