# Damaged segments: the hub starts, what is good on both sides is kept and delivered, what is gone is said in-band, once.
load hub

# In folder whole: 3 segments of 4 groups of 5 lines, e-1 to e-60; the file lines: number and id of each.
setup_file() {
	cd "$BATS_FILE_TMPDIR"
	echo 'all -> store' > rules
	for g in 0 1 2 3 4 5 6 7 8 9 10 11; do
		(load_lines; events $((g * 5 + 1)) $((g * 5 + 5))) | route -L text -d whole -r rules -i - --segment 4k --keep 1d 2> /dev/null
	done
	[ "$(ls whole/*.ndjson | wc -l)" -eq 3 ]
}
load_lines() { . "$BATS_TEST_DIRNAME/../lib/line.bash"; }

setup() {
	cd "$T"
	W=$BATS_FILE_TMPDIR/whole
	echo 'all -> store' > rules
	F=()
	for f in "$W"/*.ndjson; do F+=("${f##*/}"); done
}

fresh() { rm -rf spool && cp -a "$W" spool; }
once() { route -L text -d spool -r rules -i - "$@" < /dev/null 2> err || { cat err; return 1; }; }
# The number of line N, counted from 1.
number() { echo $((10#${F[0]%.ndjson} + $1 - 1)); }
gaps() { spooled | grep '"type":"spool.gap"' || true; }
# FROM TO [REASON]: one gap, of the lines FROM to TO, and all others are there
lost() {
	local said from=$((10#${F[0]%.ndjson} + $1 - 1)) to=$((10#${F[0]%.ndjson} + $2 - 1))
	# What is expected of a range is made once: this is asked hundreds of times.
	[ -e "want.$1.$2" ] || { events 1 $(($1 - 1)); events $(($2 + 1)) 60; } > "want.$1.$2"
	spooled > got
	said=$(grep '"type":"spool.gap"' got || true)
	[[ -n $said && $said != *$'\n'* ]] || { echo "gaps: $said"; return 1; }
	[[ $said =~ \"id\":\"spool.gap.$from-$to\".*\"from\":$from,\"to\":$to,\"reason\":\"[^\"]*${3:-} ]] || { echo "$said"; return 1; }
	grep -v spool.gap got | cmp - "want.$1.$2"
}
# N: so many lines are shed in the books, which add up
shed() {
	route ledger -L text -d spool > books
	grep -Eq "^store +[0-9]+ .* $1 +yes$" books || { cat books; return 1; }
}
nothing_lost() { [ -z "$(gaps)" ] && spooled | cmp - <(events 1 60); }
# FILE OFFSET: turns the bit of value 1 of a byte
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf -v byte '\\x%x' $((byte ^ 1))
	printf '%b' "$byte" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# FILE STEP END: the same for every STEPth byte, each in a file flipped.OFFSET of its own, in one process
flips() {
	python3 -c 'import sys
whole = open(sys.argv[1], "rb").read()
for x in range(0, int(sys.argv[3]), int(sys.argv[2])):
    with open(f"flipped.{x}", "wb") as f:
        f.write(whole[:x] + bytes([whole[x] ^ 1]) + whole[x + 1:])' "$@"
}
# FILE: where each of its groups begins, and its end; the first is the head
starts() { LC_ALL=C awk '{ at += length($0) + 1 } /^{"_commit"/ { print at }' "$1"; }

@test "a byte turned, all over the spool: its group is lost, nothing else, and that is said" {
	n=0
	for i in 0 1 2; do
		mapfile -t at < <(starts "$W/${F[i]}")
		size=${at[4]}
		[ "$i" != 2 ] || size=${at[3]}
		flips "$W/${F[i]}" 41 "$size"
		for ((x = 0; x < size; x += 41)); do
			fresh
			cp "flipped.$x" "spool/${F[i]}"
			once || { echo "file $i byte $x"; return 1; }
			g=0
			while [ "$x" -ge "${at[g]}" ]; do g=$((g + 1)); done
			if [ "$g" = 0 ]; then
				nothing_lost || { echo "file $i byte $x"; cat err; return 1; }
			else
				first=$((i * 20 + (g - 1) * 5 + 1))
				lost $first $((first + 4)) || { echo "file $i byte $x: group $g"; cat err; return 1; }
			fi
			cmp "spool/damaged/${F[i]}" "flipped.$x" || { echo "file $i byte $x"; return 1; }
			n=$((n + 1))
		done
	done
	echo "bytes turned: $n"
	[ "$n" -gt 200 ]
}

@test "the same range is said once, whatever happens after" {
	fresh
	flip "spool/${F[1]}" 1500
	once
	lost 26 30 'bytes .* a wrong checksum'
	cp -a spool said_once
	for i in 1 2 3; do once; lost 26 30; done
	# Another piece of the same file later.
	flip "$(ls spool/*.ndjson | sed -n 3p)" 500
	once
	[ "$(gaps | wc -l)" -eq 2 ]
	# Said, and the note of that not yet made when it was killed.
	rm -rf spool && cp -a said_once spool
	for f in spool/damaged/*.said; do mv "$f" "${f%.said}.gap"; done
	once
	lost 26 30
	# Not said when it was killed: the damage is in order already.
	rm -rf spool && cp -a said_once spool
	for f in spool/damaged/*.said; do mv "$f" "${f%.said}.gap"; done
	rm "$(ls spool/*.ndjson | tail -n 1)"
	once
	[ "$(gaps | grep -c '"from":'"$(number 26)"',')" -eq 1 ]
}

@test "an older file cut at many places; a file that is missing; an empty one" {
	mapfile -t at < <(starts "$W/${F[1]}")
	for ((x = 0; x < ${at[4]}; x += 97)); do
		fresh
		head -c $x "$W/${F[1]}" > "spool/${F[1]}"
		once || { echo "cut at $x"; return 1; }
		g=0
		while [ "$x" -ge "${at[g]}" ]; do g=$((g + 1)); done
		[ "$g" -gt 0 ] || g=1
		lost $((20 + (g - 1) * 5 + 1)) 40 || { echo "cut at $x"; cat err; return 1; }
	done
	fresh
	head -c "${at[2]}" "$W/${F[1]}" > "spool/${F[1]}"
	once
	lost 31 40 'ends too early'
	fresh
	rm "spool/${F[1]}"
	once
	lost 21 40 'missing'
	fresh
	rm "spool/${F[0]}"
	once
	lost 1 20
}

@test "a block of zeros, all over the spool" {
	for i in 0 1; do
		mapfile -t at < <(starts "$W/${F[i]}")
		for ((x = 0; x < ${at[4]} - 512; x += 201)); do
			fresh
			dd if=/dev/zero of="spool/${F[i]}" bs=1 seek=$x count=512 conv=notrunc status=none
			once || { echo "file $i byte $x"; return 1; }
			a=0 b=0
			while [ "$x" -ge "${at[a]}" ]; do a=$((a + 1)); done
			while [ $((x + 511)) -ge "${at[b]}" ]; do b=$((b + 1)); done
			[ "$a" -gt 0 ] || a=1
			lost $((i * 20 + (a - 1) * 5 + 1)) $((i * 20 + b * 5)) || { echo "file $i byte $x: groups $a to $b"; cat err; return 1; }
		done
	done
}

@test "two damaged places in one file, garbage, a file of garbage, one that cannot be opened" {
	mapfile -t at < <(starts "$W/${F[1]}")
	fresh
	flip "spool/${F[1]}" $((at[0] + 30))
	flip "spool/${F[1]}" $((at[2] + 30))
	once
	[ "$(gaps | wc -l)" -eq 2 ]
	spooled | grep -v spool.gap | cmp - <(events 1 20; events 26 30; events 36 60)
	fresh
	head -c 3000 /dev/urandom > "spool/${F[1]}"
	once
	lost 21 40
	fresh
	rm "spool/${F[0]}"
	mkdir "spool/${F[0]}"
	once
	lost 1 20
	# The newest: nobody can tell how far its numbers came; they are not used again.
	fresh
	head -c 3000 /dev/urandom > "spool/${F[2]}"
	once
	events 61 62 > more
	route -d spool -r rules -i - < more
	spooled | grep -v spool.gap | cmp - <(events 1 40; events 61 62)
}

@test "the last group of the newest file: torn is cut without a word when no cursor knows of it, a wrong checksum is a gap" {
	mapfile -t at < <(starts "$W/${F[2]}")
	fresh
	head -c $((at[4] - 3)) "$W/${F[2]}" > "spool/${F[2]}"
	rm spool/cursor/* spool/cursor/.timer
	once
	grep -q 'cut off' err
	[ -z "$(gaps)" ]
	spooled | cmp - <(events 1 55)
	fresh
	flip "spool/${F[2]}" $((at[3] + 30))
	once
	lost 56 60 'a wrong checksum'
}

@test "the end is missing, and a cursor knows it: a gap, the books say shed, no number is given twice" {
	mapfile -t at < <(starts "$W/${F[2]}")
	fresh
	head -c $((at[4] - 3)) "$W/${F[2]}" > "spool/${F[2]}"
	once
	lost 56 60 'the end of the spool is missing'
	shed 5
	fresh
	rm "spool/${F[2]}"
	once
	lost 41 60 'the end of the spool is missing'
	once
	lost 41 60
	shed 20
	fresh
	rm "${F[@]/#/spool/}"
	once
	lost 1 60 'the end of the spool is missing'
	shed 60
}

@test "damage that is found while the hub runs: delivery goes on behind it, and it is said" {
	for kind in flip cut zero; do
		rm -rf spool run
		cp -a "$W" spool
		# What is delivered would be removed after a second.
		hub --repeat-window 0 --keep 1h
		case $kind in
		flip) flip "spool/${F[1]}" 1500; lines="26 30" ;;
		cut) head -c 2600 "$W/${F[1]}" > cut; cat cut > "spool/${F[1]}"; lines="31 40" ;;
		zero) dd if=/dev/zero of="spool/${F[1]}" bs=1 seek=1000 count=700 conv=notrunc status=none; lines="21 30" ;;
		esac
		set -- $lines
		daemon_run w "$P" take ipc://run/to-store w 256
		wait_until 10 has store delivered $((60 - ($2 - $1 + 1) + 1)) || { echo $kind; cat hub.err w.out; return 1; }
		grep '^{' w.out > got
		grep -v spool.gap got | cmp - <(events 1 $(($1 - 1)); events $(($2 + 1)) 60)
		grep -q "\"from\":$(number $1),\"to\":$(number $2)," got
		daemon_signal w KILL
		daemon_wait w
		daemon_stop hub
		lost $lines
	done
}

@test "damage in the file that is being written, found while lines come" {
	hub --repeat-window 0
	events 1 3000 | put 100 > /dev/null
	daemon_kill hub
	hub --repeat-window 0 --keep 1h
	events 3001 3050 | put 5 > /dev/null
	file=$(echo spool/*.ndjson)
	flip "$file" 400000
	daemon_run w "$P" take ipc://run/to-store w 3
	events 3051 3400 | put 5 > /dev/null
	wait_until 10 eval 'grep -q "spool.gap" w.out'
	wait_until 10 eval '[ "$(spooled | wc -l)" -eq "$(grep -c "^{" w.out)" ]'
	grep '^{' w.out | grep -v spool.gap | sort -u | wc -l | grep -qx 3300
	daemon_stop w
	daemon_stop hub
	hub --keep 1h
	[ "$(gaps | wc -l)" -eq 1 ]
	[ "$(spooled | grep -vc spool.gap)" -eq 3300 ]
}

@test "a kill at every step of putting a damaged file in order" {
	load disk
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	shim
	for ((n = 1; n < 60; n++)); do
		fresh
		flip "spool/${F[1]}" 1500
		KILL_AT=$n LD_PRELOAD=$T/shim.so route -L text -d spool -r rules -i - < /dev/null 2> err && break
		once || { echo "step $n"; return 1; }
		lost 26 30 || { echo "step $n"; cat err; return 1; }
		[ -e "spool/damaged/${F[1]}" ]
	done
	echo "steps: $n"
	[ "$n" -gt 8 ]
	[ "$n" -lt 60 ]
}
