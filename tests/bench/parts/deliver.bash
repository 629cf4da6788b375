# requests a second of deliver, outbox and outcomes included, beside libcurl alone
say "deliver"
"$tools/http_answer" >port &
pids+=($!); pid_answer=$!
await [ -s port ]
url=http://127.0.0.1:$(<port)/
n=20000
mkdir -p accounts/default
printf 'platform = webhook\nurl = %s\nallow-private = yes\n' "$url" >accounts/default/hook.conf
# 1,000 channels, as webhooks have no limits of their own
awk -v n=$n 'BEGIN { for (i = 1; i <= n; i++) printf "{\"specversion\":\"1.0\",\"id\":\"s-%d\",\"source\":\"/bench\",\"type\":\"message.send\",\"partitionkey\":\"webhook:%d\",\"data\":{\"platform\":\"webhook\",\"channel\":{\"id\":\"%d\"},\"text\":\"message number %d\"}}\n", i, i % 1000, i % 1000, i }' >says
size=$(($(stat -c %s says) / n))
TIMEFORMAT='%U %S'
per_cpu() { awk -v n=$n '{ printf "%.0f\n", n / ($1 + $2) }' cpu; }	# of what was timed
curl_alone() {
	local rate
	{ time rate=$("$tools/curl_limit" "$url" 16 $n "$size"); } 2> cpu
	echo "$rate $(per_cpu)"
}
delivered() {
	local begin
	rm -f box.db*
	begin=$(now)
	{ time "$BIN/deliver" -A accounts -b box.db <says >told 2>deliver.log; } 2> cpu
	echo "$(rate $n "$begin") $(per_cpu)"
	[ "$(grep -c '"message.sent"' told)" -eq $n ] || { say "deliver did not say all of it"; return 1; }
}
found=$(median curl_alone); read -r limit limit_cpu <<< "$found"
found=$(median delivered); read -r ours ours_cpu <<< "$found"
row "requests/s, 16 connections to one host" "deliver" "libcurl" "ratio"
row "POSTs of $size bytes, $n of them" "$ours" "$limit" "$(ratio "$ours" "$limit")"
row "  for a second of CPU" "$ours_cpu" "$limit_cpu" "$(ratio "$ours_cpu" "$limit_cpu")"
echo "  deliver writes each message to its outbox before it is acknowledged, before its request leaves, and again with its outcome;"
read -r _ _ _ p50 p99 < <("$tools/append" raw 256 1 < corpus)
echo "  a write of 256 lines with fdatasync takes this disk $p50 us (p99 $p99)."
kill "$pid_answer"
