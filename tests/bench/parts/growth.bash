# route with 5, 10 and 20 times the corpus: is time linear in events, and memory flat?
# The corpus comes again and again with new ids, through the spool into a worker; and once with the worker absent, so that a backlog grows.
cpu_of() { awk -v n="$2" -v hz="$(getconf CLK_TCK)" '{ printf "%.2f", ($14 + $15) * 1e6 / hz / n }' "/proc/$1/stat"; }	# PID LINES
grow() { # ROUNDS: "acknowledged/s delivered/s us-of-CPU peak"
	local n=$((lines * $1)) begin sink acked
	hub 'all -> sink' -s always
	mkfifo sunk
	timeout 300 "$tools/sink" "$n" ipc://run/to-sink > sunk & sink=$!
	exec 5< sunk; rm sunk
	read -r _ <&5
	begin=$(now)
	read -r _ _ acked _ < <("$tools/put" ipc://run/in 4 256 "$1" < corpus)
	read -r _ <&5
	echo "$acked $(rate "$n" "$begin") $(cpu_of "$pid_route" "$n") $(peak "$pid_route")"
	wait $sink; exec 5<&-
	stop route
}
backlog() { # ROUNDS: the same, the worker comes when all is in the spool
	local n=$((lines * $1)) begin acked behind
	hub 'all -> sink' -s always
	read -r _ _ acked _ < <("$tools/put" ipc://run/in 4 256 "$1" < corpus)
	behind=$(peak "$pid_route")
	begin=$(now)
	timeout 300 "$tools/sink" "$n" ipc://run/to-sink > /dev/null
	echo "$acked $(rate "$n" "$begin") $(cpu_of "$pid_route" "$n") $(peak "$pid_route")"
	stop route
	say "backlog of $n lines: peak RSS $behind before the worker came"
}
grown() { printf '%-38s %14s %12s %12s %12s\n' "$@"; }
grown "route -s always, growth" "acknowledged/s" "delivered/s" "CPU, us/line" "peak RSS"
for rounds in 5 10 20; do
	say "growth, $((lines * rounds)) lines"
	read -r acked whole cpu size < <(grow $rounds)
	grown "$((lines * rounds)) lines, a worker beside" "$acked" "$whole" "$cpu" "$size"
done
for rounds in 5 20; do
	read -r acked whole cpu size < <(backlog $rounds)
	grown "$((lines * rounds)) lines, the worker comes afterwards" "$acked" "$whole" "$cpu" "$size"
done
echo "Memory holds the window of repeats (1,000,000 ids, 24 MB when it is full), the newest lines of the spool and the worker's window."
