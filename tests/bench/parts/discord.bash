# events through one Discord connection, and what an idle shard costs, beside discord.js; both against the same lab
discord_modules=$top/tests/lab/node_modules discord_addons=$B/js
discord_events=$lines discord_shards=1000

discord_lab() { # OPTIONS...
	rm -rf lab
	start lab "$top/tests/peers/lab/lab.py" -d lab -q -o discord.identify_total=100000 "$@" > /dev/null
	LAB=http://127.0.0.1:$(<lab/port)
}
# The bot of the lab, and nothing else. COMPRESS [tls]
discord_account() {
	local conf=accounts/default/lab-discord.conf
	rm -rf accounts state
	mkdir -p accounts/default
	cp lab/accounts/default/lab-discord.* accounts/default/
	[ "${2-}" != tls ] || { sed -i "s|^api = .*|api = https://127.0.0.1:$(<lab/tls-port)/api/v10|" $conf; echo "ca = $work/lab/ca.pem" >> $conf; }
	printf 'compress = %s\n' "$1" >> $conf
}
# Milliseconds of all its threads: the scheduler's nanoseconds, or the clock's ticks where it counts none.
discord_cpu() {
	if [ -e /proc/self/schedstat ]; then
		cat "/proc/$1/task"/*/schedstat | awk '{ ns += $1 } END { printf "%.3f", ns / 1e6 }'
	else
		awk '{ printf "%.3f", ($14 + $15) * 10 }' "/proc/$1/stat"
	fi
}
discord_pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
discord_up() { [ "$(curl -s "$LAB/lab/counts" | jq '.counts.identify // 0')" -ge "$1" ]; }
discord_file() { tail -c 4096 gw.out | grep -q "\"text\":\"flood $((discord_events - 1)) "; }
discord_spool() { tail -c 65536 "$(ls -t spool/*.ndjson | head -n 1)" | grep -q "\"text\":\"flood $((discord_events - 1)) "; }
# Has the messages sent: when the first was, in seconds of 1970.
discord_flood() { curl -s -m 600 -d "{\"n\":$discord_events,\"size\":60,\"keep\":false}" "$LAB/lab/flood" | jq .began; }
# BEGIN END CPU: events/s, events for a second of CPU
discord_rates() { awk -v n="$discord_events" -v b="$1" -v e="$2" -v ms="$3" 'BEGIN { printf "%.0f %.0f\n", n / (e - b), n * 1000 / ms }'; }

# COMPRESS file|hub. Of the hub's acknowledgements that of the last batch may be missing in the processor's time.
discord_ours() {
	local begin cpu end to=-
	discord_lab >&2
	discord_account "$1"
	[ "$2" = file ] || { hub 'all -> nobody' >&2; to=ipc://run/in; }
	"$BIN/gatewayd" -p 0 -a accounts -s state -o $to > gw.out 2> gw.log &
	pid_gw=$!; pids+=($!)
	await discord_up 1
	cpu=$(discord_cpu "$pid_gw")
	begin=$(discord_flood)
	if [ "$2" = file ]; then
		await discord_file
		end=$(stat -c %.6Y gw.out)
	else
		await discord_spool
		end=$(stat -c %.6Y "$(ls -t spool/*.ndjson | head -n 1)")
	fi
	cpu=$(awk -v a="$cpu" -v b="$(discord_cpu "$pid_gw")" 'BEGIN { print b - a }')
	stop gw; stop lab
	[ "$2" = file ] || stop route
	discord_rates "$begin" "$end" "$cpu"
}
# ws|client COMPRESS SHARDS: starts it, with its stdin on descriptor 8 and its stdout on 9
discord_js() {
	mkfifo js.in js.out
	ln -sfn "$discord_modules" node_modules
	[ "$2" != zlib-sync ] || ln -sfn "$discord_addons/node_modules" node_modules
	cp "$top/tests/bench/discord.mjs" .
	node discord.mjs "$LAB" "$1" "$2" "$3" < js.in > js.out 2> js.log &
	pid_js=$!; pids+=($!)
	exec 8> js.in 9< js.out
	rm js.in js.out
	read -r -t 300 line <&9 && [ "$line" = up ] || { cat js.log >&2; say "discord.js did not come up"; exit 1; }
}
discord_js_end() { exec 8>&-; wait "$pid_js" || true; exec 9<&-; }
discord_theirs() { # ws|client COMPRESS
	local begin cpu last
	discord_lab >&2
	discord_js "$1" "$2" 1
	echo "$discord_events" >&8
	cpu=$(discord_cpu "$pid_js")
	begin=$(discord_flood)
	read -r -t 300 _ last <&9 || { say "discord.js did not get all"; exit 1; }
	cpu=$(awk -v a="$cpu" -v b="$(discord_cpu "$pid_js")" 'BEGIN { print b - a }')
	discord_js_end
	stop lab
	discord_rates "$begin" "$(awk -v t="$last" 'BEGIN { printf "%.6f", t / 1e3 }')" "$cpu"
}
# What the lab can send at most: to one who reads the bytes and does nothing else. COMPRESS
discord_limit() {
	discord_lab >&2
	"$top/tests/bench/discord_drain.py" "$LAB" "$1" "$discord_events"
	stop lab
}

[ -d "$discord_modules/@discordjs/ws" ] || (cd "$top/tests/lab" && npm ci --no-audit --no-fund > /dev/null 2>&1) || true
# zlib-sync is compiled when it is installed, and beside the others: with it there discord.js' Client would ask for compression.
[ -d "$discord_addons/node_modules/zlib-sync/build/Release" ] || [ ! -d "$discord_modules/@discordjs/ws" ] || {
	mkdir -p "$discord_addons"
	cp "$top"/tests/lab/package*.json "$discord_addons"
	(cd "$discord_addons" && npm ci --no-audit --no-fund && npm install --no-save --no-audit --no-fund zlib-sync@0.1.10) > /dev/null 2>&1
} || true
discord_pairs() { # NAME OURS OURS-CPU THEIRS THEIRS-CPU
	row "$1" "$2" "$4" "$(ratio "$2" "${4/#-/0}")"
	row "  for a second of CPU" "$3" "$5" "$(ratio "$3" "${5/#-/0}")"
}
row "one Discord connection, events/s" penstock discord.js ratio
for compress in none zlib; do
	say "discord, $compress"
	found=$(median discord_ours $compress file); read -r ours ours_cpu <<< "$found"
	kinds="ws:$compress"
	[ $compress = none ] && kinds="$kinds client:none" || kinds="$kinds ws:zlib-sync client:zlib-sync"
	for kind in $kinds; do
		theirs=- theirs_cpu=- package=@discordjs/ws
		[ "${kind%:*}" = ws ] || package="discord.js' Client"
		if [ -d "$discord_modules/@discordjs/ws" ] && { [ "${kind#*:}" != zlib-sync ] || [ -d "$discord_addons/node_modules/zlib-sync/build/Release" ]; }; then
			found=$(median discord_theirs "${kind%:*}" "${kind#*:}"); read -r theirs theirs_cpu <<< "$found"
		fi
		discord_pairs "${kind#*:}, beside $package" "$ours" "$ours_cpu" "$theirs" "$theirs_cpu"
	done
	found=$(median discord_ours $compress hub); read -r hub hub_cpu <<< "$found"
	echo "  into route instead of a file, each line acknowledged: $hub events/s, $hub_cpu for a second of gatewayd's CPU; the lab can send $(median discord_limit $compress)/s"
done
echo "penstock: events to lines in a file. @discordjs/ws: events parsed and emitted to a handler that counts; Client: messageCreate to such a one."
echo "zlib-stream: by node's own zlib, or by the addon zlib-sync. The lab shares the cores with whom it sends to."
echo

# What connecting left to be done is done; no event says so, and both are given the same time.
discord_settle() { sleep 2; }
# PID FIRST: KiB and CPU of an idle shard: what so many take beyond one. FIRST is the PSS with one.
discord_idle() {
	local cpu pss
	discord_settle
	pss=$(discord_pss "$1")
	cpu=$(discord_cpu "$1")
	sleep 20
	awk -v p="$pss" -v f="$2" -v n="$discord_shards" -v a="$cpu" -v b="$(discord_cpu "$1")" 'BEGIN { printf "%.1f %.2f\n", (p - f) / (n - 1), (b - a) / 20 }'
}
discord_ours_idle() { # [tls]
	local n first
	for n in 1 $discord_shards; do
		discord_lab ${1:+-t} -o "discord.shards=$n" -o "discord.max_concurrency=$n" >&2
		discord_account zlib ${1-}
		"$BIN/gatewayd" -p 0 -a accounts -s state -o - > /dev/null 2> gw.log &
		pid_gw=$!; pids+=($!)
		await discord_up "$n"
		if [ "$n" = 1 ]; then discord_settle; first=$(discord_pss "$pid_gw"); else discord_idle "$pid_gw" "$first"; fi
		stop gw
		stop lab
	done
}
discord_theirs_idle() {
	local n first
	for n in 1 $discord_shards; do
		discord_lab -o "discord.shards=$n" -o "discord.max_concurrency=$n" >&2
		discord_js ws zlib "$n"
		if [ "$n" = 1 ]; then discord_settle; first=$(discord_pss "$pid_js"); else discord_idle "$pid_js" "$first"; fi
		discord_js_end
		stop lab
	done
}
say "discord, $discord_shards idle shards"
found=$(discord_ours_idle)		# and everything of it has ended
read -r ours ours_cpu <<< "$found"
found=$(discord_ours_idle tls)
read -r secure secure_cpu <<< "$found"
theirs=- theirs_cpu=-
[ ! -d "$discord_modules/@discordjs/ws" ] || { found=$(discord_theirs_idle); read -r theirs theirs_cpu <<< "$found"; }
row "$discord_shards idle shards, zlib" penstock @discordjs/ws ratio
row "KiB (PSS) a shard" "$ours" "$theirs" "$(ratio "${theirs/#-/0}" "$ours")"
row "CPU ms a second, all of them" "$ours_cpu" "$theirs_cpu" "$(ratio "${theirs_cpu/#-/0}" "$ours_cpu")"
echo "  with TLS, penstock: $secure KiB a shard, $secure_cpu ms a second"
