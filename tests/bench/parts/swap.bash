# swap of a stage for a script and back under load: the longest gap in what comes out
printf '%-46s %9s %9s %9s %9s\n' "swap of analyze for mood.py and back" "lost" "repeated" "gap ms" "bare ms"
for rate in 1000 5000; do
	say "swap at $rate lines/s"
	read -r _ _ _ _ _ lost _ repeated _ gap _ < <(SWAP_DIR=$work BIN=$BIN "$top/tests/whole/swap" -r $rate)
	read -r _ _ _ _ _ _ _ _ _ bare _ < <(SWAP_DIR=$work BIN=$BIN "$top/tests/whole/swap" -b -r $rate)
	printf '%-46s %9s %9s %9s %9s\n' "at $rate lines/s" "$lost" "$repeated" "$gap" "$bare"
done
echo "gap: the longest time between two analyses in the spool while it is swapped and back; bare: without a swap. Lines come every 10 ms."
