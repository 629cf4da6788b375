# The same scenario under Debian's runsvdir -P with its runsv, and under supervise, at the same time, each in a directory of its own: what
# both say must be the same but for process ids, seconds and the directory's name.
#
#   both NAME          NAME_services makes the services in $S, NAME prints what is compared, for each with $S and $SVDIR its own. Fails
#                      (unless $DIFFER is set) with a diff (< runit, > supervise). $WHO is runit or ours, for the differences that penstock-runit(7) lists
#   tell COMMAND...    prints it, its output and exit code          quiet COMMAND...   only the exit code
#   show SERVICE...    what is in supervise/                        tree SERVICE...    its processes: descriptors, signals, ...
#   together TEXT...   tell of each TEXT's words, at the same time, printed in their order          say TEXT           a heading
#   there SERVICE      waits until sv can see it
#   older SERVICE      waits until it is in its state for a second: within it sv takes the record of before for an answer
# Loaded after daemon.bash and services.bash. A scenario waits for events as other tests do, and takes no time that can be seen.

plain() { sed -E "s|$S|DIR|g"'; s/pid [0-9]+/pid N/g; s/\b[0-9]+s\b/Ns/g; s/[0-9]+ seconds/N seconds/g'; }

say() { echo "-- $*"; }
tell() {
	local rc=0 out
	out=$("$@" 2>&1) || rc=$?
	printf '$ %s\n%s\n= %s\n' "$*" "$out" "$rc" | plain
}
quiet() {
	local rc=0
	"$@" >/dev/null 2>&1 || rc=$?
	echo "$ $* = $rc" | plain
}
together() {
	local i=0 words pids=()
	for words; do
		# shellcheck disable=SC2086
		tell $words >"$T/together.$WHO.$i" &
		pids+=($!)
		i=$((i + 1))
	done
	wait "${pids[@]}"
	for ((i = 0; i < $#; i++)); do cat "$T/together.$WHO.$i"; done
}
_agrees() { stat_is "$1" "$(cat "$S/$1/supervise/stat")"; }
_there() { [ -p "$S/$1/supervise/ok" ] && [ -e "$S/$1/supervise/stat" ]; }
there() { wait_until 10 _there "$1"; }	# run may write before these are there
_older() { [ $((0x$(od -An -v -tx1 -j1 -N7 "$S/$1/supervise/status" | tr -d ' ') - 10)) -lt "$EPOCHSECONDS" ]; }
older() { local f; for f; do wait_until 10 _older "$f"; done; }

# The record byte by byte: its length, the pid if it is the one of the file pid and lives, paused, wanted, TERM, state; the text.
show() {
	local f b pid said
	for f; do
		wait_until 10 _agrees "$f"
		mapfile -t b < <(od -An -v -tu1 -w1 "$S/$f/supervise/status" | tr -d ' ')
		pid=$((b[12] + b[13] * 256 + b[14] * 65536 + b[15] * 16777216))
		said=$(cat "$S/$f/supervise/pid" 2>/dev/null || true)	# runsv makes none for a logger that never ran
		if [ "$pid" -eq 0 ] && [ -z "$said" ]; then
			pid=none
		elif [ "$pid" = "$said" ] && kill -0 "$pid"; then
			pid=process
		else
			pid="$pid, and $said in the file"
		fi
		echo "$f: ${#b[@]} bytes, begin ${b[0]} ${b[1]} ${b[2]} ${b[3]}, $pid, ${b[*]:16}; $(cat "$S/$f/supervise/stat")"
	done
}
modes() { (cd "$S" && stat -c '%n %F %a' "$1" "$1"/supervise "$1"/supervise/*); }

# What a process of a service is: words, where, session apart from the test's, descriptors, signals, limits, environment.
tree() {
	local f pid fd
	for f; do
		pid=$(cat "$S/$f/supervise/pid")
		echo "$f: $(tr '\0' ' ' <"/proc/$pid/cmdline" | plain), in $(readlink "/proc/$pid/cwd" | plain)," \
			"parent $(ps -o comm= -p "$(ps -o ppid= -p "$pid")" | sed -E 's/^(runsv|supervise)$/its supervisor/')," \
			"session $([ "$(ps -o sid= -p "$pid")" = "$(ps -o sid= -p $$)" ] && echo "the test's" || echo apart)"
		for fd in "/proc/$pid/fd"/*; do echo "  ${fd##*/} $(readlink "$fd" | sed -E 's/^pipe:.*/pipe/' | said)"; done
		grep -E '^(Umask|SigBlk|SigIgn|NoNewPrivs|Seccomp|CapEff)' "/proc/$pid/status"
		grep -E 'open files|core|stack' "/proc/$pid/limits" | tr -s ' '
		tr '\0' '\n' <"/proc/$pid/environ" | grep -v '^_=' | sort | plain
		echo "  nice $(ps -o ni= -p "$pid"), under it $(pgrep -c -P "$pid")"
	done
}
said() { sed -E "s|^$T/(runit\|ours)\.(out\|err)|\2 of the supervisor|" | plain; }

restore() { S=$T/s SVDIR=$T/s; }

_as() { # WHO
	WHO=$1 S=$T/$1 SVDIR=$T/$1
	export SVDIR
}

# runsvdir leaves its runsv running at TERM; at HUP it ends them, but for one that it is just making. What ignores TERM is killed here.
_end_runit() {
	local f pid end=$((SECONDS + PATIENCE))
	_as runit
	daemon_signal runit HUP
	daemon_signal runit CONT	# a stopped one: HUP first, or it starts what is missing
	daemon_wait runit
	[ "$status" -eq 111 ]
	for f in "$S"/*/ "$S"/*/log/; do
		[ -e "$f/supervise/lock" ] || continue
		until flock -n "$f/supervise/lock" true; do
			[ "$SECONDS" -lt "$end" ] || { echo "$f is still held" >&2; return 1; }
			printf x 1<>"$f/supervise/control"
			read -r pid 2>/dev/null <"$f/supervise/pid" && [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null || true
			_pause
		done
	done
}

both() {
	local who pid bad=0 pids=()
	for who in runit ours; do
		_as $who
		mkdir -p "$S"
		"$1_services"
		touch -d '1 minute ago' "$S"	# runsvdir waits a second when it changed just now
	done
	cd "$T"
	# A shell's background leaves these two ignored, and runit passes that on.
	daemon_run runit env -u SVDIR --default-signal=INT,QUIT runsvdir -P "$T/runit"
	daemon_run ours env -u SVDIR supervise -L text -k 2s "$T/ours"
	_pause	# its fifo is made once, and inherited
	for who in runit ours; do
		(_as $who; set -e; "$1") >"$T/$who.said" 2>"$T/$who.complaint" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || bad=1; done
	_end_runit || bad=1
	_as ours
	daemon_stop ours || bad=1
	restore
	if [ $bad -ne 0 ]; then tail -n 20 "$T"/{runit,ours}.{said,complaint,err} >&2; fi
	[ -s "$T/runit.said" ] || bad=1
	[ -n "${DIFFER-}" ] || diff "$T/runit.said" "$T/ours.said" || bad=1
	return $bad
}
