# route's intake and delivery to 1, 2 and 4 destinations
row "route -s always, lines/s" acknowledged "all delivered" deliveries
read -r _ _ raw _ < <("$tools/append" raw 256 1 < corpus)
for n in 1 2 4; do
	say "fan, $n destinations"
	names=$(seq -s ', ' -f d%g $n) urls=$(seq -s ' ' -f ipc://run/to-d%g $n)
	hub "all -> $names" -s always
	mkfifo sunk
	# shellcheck disable=SC2086
	timeout 300 "$tools/sink" "$lines" $urls > sunk & sink=$!
	exec 5< sunk; rm sunk
	read -r _ <&5
	begin=$(now)
	read -r _ _ acked _ < <("$tools/put" ipc://run/in 4 256 < corpus)
	read -r _ <&5
	whole=$(rate "$lines" "$begin")
	wait $sink; exec 5<&-
	used=$(awk '{ print $14 + $15 }' /proc/"$pid_route"/stat) size=$(peak "$pid_route")
	stop route
	row "to $n destination$([ $n = 1 ] || echo s), batches of 256, 4 in flight" "$acked" "$whole" "$((whole * n))"
	awk -v t="$used" -v hz="$(getconf CLK_TCK)" -v n="$lines" -v k="$n" -v size="$size" \
		'BEGIN { printf "  route: %.2f us of CPU for a line, %.2f for a delivery; peak RSS %s\n", t * 1e6 / hz / n, t * 1e6 / hz / n / k, size }'
done
echo "The raw log, same bytes with an fdatasync for each 256 lines: $raw lines/s. All on $(nproc) cores: source, hub and workers."
