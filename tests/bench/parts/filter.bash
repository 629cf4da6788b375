# route -D as a filter in a pipe, beside jq, miller, grep and rsyslog
# One question of each line: is its type chat.message? 7 of 8 lines pass. The input comes through a pipe and the output goes through one.
printf 'type == "chat.message" -> chat\n' > rules.filter
for ((i = 0; i < 5; i++)); do cat corpus; done > corpus.x5
head -n $((lines / 4)) corpus > corpus.4
# through FILE LINES COMMAND...: lines/s
through() {
	local file=$1 n=$2 begin; shift 2
	begin=$(now)
	cat "$file" | "$@" | cat > /dev/null
	rate "$n" "$begin"
}
# rsyslog takes lines from a unix socket and writes a file; lines/s until the file has all
through_rsyslog() {
	local pid begin wanted got=0
	rm -rf rsyslog.d; mkdir rsyslog.d
	cat > rsyslog.conf <<-END
		global(workDirectory="$work/rsyslog.d" maxMessageSize="64k")
		main_queue(queue.type="direct")
		module(load="imptcp" threads="1")
		module(load="mmjsonparse")
		input(type="imptcp" path="$work/rsyslog.d/in" ruleset="r")
		template(name="raw" type="string" string="%rawmsg%\\n")
		ruleset(name="r") {
			action(type="mmjsonparse" cookie="")
			if \$!type == "chat.message" then { action(type="omfile" file="$work/rsyslog.d/out" template="raw" ioBufferSize="64k" flushOnTXEnd="off") }
		}
	END
	"$rsyslog" -n -f "$work/rsyslog.conf" -i "$work/rsyslog.d/pid" -M "$modules" >rsyslog.log 2>&1 &
	pid=$!; pids+=($pid)
	for _ in $(seq 100); do [ ! -S rsyslog.d/in ] || break; sleep 0.1; done
	wanted=$(grep -E '"type": ?"chat\.message"' corpus | wc -c)
	begin=$(now)
	"$tools/peer" lines "$work/rsyslog.d/in" 1 1000000 < corpus > /dev/null
	for _ in $(seq 3000); do
		got=$(stat -c %s rsyslog.d/out 2>/dev/null || echo 0)
		# it keeps the last buffer back
		[ "$got" -lt $((wanted - 70000)) ] || break
		sleep 0.01
	done
	rate "$lines" "$begin"
	kill $pid; wait $pid || true
}

declare -A got=()
if rsyslog=$(prog rsyslogd); then modules=$(rsyslog_modules "$rsyslog"); else rsyslog=; fi
mlr=$(prog mlr) || mlr=
for round in 1 2 3; do
	say "filter, round $round"
	got[route]+=" $(through corpus.x5 $((lines * 5)) "$BIN/route" -r rules.filter -D chat)"
	got[grep]+=" $(through corpus.x5 $((lines * 5)) env LC_ALL=C grep -E '"type": ?"chat\.message"')"
	got[cat]+=" $(through corpus.x5 $((lines * 5)) cat)"
	! have jq || got[jq]+=" $(through corpus.4 $((lines / 4)) jq -c 'select(.type == "chat.message")')"
	[ -z "$mlr" ] || got[miller]+=" $(through corpus.4 $((lines / 4)) "$mlr" --ijsonl --ojsonl filter '$type == "chat.message"')"
	[ -z "$rsyslog" ] || got[rsyslog]+=" $(through_rsyslog)"
done
middle_of() { printf '%s\n' ${got[$1]-} | sort -n | sed -n 2p; }
base=$(middle_of route)
printf '%-10s %10s %10s  %s\n' "filtering" lines/s "route / it" ""
say_filter() {
	local v; v=$(middle_of "$1")
	[ -n "$v" ] && printf '%-10s %10s %10s  %s\n' "$1" "$v" "$(ratio "$base" "$v")" "$2" || echo "skipped: $1 is not installed (scripts/deps bench)"
}
say_filter cat "passes everything: the pipe's limit"
say_filter route "each line is checked as one that enters the hub, and passed on as it came"
say_filter grep "-E on the raw text, LC_ALL=C; takes what merely looks like the member too, and checks nothing"
say_filter rsyslog "imptcp on a unix socket, mmjsonparse, omfile, its fastest queue (direct)"
say_filter jq "-c select"
say_filter miller "filter, JSON lines in and out"
rm -rf corpus.x5 rsyslog.d
unset got
