# Swaps of a tree's stage `analyze` (after tree.bash). Every chat.message I gets one event I.analyze, whoever makes it.
#
#   load_at RATE SECONDS        chat messages e-1, e-2, ... at that rate, 50 ms apart in bundles; on stdout
#   load_begin RATE SECONDS     the same, into the tree, in the background; load_end waits until all is in and done; load_cut ends it before its
#                               time. How many were sent is then in the file sent
#   outputs                     ids of the analysis events in the spool, in order      outputs_are N: at least so many
#   exact N                     of e-1 ... e-N each has exactly one analysis, in the spool and in the history
#   in_force                    the service that does the work of analyze      phase: of its record, "none" without one
#   unchanged                   fails unless the tree is as it was made, and up
load_at() {
	perl -MTime::HiRes=sleep,time -e '
		my ($rate, $seconds, $t) = @ARGV;
		$| = 1;
		my ($n, $begin) = (0, time);
		while ($n < $rate * $seconds && !-e "$t/cut") {
			my $due = int((time - $begin) * $rate);
			$due = $rate * $seconds if $due > $rate * $seconds;
			my $text = "";
			for (; $n < $due; ) {
				my $room = "r" . (++$n % 40);
				$text .= qq({"specversion":"1.0","id":"e-$n","source":"/test","type":"chat.message","partitionkey":"test:$room",) .
					qq("data":{"channel":{"id":"$room"},"user":{"id":"u1","name":"ann"},"text":"this is good message $n"}}\n);
			}
			print $text;
			sleep 0.05;
		}
		open my $sent, ">", "$t/sent" or die;
		print $sent $n;' "$1" "$2" "$T"
}
load_cut() { touch "$T/cut"; }

_load() { load_at "$1" "$2" | penstock -C "$D" send; }
load_begin() { daemon_run load _load "$1" "$2"; }
_done() { p status --json | jq -e '[.destinations[] | select(.name != "browser") | .pending] | add == 0' >/dev/null; }
load_end() {
	PATIENCE=60 daemon_wait load
	[ "$status" -eq 0 ] || { cat "$T/load.err" >&2; return 1; }
	wait_until 60 _done
}

outputs() { route -T -d "$D/spool" --from 1 --once -w 'type == "analysis.emotion"' | ids; }
outputs_are() { [ "$(outputs | wc -l)" -ge "$1" ]; }
_history() { p export | grep -F '"analysis.emotion"' >"$T/history" || true; }
_history_has() { _history && [ "$(wc -l <"$T/history")" -ge "$1" ]; }
exact() {
	wait_until 60 outputs_are "$1"
	wait_until 60 _history_has "$1"
	seq -f 'e-%.0f.analyze' 1 "$1" | sort >"$T/want"
	outputs | sort | diff "$T/want" - | head -5 >"$T/differs" || true
	[ ! -s "$T/differs" ] || { cat "$T/differs" >&2; return 1; }
	ids "$T/history" | sort | diff "$T/want" - | head -5 >"$T/differs" || true
	[ ! -s "$T/differs" ] || { echo "in the history:" >&2; cat "$T/differs" >&2; return 1; }
}

swaps() { p swap --json | jq -r ".[] | select(.name == \"analyze\") | $1"; }
in_force() { local s; s=$(swaps .service); echo "${s:-analyze}"; }
phase() { local s; s=$(swaps .phase); echo "${s:-none}"; }
phase_is() { [ "$(phase)" = "$1" ]; }
services() { p status --json | jq -r '.services[] | select(.want == "up") | .name' | xargs; }

unchanged() {
	p status >"$T/status" || { cat "$T/status" >&2; return 1; }
	[ "$(services)" = "analyze deliver gatewayd respond route store" ] || { echo "services: $(services)" >&2; return 1; }
	[ "$(ls "$D/service" | xargs)" = "analyze deliver gatewayd respond route store" ] || { ls "$D/service" >&2; return 1; }
	[ ! -e "$D/service/analyze/down" ] || { echo "analyze is down" >&2; return 1; }
	[ "$(find "$D/service/.swap" -mindepth 1 ! -name .lock 2>/dev/null | wc -l)" -eq 0 ] || { find "$D/service/.swap" >&2; return 1; }
}
