# latency from giving a line to route until a worker holds it, beside libnng and fdatasync
say "latency of a hop"
# hop RATE SECONDS: a fresh hub, lines through it to a worker
hop() {
	hub 'all -> hop' -s always >&2
	"$tools/hop" ipc://run/in ipc://run/to-hop "$1" "$2"
	stop route
}
read -r _ _ _ _ _ _ max < <(hop 10000000 0.03)
echo "from the source into a worker's hands, as fast as it goes: $max lines/s"
# middle COMMAND...: its lines of figures three times, each column's median: one stall of the machine decides a p99
middle() { for _ in 1 2 3; do "$@"; done | awk '{ for (i = 1; i <= NF; i++) v[i, NR] = $i; n = NF }
	function mid(a, b, c) { return a > b ? (b > c ? b : a > c ? c : a) : (a > c ? a : b > c ? c : b) }
	END { for (i = 1; i <= n; i++) printf "%s ", mid(v[i, 1] + 0, v[i, 2] + 0, v[i, 3] + 0); print "" }'; }
# limit NNG SYNC: what the aim allows, from two p99
limit() { awk -v a="$1" -v b="$2" 'BEGIN { print 2 * a + b }'; }
row "latency of a hop, us (put to a worker's hands)" "p50" "p99" "p99/limit"
for rate in 1000 $((max / 2)); do
	read -r _ idle50 idle99 _ < <(middle "$tools/nng_rtt" ipc://"$work"/nng 10000)
	read -r _ nng50 nng99 _ < <(middle "$tools/nng_rtt" -r "$rate" ipc://"$work"/nng $((rate * 2)) 4096 496)
	read -r _ sync50 sync99 _ < <(middle "$tools/paced" raw "$rate" 2)
	read -r _ p50 p99 _ a50 a99 _ < <(middle hop "$rate" 2)
	row "at $rate lines/s" "$p50" "$p99" "$(ratio "$p99" "$(limit "$nng99" "$sync99")")"
	echo "  beside an idle machine's round trips: $(ratio "$p99" "$(limit "$idle99" "$sync99")"); acknowledged p50 $a50, p99 $a99; write+fdatasync p50 $sync50, p99 $sync99"
	echo "  bare libnng round trip of the same lines p50 $nng50, p99 $nng99; of one line after the other, idle, p50 $idle50, p99 $idle99"
done
echo "limit: twice a bare libnng round trip, and write+fdatasync, of lines that come at the same rate, each at its p99 (medians of three)."
