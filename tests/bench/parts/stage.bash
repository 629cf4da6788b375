# programs that copy their input, run by stage in each mode, beside the same program in a bare pipe
# "through stage" is: lines | stage -- PROGRAM | lines; every line is read, given to the program, taken back and booked to a batch.
for ((i = 0; i < 5; i++)); do cat corpus; done > corpus.x5
head -n $((lines / 4)) corpus > corpus.4
piped() { # FILE COMMAND...: lines/s
	local file=$1 n begin; shift
	n=$lines
	case $file in *.x5) n=$((lines * 5)) ;; *.4) n=$((lines / 4)) ;; esac
	begin=$(now)
	cat "$file" | "$@" 2>>stage.log | cat > /dev/null
	rate "$n" "$begin"
}
stage_row() { # NAME FILE STAGE-OPTIONS -- PROGRAM...
	local name=$1 file=$2 opts=() bare=() staged=() b s; shift 2
	while [ "$1" != -- ]; do opts+=("$1"); shift; done
	shift
	for round in 1 2 3; do
		bare+=("$(piped "$file" "$@")")
		staged+=("$(piped "$file" "$BIN/stage" "${opts[@]}" -- "$@")")
	done
	b=$(printf '%s\n' "${bare[@]}" | sort -n | sed -n 2p) s=$(printf '%s\n' "${staged[@]}" | sort -n | sed -n 2p)
	row "$name" "$s" "$b" "$(ratio "$s" "$b")"
}
row "through stage, lines/s" "with stage" "bare pipe" ratio
say "stage, cat"
stage_row "cat, -a line" corpus.x5 -a line -- cat
stage_row "cat, -a sync" corpus.x5 -a sync -- cat
say "stage, programs that flush each line"
stage_row "awk with fflush, -a line" corpus -a line -- awk '{ print; fflush() }'
stage_row "grep --line-buffered, -a sync" corpus -a sync -- grep --line-buffered ''
if have jq; then
	say "stage, jq"
	stage_row "jq -c --unbuffered, -a line" corpus.4 -a line -- jq -c --unbuffered .
	stage_row "jq -c, -a eof, 4096 lines a run" corpus.4 -a eof --take 4096 -- jq -c .
fi
echo "bare pipe: the same program between the same two cats. With stage between them every byte crosses four pipes, not two."
row "a run of the program for each batch, lines/s" "stage -a eof" "split --filter" ratio
for n in 256 4096; do
	say "stage, -a eof, $n lines a run"
	read -r staged < <(median piped corpus "$BIN/stage" -a eof --take $n -- cat)
	read -r bare < <(median piped corpus split -l $n --filter=cat -)
	row "cat, $n lines a run" "$staged" "$bare" "$(ratio "$staged" "$bare")"
done
rm -rf corpus.x5

say "stage between two endpoints of route"
hub 'all -> copy' -s always -M metrics
start stage "$BIN/stage" -i ipc://run/to-copy -o null:// -a line -- cat
begin=$(now)
"$tools/put" ipc://run/in 4 256 < corpus > /dev/null
"$tools/drained" metrics copy "$lines"
echo "put, route -s always, stage -a line -- cat as a worker: $(rate "$lines" "$begin") lines/s from put to done"
stop stage; stop route
