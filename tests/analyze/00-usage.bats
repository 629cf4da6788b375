load ../lib/daemon
load ../lib/line
export PENSTOCK_SHARE=$ROOT/share

@test "--help and -V" {
	run analyze --help
	[ "$status" -eq 0 ]
	[[ "$output" == "Usage: analyze "*"--emotes FILE"*"--notify-fd"* ]]
	run analyze -V
	[ "$status" -eq 0 ]
	[[ "$output" == "analyze (penstock) "* ]]
}

@test "a wrong option or operand ends with code 2 and is named" {
	run analyze --modle x
	[ "$status" -eq 2 ]
	[[ "$output" == *"no option --modle"* ]]
	run analyze operand
	[ "$status" -eq 2 ]
	[[ "$output" == *"operand"* ]]
	run analyze -n 4097
	[ "$status" -eq 2 ]
	[[ "$output" == *"4096"* ]]
}

@test "every option of --help is on the page" {
	analyze --help | grep -oE -- '--[a-z-]+' | grep -v -- --help$ | sort -u >"$T/options"
	mandoc -Tascii "$ROOT/man/analyze.8" | col -b >"$T/page"
	[ -s "$T/options" ]
	while read -r o; do grep -q -- "$o" "$T/page" || { echo "$o is not on the page"; false; }; done <"$T/options"
}

@test "model and emotes are found beside the program, by option, and by PENSTOCK_SHARE" {
	local bin
	bin=$(command -v analyze)
	cp "$ROOT/share/emotion.model" "$ROOT/share/emotes.tsv" "$T/"
	PENSTOCK_SHARE=$T analyze -t hello | jq -e .top
	PENSTOCK_SHARE=$T/none analyze -m "$T/emotion.model" -e "$T/emotes.tsv" -t hello | jq -e .top
	mkdir "$T/bin" "$T/share"
	cp "$bin" "$T/bin/"
	mv "$T/emotion.model" "$T/emotes.tsv" "$T/share/"
	PENSTOCK_SHARE= "$T/bin/analyze" -t hello | jq -e .top
}

@test "the model is below 1 MB and has the attribution its data asks for, beside it and inside" {
	[ "$(stat -c %s "$ROOT/share/emotion.model")" -lt 1000000 ]
	for part in "GoEmotions" "Demszky" "creativecommons.org/licenses/by/4.0" "used to train a classifier" "github.com/google-research"; do
		grep -q "$part" "$ROOT/share/emotion.NOTICE"
		grep -aq "$part" "$ROOT/share/emotion.model"
	done
}
