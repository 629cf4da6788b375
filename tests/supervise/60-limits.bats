load ../lib/daemon
load services

# limits NAME LINE...
limits() { local n=$1; shift; printf '%s\n' "$@" >"$S/$n/limits"; }

@test "limits: resources, nice, user and groups, environment, as the service sees them" {
	[ "$(id -u)" -eq 0 ] || skip "only root may become another user"
	chmod 755 "$T" "$T/.." "$S" 2>/dev/null || true
	service a 'exec >out 2>&1; ulimit -Sn; ulimit -Hn; ulimit -v; ulimit -c; nice; id -un; id -Gn; echo "$FOO:$LINES:${GONE-unset}:$HOME2"; exec sleep 1000'
	mkdir "$S/a/env" "$S/a/env/folder"
	printf 'one \t\nsecond line\n' >"$S/a/env/FOO"
	printf 'a\0b\n' >"$S/a/env/LINES"
	: >"$S/a/env/GONE"
	printf '\n' >"$S/a/env/HOME2"
	echo hidden >"$S/a/env/.swp"
	limits a '# all of them' 'files = 123' 'memory=1g  # a gigabyte' ' core = 0 ' 'nice = 3' 'user = nobody' 'group = adm, 33' 'environment = env'
	: >"$S/a/out"
	chmod 666 "$S/a/out"
	GONE=here sup_start
	wait_until 5 lines_are "$S/a/out" 9
	run -0 cat "$S/a/out"
	[ "$output" = $'123\n123\n1048576\n0\n'$(($(nice) + 3))$'\nnobody\nadm www-data\none:a\nb:unset:' ]
	sup_stop
}

@test "limits: finish is not limited, a logger is; the file is read at each start" {
	service a 'ulimit -n >>out; exec sleep 1000'
	script "$S/a/finish" 'ulimit -n >>finished'
	script "$S/a/log/run" 'ulimit -n >out; exec cat >/dev/null'
	limits a 'files = 50'
	echo 'files = 60' >"$S/a/log/limits"
	sup_start
	wait_until 5 lines_are "$S/a/log/out" 1
	[ "$(cat "$S/a/log/out")" = 60 ]
	wait_until 5 lines_are "$S/a/out" 1
	limits a 'files = 51'
	sv restart a >/dev/null
	wait_until 5 lines_are "$S/a/out" 2
	[ "$(tr '\n' ' ' <"$S/a/out")" = "50 51 " ]
	[ "$(cat "$S/a/finished")" -gt 60 ]
	sup_stop
}

@test "limits: each bad line is told with its number, and the service does not start without it" {
	service a 'touch started; exec sleep 1000'
	limits a 'files = many' 'flies = 3' 'files' 'user = no-such-user' 'group = 0 no-such-group' 'nice = 20' 'nice = -21' 'memory = 1x' 'cpu = 10ms' 'core =' "environment = $(printf '%0300d' 1)"
	sup_start_not_ready
	wait_for "$T/sup.err" 'not started without the limits of those lines'
	n=0
	while read -r text; do
		n=$((n + 1))
		grep -qF "a/limits: line $n: $text" "$T/sup.err" || { echo "$n $text"; cat "$T/sup.err"; false; }
	done <<-'EOF'
	files = many: not a number
	flies = 3: no such limit; there are memory
	files: write WORD = VALUE
	user = no-such-user: no such user in /etc/passwd
	group = 0 no-such-group: no such group in /etc/group
	nice = 20: write a number from -20 to 19
	nice = -21: write
	memory = 1x: 
	cpu = 10ms: too small
	core =: a value is missing
	environment = 0000
	EOF
	[ ! -e "$S/a/started" ]
	told_111() { [ "$(sup_field a .last_exit.code)" = 111 ]; }
	wait_until 5 told_111
	limits a 'environment = none'
	wait_for "$T/sup.err" 'a: environment none: No such file'
	rm "$S/a/limits"
	wait_until 15 test -e "$S/a/started"
	wait_until 5 sup_is a run
	sup_stop
}
