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
row "latency of a hop, us (put to a worker's hands)" "p50" "p99" "p99/limit"
for rate in 1000 $((max / 2)); do
	read -r _ nng50 nng99 _ < <("$tools/nng_rtt" ipc://"$work"/nng 20000)
	read -r _ sync50 sync99 _ < <("$tools/paced" raw "$rate" 3)
	read -r _ p50 p99 _ a50 a99 _ < <(hop "$rate" 3)
	limit=$(awk -v a="$nng99" -v b="$sync99" 'BEGIN { print 2 * a + b }')
	row "at $rate lines/s" "$p50" "$p99" "$(ratio "$p99" "$limit")"
	echo "  acknowledged p50 $a50, p99 $a99; bare libnng round trip p50 $nng50, p99 $nng99; write+fdatasync p50 $sync50, p99 $sync99"
done
echo "limit: twice a bare libnng round trip, and write+fdatasync of lines that come at the same rate, each at its p99."
