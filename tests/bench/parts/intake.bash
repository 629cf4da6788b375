# putting lines into route, by batch size and sync mode, beside appending the same bytes to a file
row "intake into route, lines/s" penstock limit ratio
for batch in 256 16 1; do
	n=$lines; [ $batch != 16 ] || n=$((lines / 4)); [ $batch != 1 ] || n=$((lines / 20))
	head -n $n corpus > part
	for mode in always interval never; do
		sync=0; [ $mode != always ] || sync=1
		say "intake, $batch lines a batch, -s $mode"
		read -r _ _ raw _ < <("$tools/append" raw $batch $sync < part)
		hub 'all -> nobody' -s $mode
		read -r _ _ ours _ < <("$tools/put" ipc://run/in 4 $batch < part)
		route_peak=$(peak "$pid_route")
		stop route
		row "-s $mode, batches of $batch, 4 in flight" "$ours" "$raw" "$(ratio "$ours" "$raw")"
	done
done
echo "limit: the same bytes in the same batches, one write each, with fdatasync for always. Peak RSS of route: $route_peak"
echo

say "intake, one batch in flight"
read -r _ _ raw raw50 raw99 < <("$tools/append" raw 256 1 < corpus)
hub 'all -> nobody' -s always
read -r _ _ ours p50 p99 < <("$tools/put" ipc://run/in 1 256 < corpus)
stop route
row "-s always, batches of 256, 1 in flight" "$ours" "$raw" "$(ratio "$ours" "$raw")"
echo "put to acknowledgement p50 $p50 us, p99 $p99 us; write+fdatasync p50 $raw50 us, p99 $raw99 us"
