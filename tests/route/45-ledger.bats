# The books: accepted = delivered + filtered + dead + pending + shed, for each destination, whatever is killed when.
load hub

ledger() { route ledger -L text -d spool -R run "$@"; }
# NAME MEMBER
book() { ledger --json | sed "s/.*\"name\":\"$1\"\([^}]*\)}.*/\1/;s/.*\"$2\":\([0-9]*\).*/\1/"; }
books() { for m in accepted delivered filtered dead pending shed; do book "$1" $m; done | paste -sd ' '; }

# EXPR: changes the text of both slots of store's cursor, as their right writer would
resign() {
	perl - spool/cursor/store "$1" <<'P'
sub crc32c { my $c = 0xffffffff; for my $b (unpack "C*", shift) { $c ^= $b; $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1 .. 8 } $c ^ 0xffffffff }
open my $f, "+<", $ARGV[0] or die;
local $/;
my $both = <$f>;
for my $i (0, 1) {
	my ($text) = substr($both, $i * 4096, 4096) =~ /^(\{.*),"crc"/ or next;
	$_ = $text;
	eval $ARGV[1];
	$text = $_;
	substr($both, $i * 4096, 4096) = sprintf("%-4095s\n", sprintf('%s,"crc":"%08x"}', $text, crc32c($text)));
}
seek $f, 0, 0;
print $f $both;
P
}

@test "every line is in the books, the hub running and not" {
	printf 'all -> store\ntype == "x" -> only\n' > rules
	hub
	events 1 100 | put > /dev/null
	event a x | put
	wait_until 5 eval 'ledger > /dev/null'
	[ "$(books store)" = "101 0 0 0 101 0" ]
	[ "$(books only)" = "101 0 100 0 1 0" ]
	takes store 50 > /dev/null
	wait_until 5 has store delivered 50
	[ "$(books store)" = "101 50 0 0 51 0" ]
	daemon_stop hub
	[ "$(books store)" = "101 50 0 0 51 0" ]
	[ "$(books only)" = "101 0 100 0 1 0" ]
	run -0 ledger
	[[ "${lines[0]}" == "DESTINATION "*"ADDS UP" ]]
	[[ "${lines[2]}" == "store "*" yes" ]]
	# A destination that comes later counts from there.
	echo 'all -> store, late' > rules
	hub
	events 101 110 | put > /dev/null
	[ "$(books late)" = "10 0 0 0 10 0" ]
	[ "$(books store)" = "111 50 0 0 61 0" ]
	ledger > /dev/null
}

@test "books that do not add up: exit 1, and which" {
	hub
	events 1 20 | put > /dev/null
	takes store 10 > /dev/null
	wait_until 5 has store delivered 10
	daemon_stop hub
	ledger > /dev/null
	# A cursor that says it delivered one line more.
	cp spool/cursor/store good
	resign 's/"delivered":10/"delivered":11/'
	run -1 ledger
	[[ "$output" == *" 20 "*" 11 "*" 10 "*"NO"* ]]
	# The hub counts on from there, and says the same.
	hub
	run -1 ledger
}

@test "kill -9 of the hub at any moment: the books are exact" {
	printf 'all -> store\ndata.text ~ "*7*" -> seven\ntype == "none" -> none\n' > rules
	hub
	events 1 30000 50 > want
	"$P" put ipc://run/in 64 < want > outcomes 2> /dev/null 3>&- &
	putter=$!
	sevens=$(grep -c 'number [0-9]*7' want)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		: > got.$i
		"$P" take ipc://run/to-store w 40 > got.$i 2> /dev/null 3>&- &
		w1=$!
		"$P" take ipc://run/to-seven w 15 > /dev/null 2>&1 3>&- &
		w2=$!
		wait_until 20 eval '[ "$(wc -l < got.'$i')" -gt 200 ] || ! kill -0 '$putter' 2> /dev/null'
		daemon_kill hub
		kill -9 $w1 $w2
		wait $w1 $w2 2> /dev/null || true
		# Counted in the files, line by line, and against what is in the spool.
		ledger --json > books || { cat books; echo "kill $i"; return 1; }
		for d in store seven none; do
			sed "s/.*\"name\":\"$d\"\([^}]*\)}.*/\1/" books > row
			[ "$(sed 's/.*"accepted":\([0-9]*\).*/\1/' row)" -ge "$(spooled | wc -l)" ]
		done
		hub --repeat-time 0 --segment 300k
		ledger > /dev/null || { ledger; echo "kill $i, running"; return 1; }
	done
	wait $putter
	for d in store seven; do daemon_run w-$d "$P" take ipc://run/to-$d w 256; done
	wait_until 30 eval '[ "$(book store pending)" = 0 ] && [ "$(book seven pending)" = 0 ]'
	[ "$(books store)" = "30000 30000 0 0 0 0" ]
	[ "$(books seven)" = "30000 $sevens $((30000 - sevens)) 0 0 0" ]
	[ "$(books none)" = "30000 0 30000 0 0 0" ]
	daemon_stop w-store
	daemon_stop w-seven
}

@test "destinations that come with new rules while lines flow: the books are exact" {
	hub -s never
	events 1 200000 50 > in
	"$P" put ipc://run/in 16 < in > /dev/null 2>&1 3>&- &
	w=$!
	for i in 1 2 3 4 5 6; do
		echo "all -> store, d$i" > rules
		ask control '{"do":"reload"}' > /dev/null
	done
	ledger > now || { cat now; kill $w; return 1; }
	# It may have put all.
	kill $w 2> /dev/null || true
	wait $w || true
	daemon_kill hub
	ledger > /dev/null
}

@test "what is gone with a damaged file is shed" {
	echo 'all -> store' > rules
	hub --segment 4k
	events 1 100 1 | put 5 > /dev/null
	takes store 10 > /dev/null
	wait_until 5 has store delivered 10
	daemon_stop hub
	rm "$(ls spool/*.ndjson | sed -n 3p)"
	hub --segment 4k
	daemon_run w "$P" take ipc://run/to-store w 256
	# The event that says so is accepted and delivered, too.
	wait_until 10 eval '[ "$(books store)" = "101 81 0 0 0 20" ]'
	ledger > /dev/null
	daemon_stop w
}

@test "damage above what a killed hub had counted, and below: what is gone is shed, also when it is removed by force" {
	printf 'all -> a, b\ntype == "none" -> c\n' > rules
	hub --segment 4k --keep 1d
	events 1 100 1 | put 5 > /dev/null
	first=$(route spool cursors -d spool --json | sed -n 's/.*"a","low":\([0-9]*\).*/\1/p')
	# Not one of them was counted in a slot.
	daemon_kill hub
	spoil() { head -c 100 /dev/zero | dd of="$(ls spool/*.ndjson | sed -n "$1p")" bs=1 seek=2000 conv=notrunc status=none; }
	spoil 2
	ledger > /dev/null
	[ "$(books a)" = "100 0 0 0 95 5" ]
	hub --segment 4k --keep 1d
	# The event that says so comes in a moment later.
	wait_until 10 eval '[ "$(books b)" = "101 0 0 0 96 5" ]'
	[ "$(books c)" = "101 0 96 0 0 5" ]
	daemon_kill hub
	ledger > /dev/null
	hub --segment 4k --keep 1d
	daemon_stop hub
	# Now all are counted; nobody takes them.
	spoil 4
	hub --segment 4k --keep 1d
	wait_until 10 eval '[ "$(book a accepted)" = 102 ]'
	ledger > /dev/null
	run -0 route spool trim -L text -d spool -R run --before $((first + 90)) --force
	left=$((100 - 10#$(basename "$(ls spool/*.ndjson | head -n 1)" .ndjson) + first + 2))
	[ "$(books a)" = "102 0 0 0 $left $((102 - left))" ]
	ledger > /dev/null || { ledger; return 1; }
	takes a $left > /dev/null
	wait_until 5 has a delivered $left
	[ "$(books a)" = "102 $left 0 0 0 $((102 - left))" ]
	[ "$(books c)" = "102 0 97 0 0 5" ]
	daemon_kill hub
	ledger > /dev/null
}

@test "damage among the lines that were with a worker when the hub was killed: the cursor passes it" {
	hub --segment 4k --keep 1d
	events 1 5 5 | put > /dev/null
	stuck store
	events 6 40 | sed 's/test:r/test:s/' | put 5 > /dev/null
	take store 256 1 > got
	wait_until 5 has store delivered "$(wc -l < got)"
	daemon_kill hub
	unstick store
	head -c 100 /dev/zero | dd of="$(ls spool/*.ndjson | head -n 1)" bs=1 seek=500 conv=notrunc status=none
	hub --segment 4k --keep 1d
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 10 eval '[ "$(book store pending)" = 0 ]'
	ledger > /dev/null
	wait_until 5 eval '[ "$(cursor store low)" = "$(cursor store seen)" ]'
	daemon_stop w
}

@test "a lane whose lines were given back between its dead letters: a kill counts none of these twice" {
	line() { printf '{"specversion":"1.0","id":"%s","source":"/t","type":"x","partitionkey":"%s","data":{}}\n' "$1" "$2"; }
	hub --window-lines 32
	for k in a b; do for i in 1 2 3 4 5 6; do line later-$k$i $k; line x-$k$i $k; line later-$k$i. $k; line later-$k$i.. $k; done; done > in
	put < in > /dev/null
	python3 "$BATS_TEST_DIRNAME/refuser.py" run/to-store 1000 2> refuser.err 3>&- &
	w=$!
	wait_for spool/dead/store.ndjson x-b3
	# Its report writes the slot once more.
	line e c | put
	wait_until 5 has store delivered 1
	daemon_kill hub
	wait $w || true
	ledger > /dev/null || { ledger; return 1; }
	[ "$(books store)" = "49 1 0 6 42 0" ]
	hub --window-lines 32
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 10 eval '[ "$(book store pending)" = 0 ]'
	[ "$(books store)" = "49 43 0 6 0 0" ]
	[ "$(grep -c '^{' w.out)" = 42 ]
	daemon_stop w
}

@test "a mirror that nobody takes from keeps no segment, and goes with its rule" {
	echo 'all -> store, mirror m' > rules
	hub --segment 4k --window-lines 20 --repeat-window 0
	events 1 100 5 | put 5 > /dev/null
	[ "$(books m)" = "100 0 0 0 16 84" ]
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 5 eval '[ "$(ls spool | grep -c ndjson)" = 1 ]'
	ledger > /dev/null
	daemon_signal w KILL
	daemon_wait w
	daemon_kill hub
	# What it had in memory is gone with the files.
	[ "$(books m)" = "100 0 0 0 0 100" ]
	hub --segment 4k --window-lines 20 --repeat-window 0
	[ "$(books m)" = "100 0 0 0 0 100" ]
	route spool check -d spool
	echo 'all -> store' > rules
	daemon_kill hub
	hub --segment 4k --window-lines 20 --repeat-window 0
	wait_until 5 eval '[ ! -e spool/cursor/m ]'
	[ -z "$(spooled | grep spool.gap)" ]
}

@test "a cursor set forward and back: skipped lines are shed, lines that are given again are accepted again" {
	for how in running stopped; do
		rm -rf spool
		hub
		events 1 100 1 | put 10 > /dev/null
		first=$(route spool cursors -d spool --json | sed 's/.*"low":\([0-9]*\).*/\1/')
		takes store 20 > /dev/null
		wait_until 5 has store delivered 20
		[ $how = running ] || daemon_stop hub
		run -0 route spool cursor set -L text -d spool -R run store $((first + 50))
		[ "$output" = "store goes on with line $((first + 50)): 30 lines are skipped, 0 are delivered again" ]
		[ "$(books store)" = "100 20 0 0 50 30" ]
		run -0 route spool cursor set -L text -d spool -R run store $((first + 10))
		[ "$output" = "store goes on with line $((first + 10)): 0 lines are skipped, 40 are delivered again" ]
		[ "$(books store)" = "140 20 0 0 90 30" ]
		run -1 route spool cursor set -L text -d spool -R run store $((first - 1))
		run -1 route spool cursor set -L text -d spool -R run store $((first + 101))
		run -1 route spool cursor set -L text -d spool -R run nobody "$first"
		[ $how = running ] || hub
		takes store 90 | cmp - <(events 11 100 1)
		wait_until 5 has store delivered 110
		[ "$(books store)" = "140 110 0 0 0 30" ]
		ledger > /dev/null
		daemon_kill hub
		ledger > /dev/null
	done
}

@test "cursors of a hub that runs are those of now" {
	hub
	events 1 30 | put > /dev/null
	stuck store
	route spool -L text cursors -d spool -R run > shown
	grep -Eq '^store +[0-9]+ +[0-9]+ +30 ' shown || { cat shown; return 1; }
	run -1 route spool -L text cursors -d spool
	[[ "$output" == *"as old as the files"* ]]
	unstick store
}

@test "trim: what nobody needs goes at once; with --force what is needed, and the books say so" {
	for how in running stopped; do
		rm -rf spool
		echo 'all -> store, slow' > rules
		hub --segment 4k --keep 1d
		events 1 100 | put 5 > /dev/null
		n=$(ls spool/*.ndjson | wc -l)
		takes store 100 > /dev/null
		wait_until 5 has store delivered 100
		[ $how = running ] || daemon_stop hub
		trim() { route spool trim -L text -d spool -R run "$@"; }
		run -0 trim
		[[ "$output" == "0 segments removed"* ]]
		second=$(basename "$(ls spool/*.ndjson | sed -n 3p)" .ndjson)
		run -0 trim --before $((10#$second + 3)) --force
		[[ "$output" == "2 segments removed"*", 40 lines given up; the oldest line is $((10#$second))" ]]
		[ "$(ls spool/*.ndjson | wc -l)" -eq $((n - 2)) ]
		[ "$(books slow)" = "100 0 0 0 60 40" ]
		[ "$(books store)" = "100 100 0 0 0 0" ]
		[ $how = running ] || hub --segment 4k --keep 1d
		takes slow 60 | cmp - <(events 41 100)
		wait_until 5 has slow delivered 60
		[ $how = running ] || daemon_stop hub
		run -0 trim
		[ "$(ls spool/*.ndjson | wc -l)" -eq 1 ]
		ledger > /dev/null
		[ $how = stopped ] || daemon_kill hub
		[ -z "$(spooled | grep spool.gap)" ]
	done
}

@test "a cursor that had no room for all it had to say: lines are delivered again, and the books say so" {
	hub
	events 1 100 1 | put > /dev/null
	first=$(route spool cursors -d spool --json | sed 's/.*"low":\([0-9]*\).*/\1/')
	takes store 60 > /dev/null
	wait_until 5 has store delivered 60
	daemon_stop hub
	resign "s/\"low\":\\d+/\"low\":$((first + 20))/; s/\$/,\"cut\":true/"
	[ "$(books store)" = "140 60 0 0 80 0" ]
	hub
	[ "$(books store)" = "140 60 0 0 80 0" ]
	takes store 80 | cmp - <(events 21 100 1)
	wait_until 5 has store delivered 140
	ledger > /dev/null
	daemon_kill hub
	[ "$(books store)" = "140 140 0 0 0 0" ]
}
