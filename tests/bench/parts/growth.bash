# route with 5, 10 and 20 times the corpus: is time linear in events, and memory flat?
# The corpus comes again and again with new ids, through the spool into a worker; and once with the worker absent, so that a backlog grows.
grow() { # ROUNDS: "acknowledged/s delivered/s peak"
	local n=$((lines * $1)) begin sink acked
	hub 'all -> sink' -s always
	mkfifo sunk
	timeout 300 "$tools/sink" "$n" ipc://run/to-sink > sunk & sink=$!
	exec 5< sunk; rm sunk
	read -r _ <&5
	begin=$(now)
	read -r _ _ acked _ < <("$tools/put" ipc://run/in 4 256 "$1" < corpus)
	read -r _ <&5
	echo "$acked $(rate "$n" "$begin") $(peak "$pid_route")"
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
	echo "$acked $(rate "$n" "$begin") $(peak "$pid_route")"
	stop route
	say "backlog of $n lines: peak RSS $behind before the worker came"
}
printf '%-46s %14s %14s %14s\n' "route -s always, growth" "acknowledged/s" "delivered/s" "peak RSS"
for rounds in 5 10 20; do
	say "growth, $((lines * rounds)) lines"
	read -r acked whole size < <(grow $rounds)
	printf '%-46s %14s %14s %14s\n' "$((lines * rounds)) lines, a worker beside" "$acked" "$whole" "$size"
done
for rounds in 5 20; do
	read -r acked whole size < <(backlog $rounds)
	printf '%-46s %14s %14s %14s\n' "$((lines * rounds)) lines, the worker comes afterwards" "$acked" "$whole" "$size"
done
echo "Memory holds the window of repeats (1,000,000 ids, 24 MB when it is full), the newest lines of the spool and the worker's window."
