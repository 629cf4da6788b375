# supervise beside runit, s6 and bare fork+exec: restart, start and stop of 1,000 services, memory, idle wake-ups, status
# The same static program as every service; folders are made anew for each run. A peer that is not installed is left out. Where it is
# allowed everything runs with a real-time priority, or what else runs on the machine decides.
sv_n=1000
sv_kills=200
sv_rt="chrt -f 10"
$sv_rt true 2>/dev/null || sv_rt=
mkdir sv_out
sv_shm=$(mktemp -d /dev/shm/penstock-bench.XXXXXX) && [ "$(stat -f -c %T "$sv_shm")" = tmpfs ] || sv_shm=
sv_done() { rm -rf "$work"/sv* ${sv_shm:+"$sv_shm"}; }
trap 'sv_done; cleanup' EXIT

# sv_make DIR N WITH: services 0 to N-1, with nothing, log: a logger each, ready: a notification-fd; copied from one made once
sv_make() {
	local i from=${sv_shm:-$PWD}/sv_like.$2$3
	if [ ! -d "$from" ]; then
		mkdir "$from"
		for ((i = 0; i < $2; i++)); do
			echo "$from/$i"
			[ "$3" != log ] || echo "$from/$i/log"
		done | xargs mkdir
		for ((i = 0; i < $2; i++)); do
			echo "$from/$i/run"
			[ "$3" != log ] || echo "$from/$i/log/run"
		done | xargs -n 1 ln -s "$tools/sv_service"
		[ "$3" != ready ] || for ((i = 0; i < $2; i++)); do echo 3 > "$from/$i/notification-fd"; done
	fi
	rm -rf "$1"
	cp -a "$from" "$1"
	touch -d '1 minute ago' "$1"	# runsvdir waits a second when the folder has just changed
}
# sv_drive KIND DIR ARG...: one run of a supervisor; ARG as sv_drive.c has them
sv_drive() {
	local kind=$1 dir=$2 count=$sv_n with=; shift 2
	[ "$1" != -n ] || count=$2
	case $kind in *log) with=log ;; *ready) with=ready ;; esac
	sv_make "$dir" "$count" "$with"
	set -- $sv_rt "$tools/sv_drive" "$@"
	case $kind in
	bare) "$@" "$dir.fifo" "$tools/sv_bare" "$dir" ;;
	runit*) "$@" -g 1 "$dir.fifo" runsvdir -P "$dir" ;;
	s6ready) BENCH_READY=1 "$@" "$dir.fifo" s6-svscan -c 4000 "$dir" ;;
	s6*) "$@" "$dir.fifo" s6-svscan -c 4000 "$dir" ;;
	ours*) "$@" "$dir.fifo" "$BIN/supervise" "$dir" ;;
	esac 2>>sv.log || { tail -n 3 sv.log >&2; say "$kind did not go through"; echo "0 0 0 0 0 0 0 0 0"; }
	rm -rf "$dir"
}
sv_peers="bare ours"
if have runsvdir; then sv_peers+=" runit"; else echo "skipped: runit is not installed"; fi
if have s6-svscan; then sv_peers+=" s6ready"; else echo "skipped: s6 is not installed"; fi
sv_status() { # KIND DIR: the command that tells of all its services
	case $1 in
	ours*) echo "$BIN/supervise -s $2 >/dev/null" ;;
	runit*) echo "cd $2 && SVDIR=$2 sv status * >/dev/null" ;;
	s6*) echo "cd $2 && for s in *; do s6-svstat \$s; done >/dev/null" ;;
	*) echo true ;;
	esac
}
sv_row() { printf '%-26s %9s %9s %9s %9s %9s %9s\n' "$@"; }
sv_ratio() { if [ "$1" = bare ]; then echo -; else ratio "$3" "$2"; fi; }

# sv_table NAME DIR ROUNDS: the medians of so many runs (an odd number) of each, in turns
sv_table() {
	local kind round p50 p99 start stop b50 bstart bstop
	sv_row "$1" "p50 ms" "/bare" "p99 ms" "start ms" "/bare" "stop ms"
	for ((round = 1; round <= $3; round++)); do
		for kind in $sv_peers; do
			say "supervise, $1: $kind, $round of $3"
			sv_drive $kind "$2/sv" -k $sv_kills -s "$(sv_status "$kind" "$2/sv")" >> "sv_out/$kind"
		done
	done
	for kind in $sv_peers; do
		read -r start stop p50 p99 < <(for i in 1 2 3 4; do
			cut -d' ' -f$i "sv_out/$kind" | sort -g | sed -n "$((($3 + 1) / 2))p"
		done | tr '\n' ' '; echo)
		[ $kind != bare ] || b50=$p50 bstart=$start bstop=$stop
		sv_row "  $kind" "$p50" "$(sv_ratio $kind "$b50" "$p50")" "$p99" "$start" "$(sv_ratio $kind "$bstart" "$start")" \
			"$stop ($(sv_ratio $kind "$bstop" "$stop"))"
		mv "sv_out/$kind" "sv_out/last.$kind"
	done
}
sv_dir=${sv_shm:-$PWD}
sv_nobare=${sv_peers/s6ready/s6}; sv_nobare=${sv_nobare#bare }
echo "$sv_n services; restart: from kill -9 until its successor is in main(), $sv_kills services; stop: until the last is gone (beside bare);"
echo "medians of three runs on tmpfs; on the busy disk one run each"
if [ -n "$sv_shm" ]; then sv_table "on a tmpfs" "$sv_shm" 3; else sv_table "on $(stat -f -c %T sv_out)" "$PWD" 3; fi
row "memory for each service (PSS), status of all" "KiB" "+ logger" "status ms"
for kind in $sv_peers; do
	read -r _ _ _ _ _ pss processes _ status < "sv_out/last.$kind"
	logged=-
	if [ "$kind" != bare ]; then
		say "supervise, memory with loggers: $kind"
		sv_drive "${kind%ready}log" "$sv_dir/sv" -n 300 -s true > sv_out/one
		read -r _ _ _ _ _ logged _ < sv_out/one
		logged=$(ratio "$logged" 300)
	fi
	row "  $kind, $processes processes" "$(ratio "$pss" $sv_n)" "$logged" "$status"
done
say "supervise, idle for 20 s"
sv_make "$sv_dir/idle" 200 ""	# the one to copy from
rm -rf "$sv_dir/idle"
for kind in $sv_nobare; do sv_drive "$kind" "$sv_dir/idle.$kind" -n 200 -i 20 > "sv_out/idle.$kind" & sv_pids+=" $!"; done
wait $sv_pids
for kind in $sv_nobare; do
	read -r _ _ _ _ _ _ _ wakes _ < "sv_out/idle.$kind"
	printf 'idle for 20 s with 200 services: %-6s %s wake-ups\n' "$kind" "$wakes"
done
# Somebody writes all the time: large files, synced, and small ones, renamed.
(while :; do dd if=/dev/zero of=sv_out/large bs=1M count=64 conv=fsync 2>/dev/null; done) & sv_large=$!
(while :; do for i in 1 2 3 4 5 6 7 8 9; do echo x > sv_out/small.new; sync sv_out/small.new; mv sv_out/small.new sv_out/small; done; done) & sv_small=$!
pids+=($sv_large $sv_small)
sv_table "on $(stat -f -c %T sv_out), disk busy" "$PWD" 1
kill $sv_large $sv_small; wait $sv_large $sv_small 2>/dev/null || true
sv_done
trap cleanup EXIT
