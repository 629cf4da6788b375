# events through one Discord connection, and what an idle shard costs, beside discord.js; both against the same lab
discord_modules=$top/tests/lab/node_modules
discord_events=$((lines / 2)) discord_shards=1000

discord_lab() { # OPTIONS...
	rm -rf lab
	start lab "$top/tests/peers/lab/lab.py" -d lab -q -o discord.identify_total=100000 "$@" > /dev/null
	LAB=http://127.0.0.1:$(<lab/port)
}
# The bot of the lab, and nothing else. COMPRESS
discord_account() {
	rm -rf accounts state
	mkdir -p accounts/default
	cp lab/accounts/default/lab-discord.* accounts/default/
	printf 'compress = %s\n' "$1" >> accounts/default/lab-discord.conf
}
discord_cpu() { awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"; }	# milliseconds
discord_pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
discord_lines() { [ "$(tail -n 1 gw.out | grep -c "flood $1 ")" = 1 ]; }
discord_up() { [ "$(curl -s "$LAB/lab/counts" | jq '.counts.identify // 0')" -ge "$1" ]; }
# N: has that many messages sent; when the first was, in seconds
discord_flood() {
	local at
	at=$(now)
	curl -s -m 600 -d "{\"n\":$1,\"size\":60,\"keep\":false}" "$LAB/lab/flood" | jq -r --argjson at "$at" '$at / 1e9 + .prepared_s'
}
discord_rate() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%.0f", n / (b - a) }'; }

# COMPRESS: events/s, and milliseconds of CPU for all, ours: from the first byte that was sent to the last line written
discord_ours() {
	local begin cpu end
	discord_account "$1"
	"$BIN/gatewayd" -p 0 -a accounts -s state -o - > gw.out 2> gw.log &
	pid_gw=$!; pids+=($!)
	await discord_up 1
	cpu=$(discord_cpu "$pid_gw")
	discord_flood "$discord_events" > begin &
	await discord_lines $((discord_events - 1))
	end=$(now)
	wait $!; begin=$(<begin)
	cpu=$(($(discord_cpu "$pid_gw") - cpu))
	stop gw
	echo "$(discord_rate "$discord_events" "$begin" "$(awk -v e="$end" 'BEGIN { printf "%.3f", e / 1e9 }')") $cpu"
}
# COMPRESS SHARDS: starts it, with its stdin on descriptor 8 and its stdout on 9
discord_js() {
	mkfifo js.in js.out
	ln -sfn "$discord_modules" node_modules
	cp "$top/tests/bench/discord.mjs" .
	node discord.mjs "$LAB" "$1" "$2" < js.in > js.out 2> js.log &
	pid_js=$!; pids+=($!)
	exec 8> js.in 9< js.out
	rm js.in js.out
	read -r -t 300 line <&9 && [ "$line" = up ] || { cat js.log >&2; say "discord.js did not come up"; exit 1; }
}
discord_js_end() { exec 8>&-; wait "$pid_js" || true; exec 9<&-; }
discord_theirs() {
	local begin cpu last
	discord_js "$1" 1
	cpu=$(discord_cpu "$pid_js")
	echo "$discord_events" >&8
	begin=$(discord_flood "$discord_events")
	read -r -t 300 _ last <&9
	cpu=$(($(discord_cpu "$pid_js") - cpu))
	discord_js_end
	echo "$(discord_rate "$discord_events" "$begin" "$(awk -v e="$last" 'BEGIN { printf "%.3f", e / 1e3 }')") $cpu"
}

discord_core() { awk -v n="$discord_events" -v ms="$1" 'BEGIN { if (ms > 0) printf "%.0f", n * 1000 / ms; else printf "-" }'; }	# events for a second of CPU

[ -d "$discord_modules/@discordjs/ws" ] || (cd "$top/tests/lab" && npm ci --no-audit --no-fund > /dev/null 2>&1) || true
row "one Discord connection, events/s" penstock discord.js ratio
for compress in none zlib; do
	say "discord, $compress"
	discord_lab; read -r ours ours_cpu < <(discord_ours $compress); stop lab
	theirs=- theirs_cpu=-
	if [ -d "$discord_modules/@discordjs/ws" ]; then discord_lab; read -r theirs theirs_cpu < <(discord_theirs $compress); stop lab; fi
	row "compress = $compress, as the lab sends them" "$ours" "$theirs" "$(ratio "$ours" "${theirs/#-/0}")"
	ours=$(discord_core "$ours_cpu") theirs=$(discord_core "$theirs_cpu")
	row "compress = $compress, for a second of CPU" "$ours" "$theirs" "$(ratio "$ours" "${theirs/#-/0}")"
done
echo "ours: events to lines in a file; discord.js: events to a handler that counts. The lab shares the cores with them"
echo

# PID-OF: KiB and CPU of an idle shard: what so many take beyond one. FIRST is the PSS with one.
discord_idle() { # PID FIRST
	local cpu pss
	sleep 2
	pss=$(discord_pss "$1")
	cpu=$(discord_cpu "$1")
	sleep 20
	awk -v p="$pss" -v f="$2" -v n="$discord_shards" -v c="$(($(discord_cpu "$1") - cpu))" 'BEGIN { printf "%.1f %.2f\n", (p - f) / (n - 1), c / 20 }'
}
discord_ours_idle() {
	local n first
	for n in 1 $discord_shards; do
		discord_lab -o "discord.shards=$n" -o "discord.max_concurrency=$n" >&2
		discord_account zlib
		"$BIN/gatewayd" -p 0 -a accounts -s state -o - > /dev/null 2> gw.log &
		pid_gw=$!; pids+=($!)
		await discord_up "$n"
		if [ "$n" = 1 ]; then sleep 2; first=$(discord_pss "$pid_gw"); else discord_idle "$pid_gw" "$first"; fi
		stop gw
		stop lab
	done
}
discord_theirs_idle() {
	local n first
	for n in 1 $discord_shards; do
		discord_lab -o "discord.shards=$n" -o "discord.max_concurrency=$n" >&2
		discord_js zlib "$n"
		if [ "$n" = 1 ]; then sleep 2; first=$(discord_pss "$pid_js"); else discord_idle "$pid_js" "$first"; fi
		discord_js_end
		stop lab
	done
}
say "discord, $discord_shards idle shards"
found=$(discord_ours_idle)		# and everything of it has ended
read -r ours ours_cpu <<< "$found"
theirs=- theirs_cpu=-
[ ! -d "$discord_modules/@discordjs/ws" ] || { found=$(discord_theirs_idle); read -r theirs theirs_cpu <<< "$found"; }
row "$discord_shards idle shards, zlib" penstock discord.js ratio
row "KiB (PSS) a shard" "$ours" "$theirs" "$(ratio "${theirs/#-/0}" "$ours")"
row "CPU ms a second, all of them" "$ours_cpu" "$theirs_cpu" "$(ratio "${theirs_cpu/#-/0}" "$ours_cpu")"
