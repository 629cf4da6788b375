# Lines with notbefore: held, said again when due, once, whatever happens in between.
load hub
load disk

at() { date -u -d "$1" +%Y-%m-%dT%H:%M:%S.%NZ; }
later() { event "$1" t "{\"n\":\"$1\"}" "\"notbefore\":\"$(at "${2:-+1 hour}")\",\"partitionkey\":\"k\""; }
held() { cursor .timer pending; }
said() { cat spool/*.ndjson | grep -c '^{"_again":{"of":[0-9]*},' || true; }
is_held() { [ "$(held)" = "$1" ]; }

@test "a held line has a number of its own and goes nowhere; when it is due it has a new one" {
	hub
	later a '+5 seconds' | put
	event b t | put
	[ "$(take store 1 1 | ids)" = b ]
	wait_until 5 has store delivered 1
	[ "$(cursor store pending)" = 0 ]
	grep -q '^{"_again":{"of":[0-9]*,"hold":true},"event":{.*"id":"a"' spool/*.ndjson
	[ "$(take store 1 1 | ids)" = a ]
	wait_until 5 has store delivered 2
	of=$(sed -n 's/^{"_again":{"of":\([0-9]*\),"hold":true}.*/\1/p' spool/*.ndjson)
	grep -q '^{"_again":{"of":'"$of"'},"event":{.*"id":"a"' spool/*.ndjson
	wait_until 5 is_held 0
	wait_until 5 has .timer delivered 1
	# -T shows the event, as it came, each time.
	[ "$(spooled | ids)" = $'a\nb\na' ]
	[ "$(spooled | sort -u | wc -l)" = 2 ]
}

@test "a held line does not hold its conversation; of one time the earlier line goes first" {
	hub
	t=$(at '+4 seconds')
	for i in 1 2 3 4 5 6 7 8 9; do event "h$i" t '{}' "\"partitionkey\":\"k\",\"notbefore\":\"$t\""; done | put
	event n t '{}' '"partitionkey":"k"' | put
	[ "$(take store 256 1 | ids)" = n ]
	[ "$(take store 256 1 | ids)" = $'h1\nh2\nh3\nh4\nh5\nh6\nh7\nh8\nh9' ]
}

@test "the repeat of a held line is acknowledged and not kept, before and after it is due and over a restart" {
	hub
	later a '+1 hour' > a
	put < a
	put < a
	daemon_kill hub
	hub
	put < a
	[ "$(spooled | wc -l)" = 1 ]
	daemon_kill hub
	PENSTOCK_CLOCK_OFFSET=3599 hub
	put < a
	[ "$(take store 1 1 | ids)" = a ]
	put < a
	wait_until 5 has store delivered 1
	[ "$(spooled | wc -l)" = 2 ]
}

@test "the clock jumps: forward a line is due at once, back it waits, what was said is not said again" {
	hub
	later a '+1 hour' | put
	later b '+3 hours' | put
	daemon_stop hub
	PENSTOCK_CLOCK_OFFSET=7200 hub
	[ "$(take store 1 1 | ids)" = a ]
	wait_until 5 has store delivered 1
	daemon_stop hub
	PENSTOCK_CLOCK_OFFSET=-7200 hub
	event c t | put
	[ "$(take store 256 1 | ids)" = c ]
	[ "$(held)" = 1 ]
	daemon_stop hub
	PENSTOCK_CLOCK_OFFSET=14400 hub
	[ "$(take store 256 1 | ids)" = b ]
	wait_until 5 is_held 0
}

@test "the year 9999 is held, the past is not, a time that is none is refused" {
	hub
	event far t '{}' '"notbefore":"9999-12-31T23:59:59Z"' | put
	event past t '{}' '"notbefore":"0001-01-01T00:00:00Z"' | put
	event none t '{}' '"notbefore":"tomorrow"' | put > out || true
	grep -q refused out || grep -q '"error"' out
	[ "$(take store 256 1 | ids)" = past ]
	wait_until 5 has store delivered 1
	daemon_stop hub
	[ "$(held)" = 1 ]
	not grep -q '"of":[0-9]*,"hold":true},"event":{[^}]*"id":"past"' spool/*.ndjson
}

@test "killed at any moment while lines become due: every one is said once" {
	hub
	events 1 20000 7 | sed "s/\"id\"/\"notbefore\":\"$(at '+1 hour')\",&/" | put 1000 > /dev/null
	wait_until 5 is_held 20000
	daemon_kill hub
	export PENSTOCK_CLOCK_OFFSET=7200
	for i in $(seq 1 10); do
		hub "h$i" --segment 100k
		n=$(said)
		wait_until 5 eval '[ "$(said)" -gt "$n" ] || [ "$(said)" = 20000 ]'
		daemon_kill "h$i"
		echo "killed when $(said) were said"
	done
	hub last
	daemon_run w "$P" take ipc://run/to-store w 100
	wait_until 30 has store delivered 20000
	wait_until 5 is_held 0
	[ "$(cursor .timer delivered)" = 20000 ]
	[ "$(ids w.out | sort -u | wc -l)" = 20000 ]
	[ "$(wc -l < w.out)" = 20000 ]
	# Each conversation as it came: all had the same time.
	for r in 0 1 2 3 4 5 6; do
		grep "test:r$r\"" w.out | ids | cut -d - -f 2 | sort -nc
	done
	daemon_stop w
}

@test "a held line does not keep the spool for ever: it is carried forward, and still comes once, in time" {
	hub --segment 8k --repeat-window 0
	later a '+1 hour' | put
	later b '+2 hours' | put
	daemon_run w "$P" take ipc://run/to-store w 100
	events 1 3000 50 | put > /dev/null
	wait_until 10 has store delivered 3000
	wait_until 20 eval '[ "$(ls spool/*.ndjson | wc -l)" -le 6 ]'
	[ "$(held)" = 2 ]
	daemon_signal hub KILL
	daemon_wait hub
	PENSTOCK_CLOCK_OFFSET=4000 hub --segment 8k --repeat-window 0
	wait_until 10 has store delivered 3001
	[ "$(ids w.out | tail -n 1)" = a ]
	wait_until 5 is_held 1
	daemon_stop hub
	PENSTOCK_CLOCK_OFFSET=8000 hub --segment 8k --repeat-window 0
	wait_until 10 has store delivered 3002
	[ "$(ids w.out | tail -n 1)" = b ]
	daemon_stop w
}

# The byte behind TEXT in the file of the spool that has it becomes another, in its place.
spoil() {
	local f at
	f=$(grep -l "$1" spool/*.ndjson)
	at=$(grep -abo -m 1 "$1" "$f" | cut -d : -f 1)
	printf '#' | dd of="$f" bs=1 seek=$((at + ${#1})) conv=notrunc 2> /dev/null
}

@test "a held line whose segment is damaged: as long as it is in memory it is said; else it is given up, and keeps nothing" {
	hub
	later a '+2 seconds' | put
	spoil '"id":"a'
	[ "$(take store 1 1 | ids)" = a ]
	wait_until 5 is_held 0
	daemon_stop hub
	rm -rf spool
	hub
	later b '+1 hour' | put
	later c '+1 hour' | put
	daemon_stop hub
	# More lines than are in memory stand behind them, and others were read since: they are read from the file when they are due.
	PENSTOCK_CLOCK_OFFSET=3590 hub
	event x t "{\"text\":\"$(head -c 900000 /dev/zero | tr '\0' x)\"}" > big
	for i in 1 2 3 4 5 6 7 8 9 10 11; do sed "s/\"id\":\"x\"/\"id\":\"x$i\"/" big; done | put 1 > /dev/null
	take store 1 1 > /dev/null
	spoil '"id":"b'
	wait_until 20 is_held 0
	wait_for hub.err '1 held lines are gone'
	cat spool/*.ndjson | cut -c 1-200 | grep -q '^{"_again":{"of":[0-9]*},"event":{.*"id":"c"'
	not grep -q '^{"_again":{"of":[0-9]*},"event":{.\{,150\}"id":"[b#]"' spool/*.ndjson
}

@test "a disk that fails: what is due waits, and is said once when it works again, although nobody puts anything" {
	shim_hub
	later a '+4 seconds' | put
	: > fail-sync
	wait_for hub.err 'fdatasync: Input/output error; batches are refused'
	rm fail-sync
	[ "$(take store 1 1 | ids)" = a ]
	wait_until 5 has store delivered 1
	wait_until 5 is_held 0
	[ "$(said)" = 1 ]
}

@test "a loss of power: what is held is held, what was due was said once" {
	power_hub
	later a '+1 second' | put
	later b '+1 hour' | put
	[ "$(take store 1 1 | ids)" = a ]
	wait_until 5 has store delivered 1
	power_loss
	PENSTOCK_CLOCK_OFFSET=7200 hub
	wait_until 5 has .timer pending 0
	take store 256 1 > got
	[ "$(grep -c '"id":"b"' got)" = 1 ]
	[ "$(said)" = 2 ]
}
